// This file tells the frame and every page whether somebody is signed in. The session room
// keeps the session itself and hands in a Keeper.
import { signal } from '@preact/signals';
import type { Answer, Body } from './api';
import type { Problem } from './problem';
import type { Challenge } from './room';

export type Account = Answer<'get', '/account'>;

export type Auth =
  | { is: 'starting' }
  | { is: 'unreachable'; problem: Problem; retry: () => void } // there may be a session
  | { is: 'out'; why?: Ending }
  | { is: 'repair'; account: Account; recovered: Recovered } // signed in by a way back: the account may be repaired, and nothing else
  | { is: 'in'; account: Account; recovered?: Recovered };

// A way back opened this session. It stays one when the repair is done.
export interface Recovered {
  by: readonly string[]; // what was proved
  steps: boolean; // sign-in steps may be set up again
  from?: string; // from when on this way back may do that
  until: string; // when the session ends
}

// Why a session ended that the person did not end here: it expired or was ended from another
// device, it was ended in another tab, or the time of a repair was over.
export type Ending = 'ended' | 'otherTab' | 'repair';

export const auth = signal<Auth>({ is: 'starting' });

// me is the account of the session.
export const me = (): Account | undefined => ('account' in auth.value ? auth.value.account : undefined);

export type Opened = Answer<'post', '/auth/sign-in'>;
export type Session = Extract<Opened, { access_token: string }>;
export type Opening = Omit<Body<'post', '/auth/sign-in'>, 'identifier' | 'password' | 'remember_device'>;

// An Outgoing is a request that is about to be sent.
export interface Outgoing {
  method: string;
  address: string; // path and query
  authorization?: string;
  body?: string; // JSON
  at: number; // the server's time, in milliseconds
}

// Begun is a proof whose steps are left.
export interface Begun {
  challenge: Challenge;
  by: string;
}

export interface Keeper {
  // An access token with some life left.
  token(): Promise<string>;
  // The header fields that prove a request, when the session wants its requests signed.
  sign(request: Outgoing): Promise<Record<string, string>>;
  // Replaces the token `stale`, unless that was done meanwhile.
  renew(stale: string): Promise<void>;
  // Gets a token of what the session may do by now.
  level(): Promise<void>;
  // Asks the person for a fresh proof; false when they decline. One that was begun asks for the
  // steps that are left.
  prove(begun?: Begun): Promise<boolean>;
  // What every call carries that opens a session.
  opening(): Promise<Opening>;
  // Takes over what such a call answered, and leads to where people begin, or to the sign-in
  // steps that are left. by names what was proved, where it is not the password; to is the page
  // that the person wants.
  enter(opened: Opened, way?: { by?: string; to?: string }): Promise<void>;
  // Takes over a changed account, here and in every other tab.
  changed(account: Account): void;
  // Takes over the session that a call has answered.
  take(session: Session): Promise<void>;
  // Forgets the session, in every tab, because the server has ended it; `leave` goes to the page
  // that says so.
  ended(leave: () => void): void;
}

let kept: Keeper | undefined;

export function useKeeper(keeper: Keeper): void {
  kept = keeper;
}

export function keeper(): Keeper {
  if (!kept) throw new Error('no room keeps the session');
  return kept;
}
