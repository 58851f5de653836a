// The upload queue: two at a time, each with progress, pause, cancel and retry. It goes on while
// the person moves to other pages.
import { effect } from '@preact/signals';
import { auth } from '../shell/auth';
import { asProblem, Problem } from '../shell/problem';
import { downloading, downloads, panel, transfers } from '../shell/transfers';
import { toastProblem } from '../shell/ui';
import { refreshFolder } from './refresh';
import { same } from './taken';
import { sendForm, together } from './upload-form';
import { fits, leftOvers, letGo, take } from './upload-left';
import { active, begin, clock, fail, Folders, made, resumable, run, runs, totals, uploads, type Hold, type Upload } from './upload-model';
import { check } from './upload-names';
import { giveUp, sendResumable } from './upload-tus';
import type { Tree } from './walk';

const atOnce = 2;

// add queues a tree of files under the folder `root` ("" is the top). Names that are taken
// there are asked about first; the other files start at once. A file of an upload that was left
// there goes on.
export function add(tree: Tree, root: string): void {
  const left = uploads.peek().filter((u) => u.state.peek() === 'left');
  const again = (file: File, folder: string) => left.find((u) => u.folders.root === folder && fits(u, file));
  const rest = tree.files.filter(({ path, file }) => {
    const u = path.length === 0 && again(file, root);
    if (u) void goOn(u, file);
    return !u;
  });
  if (rest.length === 0 && tree.folders.length === 0) return;
  const folders = new Folders(root);
  begin();
  const fresh = rest.map(({ path, file }) => made(file, { name: file.name, size: file.size, root, top: path[0] ?? file.name, folders, path }));
  // A name stands once: what ended before gives way to the new try.
  const names = new Set(fresh.map((u) => root + '/' + u.shown.peek()));
  const stays = (u: Upload) => runs(u) || u.state.peek() === 'paused' || u.state.peek() === 'left' || !names.has(u.root + '/' + u.shown.peek());
  for (const u of uploads.peek()) if (!stays(u)) void giveUp(u).catch(() => undefined); // the server forgets it in time
  uploads.value = [...uploads.peek().filter(stays), ...fresh];
  void check(fresh, root, work, tree.folders, folders);
}

// goOn takes up an upload that was left.
async function goOn(u: Upload, file: File): Promise<void> {
  if (!(await take(u, file))) {
    uploads.value = uploads.peek().filter((o) => o !== u);
    return toastProblem(new Problem({ status: 409, code: 'upload_taken_over' }));
  }
  resume(u);
}

// choose offers files to uploads that were left, and answers those that are none of them.
export function choose(files: readonly File[]): File[] {
  const left = uploads.peek().filter((u) => u.state.peek() === 'left');
  return files.filter((file) => {
    const u = left.find((one) => fits(one, file));
    if (u) void goOn(u, file);
    return !u;
  });
}

function work(): void {
  while (running < atOnce) {
    const waiting = uploads.value.filter((u) => u.state.value === 'waiting');
    const next = waiting[0];
    if (!next) return;
    const list = together(next, waiting);
    for (const u of list) u.state.value = 'sending';
    running++;
    void carry(list).finally(() => {
      running--;
      work();
    });
  }
}

let running = 0;

// carry brings files to the server: one, or several in one request.
async function carry(list: readonly Upload[]): Promise<void> {
  const first = list[0]!;
  const stop = new AbortController();
  for (const u of list) u.stop = stop;
  try {
    const folder = await first.folders.id(first.path);
    for (const u of list) u.shown.value = [...folder.path, u.name].join('/');
    const names = await patiently(list, stop.signal, async () =>
      resumable(first) ? [await sendResumable(first, folder.id, stop.signal)] : sendForm(list, folder.id, stop.signal));
    for (const [i, u] of list.entries()) {
      const name = names[i];
      if (name !== undefined && name !== same(u.name)) {
        u.shown.value = [...folder.path, name].join('/');
        u.became.value = true;
      }
      u.state.value = 'done';
    }
    refreshFolder(folder.id);
  } catch (err) {
    const problem = asProblem(err);
    for (const u of list) {
      if (u.state.peek() !== 'sending') continue; // it was cancelled or paused
      if (stop.signal.aborted) u.state.value = 'waiting'; // another of the request was
      else if (list.length > 1 && !problem.temporary) again(u);
      else fail(u, problem);
    }
  }
}

// again sends one by one what was refused together, so that each learns its own reason.
function again(u: Upload): void {
  u.alone = true;
  u.state.value = 'waiting';
}

// A busy server names a time to try again. An upload tries so many times, about ten minutes.
const patience = 120;
// So often a resumable one looks for a server that it has lost, in about four minutes.
const looks = 11;

// patiently repeats what a busy server refused, and what a broken connection cut short.
async function patiently<T>(list: readonly Upload[], signal: AbortSignal, once: () => Promise<T>): Promise<T> {
  const first = list[0]!;
  let tries = 0;
  let lost = 0;
  let had = first.offset;
  for (;;) {
    try {
      return await once();
    } catch (err) {
      const problem = asProblem(err);
      if (signal.aborted) throw err;
      if (problem.code === 'offline' && !(await readable(list))) throw new Problem({ status: -1, code: 'file_changed' });
      if (first.offset > had) lost = 0;
      had = first.offset;
      if (problem.wait) {
        if (++tries >= patience) throw err;
        await hold(list, 'busy', problem.wait * 1000, signal);
      } else if (resumable(first) && broke(problem)) {
        if (++lost >= looks) throw err;
        await hold(list, 'lost', Math.min(30_000, 500 * 2 ** lost), signal);
      } else {
        throw err;
      }
    }
  }
}

// readable tells whether the files are still what the person chose. The browser sends nothing of a
// file that was changed, moved or deleted since, and calls that a broken connection.
async function readable(list: readonly Upload[]): Promise<boolean> {
  return Promise.all(list.map((u) => u.file!.slice(0, 1).arrayBuffer())).then(() => true, () => false);
}

// broke tells a failure that looking again may mend: the server then says what it has.
const broke = (p: Problem): boolean => (p.temporary && p.code !== 'cancelled') || ['offset_mismatch', 'upload_taken_over', 'checksum_mismatch', 'body_unreadable'].includes(p.code);

async function hold(list: readonly Upload[], why: Hold, ms: number, signal: AbortSignal): Promise<void> {
  for (const u of list) {
    if (!resumable(u)) u.sent.value = 0;
    u.held.value = why;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', wake, { once: true });
    if (why === 'lost') addEventListener('online', wake, { once: true });
  });
  for (const u of list) u.held.value = undefined;
}

// late: the request is on its way with all its files, so that one of them is not called back.
const late = (u: Upload): boolean => {
  const mates = uploads.peek().filter((o) => o.stop === u.stop && o.state.peek() === 'sending');
  return mates.length > 1 && mates.every((o) => o.sent.peek() >= o.size);
};

export function cancel(u: Upload): void {
  const sending = u.state.value === 'sending';
  if (!(runs(u) || u.state.value === 'paused') || (sending && late(u))) return;
  u.state.value = 'cancelled';
  if (sending) u.stop?.abort();
  void giveUp(u).catch(() => undefined); // the server forgets it in time
}

export const cancelAll = (): void => uploads.peek().filter((u) => runs(u) || u.state.peek() === 'paused').forEach(cancel);

export function pause(u: Upload): void {
  const sending = u.state.value === 'sending';
  u.state.value = 'paused';
  if (sending) u.stop?.abort();
}

export function resume(u: Upload): void {
  begin();
  u.run = run.peek();
  u.problem.value = undefined;
  u.state.value = 'waiting';
  work();
}

// discard takes an upload that was left off the list, and off the server.
export async function discard(u: Upload): Promise<void> {
  await giveUp(u);
  uploads.value = uploads.peek().filter((o) => o !== u);
}

// retry sends again what ended without arriving; a name that was never looked at is now.
export function retry(some: readonly Upload[]): void {
  begin();
  const ask = new Map<string, Upload[]>();
  for (const u of some) {
    u.problem.value = undefined;
    if (!u.key) u.sent.value = 0;
    u.run = run.peek();
    u.state.value = u.settled ? 'waiting' : 'asking';
    if (!u.settled) ask.set(u.root, [...(ask.get(u.root) ?? []), u]);
  }
  for (const [root, list] of ask) void check(list, root, work);
  work();
}

// clear removes what is over from the list.
export function clear(): void {
  uploads.value = uploads.peek().filter((u) => runs(u) || u.state.value === 'paused');
  downloads.value = downloads.peek().filter((d) => d.state.value === 'running');
}

// Leaving the app would stop running uploads, so the browser asks first; signing out ends
// them here, and the server keeps for a while what it has.
export function startUploads(): void {
  addEventListener('beforeunload', (event) => {
    if (active.value > 0) event.preventDefault();
  });
  let looked: string | undefined;
  effect(() => {
    const who = auth.value.is === 'in' ? auth.value.account.id : undefined;
    if (who && who !== looked) {
      looked = who;
      leftOvers(uploads.peek()).then((left) => {
        uploads.value = [...left, ...uploads.peek()];
      }).catch(() => undefined); // the page of the storage names them too
    }
    if (auth.value.is !== 'out') return;
    looked = undefined;
    for (const u of uploads.peek()) u.stop?.abort();
    letGo();
    uploads.value = [];
  });
  effect(() => {
    const { size, sent } = totals.value;
    const resting = uploads.value.filter((u) => u.state.value === 'paused' || u.state.value === 'left').length;
    const failed = uploads.value.filter((u) => u.state.value === 'failed').length + downloads.value.filter((d) => d.state.value === 'failed').length;
    transfers.value = { count: active.value + downloading.value, resting, failed, done: active.value === 0 && downloading.value > 0 ? undefined : size > 0 ? sent / size : 0 };
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
