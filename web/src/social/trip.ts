// What a tab remembers while the person is at a provider: where they were going, and why. It
// stands in the tab's session storage and holds no secret.
const stored = 'coffer.trip';
const waiting = 'coffer.wait';

export interface Trip {
  purpose: 'sign_in' | 'link' | 'renew';
  provider: string;
  to?: string; // the page to go to afterwards
  remember?: boolean; // this device
}

export function begin(trip: Trip): void {
  sessionStorage.setItem(stored, JSON.stringify(trip));
}

export function trip(): Trip | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(stored) ?? 'null') as Trip | null) ?? undefined;
  } catch {
    return undefined;
  }
}

export function over(): void {
  sessionStorage.removeItem(stored);
}

// start is where the server sends the browser on to the provider.
export const start = (provider: string) => `/v1/auth/social/${encodeURIComponent(provider)}`;

// here is the page that the person leaves.
export const here = () => location.pathname + location.search;

// What a window brings back from a provider: a code, or why there is none.
export interface Back {
  code?: string;
  error?: string;
}

// A window of its own may make the trip for a tab that waits. The window knows the name of the
// wait, hands over what it brings back, and closes.
type News = { wait: string } & ({ kind: 'taken' } | ({ kind: 'back' } & Back));

const channel = () => new BroadcastChannel('coffer.trip');

// A Wait is that of the tab. `close` ends it.
export interface Wait {
  mark: (other: Window) => void;
  close: () => void;
}

// listen waits for what a window brings back.
export function listen(onBack: (back: Back) => void): Wait {
  const wait = crypto.randomUUID();
  const line = channel();
  line.onmessage = ({ data }: MessageEvent<News>) => {
    if (data.kind !== 'back' || data.wait !== wait) return;
    line.postMessage({ kind: 'taken', wait } satisfies News);
    const { code, error } = data;
    onBack({ code, error });
  };
  return {
    mark: (other) => other.sessionStorage.setItem(waiting, wait),
    close: () => line.close(),
  };
}

// handOver gives what this window has brought back to the tab that waits for it. It returns
// false when no tab waits.
export async function handOver(back: Back): Promise<boolean> {
  const wait = sessionStorage.getItem(waiting);
  if (!wait) return false;
  sessionStorage.removeItem(waiting);
  const line = channel();
  try {
    return await new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), 1500);
      line.onmessage = ({ data }: MessageEvent<News>) => {
        if (data.kind !== 'taken' || data.wait !== wait) return;
        clearTimeout(late);
        resolve(true);
      };
      line.postMessage({ kind: 'back', wait, ...back } satisfies News);
    });
  } finally {
    line.close();
  }
}
