// The session of this browser: where its tokens are, and how all tabs share it.
//
// The access token lives in this module's memory only; a reload gets a new one with the
// refresh cookie, which scripts cannot read. A refresh holds a lock that spans tabs, its
// result is told to the other tabs, and so is the end. Every request of the session is
// signed, so a stolen token is of no use elsewhere (key.ts).
import { batch } from '@preact/signals';
import { call, get, post, serverNow } from '../shell/api';
import { auth, me, useKeeper, type Account, type Begun, type Ending, type Opened, type Opening, type Outgoing, type Recovered, type Session } from '../shell/auth';
import { asProblem, Problem } from '../shell/problem';
import { firstPlace, repairPath, signInPath, type Challenge } from '../shell/room';
import { go, safeNext } from '../shell/router';
import { clientKey, keptProver, prover, sign, type Prover } from './key';

export type { Session };

let token = '';
let tokenEnds = 0;
let level: Level = {};

// A Level is what a session may do that a way back opened; an ordinary one has none.
interface Level {
  repair?: boolean; // nothing but the repair of the account
  recovered?: Recovered;
}

// The methods of a way back, and those among them that prove as much as all sign-in steps.
const waysBack = ['backup_code', 'trusted_email', 'delay'];
const wholeWays = ['backup_code', 'delay'];

function levelOf({ aal, amr, recovery, refresh_expires_in }: Session): Level {
  if (aal !== 'recovery' && !amr.some((method) => waysBack.includes(method))) return {};
  const steps = recovery?.may_repair_layers ?? amr.some((method) => wholeWays.includes(method));
  const until = new Date(serverNow() + refresh_expires_in * 1000).toISOString();
  return { repair: aal === 'recovery', recovered: { by: amr, steps, until, ...(recovery?.from && { from: recovery.from }) } };
}

// Who signs: undefined until this tab has looked, or after another tab opened a session.
let signer: Promise<Prover | undefined> | undefined;

// That this browser had a session, and of which kind: a page that is opened after the session
// ended can say so.
const had = 'coffer.session';

type News = { kind: 'token'; token: string; ends: number; session: string; level: Level } | { kind: 'out'; why: Ending } | { kind: 'in' } | { kind: 'account' };

const channel = new BroadcastChannel('coffer.session');

// startSession hands the shell its keeper and finds out whether this browser has a session.
export function startSession(prove: (begun?: Begun) => Promise<boolean>): void {
  useKeeper({ token: freshToken, renew: refresh, level: () => refresh(token), sign: signed, prove, opening: openSession, enter, take: signedIn, ended, changed });
  channel.onmessage = (event: MessageEvent<News>) => hear(event.data);
  void lookUp();
}

// freshToken returns an access token with at least a little life left.
async function freshToken(): Promise<string> {
  if (!token || Date.now() > tokenEnds - 10_000) await refresh(token);
  return token;
}

let refreshing: Promise<void> | undefined;

// refresh replaces the access token `stale`. Only one refresh runs at a time, in this
// tab by a promise, across tabs by a lock. A tab that waited for the lock has got the new
// token from the tab before it.
function refresh(stale: string): Promise<void> {
  refreshing ??= locked(async () => {
    if (token !== stale && Date.now() < tokenEnds - 10_000) return;
    try {
      const opened = await post('/auth/refresh', { open: true, signed: true });
      if (isChallenge(opened)) throw new Error('a refresh asks for no layers');
      await adopt(opened);
      relevel();
    } catch (err) {
      // At load there is nothing to end, and another tab may be signing in right now.
      if (err instanceof Problem && (err.status === 401 || err.status === 403) && me()) end(ending(), ending());
      throw err;
    }
  }).finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

function locked<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request('coffer.refresh', work) as Promise<T>) : work();
}

async function adopt(session: Session): Promise<void> {
  if (session.binding === 'none') signer = Promise.resolve(undefined);
  else if ((await signer)?.session !== session.session_id) signer = Promise.resolve(await prover(session));
  token = session.access_token;
  tokenEnds = Date.now() + session.expires_in * 1000;
  level = levelOf(session);
  localStorage.setItem(had, level.repair ? 'repair' : 'ended');
  tell({ kind: 'token', token, ends: tokenEnds, session: session.session_id, level });
}

// ending is why a session is over that this browser did not end.
const ending = (): Ending => (level.repair ? 'repair' : 'ended');

const pastEnding = (kind: string | null): Ending | undefined => (kind === 'repair' ? 'repair' : kind ? 'ended' : undefined);

// show tells the app of the account, and of what its session may do.
function show(account: Account): void {
  const { recovered, repair } = level;
  auth.value = repair && recovered ? { is: 'repair', account, recovered } : { is: 'in', account, ...(recovered && { recovered }) };
}

// relevel tells the app when the session may do more or less than before.
function relevel(): void {
  const account = me();
  if (account && (auth.value.is === 'repair') !== (level.repair ?? false)) show(account);
}

async function signed(request: Outgoing): Promise<Record<string, string>> {
  signer ??= keptProver().catch(() => undefined);
  const by = await signer;
  return by ? sign(by, request) : {};
}

// signedIn takes the session that a sign-in, or a fresh proof, opened.
export async function signedIn(session: Session): Promise<void> {
  const known = me() !== undefined;
  await adopt(session);
  if (!known) tell({ kind: 'in' });
  await loadAccount();
}

let handed: Handed | undefined;

export interface Handed {
  challenge: Challenge;
  by?: string; // what was proved, where it is not the password
}

// enter takes what the use of a link opened. The sign-in page asks for steps that are left.
async function enter(opened: Opened, { by, to }: { by?: string; to?: string } = {}): Promise<void> {
  if (isChallenge(opened)) {
    handed = { challenge: opened, by };
    batch(() => {
      forget();
      go(signInPath() + (to ? '?next=' + encodeURIComponent(to) : ''), { replace: true });
    });
    return;
  }
  await adopt(opened);
  tell({ kind: 'in' });
  // The link is used up, so that the person cannot press again: what fails now is told, and
  // tried again, by the next page.
  await loadAccount().catch((err: unknown) => {
    auth.value = { is: 'unreachable', problem: asProblem(err), retry: lookUp };
  });
  go(level.repair ? repairPath() : safeNext(to ?? null, location.origin, firstPlace()), { replace: true });
}

// handedOver returns the challenge that waits for its steps, once.
export function handedOver(): Handed | undefined {
  const what = handed;
  handed = undefined;
  return what;
}

async function loadAccount(): Promise<void> {
  show(await get('/account'));
}

function changed(account: Account): void {
  show(account);
  tell({ kind: 'account' });
}

// openSession are the fields that every call which opens a session takes. Without a key of
// this browser the session's requests are not signed.
export async function openSession(): Promise<Opening> {
  const key = await clientKey().catch(() => undefined);
  return { ...(key && { public_key: key, binding: 'proof' as const }), device_name: deviceName(navigator.userAgent) };
}

// deviceName says what a person would call this browser; they can change it later.
export function deviceName(agent: string): string {
  const marks: [mark: RegExp, name: string][] = [
    [/Edg\w*\/(\d+)/, 'Edge'], [/OPR\/(\d+)/, 'Opera'], [/(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'], [/(?:Chrom(?:e|ium)|CriOS)\/(\d+)/, 'Chrome'], [/Version\/(\d+).* Safari\//, 'Safari'],
  ];
  const found = marks.find(([mark]) => mark.test(agent));
  const browser = found ? `${found[1]} ${found[0].exec(agent)![1]}` : 'Browser';
  const system = /iPhone/.test(agent) ? 'iPhone' : /iPad/.test(agent) ? 'iPad' : /Android/.test(agent) ? 'Android'
    : /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'Mac' : /Linux|X11/.test(agent) ? 'Linux' : '';
  return system ? `${browser} · ${system}` : browser;
}

export function isChallenge(body: Opened | undefined): body is Challenge {
  return body !== undefined && 'attempt_id' in body;
}

// signOut ends the session on the server first: when that fails the person is told,
// because the session lives on. `leave` goes to another page in the same batch, before the
// page reacts to the missing session with a sign-in.
export async function signOut(leave: () => void): Promise<void> {
  try {
    await call('post', '/auth/sign-out');
  } catch (err) {
    if (!(err instanceof Problem) || err.status !== 401) throw err;
  }
  ended(leave);
}

function ended(leave: () => void): void {
  batch(() => {
    end(undefined, 'otherTab');
    leave();
  });
}

// end forgets the session here and in every other tab, with what each of them says.
function end(here: Ending | undefined, there: Ending): void {
  forget(here);
  tell({ kind: 'out', why: there });
}

function forget(why?: Ending): void {
  token = '';
  tokenEnds = 0;
  level = {};
  localStorage.removeItem(had);
  auth.value = { is: 'out', ...(why && { why }) };
}

function tell(news: News): void {
  channel.postMessage(news);
}

function hear(news: News): void {
  switch (news.kind) {
    case 'token':
      void takeOver(news);
      break;
    case 'out':
      forget(me() && news.why);
      break;
    case 'in':
    case 'account':
      void loadAccount().catch(() => undefined);
      break;
  }
}

// takeOver takes the token that another tab got.
async function takeOver(next: Extract<News, { kind: 'token' }>): Promise<void> {
  if ((await signer)?.session !== next.session) signer = undefined; // that tab has kept the new one
  ({ token, ends: tokenEnds, level } = next);
  relevel();
}

// lookUp finds out at load whether this browser has a session.
async function lookUp(): Promise<void> {
  auth.value = { is: 'starting' };
  try {
    await refresh('');
    await loadAccount();
  } catch (err) {
    const problem = asProblem(err);
    if (problem.status === 401 || problem.status === 403) forget(pastEnding(localStorage.getItem(had)));
    else auth.value = { is: 'unreachable', problem, retry: lookUp };
  }
}
