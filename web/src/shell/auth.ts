// Who is signed in, and every call to the API.
//
// The access token lives in this module's memory only; a reload gets a new one with
// the refresh cookie, which scripts cannot read. All tabs share one session: a refresh
// holds a lock that spans tabs, its result is told to the others, and so is the end.
import { batch, signal } from '@preact/signals';
import type { Account, Challenge, Session } from '../api';
import { asProblem, offline, Problem, problemOf } from './problem';
import { clientKey } from './store';

export type Auth =
  | { is: 'starting' }
  | { is: 'unreachable'; problem: Problem } // we cannot tell; the cookie may be fine
  | { is: 'out' }
  | { is: 'in'; account: Account };

export const auth = signal<Auth>({ is: 'starting' });

let token = '';
let tokenEnds = 0;

type News = { kind: 'token'; token: string; ends: number } | { kind: 'out' } | { kind: 'in' } | { kind: 'account' };

const channel = new BroadcastChannel('coffer.session');

// ---- calls -------------------------------------------------------------------------

export interface Options {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  // The attempt's token, for the calls of a sign-in that is not finished.
  attempt?: string;
  // Public calls carry no token.
  open?: boolean;
  signal?: AbortSignal;
}

export interface Answer<T> {
  status: number;
  body: T;
}

// stepUp asks the person for a fresh proof; session.tsx puts it here.
let stepUp: () => Promise<boolean> = () => Promise.resolve(false);

export function onStepUp(ask: () => Promise<boolean>): void {
  stepUp = ask;
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  return (await answer<T>(method, path, options)).body;
}

export const get = <T>(path: string, query?: Options['query'], signal?: AbortSignal) => call<T>('GET', path, { query, signal });
export const post = <T>(path: string, body?: unknown) => call<T>('POST', path, { body });
export const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, { body });
export const del = <T>(path: string) => call<T>('DELETE', path);

// answer makes a call and settles what can be settled without the caller: an access
// token that ended, and a fresh proof that the server wants first.
export async function answer<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  try {
    return await once<T>(method, path, options);
  } catch (err) {
    if (!(err instanceof Problem) || options.open || options.attempt) throw err;
    if (err.status === 401 && auth.value.is === 'in') {
      await refresh(token);
    } else if (err.code === 'step_up_required') {
      if (!(await stepUp())) throw err;
    } else {
      throw err;
    }
    return once<T>(method, path, options);
  }
}

async function once<T>(method: string, path: string, options: Options): Promise<Answer<T>> {
  const response = await send(method, path, options);
  const body = await bodyOf(response);
  if (!response.ok) throw problemOf(response.status, body, response.headers.get('Retry-After'));
  return { status: response.status, body: body as T };
}

// stream is for downloads: the answer's body, not read yet.
export async function stream(path: string, signal?: AbortSignal): Promise<Response> {
  const first = await send('GET', path, { signal });
  if (first.ok) return first;
  if (first.status === 401 && auth.value.is === 'in') {
    await refresh(token);
    const second = await send('GET', path, { signal });
    if (second.ok) return second;
    throw problemOf(second.status, await bodyOf(second), second.headers.get('Retry-After'));
  }
  throw problemOf(first.status, await bodyOf(first), first.headers.get('Retry-After'));
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.attempt) headers.Authorization = 'Attempt ' + options.attempt;
  else if (!options.open) headers.Authorization = 'Bearer ' + (await freshToken());
  let body: string | undefined;
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(options.body);
  }
  try {
    return await fetch(address(path, options.query), { method, headers, body, signal: options.signal, credentials: 'same-origin', cache: 'no-store' });
  } catch (err) {
    if (options.signal?.aborted) throw err;
    throw offline();
  }
}

export function address(path: string, query: Options['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value));
  const tail = search.toString();
  return '/v1' + path + (tail ? '?' + tail : '');
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text().catch(() => '');
  if (!text || !/json/.test(response.headers.get('Content-Type') ?? '')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// freshToken answers an access token with at least a little life left.
export async function freshToken(): Promise<string> {
  if (!token || Date.now() > tokenEnds - 10_000) await refresh(token);
  return token;
}

// ---- the session -------------------------------------------------------------------

let refreshing: Promise<void> | undefined;

// refresh replaces the access token `stale`. Only one refresh runs at a time, in this
// tab by a promise, across tabs by a lock; whoever waited finds the new token told by
// the tab that went first.
export function refresh(stale: string): Promise<void> {
  refreshing ??= locked(async () => {
    if (token !== stale && Date.now() < tokenEnds - 10_000) return;
    try {
      adopt((await once<Session>('POST', '/auth/refresh', { open: true })).body);
    } catch (err) {
      // At load there is nothing to end, and another tab may be signing in right now.
      if (err instanceof Problem && (err.status === 401 || err.status === 403) && auth.value.is === 'in') end();
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

function adopt(session: Session): void {
  token = session.access_token;
  tokenEnds = Date.now() + session.expires_in * 1000;
  tell({ kind: 'token', token, ends: tokenEnds });
}

// signedIn takes the session that a sign-in, or a fresh proof, opened.
export async function signedIn(session: Session): Promise<void> {
  const known = auth.value.is === 'in';
  adopt(session);
  if (!known) tell({ kind: 'in' });
  await loadAccount();
}

export async function loadAccount(): Promise<Account> {
  const account = await get<Account>('/account');
  auth.value = { is: 'in', account };
  return account;
}

export function accountChanged(account: Account): void {
  auth.value = { is: 'in', account };
  tell({ kind: 'account' });
}

// openSession are the fields that every call which opens a session takes.
export async function openSession(): Promise<{ public_key?: unknown; device_name: string }> {
  const key = await clientKey().catch(() => undefined);
  return { ...(key && { public_key: key }), device_name: deviceName(navigator.userAgent) };
}

// deviceName says what a person would call this browser; they can change it later.
export function deviceName(agent: string): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /OPR\//.test(agent) ? 'Opera' : /Firefox\//.test(agent) ? 'Firefox'
    : /Chrom(e|ium)\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser';
  const system = /iPhone/.test(agent) ? 'iPhone' : /iPad/.test(agent) ? 'iPad' : /Android/.test(agent) ? 'Android'
    : /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'Mac' : /Linux|X11/.test(agent) ? 'Linux' : '';
  return system ? `${browser} · ${system}` : browser;
}

export function isChallenge(body: Session | Challenge): body is Challenge {
  return 'attempt_id' in body;
}

// signOut ends the session on the server first: when that fails the person must know,
// because the session would live on. `leave` goes away from the page in the same
// breath, before the page notices that nobody is signed in and asks for a sign-in.
export async function signOut(leave: () => void): Promise<void> {
  try {
    await call('POST', '/auth/sign-out');
  } catch (err) {
    if (!(err instanceof Problem) || err.status !== 401) throw err;
  }
  batch(() => {
    end();
    leave();
  });
}

// end forgets the session here and in every other tab.
export function end(): void {
  forget();
  tell({ kind: 'out' });
}

function forget(): void {
  token = '';
  tokenEnds = 0;
  auth.value = { is: 'out' };
}

function tell(news: News): void {
  channel.postMessage(news);
}

channel.onmessage = (event: MessageEvent<News>) => {
  const news = event.data;
  switch (news.kind) {
    case 'token':
      token = news.token;
      tokenEnds = news.ends;
      break;
    case 'out':
      forget();
      break;
    case 'in':
    case 'account':
      void loadAccount().catch(() => undefined);
      break;
  }
};

// startAuth finds out at load whether this browser has a session.
export async function startAuth(): Promise<void> {
  auth.value = { is: 'starting' };
  try {
    await refresh('');
    await loadAccount();
  } catch (err) {
    const problem = asProblem(err);
    if (problem.status === 401 || problem.status === 403) forget();
    else auth.value = { is: 'unreachable', problem };
  }
}
