// One-time links of mails and of the server's start. The secret stands in the fragment, which
// no server sees. It moves from there into this tab's session storage, so that it leaves the
// address bar and survives a reload.
import { useEffect, useState } from 'preact/hooks';
import { post, type Paths } from './api';
import { Problem } from './problem';

const stored = 'coffer.link';

export interface Link {
  secret: string; // "" when the page was opened without a link
  damaged: boolean; // a part of the address is missing
  used: () => void; // forgets the secret
}

export function useLink(): Link {
  const [secret] = useState(take);
  return { secret, damaged: secret !== '' && !whole(secret), used: () => sessionStorage.removeItem(stored) };
}

// take reads the secret from the address, else from the store. The store is good for one
// entry of the history: the page that is opened anew without a link does not get the old one.
function take(): string {
  if (location.hash) {
    const secret = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
    const id = Math.random().toString(36).slice(2);
    if (secret) sessionStorage.setItem(stored, `${id} ${secret}`);
    history.replaceState({ link: id }, '', location.pathname + location.search);
    return secret;
  }
  const [id, secret] = (sessionStorage.getItem(stored) ?? '').split(' ');
  const search = new URLSearchParams(location.search);
  const carried = search.get('link');
  if (carried) {
    search.delete('link');
    history.replaceState({ link: carried }, '', [location.pathname, search].filter(String).join('?'));
  }
  return (id && entry() === id && secret) || '';
}

const entry = () => (history.state as { link?: string } | null)?.link;

// carried returns the part of an address that finds the page's link again after a sign-in. It
// names the link in the store and is no secret.
export function carried(): string {
  if (location.hash.startsWith('#token=')) take();
  const id = entry();
  return id ? 'link=' + id : '';
}

// whole knows the shape of every secret that the server puts into a link: 256 bits in base64url.
export function whole(secret: string): boolean {
  return /^[\w-]{43}$/.test(secret);
}

type Check = Extract<Paths<'post'>, `${string}/check`>;

// whenGone asks the server whether a link still works, and calls `gone` when it does not. What
// else goes wrong is told when the person presses the button. It returns what takes it back.
export function whenGone(token: string, path: Check, gone: () => void, open = true): () => void {
  const ask = new AbortController();
  if (token && whole(token)) {
    post(path, { open, body: { token }, signal: ask.signal }).catch((err: unknown) => {
      if (!ask.signal.aborted && err instanceof Problem && err.code === 'link_gone') gone();
    });
  }
  return () => ask.abort();
}

// OneTime is the link of a page whose button uses it up.
export interface OneTime {
  token: string; // "" when the page was opened without a link
  dead: Dead | undefined;
  // use runs the call that uses the link up. It returns false when the link does not work.
  use: (work: (token: string) => Promise<unknown>) => Promise<boolean>;
  used: () => void;
}

export type Dead = 'damaged' | 'gone';

// useOneTime asks at once whether the link of the page still works; `open` is for the links
// that want no session.
export function useOneTime(path: Check, open = true): OneTime {
  const link = useLink();
  const [dead, setDead] = useState<Dead | undefined>(link.damaged ? 'damaged' : undefined);
  const gone = () => {
    link.used();
    setDead('gone');
  };
  useEffect(() => whenGone(link.secret, path, gone, open), []);
  return {
    token: link.secret, dead, used: link.used,
    async use(work) {
      try {
        await work(link.secret);
      } catch (err) {
        if (!(err instanceof Problem) || err.code !== 'link_gone') throw err;
        gone();
        return false;
      }
      link.used();
      return true;
    },
  };
}
