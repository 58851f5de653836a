// One-time links of mails and of the server's start. The secret stands in the fragment, which
// no server sees. It moves from there into this tab's session storage, so that it leaves the
// address bar and survives a reload.
import { useState } from 'preact/hooks';
import { post, type Paths } from './api';
import { Problem } from './problem';

const stored = 'coffer.link';

export interface Link {
  secret: string; // "" when the page was opened without a link
  damaged: boolean; // a part of the address is missing
  used: () => void; // forgets the secret
}

export function useLink(name: string): Link {
  const [secret] = useState(() => take(name));
  return { secret, damaged: secret !== '' && !whole(secret), used: () => sessionStorage.removeItem(stored) };
}

// take reads the secret from the address, else from the store. The store is good for one
// entry of the history: the page that is opened anew without a link does not get the old one.
export function take(name: string): string {
  if (!location.hash) {
    const [id, secret] = (sessionStorage.getItem(stored) ?? '').split(' ');
    return (id && (history.state as { link?: string } | null)?.link === id && secret) || '';
  }
  const secret = new URLSearchParams(location.hash.slice(1)).get(name) ?? '';
  const id = Math.random().toString(36).slice(2);
  if (secret) sessionStorage.setItem(stored, `${id} ${secret}`);
  history.replaceState({ link: id }, '', location.pathname + location.search);
  return secret;
}

// whole knows the shape of every secret that the server puts into a link: 256 bits in base64url.
export function whole(secret: string): boolean {
  return /^[\w-]{43}$/.test(secret);
}

type Check = Extract<Paths<'post'>, `${string}/check`>;

// whenGone asks the server whether a link still works, and calls `gone` when it does not. What
// else goes wrong is told when the person presses the button. It returns what takes it back.
export function whenGone(token: string, path: Check, gone: () => void): () => void {
  const ask = new AbortController();
  if (token && whole(token)) {
    post(path, { open: true, body: { token }, signal: ask.signal }).catch((err: unknown) => {
      if (!ask.signal.aborted && err instanceof Problem && err.code === 'link_gone') gone();
    });
  }
  return () => ask.abort();
}
