// The drop's worker: it runs one membership for the page that started it.
import { b64, random } from './bytes';
import { inspect, listOf } from './part';
import type { Refusal, State } from './drop';
import { drawCode, Member, type Around } from './member';
import { isSecret, offeredBy } from './pick';
import type { Calls, FromWorker, Start, ToWorker } from './port';
import { api, Refused } from './socket';
import { saveInto, zipOf } from './save';
import { memberLock, members, parts, readPart, sweep, type Kept } from './store';

const post = (message: FromWorker) => postMessage(message);

const windows = /Windows/.test(navigator.userAgent);
const shownEvery = 100; // ms

let member: Member | undefined;
let around: Around;
let refused: State | undefined; // when there is no member to show

let timer: ReturnType<typeof setTimeout> | undefined;
let shownAt = 0;

// show tells the page the state: soon, and at most ten times a second.
function show(): void {
  timer ??= setTimeout(tell, Math.max(0, shownEvery - (performance.now() - shownAt)));
}

function tell(): void {
  clearTimeout(timer);
  timer = undefined;
  shownAt = performance.now();
  const state = refused ?? member?.state();
  if (state) post({ state });
}

function refuse(name: string, refusal: Refusal, retryAfter?: number): void {
  refused = { phase: 'closed', refusal, ...(retryAfter && { retryAfter }), name, expiresAt: '', host: false, people: [], items: [], outgoing: [], incoming: [], missing: [] };
  show();
}

function refuseAs(name: string, err: unknown): void {
  if (!(err instanceof Refused)) throw err;
  if (err.status === 404) refuse(name, 'not_found');
  else if (err.code === 'drop_full') refuse(name, 'full');
  else if (err.status === 429) refuse(name, 'too_often', err.retryAfter);
  else refuse(name, 'offline');
}

// hold takes the lock of a membership for as long as this worker lives. It answers false when
// another tab has it. The page before a reload may take a moment to give it up.
function hold(id: string): Promise<boolean> {
  return new Promise((resolve) => {
    navigator.locks.request(memberLock(id), { signal: AbortSignal.timeout(1500) }, () => {
      resolve(true);
      return new Promise<never>(() => {});
    }).catch(() => resolve(false));
  });
}

async function begin(kept: Kept, secret?: string): Promise<void> {
  member = new Member(kept, around, secret);
  member.start();
  show();
}

async function open(): Promise<void> {
  // One live drop of a host: the server closes the earlier one.
  const before = (await members.all()).find((kept) => kept.host && Date.parse(kept.expiresAt) > Date.now());
  let made: { name: string; host_token: string; expires_at: string };
  try {
    made = await api('POST', '', before?.token, {}).catch((err) => {
      if (before && err instanceof Refused && err.status === 401) return api('POST', '', undefined, {});
      throw err;
    }) as typeof made;
  } catch (err) {
    return refuseAs('', err);
  }
  if (before) await members.delete(before.id);
  const id = b64(random(16));
  await hold(id);
  await begin({
    id, name: made.name, token: made.host_token, rid: '', host: true, hostRid: '', group: random(32), expiresAt: made.expires_at, used: Date.now(),
    code: drawCode(), key: random(16), wrong: 0, offered: [], heard: {},
  });
}

async function join(name: string, secret: string, tries = 3): Promise<void> {
  if (!isSecret(secret)) return refuse(name, 'wrong_code');
  let made: { guest_token: string; rid: string };
  for (const until = Date.now() + 65_000; ;) {
    try {
      made = await api('POST', `/${encodeURIComponent(name)}/join`, undefined, {});
      break;
    } catch (err) {
      const waits = err instanceof Refused && err.code === 'join_pending' && Date.now() < until;
      if (!waits) return refuseAs(name, err);
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, err.retryAfter))); // others are joining just now
    }
  }
  const id = b64(random(16));
  await hold(id);
  around.again = () => {
    if (tries > 1) void join(name, secret, tries - 1);
    else refuse(name, 'offline');
  };
  await begin({ id, name, token: made.guest_token, rid: made.rid, host: false, hostRid: '', group: new Uint8Array(0), expiresAt: '', used: Date.now(), wrong: 0, offered: [], heard: {} }, secret);
}

async function resume({ name, host }: { name?: string; host?: boolean }): Promise<boolean> {
  const all = (await members.all()).filter((kept) => Date.parse(kept.expiresAt) > Date.now() && (name === undefined || kept.name === name) && (host === undefined || kept.host === host));
  for (const { id } of all.sort((a, b) => b.used - a.used)) {
    if (!(await hold(id))) continue;
    const kept = (await members.all()).find((k) => k.id === id);
    if (!kept) continue; // it ended meanwhile
    await begin(kept);
    for (const { item, handle } of kept.offered) await reoffer(item.id, handle as Asked | undefined);
    return true;
  }
  return false;
}

type Asked = FileSystemHandle & { queryPermission?(): Promise<PermissionState> };

// reoffer offers an item again whose files the browser still reads; the others are missing.
async function reoffer(id: string, handle: Asked | undefined): Promise<void> {
  const item = member!.kept.offered.find((o) => o.item.id === id)!.item;
  member!.miss(item, handle !== undefined);
  try {
    if (handle && (await handle.queryPermission?.()) === 'granted') await member!.again(id, await offeredBy(handle));
  } catch {
    // the file is gone: it stays missing
  }
}

// over says whether a membership that no tab runs belongs to a drop that is over.
async function over(kept: Kept): Promise<boolean> {
  if (Date.parse(kept.expiresAt) <= Date.now()) return true;
  return api('GET', '/' + kept.name).then(() => false, (err) => err instanceof Refused && err.status === 404);
}

const calls: { [K in keyof Calls]: (...args: Parameters<Calls[K]>) => ReturnType<Calls[K]> | Promise<ReturnType<Calls[K]>> } = {
  async start(how: Start, device: string) {
    around = { device, windows, changed: show, again: () => undefined };
    let found = true;
    if ('open' in how) await open();
    else if ('join' in how) await join(how.join.name, how.join.secret);
    else found = await resume(how.resume);
    void sweep(member?.kept.id ?? '', over).catch((err) => console.error(err));
    return found;
  },
  async offer(files) {
    for (const one of files) await member!.offer(one);
  },
  withdraw: (id) => member?.withdraw(id),
  handle: (id) => member?.handle(id),
  again: (id, files) => member!.again(id, files),
  take: (id, to) => member?.take(id, to),
  cancel: (id) => member?.receiving.cancel(id),
  async save(id, to) {
    const item = member?.receiving.verified(id);
    if (!item) throw new Refused(-1, 'not_verified');
    const file = await readPart(member!.member, id);
    const part = (await parts.of(member!.member)).find((p) => p.item.id === id);
    const zipped = async () => {
      const crcs = part?.crcs ?? (await inspect(file, windows, () => undefined)).crcs;
      return zipOf(file, await listOf(file, windows), crcs);
    };
    return saveInto(item, file, zipped, windows, to);
  },
  saved: (id) => member?.receiving.saved(id),
  newCode: () => member?.newCode(),
  rename: (name) => member!.change({ name }),
  prolong: (until) => member!.change({ expires_at: until }),
  leave: () => member?.leave(),
  stop: () => member?.stop(),
};

onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  const { call, do: what, args } = data;
  try {
    const work = calls[what] as (...args: unknown[]) => unknown;
    const answer = await work(...args);
    if (timer !== undefined) tell(); // the page sees what the call did before it goes on
    post({ call, answer });
  } catch (err) {
    if (!(err instanceof Refused)) console.error(err);
    const { status, code, detail, retryAfter } = err instanceof Refused ? err : new Refused(-1, 'app_error', String(err));
    post({ call, failed: { status, code, detail, retryAfter } });
  }
};

