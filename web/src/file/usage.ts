// How much room the person's files take up.
import { effect, signal, untracked } from '@preact/signals';
import { get, type Answer } from '../shell/api';
import { auth } from '../shell/auth';
import { onChange } from '../shell/feed';
import { changes } from './refresh';

export type Usage = Answer<'get', '/files/usage'>;

export const usage = signal<Usage | undefined>(undefined);

// Many files that come one after the other are asked about once in a while.
const pause = 4_000;
let last = -pause;
let timer: ReturnType<typeof setTimeout> | undefined;

function later(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    last = performance.now();
    // Nobody misses a meter; the page of the storage says why it cannot be read.
    get('/files/usage').then((u) => { usage.value = u; }).catch(() => undefined);
  }, Math.max(0, last + pause - performance.now()));
}

export function startUsage(): void {
  onChange('trash', later);
  effect(() => {
    if (auth.value.is === 'in') return untracked(later);
    clearTimeout(timer);
    timer = undefined;
    last = -pause;
    usage.value = undefined;
  });
  effect(() => {
    void changes.value;
    if (untracked(() => auth.value.is === 'in')) later();
  });
}
