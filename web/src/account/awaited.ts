// The address that was signed up in this tab: the page that waits for the code names it, after
// a reload too.
import { signal } from '@preact/signals';

const stored = 'coffer.awaited';

export const awaited = signal('');

export function startAwaited(): void {
  awaited.value = sessionStorage.getItem(stored) ?? '';
}

export function setAwaited(email: string): void {
  awaited.value = email;
  if (email) sessionStorage.setItem(stored, email);
  else sessionStorage.removeItem(stored);
}
