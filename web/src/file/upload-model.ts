// What an upload is, and what the app shows of all of them.
import { computed, signal, type Signal } from '@preact/signals';
import { post } from '../shell/api';
import { Meter } from '../shell/meter';
import type { Problem } from '../shell/problem';
import { toast } from '../shell/ui';
import { refreshFolder } from './refresh';
import { same } from './taken';
import { t } from './words';

// An upload is 'asking' until the app knows that its name is free, or what to do if not. It is
// 'left' when an earlier load of the page began it: the person has to choose its file again.
export type State = 'asking' | 'waiting' | 'sending' | 'paused' | 'left' | 'done' | 'failed' | 'cancelled';

// Why an upload stands still for a moment.
export type Hold = 'answer' | 'busy' | 'lost';

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  file: File | undefined; // undefined while it is left
  readonly root: string; // the folder that the person chose
  readonly top: string; // the name that appears there: of the file, or of its outermost folder
  readonly shown: Signal<string>; // the name with its folders, as they are called in the end
  readonly folders: Folders; // of the drop that it came in
  readonly path: readonly string[]; // its folders, as they are called on the person's disk
  readonly state: Signal<State>;
  readonly sent: Signal<number>; // bytes
  readonly held: Signal<Hold | undefined>;
  readonly problem: Signal<Problem | undefined>;
  readonly became: Signal<boolean>; // its name was taken, and the server chose another
  readonly meter: Meter;
  settled: boolean; // the question of its name is answered
  replace: boolean; // the file of its name becomes a version
  alone: boolean; // it is not sent together with others
  run: number; // which run of the queue it belongs to
  stop?: AbortController; // ends what sends it
  key?: string; // the server's id of a resumable one
  offset: number; // bytes that the server is known to have
}

// Larger files go in a way that can be taken up where it ended.
export const resumableFrom = 4 << 20;

export const resumable = (u: Upload): boolean => u.key !== undefined || u.size > resumableFrom;

export const uploads = signal<readonly Upload[]>([]);

export const runs = (u: Upload): boolean => u.state.value === 'asking' || u.state.value === 'waiting' || u.state.value === 'sending';

export const active = computed(() => uploads.value.filter(runs).length);

// A run lasts from the first upload until none is left: progress is of one run.
export const run = signal(0);

// begin starts a new run when nothing runs.
export function begin(): void {
  if (active.peek() > 0) return;
  run.value++;
  meter.start(performance.now(), moved);
}

// totals sums up the run for one progress bar.
export const totals = computed(() => {
  let size = 0, sent = 0;
  for (const u of uploads.value) {
    const state = u.state.value;
    if (u.run !== run.value || !(runs(u) || state === 'done')) continue;
    size += u.size;
    sent += state === 'done' ? u.size : u.sent.value;
  }
  return { size, sent };
});

// clock ticks while something runs, so that a speed falls when nothing moves.
export const clock = signal(0);
export const meter = new Meter();
let moved = 0; // bytes that went, of all uploads

// went tells how many bytes of an upload are gone.
export function went(u: Upload, sent: number): void {
  moved += Math.max(0, sent - u.sent.peek());
  u.sent.value = sent;
  u.meter.note(performance.now(), sent);
  meter.note(performance.now(), moved);
}

// stands tells how many bytes of an upload the server has: they count for no speed.
export function stands(u: Upload, offset: number): void {
  u.offset = offset;
  u.sent.value = offset;
  u.meter.start(performance.now(), offset);
}

let ids = 0;

export function made(file: File | undefined, more: Pick<Upload, 'name' | 'size' | 'root' | 'top' | 'folders' | 'path'> & Partial<Upload>): Upload {
  return {
    id: ++ids,
    file,
    shown: signal([...more.path, more.name].join('/')),
    state: signal<State>('asking'),
    sent: signal(0),
    held: signal<Hold | undefined>(undefined),
    problem: signal<Problem | undefined>(undefined),
    became: signal(false),
    meter: new Meter(),
    settled: false,
    replace: false,
    alone: false,
    run: run.peek(),
    offset: 0,
    ...more,
  };
}

export function release(u: Upload): void {
  u.settled = true;
  u.held.value = undefined;
  if (u.state.peek() === 'asking') u.state.value = 'waiting';
}

export function fail(u: Upload, problem: Problem): void {
  u.problem.value = problem;
  u.state.value = problem.code === 'cancelled' ? 'cancelled' : 'failed';
}

// A Place is a folder and the way to it from the root of the upload.
export interface Place {
  id: string;
  path: readonly string[];
}

// Folders makes each folder of a tree once, its parent first.
export class Folders {
  readonly #made = new Map<string, Promise<Place>>();
  constructor(readonly root: string) {}

  id(path: readonly string[]): Promise<Place> {
    if (path.length === 0) return Promise.resolve({ id: this.root, path: [] });
    const key = path.join('/');
    let made = this.#made.get(key);
    if (!made) {
      made = this.#make(path);
      // A failure is not kept, so that a retry tries again.
      made.catch(() => this.#made.delete(key));
      this.#made.set(key, made);
    }
    return made;
  }

  async #make(path: readonly string[]): Promise<Place> {
    const parent = await this.id(path.slice(0, -1));
    const name = path.at(-1)!;
    const folder = await post('/files/folders', { body: { name, ...(parent.id && { parent: parent.id }) } });
    if (folder.name !== same(name)) toast(t('numbered', { name: folder.name }));
    refreshFolder(parent.id);
    return { id: folder.id, path: [...parent.path, folder.name] };
  }
}
