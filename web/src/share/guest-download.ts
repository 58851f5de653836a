// Downloads of people without an account. What broke goes on where it stopped: the server counts
// that as the same download.
import { computed, signal, type Signal } from '@preact/signals';
import { address } from '../shell/api';
import { Meter } from '../shell/meter';
import { asProblem, cancelled, offline, Problem, problemOf } from '../shell/problem';
import { give } from '../shell/save';

export interface Wanted {
  token: string;
  path: string;
  name: string; // to save it under
  size?: number; // a zip's is known at its end
  zip?: true;
}

// A download that is 'handed' over is the browser's own: it shows how far that is.
export type State = 'running' | 'done' | 'handed' | 'failed' | 'cancelled';

export interface Download extends Wanted {
  id: number;
  received: Signal<number>;
  state: Signal<State>;
  held: Signal<boolean>; // waits for the server
  problem: Signal<Problem | undefined>;
  meter: Meter;
  stop: AbortController;
  sink?: Sink;
  etag?: string;
  ended: (problem?: Problem) => void;
}

export const downloads = signal<readonly Download[]>([]);
const running = computed(() => downloads.value.filter((d) => d.state.value === 'running').length);

// Larger ones do not pass through the browser's memory.
const large = 64 << 20;

interface SaveFilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle & { remove?(): Promise<void> }>;
}

// A Sink takes what comes. keep makes a file of it.
interface Sink {
  put(chunk: Uint8Array<ArrayBuffer>): void | Promise<void>;
  again(): void | Promise<void>;
  keep(): void | Promise<void>;
  drop(): void | Promise<void>;
}

// The page holds a file that it showed of a link with a limit: saving it is no further download.
const held = new Map<string, Blob>();
const key = ({ token, path }: Pick<Wanted, 'token' | 'path'>) => `${token}/${path}`;

export const contentOf = ({ token, path, zip }: Pick<Wanted, 'token' | 'path' | 'zip'>): string =>
  address(`/public/shares/{token}/${zip ? 'archive' : 'content'}`, { path, ...(!zip && { disposition: 'attachment' }) }, { token });

export const thumbnailOf = (token: string, path: string): string => address('/public/shares/{token}/thumbnail', { path }, { token });

// read answers a file for a look. `hold` keeps it for a download.
export async function read(of: { token: string; path: string }, hold: boolean, stop: AbortSignal): Promise<Response> {
  const had = held.get(key(of));
  if (had) return new Response(had);
  const response = await ask(contentOf(of), {}, stop);
  if (!hold) return response;
  const blob = await response.blob().catch(() => {
    throw broken();
  });
  held.set(key(of), blob);
  return new Response(blob);
}

// download begins one, or shows the one that runs. ended hears how it ends.
export function download(wanted: Wanted, ended: Download['ended']): void {
  guard();
  if (downloads.peek().some((d) => key(d) === key(wanted) && d.zip === wanted.zip && d.state.peek() === 'running')) return;
  const mine: Download = {
    ...wanted, ended, id: ++ids, received: signal(0), state: signal<State>('running'), held: signal(false), problem: signal<Problem | undefined>(undefined), meter: new Meter(), stop: new AbortController(),
  };
  downloads.value = [...downloads.peek().filter((d) => !(key(d) === key(wanted) && d.zip === wanted.zip)), mine];
  void carry(mine);
}

let ids = 0;

export function cancel(d: Download): void {
  d.stop.abort();
  d.state.value = 'cancelled';
  void d.sink?.drop();
  d.sink = undefined;
}

// again goes on with one that failed; one that was cancelled begins anew.
export function again(d: Download): void {
  if (!d.sink || d.zip) {
    forget(d);
    return download({ token: d.token, path: d.path, name: d.name, size: d.size, zip: d.zip }, d.ended);
  }
  d.stop = new AbortController();
  d.problem.value = undefined;
  d.state.value = 'running';
  void carry(d);
}

export function forget(d: Download): void {
  if (d.state.peek() !== 'done') void d.sink?.drop();
  downloads.value = downloads.peek().filter((o) => o !== d);
}

async function carry(d: Download): Promise<void> {
  const { signal } = d.stop;
  const over = () => signal.aborted;
  try {
    const blob = held.get(key(d));
    if (blob && !d.zip) {
      d.received.value = blob.size;
      give(blob, d.name);
    } else if (d.sink || (await begun(d))) {
      await pull(d, signal);
      await d.sink!.keep();
    } else {
      // The server's refusal has words here; a browser has none for it.
      await ask(d.zip ? address('/public/shares/{token}', { path: d.path, limit: 1 }, { token: d.token }) : contentOf(d), {}, signal, d.zip ? 'GET' : 'HEAD');
      click(contentOf(d), d.name);
      d.state.value = 'handed';
      return d.ended();
    }
    d.state.value = 'done';
    d.ended();
  } catch (err) {
    if (over()) return;
    const problem = asProblem(err);
    if (problem.code === 'cancelled') {
      d.state.value = 'cancelled';
      return;
    }
    d.problem.value = problem;
    d.state.value = 'failed';
    if (d.zip) {
      await d.sink?.drop();
      d.sink = undefined;
    }
    d.ended(problem);
  }
}

// begun gives a download its sink; false: the browser downloads it by itself.
async function begun(d: Download): Promise<boolean> {
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (!d.zip && d.size! < large) d.sink = memory(d.name);
  else if (showSaveFilePicker) {
    // Asked first: the picker needs the press of the button that led here.
    const handle = await showSaveFilePicker.call(window, { suggestedName: d.name }).catch(() => {
      throw cancelled();
    });
    d.sink = await file(handle);
  }
  return d.sink !== undefined;
}

function memory(name: string): Sink {
  let parts: Blob[] = [];
  return {
    put: (chunk) => void parts.push(new Blob([chunk])),
    again: () => void (parts = []),
    keep: () => give(new Blob(parts), name),
    drop: () => void (parts = []),
  };
}

async function file(handle: Awaited<ReturnType<NonNullable<SaveFilePicker['showSaveFilePicker']>>>): Promise<Sink> {
  const to = await handle.createWritable();
  return {
    put: (chunk) => to.write(chunk),
    again: () => to.truncate(0).then(() => to.seek(0)),
    keep: () => to.close(),
    // The picker has made an empty file.
    drop: () => to.abort().catch(() => undefined).then(() => handle.remove?.()).catch(() => undefined),
  };
}

// So often a download looks for a server that it has lost, in about a minute.
const looks = 6;

async function pull(d: Download, stop: AbortSignal): Promise<void> {
  for (let lost = 0; ;) {
    const from = d.received.peek();
    d.meter.start(performance.now(), from);
    try {
      const response = await ask(contentOf(d), from > 0 && d.etag ? { Range: `bytes=${from}-`, 'If-Range': d.etag } : {}, stop);
      if (from > 0 && response.status !== 206) {
        await d.sink!.again();
        d.received.value = 0;
      }
      d.etag = response.headers.get('ETag') ?? undefined;
      for (const reader = response.body!.getReader(); ;) {
        const { done, value } = await reader.read().catch(() => {
          throw broken();
        });
        if (done) break;
        await d.sink!.put(value);
        d.received.value += value.length;
        d.meter.note(performance.now(), d.received.peek());
      }
      if (d.size !== undefined && d.received.peek() < d.size) throw broken();
      return;
    } catch (err) {
      if (stop.aborted) throw err;
      const problem = asProblem(err);
      const mends = !d.zip && (problem.wait > 0 || problem.code === 'offline' || problem.code === 'download_broken');
      if (!mends) throw err;
      if (d.received.peek() > from) lost = 0;
      if (++lost > looks) throw err;
      d.held.value = true;
      await pause(problem.wait * 1000 || 500 * 2 ** lost, stop);
      d.held.value = false;
    }
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(wake, ms);
    function wake(): void {
      clearTimeout(timer);
      removeEventListener('online', wake);
      resolve();
    }
    stop.addEventListener('abort', wake, { once: true });
    addEventListener('online', wake);
  });
}

const broken = () => new Problem({ status: 0, code: 'download_broken' });

// ask sends a request that may name a range, which the calls of the shell do not.
async function ask(to: string, headers: Record<string, string>, stop: AbortSignal, method = 'GET'): Promise<Response> {
  const response = await fetch(to, { method, headers, signal: stop, credentials: 'same-origin', cache: 'no-store' }).catch((err) => {
    throw stop.aborted ? err : offline();
  });
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  // A HEAD has no words: its status tells enough.
  const code = { 401: 'share_password_required', 404: 'share_not_found' }[response.status];
  throw body === undefined && code ? new Problem({ status: response.status, code }) : problemOf(response.status, body, response.headers.get('Retry-After'));
}

function click(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

let guarded = false;

// guard has the browser ask before it leaves a page whose downloads run.
function guard(): void {
  if (guarded) return;
  guarded = true;
  addEventListener('beforeunload', (event) => {
    if (running.value > 0) event.preventDefault();
  });
}
