// The upload queue: two files at a time, each with progress, cancel and retry. It goes on
// while the person moves to other pages.
import { computed, effect, signal, type Signal } from '@preact/signals';
import { address, post, tokenEnded } from '../shell/api';
import { auth, keeper } from '../shell/auth';
import { asProblem, cancelled, offline, problemOf, type Problem } from '../shell/problem';
import { panel, transfers } from '../shell/transfers';
import type { Tree } from './walk';

const atOnce = 2;

export type State = 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';

export interface Upload {
  readonly id: number;
  readonly file: File;
  readonly shown: string; // the name with its folders
  readonly folder: () => Promise<string>; // where it goes; makes the folder when it must
  readonly state: Signal<State>;
  readonly sent: Signal<number>; // bytes
  readonly held: Signal<boolean>; // the server is busy: it is sent again by itself
  readonly problem: Signal<Problem | undefined>;
  request?: XMLHttpRequest;
  wake?: () => void; // ends the wait of one that is held
}

export const uploads = signal<readonly Upload[]>([]);

// landed counts what arrived in each folder.
export const landed = signal<Readonly<Record<string, number>>>({});

export const active = computed(() => uploads.value.filter((u) => u.state.value === 'waiting' || u.state.value === 'sending').length);

// totals sums up the queue for one progress bar.
export const totals = computed(() => {
  let size = 0, sent = 0, done = 0, failed = 0;
  for (const u of uploads.value) {
    const state = u.state.value;
    if (state === 'cancelled') continue;
    size += u.file.size;
    sent += state === 'done' ? u.file.size : u.sent.value;
    if (state === 'done') done++;
    if (state === 'failed') failed++;
  }
  return { size, sent, done, failed, count: uploads.value.length };
});

let ids = 0;
let running = 0;

// add queues a tree of files under the folder `root` ("" is the top).
export function add(tree: Tree, root: string): void {
  const folders = new Folders(root);
  // Made even when nothing lies in them.
  for (const path of tree.folders) void folders.id(path).catch(() => undefined);
  const fresh = tree.files.map(({ path, file }): Upload => ({
    id: ++ids,
    file,
    shown: [...path, file.name].join('/'),
    folder: () => folders.id(path),
    state: signal<State>('waiting'),
    sent: signal(0),
    held: signal(false),
    problem: signal<Problem | undefined>(undefined),
  }));
  uploads.value = [...uploads.value, ...fresh];
  work();
}

// Folders makes each folder of a tree once, its parent first.
class Folders {
  readonly #made = new Map<string, Promise<string>>();
  constructor(readonly root: string) {}

  id(path: readonly string[]): Promise<string> {
    if (path.length === 0) return Promise.resolve(this.root);
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

  async #make(path: readonly string[]): Promise<string> {
    const parent = await this.id(path.slice(0, -1));
    const folder = await post('/files/folders', { body: { name: path.at(-1)!, ...(parent && { parent }) } });
    arrived(parent);
    return folder.id;
  }
}

export function arrived(folder: string): void {
  landed.value = { ...landed.value, [folder]: (landed.value[folder] ?? 0) + 1 };
}

function work(): void {
  while (running < atOnce) {
    const next = uploads.value.find((u) => u.state.value === 'waiting');
    if (!next) return;
    next.state.value = 'sending';
    running++;
    void run(next).finally(() => {
      running--;
      work();
    });
  }
}

async function run(u: Upload): Promise<void> {
  try {
    const folder = await u.folder();
    await patiently(u, () => send(u, folder));
    u.state.value = 'done';
    arrived(folder);
  } catch (err) {
    const problem = asProblem(err);
    u.problem.value = problem;
    u.state.value = problem.code === 'cancelled' ? 'cancelled' : 'failed';
  }
}

// A busy server names a time to try again. An upload tries so many times, about ten minutes.
const patience = 120;

// patiently repeats an upload that a busy server refused.
async function patiently(u: Upload, once: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await once();
    } catch (err) {
      const { wait } = asProblem(err);
      if (!wait || tries >= patience) throw err;
      u.sent.value = 0;
      u.held.value = true;
      await new Promise<void>((resolve) => {
        u.wake = resolve;
        setTimeout(resolve, wait * 1000);
      });
      u.held.value = false;
    }
  }
}

async function send(u: Upload, folder: string): Promise<void> {
  const token = await keeper().token();
  try {
    await transmit(u, folder, token);
  } catch (err) {
    // The token may have ended while the file waited for its turn on the wire.
    if (!tokenEnded(err)) throw err;
    await keeper().renew(token);
    await transmit(u, folder, await keeper().token());
  }
}

// transmit uses XMLHttpRequest because fetch tells no upload progress.
function transmit(u: Upload, folder: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Cancelled while its folder was being made.
    if (u.state.value !== 'sending') return reject(cancelled());
    const request = new XMLHttpRequest();
    u.request = request;
    u.sent.value = 0;
    request.open('POST', address('/files', { parent: folder }));
    request.setRequestHeader('Authorization', 'Bearer ' + token);
    request.upload.onprogress = (event) => {
      // The multipart frame is a few hundred bytes more than the file.
      u.sent.value = Math.min(u.file.size, event.loaded);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve();
      reject(problemOf(request.status, parsed(request.responseText), request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(offline());
    request.onabort = () => reject(cancelled());
    const form = new FormData();
    form.append('file', u.file, u.file.name);
    request.send(form);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function cancel(u: Upload): void {
  if (u.state.value === 'sending') u.request?.abort();
  u.wake?.();
  if (u.state.value === 'waiting' || u.state.value === 'sending') u.state.value = 'cancelled';
}

export function retry(u: Upload): void {
  u.problem.value = undefined;
  u.sent.value = 0;
  u.state.value = 'waiting';
  work();
}

// clear removes finished, failed and cancelled uploads from the list.
export function clear(): void {
  uploads.value = uploads.value.filter((u) => u.state.value === 'waiting' || u.state.value === 'sending');
}

// Leaving the app would break running uploads, so the browser asks first; signing out
// cancels them.
export function startUploads(): void {
  addEventListener('beforeunload', (event) => {
    if (active.value > 0) event.preventDefault();
  });
  effect(() => {
    const { size, sent } = totals.value;
    transfers.value = { count: active.value, done: size > 0 ? sent / size : 0 };
  });
  // The panel opens with the first upload and is gone with the last.
  effect(() => {
    panel.value = uploads.value.length > 0 ? (panel.peek() ?? true) : undefined;
  });
  effect(() => {
    if (auth.value.is !== 'out') return;
    for (const u of uploads.peek()) cancel(u);
    uploads.value = [];
  });
}
