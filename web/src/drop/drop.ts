// A drop in this browser, as pages see it. The work is done in a worker: pages read one
// signal and call methods. What the server refuses is told by the state, never thrown.
import type { ReadonlySignal } from '@preact/signals';
import { connect } from './port';
import type { Offered } from './pick';

export { offeredBy, offeredFrom, parseLink, type Offered } from './pick';

export interface Person { rid: string; me: boolean; host: boolean; here: boolean; device: string }

export interface Item { id: string; owner: string; name: string; kind: 'file' | 'folder'; size: number; files: number; type: string }

// Outgoing is what this browser sends to one person. `confirmed` is what the receiver's device
// said that it holds, in bytes.
export interface Outgoing { id: string; item: string; to: string; confirmed: number; total: number; state: 'running' | 'waiting' | 'verified' | 'failed'; why?: Why }

// Incoming is an item that this browser takes. 'waiting': queued, not begun. 'checking': what was
// kept is read again. 'verified': whole, in the browser's own storage; `save` hands it out.
export interface Incoming { item: string; done: number; total: number; state: 'waiting' | 'running' | 'retrying' | 'checking' | 'verified' | 'saved' | 'broken'; why?: Why }

// Missing is an item that this browser offered before the page was loaded anew and whose files it
// no longer has. With `ask` the browser remembers them and only wants the person's permission.
export interface Missing { item: Item; ask: boolean }

export type Why = 'changed' | 'unknown_file' | 'busy' | 'cancelled' | 'sender_gone' | 'tampered' | 'unsafe_name' | 'no_space' | 'stalled' | 'offline' | 'storage_silent';

export type Phase = 'connecting' | 'proving' | 'in' | 'reconnecting' | 'closed';

export type Refusal = 'not_found' | 'full' | 'wrong_code' | 'burnt' | 'not_the_host' | 'too_often' | 'closed' | 'expired' | 'host_gone' | 'replaced' | 'offline';

export interface State {
  phase: Phase;
  refusal?: Refusal; // with phase 'closed': why
  retryAfter?: number; // seconds, with 'too_often'
  name: string;
  expiresAt: string; // RFC 3339; '' while unknown
  host: boolean;
  code?: string; // six digits; the host's alone
  burnt?: boolean; // the code was guessed wrong too often: newCode() draws another
  tries?: number; // wrong codes that the code in force still bears
  link?: string; // the host's alone
  people: Person[]; // this browser first
  items: Item[]; // everybody's, this browser's too
  outgoing: Outgoing[];
  incoming: Incoming[];
  missing: Missing[];
}

export interface Drop {
  // A new object at each change, at most about ten a second while bytes flow.
  readonly state: ReadonlySignal<State>;
  offer(files: Offered[]): Promise<void>;
  withdraw(id: string): void;
  // again gives the files of a missing item once more. Without files it asks for the permission
  // (call it in answer to a press). It answers whether the item is offered again.
  again(id: string, files?: Offered): Promise<boolean>;
  // take receives an item into the browser's own storage, and goes on where an earlier take ended.
  // After 'no_space', a file that the person picked takes the bytes directly.
  take(id: string, to?: FileSystemFileHandle): void;
  // cancel ends a take. The part is kept for a later one.
  cancel(id: string): void;
  // save hands a verified item to the person: as a download, or into the picked file or folder.
  // Folders become a zip where no folder was picked. Nothing is overwritten: a taken name gets a
  // number. It answers when everything is written, or when the browser has begun the download.
  save(id: string, to?: FileSystemFileHandle | FileSystemDirectoryHandle): Promise<void>;
  newCode(): void;
  rename(name: string): Promise<void>; // throws a Problem
  prolong(until: Date): Promise<void>; // throws a Problem
  leave(): Promise<void>; // the host closes the drop for all
  // stop ends this browser's part without leaving: another page or a later visit may resume.
  stop(): Promise<void>;
}

// obstacle says why this browser can take no part, or undefined.
export function obstacle(): 'insecure' | 'old_browser' | undefined {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) return 'insecure';
  if (!globalThis.Worker || !globalThis.indexedDB || !navigator.storage?.getDirectory || !navigator.locks || !AbortSignal.timeout) return 'old_browser';
  return undefined;
}

// openDrop opens a drop with this browser as its host. An earlier one of this browser closes.
export function openDrop(): Promise<Drop> {
  return connect({ open: true }).then((drop) => drop!);
}

// joinDrop joins by the six digits or by "v1.<key>" of a link.
export function joinDrop(name: string, secret: string): Promise<Drop> {
  return connect({ join: { name, secret } }).then((drop) => drop!);
}

// resumeDrop goes on with a drop that this browser is in, after a reload. `want` narrows the choice
// to one name, or to drops that it hosts (or does not host). Another tab's drop is left alone.
export function resumeDrop(want: { name?: string; host?: boolean } = {}): Promise<Drop | undefined> {
  return connect({ resume: want });
}
