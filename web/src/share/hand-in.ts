// Files that people without an account hand in by a link, each in a request of its own.
import { computed, signal, type Signal } from '@preact/signals';
import { address, hearTime } from '../shell/api';
import { Meter } from '../shell/meter';
import { asProblem, cancelled, offline, Problem, problemOf } from '../shell/problem';
import type { RequestLink } from './guest';

// A file is 'chosen' until the person hands it in.
export type State = 'chosen' | 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';

export interface Handing {
  id: number;
  token: string;
  file: File;
  state: Signal<State>;
  sent: Signal<number>;
  held: Signal<boolean>; // waits for a busy server
  problem: Signal<Problem | undefined>;
  meter: Meter;
  stop: AbortController;
}

// They outlast the page, as long as the tab is there.
export const handings = signal<readonly Handing[]>([]);

export const runs = (h: Handing): boolean => h.state.value === 'waiting' || h.state.value === 'sending';
const running = computed(() => handings.value.filter(runs).length);

// Limit names what a link does not take.
export type Limit = 'tooLarge' | 'wrongType' | 'tooMany';

export type Limits = Pick<RequestLink, 'max_file_bytes' | 'accept'>;

export function limitOf(file: Pick<File, 'name' | 'size'>, { max_file_bytes: most, accept }: Limits): Limit | undefined {
  if (most !== null && file.size > most) return 'tooLarge';
  const name = file.name.toLowerCase();
  return accept.length > 0 && !accept.some((ending) => name.endsWith(ending.toLowerCase())) ? 'wrongType' : undefined;
}

// judged tells for each file what the link does not take of it. left: so many more.
export function judged(some: readonly Handing[], limits: Limits, left: number | null): Map<Handing, Limit> {
  const out = new Map<Handing, Limit>();
  let free = left ?? Infinity;
  for (const h of some) {
    const limit = limitOf(h.file, limits) ?? (free <= 0 ? 'tooMany' : undefined);
    if (limit) out.set(h, limit);
    else free--;
  }
  return out;
}

let ids = 0;

// choose adds files to those that wait to be handed in. One that was chosen already stays once.
export function choose(token: string, files: readonly File[]): void {
  const same = (a: File, b: File) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;
  const mine = handings.peek().filter((h) => h.token === token);
  const fresh = files.filter((file) => !mine.some((h) => same(h.file, file) && h.state.peek() !== 'cancelled'));
  handings.value = [...handings.peek().filter((h) => h.token !== token || h.state.peek() !== 'cancelled'), ...fresh.map((file): Handing => ({
    id: ++ids, token, file, state: signal<State>('chosen'), sent: signal(0), held: signal(false), problem: signal<Problem | undefined>(undefined), meter: new Meter(), stop: new AbortController(),
  }))];
}

export function remove(h: Handing): void {
  handings.value = handings.peek().filter((o) => o !== h);
}

// forget drops what is over, for the next files.
export function forget(token: string): void {
  handings.value = handings.peek().filter((h) => h.token !== token || h.state.peek() !== 'done');
}

export function cancel(h: Handing): void {
  h.state.value = 'cancelled';
  h.stop.abort();
}

// From is who hands in, as they call themselves. ended hears of a refusal that is about the link.
export interface Sending {
  from: string;
  ended: (problem: Problem) => void;
}

export function handIn(some: readonly Handing[], how: Sending): void {
  guard();
  for (const h of some) {
    h.stop = new AbortController();
    h.problem.value = undefined;
    h.sent.value = 0;
    h.state.value = 'waiting';
    ways.set(h, how);
  }
  work();
}

const ways = new WeakMap<Handing, Sending>();
const atOnce = 2;
let busy = 0;

function work(): void {
  while (busy < atOnce) {
    const next = handings.peek().find((h) => h.state.peek() === 'waiting');
    if (!next) return;
    next.state.value = 'sending';
    busy++;
    void carry(next).finally(() => {
      busy--;
      work();
    });
  }
}

// The link's own refusals end all that is on its way by it.
const ofLink = (p: Problem): boolean => p.status === 404 || p.code === 'share_password_required';

// A busy server names a time to try again. A file tries so many times.
const patience = 60;

async function carry(h: Handing): Promise<void> {
  const { signal } = h.stop;
  const { from, ended } = ways.get(h)!;
  try {
    for (let tries = 0; ;) {
      try {
        await send(h, from, signal);
        break;
      } catch (err) {
        const { wait } = asProblem(err);
        if (signal.aborted || !wait || ++tries > patience) throw err;
        h.held.value = true;
        await pause(wait * 1000, signal);
        h.held.value = false;
      }
    }
    h.state.value = 'done';
  } catch (err) {
    if (signal.aborted) return;
    const problem = asProblem(err);
    // The browser sends nothing of a file that was changed, moved or deleted since.
    fail(h, problem.code === 'offline' && !(await readable(h.file)) ? new Problem({ status: -1, code: 'file_changed' }) : problem);
    if (!ofLink(problem)) return;
    for (const other of handings.peek()) {
      if (other.token !== h.token || !runs(other)) continue;
      other.stop.abort();
      fail(other, problem);
    }
    ended(problem);
  }
}

function fail(h: Handing, problem: Problem): void {
  h.held.value = false;
  h.problem.value = problem;
  h.state.value = 'failed';
}

const readable = (file: File): Promise<boolean> => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// send uses XMLHttpRequest because fetch tells no upload progress.
function send(h: Handing, from: string, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) return reject(cancelled());
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    stop.addEventListener('abort', abort);
    h.sent.value = 0;
    h.meter.start(performance.now(), 0);
    request.open('POST', address('/public/shares/{token}/files', {}, { token: h.token }));
    request.upload.onprogress = ({ loaded }) => {
      // The form around the file is a few hundred bytes more.
      h.sent.value = Math.min(h.file.size, loaded);
      h.meter.note(performance.now(), h.sent.peek());
    };
    request.onload = () => {
      hearTime(request.getResponseHeader('Date'));
      if (request.status >= 200 && request.status < 300) return resolve();
      reject(problemOf(request.status, parsed(request.responseText), request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(offline());
    request.onabort = () => reject(cancelled());
    request.onloadend = () => stop.removeEventListener('abort', abort);
    const form = new FormData();
    // Before the file: the server reads the form while it comes.
    if (from) form.append('from', from);
    form.append('file', h.file, h.file.name);
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

let guarded = false;

// guard has the browser ask before it leaves a page that sends files.
function guard(): void {
  if (guarded) return;
  guarded = true;
  addEventListener('beforeunload', (event) => {
    if (running.value > 0) event.preventDefault();
  });
}
