// What the app shows of uploads and downloads. The room that moves files feeds the ring of the
// top bar and draws the panel; another room adds its downloads to the list here.
import { computed, signal, type Signal } from '@preact/signals';
import type { Problem } from './problem';

export interface Transfers {
  count: number; // those that are not over
  resting: number; // those that go on when the person wants it
  failed: number; // those that did not arrive
  done: number | undefined; // their share that is done, 0 to 1; undefined while no whole is known
}

export const transfers = signal<Transfers>({ count: 0, resting: 0, failed: 0, done: 0 });

// panel says whether the room's panel is open; undefined while it has nothing to show. The
// ring is there as long as the panel has something, and a press on it opens or closes it.
export const panel = signal<boolean | undefined>(undefined);

// A Download is of a size that nobody knows before its end.
export interface Download {
  readonly name: () => string;
  readonly received: Signal<number>; // bytes
  readonly state: Signal<'running' | 'done' | 'failed' | 'cancelled'>;
  readonly problem: Signal<Problem | undefined>;
  cancel(): void;
  again(): void;
}

export const downloads = signal<readonly Download[]>([]);

export const downloading = computed(() => downloads.value.filter((d) => d.state.value === 'running').length);
