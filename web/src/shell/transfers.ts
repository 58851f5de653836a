// What the top bar shows of uploads and downloads. The room that moves files feeds these
// signals; the shell draws a ring and opens the room's panel with it.
import { signal } from '@preact/signals';

export interface Transfers {
  count: number; // those that are not over
  done: number; // their share that is done, 0 to 1
}

export const transfers = signal<Transfers>({ count: 0, done: 0 });

// panel says whether the room's panel is open; undefined while it has nothing to show. The
// ring is there as long as the panel has something, and a press on it opens or closes it.
export const panel = signal<boolean | undefined>(undefined);
