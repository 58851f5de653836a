// The page's end of the worker: it hands commands over and holds the state that comes back.
// What only a page can do is done here: downloads, permissions, keeping the screen awake.
import { signal } from '@preact/signals';
import { asProblem, Problem } from '../shell/problem';
import type { Drop, State } from './drop';
import { offeredBy, type Offered } from './pick';

// Start is how a drop begins.
export type Start = { open: true } | { join: { name: string; secret: string } } | { resume: { name?: string; host?: boolean } };

// Calls are what a page may ask of the worker, with the answers.
export interface Calls {
  start(how: Start, device: string): boolean; // false: there is nothing to resume
  offer(files: Offered[]): void;
  withdraw(id: string): void;
  handle(id: string): FileSystemHandle | undefined;
  again(id: string, files: Offered): boolean;
  take(id: string, to?: FileSystemFileHandle): void;
  cancel(id: string): void;
  // save answers the file to download where nothing was picked.
  save(id: string, to?: FileSystemHandle): { file: Blob; name: string } | undefined;
  saved(id: string): void;
  newCode(): void;
  rename(name: string): void;
  prolong(until: string): void;
  leave(): void;
  stop(): void;
}

export type ToWorker = { call: number; do: keyof Calls; args: unknown[] };

export type FromWorker =
  | { state: State }
  | { call: number; answer: unknown }
  | { call: number; failed: { status: number; code: string; detail: string; retryAfter: number } };

// workerAddress stands in the page, where the server writes the address of its version.
const workerAddress = () => document.querySelector<HTMLMetaElement>('meta[name="drop-worker"]')?.content ?? '/assets/drop-worker.js';

const blank: State = { phase: 'connecting', name: '', expiresAt: '', host: false, people: [], items: [], outgoing: [], incoming: [], missing: [] };

// connect starts a worker for one drop.
export async function connect(how: Start): Promise<Drop | undefined> {
  const worker = new Worker(workerAddress(), { type: 'module', name: 'drop' });
  const state = signal<State>('join' in how ? { ...blank, name: how.join.name } : blank);
  const waiting = new Map<number, { resolve(answer: never): void; reject(err: unknown): void }>();
  let calls = 0;
  let over = false;

  function end(err: unknown): void {
    over = true;
    worker.terminate();
    awake(worker, false);
    for (const { reject } of waiting.values()) reject(err);
    waiting.clear();
  }
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if ('state' in data) {
      state.value = data.state;
      awake(worker, busy(data.state));
      return;
    }
    const asked = waiting.get(data.call);
    waiting.delete(data.call);
    if ('failed' in data) asked?.reject(new Problem(data.failed));
    else asked?.resolve(data.answer as never);
  };
  worker.onerror = (event) => {
    console.error('the drop worker: ' + event.message);
    state.value = { ...state.value, phase: 'closed', refusal: 'offline' };
    end(new Problem({ status: -1, code: 'app_error' }));
  };
  function ask<K extends keyof Calls>(what: K, ...args: Parameters<Calls[K]>): Promise<ReturnType<Calls[K]>> {
    if (over) return Promise.reject(new Problem({ status: 0, code: 'cancelled' }));
    return new Promise((resolve, reject) => {
      waiting.set(++calls, { resolve, reject });
      worker.postMessage({ call: calls, do: what, args } satisfies ToWorker);
    });
  }
  const tell = <K extends keyof Calls>(what: K, ...args: Parameters<Calls[K]>) => void ask(what, ...args).catch((err) => asProblem(err));

  if (!(await ask('start', how, device(navigator.userAgent)))) {
    end(undefined);
    return undefined;
  }
  return {
    state,
    offer: (files) => ask('offer', files),
    withdraw: (id) => tell('withdraw', id),
    async again(id, files) {
      if (files) return ask('again', id, files);
      const handle = (await ask('handle', id)) as (FileSystemHandle & { requestPermission?(): Promise<PermissionState> }) | undefined;
      if (!handle || (await handle.requestPermission?.()) !== 'granted') return false;
      return ask('again', id, await offeredBy(handle));
    },
    take: (id, to) => tell('take', id, to),
    cancel: (id) => tell('cancel', id),
    async save(id, to) {
      const given = await ask('save', id, to);
      if (given) download(given.file, given.name);
      await ask('saved', id);
    },
    newCode: () => tell('newCode'),
    rename: (name) => ask('rename', name),
    prolong: (until) => ask('prolong', until.toISOString()),
    leave: () => ask('leave'),
    async stop() {
      if (over) return;
      await ask('stop').catch(() => undefined);
      end(new Problem({ status: 0, code: 'cancelled' }));
    },
  };
}

const busy = ({ outgoing, incoming }: State) => outgoing.some((o) => o.state === 'running') || incoming.some((i) => i.state === 'running' || i.state === 'checking');

// download hands a file to the browser's list of downloads. The browser reads the file from its
// own storage; the address must live until it is done, so it lives as long as the page.
function download(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

// Drops of this page with bytes on their way keep the screen awake. The browser lets it sleep when
// the page is hidden, and does not take that back by itself.
const active = new Set<Worker>();
let lock: Promise<WakeLockSentinel | undefined> | undefined;

function awake(who: Worker, yes: boolean): void {
  if (yes === active.has(who)) return;
  if (yes) active.add(who);
  else active.delete(who);
  hold();
}

function hold(): void {
  if (!('wakeLock' in navigator)) return;
  if (active.size > 0 && !lock && document.visibilityState === 'visible') {
    lock = navigator.wakeLock.request('screen').catch(() => undefined); // a low battery may refuse it
    const free = () => (lock = undefined);
    void lock.then((held) => (held ? held.addEventListener('release', free) : free()));
  } else if (active.size === 0 && lock) {
    void lock.then((held) => held?.release());
    lock = undefined;
  }
}

globalThis.document?.addEventListener('visibilitychange', hold);

// device is what this device calls itself to the others.
export function device(agent: string): string {
  const of = (kinds: [RegExp, string][]) => kinds.find(([sign]) => sign.test(agent))?.[1];
  const browser = of([[/Edg/, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser/, 'Samsung Internet'], [/Firefox|FxiOS/, 'Firefox'], [/Chrom|CriOS/, 'Chrome'], [/Safari/, 'Safari']]);
  const system = of([[/Android/, 'Android'], [/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Windows/, 'Windows'], [/CrOS/, 'ChromeOS'], [/Mac OS/, 'Mac'], [/Linux/, 'Linux']]);
  return [browser, system].filter(Boolean).join(', ') || 'Browser';
}
