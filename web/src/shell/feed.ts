// What changed on another device or in another tab. The tabs of a browser share one stream:
// a lock elects the tab that reads it, and a channel passes its events on.
import { effect } from '@preact/signals';
import { stream } from './api';
import { auth } from './auth';

// An ear hears the id of what changed; undefined says that anything may have.
type Ear = (id: string | undefined) => void;

interface Event {
  kind: string;
  id?: string;
}

const anything = 'anything';
const ears = new Map<string, Ear[]>();
const channel = new BroadcastChannel('coffer.feed');

// onChange has `ear` hear of changes of one kind. Rooms call it when they start.
export function onChange(kind: string, ear: Ear): void {
  ears.set(kind, [...(ears.get(kind) ?? []), ear]);
}

// startFeed listens while somebody is signed in.
export function startFeed(): void {
  channel.onmessage = (message: MessageEvent<Event>) => hear(message.data);
  let was: string | undefined;
  let stop: AbortController | undefined;
  effect(() => {
    const who = auth.value.is === 'in' ? auth.value.account.id : undefined;
    if (who === was) return;
    was = who;
    stop?.abort();
    if (!who) return;
    stop = new AbortController();
    void lead(stop.signal);
  });
}

// lead waits until no other tab reads the stream, and reads it until `signal`.
async function lead(signal: AbortSignal): Promise<void> {
  const work = () => follow(signal);
  // Without locks each tab reads a stream of its own.
  await (navigator.locks ? navigator.locks.request('coffer.feed', { signal }, work) : work()).catch(() => undefined);
}

// follow reads stream after stream. After each gap anything may have changed.
async function follow(signal: AbortSignal): Promise<void> {
  for (let wait = 1000; !signal.aborted; wait = Math.min(2 * wait, 30_000)) {
    try {
      const response = await stream('/changes', { signal });
      if (wait > 1000) tell({ kind: anything });
      wait = 1000;
      await read(response.body!, tell);
    } catch {
      // Said where somebody asks for something: the stream alone is no news.
    }
    await sleep(wait * (0.5 + Math.random()), signal);
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// read passes on the events of a stream (WHATWG HTML §9.2.6, as far as the server uses it).
export async function read(body: ReadableStream<Uint8Array>, event: (e: Event) => void): Promise<void> {
  let kind = '';
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith('event: ')) kind = line.slice(7);
      else if (line.startsWith('data: ')) event({ kind, id: (JSON.parse(line.slice(6)) as { id?: string }).id });
    }
  }
}

function tell(event: Event): void {
  hear(event);
  channel.postMessage(event);
}

function hear({ kind, id }: Event): void {
  if (kind === anything) for (const some of ears.values()) for (const ear of some) ear(undefined);
  else for (const ear of ears.get(kind) ?? []) ear(id);
}
