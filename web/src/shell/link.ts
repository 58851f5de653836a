// One-time links of mails and of the server's start. The secret stands in the fragment, which
// no server sees. It moves from there into this tab's session storage, so that it leaves the
// address bar and survives a reload.
import { useState } from 'preact/hooks';

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
