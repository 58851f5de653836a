// The upload queue: two files at a time, each with progress, cancel and retry. It goes on
// while the person moves to other pages.
import { computed, effect, signal, type Signal } from '@preact/signals';
import { address, hearTime, post, proof, withToken } from '../shell/api';
import { auth } from '../shell/auth';
import { asProblem, cancelled, offline, problemOf, type Problem } from '../shell/problem';
import { downloading, downloads, panel, transfers } from '../shell/transfers';
import { toast, toastProblem } from '../shell/ui';
import { Meter } from '../shell/meter';
import { askTaken } from './question';
import { refreshFolder } from './refresh';
import { inTurn, same, settle, type Reply } from './taken';
import { everything, type Entry } from './tree';
import type { Tree } from './walk';
import { t } from './words';

const atOnce = 2;

// An upload is 'asking' until the app knows that its name is free, or what to do if not.
export type State = 'asking' | 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';

export interface Upload {
  readonly id: number;
  readonly file: File;
  readonly root: string; // the folder that the person chose
  readonly top: string; // the name that appears there: of the file, or of its outermost folder
  readonly shown: Signal<string>; // the name with its folders, as they are called in the end
  readonly folders: Folders; // of the drop that it came in
  readonly path: readonly string[]; // its folders, as they are called on the person's disk
  readonly state: Signal<State>;
  readonly sent: Signal<number>; // bytes
  readonly held: Signal<boolean>; // it waits for an answer, or for a busy server
  readonly problem: Signal<Problem | undefined>;
  readonly became: Signal<boolean>; // its name was taken, and the server chose another
  readonly meter: Meter;
  settled: boolean; // the question of its name is answered
  run: number; // which run of the queue it belongs to
  request?: XMLHttpRequest;
  wake?: () => void; // ends the wait of one that is held
}

// A Place is a folder and the way to it from the root of the upload.
export interface Place {
  id: string;
  path: readonly string[];
}

export const uploads = signal<readonly Upload[]>([]);

export const runs = (u: Upload): boolean => u.state.value === 'asking' || u.state.value === 'waiting' || u.state.value === 'sending';

export const active = computed(() => uploads.value.filter(runs).length);

// A run lasts from the first upload until none is left: progress is of one run.
const run = signal(0);

// totals sums up the run for one progress bar.
export const totals = computed(() => {
  let size = 0, sent = 0;
  for (const u of uploads.value) {
    const state = u.state.value;
    if (u.run !== run.value || state === 'cancelled' || state === 'failed') continue;
    size += u.file.size;
    sent += state === 'done' ? u.file.size : u.sent.value;
  }
  return { size, sent };
});

// clock ticks while something runs, so that a speed falls when nothing moves.
export const clock = signal(0);
export const meter = new Meter();
let moved = 0; // bytes that went, of all uploads

let ids = 0;
let running = 0;
const questions = inTurn();

// add queues a tree of files under the folder `root` ("" is the top). Names that are taken
// there are asked about first; the other files start at once.
export function add(tree: Tree, root: string): void {
  const folders = new Folders(root);
  begin();
  const fresh = tree.files.map(({ path, file }): Upload => ({
    id: ++ids,
    file,
    root,
    top: path[0] ?? file.name,
    shown: signal([...path, file.name].join('/')),
    folders,
    path,
    state: signal<State>('asking'),
    sent: signal(0),
    held: signal(false),
    problem: signal<Problem | undefined>(undefined),
    became: signal(false),
    meter: new Meter(),
    settled: false,
    run: run.peek(),
  }));
  // A name stands once: what ended before gives way to the new try.
  const again = new Set(fresh.map((u) => root + '/' + u.shown.peek()));
  uploads.value = [...uploads.peek().filter((u) => runs(u) || !again.has(u.root + '/' + u.shown.peek())), ...fresh];
  void check(fresh, root, tree.folders, folders);
}

// begin starts a new run when nothing runs.
function begin(): void {
  if (active.peek() > 0) return;
  run.value++;
  meter.start(performance.now(), moved);
}

interface Clash {
  top: string;
  there?: Entry; // undefined: it is on its way there
  files: Upload[];
}

// check looks for taken names, asks what to do with them, and lets the rest go.
async function check(fresh: readonly Upload[], root: string, paths: readonly string[][] = [], folders?: Folders): Promise<void> {
  let there: Map<string, Entry>;
  try {
    there = new Map((await everything(root)).map((e) => [same(e.name), e]));
  } catch (err) {
    const problem = asProblem(err);
    for (const u of fresh) if (u.state.peek() === 'asking') fail(u, problem);
    if (fresh.length === 0) toastProblem(problem);
    return;
  }
  // Of two drops with the same name the later one asks.
  const coming = new Set(uploads.peek().filter((u) => runs(u) && u.root === root && !fresh.includes(u) && (u.settled || u.id < (fresh[0]?.id ?? 0))).map((u) => same(u.top)));
  const clashes = new Map<string, Clash>();
  const free: Upload[] = [];
  for (const u of fresh) {
    const name = same(u.top);
    // The folder that an earlier try of the same drop has made is no other.
    const begun = u.path.length > 0 && uploads.peek().some((o) => o.settled && o.folders === u.folders && o.top === u.top);
    if (begun) {
      free.push(u);
    } else if (there.has(name) || coming.has(name)) {
      if (!clashes.has(name)) clashes.set(name, { top: u.top, there: there.get(name), files: [] });
      clashes.get(name)!.files.push(u);
    } else {
      free.push(u);
    }
  }
  // A folder without files has no upload, yet its name may be taken too.
  for (const [top] of paths) {
    const name = same(top!);
    if (there.has(name) && !clashes.has(name)) clashes.set(name, { top: top!, there: there.get(name), files: [] });
  }
  for (const u of free) release(u);
  // Made even when nothing lies in them.
  const make = (of: (top: string) => boolean) => {
    for (const path of paths.filter(([top]) => of(same(top!)))) {
      folders?.id(path).catch((err) => {
        // Where files go into the folder, each of them tells it.
        if (!fresh.some((u) => u.top === path[0])) toastProblem(err);
      });
    }
  };
  make((top) => !clashes.has(top));
  work();
  if (clashes.size > 0) await questions(() => decide([...clashes.values()], make));
}

async function decide(clashes: readonly Clash[], make: (of: (top: string) => boolean) => void): Promise<void> {
  // Those that were cancelled meanwhile are no question any more.
  const open = clashes.filter((c) => c.files.length === 0 || c.files.some((u) => u.state.peek() === 'asking'));
  for (const { files } of open) for (const u of files) u.held.value = true;
  const answers = await settle(open, (c, left): Promise<Reply> => askTaken({
    name: c.top, folder: c.files.length === 0 || c.files[0]!.path.length > 0, files: c.files.length, size: c.files[0]?.file.size ?? 0, modified: c.files[0]?.file.lastModified, there: c.there,
  }, left));
  let skipped = 0;
  for (const [at, { top, files }] of open.entries()) {
    if (answers[at] === 'keep') {
      for (const u of files) release(u);
      make((name) => name === same(top));
    } else {
      skipped++;
      uploads.value = uploads.peek().filter((u) => !files.includes(u));
    }
  }
  if (skipped > 0) toast(t('skipped', { count: skipped }));
  work();
}

function release(u: Upload): void {
  u.settled = true;
  u.held.value = false;
  if (u.state.peek() === 'asking') u.state.value = 'waiting';
}

// Folders makes each folder of a tree once, its parent first.
class Folders {
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

function work(): void {
  while (running < atOnce) {
    const next = uploads.value.find((u) => u.state.value === 'waiting');
    if (!next) return;
    next.state.value = 'sending';
    running++;
    void carry(next).finally(() => {
      running--;
      work();
    });
  }
}

// carry brings one file to the server.
async function carry(u: Upload): Promise<void> {
  try {
    const folder = await u.folders.id(u.path);
    u.shown.value = [...folder.path, u.file.name].join('/');
    const name = await patiently(u, () => send(u, folder.id));
    if (name !== undefined && name !== same(u.file.name)) {
      u.shown.value = [...folder.path, name].join('/');
      u.became.value = true;
    }
    u.state.value = 'done';
    refreshFolder(folder.id);
  } catch (err) {
    fail(u, asProblem(err));
  }
}

function fail(u: Upload, problem: Problem): void {
  u.problem.value = problem;
  u.state.value = problem.code === 'cancelled' ? 'cancelled' : 'failed';
}

// A busy server names a time to try again. An upload tries so many times, about ten minutes.
const patience = 120;

// patiently repeats an upload that a busy server refused.
async function patiently(u: Upload, once: () => Promise<string | undefined>): Promise<string | undefined> {
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

// send answers the name that the file got. The token may end while the file waits for its turn
// on the wire.
function send(u: Upload, folder: string): Promise<string | undefined> {
  return withToken(async (token) => {
    const to = address('/files', { parent: folder });
    const authorization = 'Bearer ' + token;
    return transmit(u, to, { Authorization: authorization, ...(await proof('post', to, authorization)) });
  });
}

// transmit uses XMLHttpRequest because fetch tells no upload progress.
function transmit(u: Upload, to: string, headers: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Cancelled while its folder was being made.
    if (u.state.value !== 'sending') return reject(cancelled());
    const request = new XMLHttpRequest();
    u.request = request;
    u.sent.value = 0;
    request.open('POST', to);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      // The multipart frame is a few hundred bytes more than the file.
      const sent = Math.min(u.file.size, event.loaded);
      moved += Math.max(0, sent - u.sent.peek());
      u.sent.value = sent;
      u.meter.note(performance.now(), sent);
      meter.note(performance.now(), moved);
    };
    request.onload = () => {
      hearTime(request.getResponseHeader('Date'));
      if (request.status >= 200 && request.status < 300) return resolve(nameOf(parsed(request.responseText)));
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

function nameOf(answer: unknown): string | undefined {
  const name = (answer as { items?: { name?: unknown }[] } | undefined)?.items?.[0]?.name;
  return typeof name === 'string' ? name : undefined;
}

export function cancel(u: Upload): void {
  if (u.state.value === 'sending') u.request?.abort();
  u.wake?.();
  if (runs(u)) u.state.value = 'cancelled';
}

export const cancelAll = (): void => uploads.peek().filter(runs).forEach(cancel);

// retry sends again what ended without arriving; a name that was never looked at is now.
export function retry(some: readonly Upload[]): void {
  begin();
  const ask = new Map<string, Upload[]>();
  for (const u of some) {
    u.problem.value = undefined;
    u.sent.value = 0;
    u.run = run.peek();
    u.state.value = u.settled ? 'waiting' : 'asking';
    if (!u.settled) ask.set(u.root, [...(ask.get(u.root) ?? []), u]);
  }
  for (const [root, list] of ask) void check(list, root);
  work();
}

// clear removes what is over from the list.
export function clear(): void {
  uploads.value = uploads.peek().filter(runs);
  downloads.value = downloads.peek().filter((d) => d.state.value === 'running');
}

// Leaving the app would break running uploads, so the browser asks first; signing out
// cancels them.
export function startUploads(): void {
  addEventListener('beforeunload', (event) => {
    if (active.value > 0) event.preventDefault();
  });
  effect(() => {
    if (auth.value.is !== 'out') return;
    for (const u of uploads.peek()) cancel(u);
    uploads.value = [];
  });
  effect(() => {
    const { size, sent } = totals.value;
    transfers.value = { count: active.value + downloading.value, done: active.value === 0 && downloading.value > 0 ? undefined : size > 0 ? sent / size : 0 };
  });
  // The panel is there from the first transfer to the last. On a phone it begins folded: its
  // list would hide the page that the person looks at.
  effect(() => {
    panel.value = uploads.value.length + downloads.value.length > 0 ? (panel.peek() ?? !matchMedia('(max-width: 40rem)').matches) : undefined;
  });
  effect(() => {
    if (active.value + downloading.value === 0) return;
    const timer = setInterval(() => clock.value++, 1000);
    return () => clearInterval(timer);
  });
}
