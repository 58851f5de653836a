// A person's picture, or their initials.
import { useState } from 'preact/hooks';
import type { Account } from './auth';

// Sizes of the picture on a plain screen and on a sharp one.
const sizes = { small: ['64', '128'], large: ['128', '256'] } as const;

export function Face({ account, size }: { account: Account; size: keyof typeof sizes }) {
  const [broken, setBroken] = useState<string>(); // the picture that cannot be had
  const { avatar } = account;
  if (!avatar || broken === avatar.id) return <span class="initials" aria-hidden="true" data-initials={initials(account.first_name, account.last_name)} />;
  const [plain, sharp] = sizes[size];
  return <img class="face" src={avatar.urls[plain]} srcset={`${avatar.urls[plain]} 1x, ${avatar.urls[sharp]} 2x`} alt="" draggable={false} onError={() => setBroken(avatar.id)} />;
}

export function initials(first: string, last: string): string {
  const letter = (name: string) => [...(name ?? '')][0] ?? '';
  return (letter(first) + letter(last)).toUpperCase() || '·';
}
