// Saves files of an opened pin: bytes are opened on the way into the file. What breaks, or is damaged, is
// never kept.
import { computed, signal, type Signal } from '@preact/signals';
import { Meter } from '../shell/meter';
import { asProblem, cancelled, Problem } from '../shell/problem';
import { give } from '../shell/save';
import { Damaged, type Bytes } from './blocks';
import { DamagedFile } from './opened';

export interface Wanted {
  key: string; // tells apart the savings of a page
  name: string; // to save it under
  size: number;
  read: (signal: AbortSignal) => AsyncIterable<Bytes>;
}

export interface Saving extends Wanted {
  id: number;
  received: Signal<number>;
  state: Signal<'running' | 'done' | 'failed' | 'cancelled'>;
  problem: Signal<Problem | undefined>;
  damaged: Signal<string | undefined>; // the path of the file that is
  meter: Meter;
  stop: AbortController;
}

export const savings = signal<readonly Saving[]>([]);
const running = computed(() => savings.value.filter((s) => s.state.value === 'running').length);

// Larger ones do not pass through the browser's memory, where it can write into a file.
const large = 64 << 20;
const piece = 4 << 20;

interface SaveFilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle & { remove?(): Promise<void> }>;
}

let ids = 0;

export function save(wanted: Wanted): void {
  guard();
  const same = (s: Saving) => s.key === wanted.key;
  if (savings.peek().some((s) => same(s) && s.state.peek() === 'running')) return;
  const mine: Saving = {
    ...wanted, id: ++ids, received: signal(0), state: signal<'running' | 'done' | 'failed' | 'cancelled'>('running'), problem: signal<Problem | undefined>(undefined), damaged: signal<string | undefined>(undefined), meter: new Meter(), stop: new AbortController(),
  };
  savings.value = [...savings.peek().filter((s) => !same(s)), mine];
  carry(mine).then(() => {
    mine.state.value = 'done';
  }, (err: unknown) => {
    if (err instanceof DamagedFile) mine.damaged.value = err.path;
    const problem = mine.stop.signal.aborted ? cancelled() : problemOf(err);
    mine.problem.value = problem;
    mine.state.value = problem.code === 'cancelled' ? 'cancelled' : 'failed';
  });
}

export const cancel = (s: Saving): void => s.stop.abort();

export function forget(s: Saving): void {
  savings.value = savings.peek().filter((o) => o !== s);
}

// leave ends what runs for a page that goes.
export function leave(of: string): void {
  for (const s of savings.peek()) if (s.key.startsWith(of)) cancel(s);
  savings.value = savings.peek().filter((s) => !s.key.startsWith(of));
}

// problemOf is why content did not come: damage has a code of its own.
export const problemOf = (err: unknown): Problem => (err instanceof Damaged ? new Problem({ status: -1, code: 'pin_damaged' }) : asProblem(err));

async function carry(s: Saving): Promise<void> {
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (s.size < large || !showSaveFilePicker) return gather(s);
  // Asked first: the picker needs the press of the button that led here.
  const handle = await showSaveFilePicker.call(window, { suggestedName: s.name }).catch(() => {
    throw cancelled();
  });
  try {
    const to = await handle.createWritable();
    try {
      await read(s, (part) => to.write(part));
    } catch (err) {
      await to.abort();
      throw err;
    }
    await to.close();
  } catch (err) {
    await handle.remove?.().catch(() => undefined); // the picker has made an empty file
    throw err;
  }
}

// gather keeps the bytes until the end. The browser may put blobs on its disk; bytes stay in its memory.
async function gather(s: Saving): Promise<void> {
  const parts: Blob[] = [];
  let held: Bytes[] = [];
  let bytes = 0;
  const put = () => {
    parts.push(new Blob(held));
    held = [];
    bytes = 0;
  };
  await read(s, (part) => {
    held.push(part);
    if ((bytes += part.length) >= piece) put();
  });
  put();
  give(new Blob(parts, { type: 'application/octet-stream' }), s.name);
}

async function read(s: Saving, put: (part: Bytes) => void | Promise<void>): Promise<void> {
  const { signal: stop } = s.stop;
  s.meter.start(performance.now(), 0);
  for await (const part of s.read(stop)) {
    if (stop.aborted) throw cancelled();
    await put(part);
    s.received.value += part.length;
    s.meter.note(performance.now(), s.received.peek());
  }
  if (stop.aborted) throw cancelled();
}

let guarded = false;

// guard has the browser ask before it leaves a page whose files are being saved.
function guard(): void {
  if (guarded) return;
  guarded = true;
  addEventListener('beforeunload', (event) => {
    if (running.value > 0) event.preventDefault();
  });
}
