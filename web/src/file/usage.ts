// How much room the person's files take up.
import { effect, signal, untracked } from '@preact/signals';
import { get, type Answer } from '../shell/api';
import { auth } from '../shell/auth';
import { onChange } from '../shell/feed';
import { changes } from './refresh';

export type Usage = Answer<'get', '/files/usage'>;

export const usage = signal<Usage | undefined>(undefined);

// Many files that come one after the other are asked about once in a while, more seldom where the
// answer takes long.
const pause = 1_000;
const soon = 100;
let last = -pause;
let took = 0;
let reading = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function later(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    last = performance.now();
    const mine = ++reading;
    // Nobody misses a meter; the page of the storage says why it cannot be read.
    get('/files/usage').then((u) => {
      took = performance.now() - last;
      if (mine === reading) usage.value = u; // an older answer may come later
    }).catch(() => undefined);
  }, Math.max(soon, last + Math.max(pause, 10 * took) - performance.now()));
}

export function startUsage(): void {
  onChange('trash', later);
  effect(() => {
    if (auth.value.is === 'in') return untracked(later);
    clearTimeout(timer);
    timer = undefined;
    last = -pause;
    took = 0;
    reading++;
    usage.value = undefined;
  });
  effect(() => {
    void changes.value;
    if (untracked(() => auth.value.is === 'in')) later();
  });
}
