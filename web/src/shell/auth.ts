// This file tells the frame and every page whether somebody is signed in. The session room
// keeps the session itself and hands in a Keeper.
import { signal } from '@preact/signals';
import type { Answer } from './api';
import type { Problem } from './problem';

export type Account = Answer<'get', '/account'>;

export type Auth =
  | { is: 'starting' }
  | { is: 'unreachable'; problem: Problem; retry: () => void } // there may be a session
  | { is: 'out'; why?: Ending }
  | { is: 'in'; account: Account };

// Why a session ended that the person did not end here: it expired or was ended from another
// device, or it was ended in another tab.
export type Ending = 'ended' | 'otherTab';

export const auth = signal<Auth>({ is: 'starting' });

export interface Keeper {
  // An access token with some life left.
  token(): Promise<string>;
  // Replaces the token `stale`, unless that was done meanwhile.
  renew(stale: string): Promise<void>;
  // Asks the person for a fresh proof; false when they decline.
  prove(): Promise<boolean>;
  // Takes over a changed account, here and in every other tab.
  changed(account: Account): void;
}

let kept: Keeper | undefined;

export function useKeeper(keeper: Keeper): void {
  kept = keeper;
}

export function keeper(): Keeper {
  if (!kept) throw new Error('no room keeps the session');
  return kept;
}
