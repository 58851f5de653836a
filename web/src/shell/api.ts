// Every call to the API. Methods, paths, parameters, bodies and answers have the types
// that are generated from api/openapi.json.
import type { paths } from '../api';
import { keeper, me } from './auth';
import { cancelled, offline, Problem, problemOf } from './problem';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

// Paths are those of the document that know the method.
export type Paths<M extends Method> = { [P in keyof paths]: paths[P][M] extends undefined ? never : P }[keyof paths];

type Operation<M extends Method, P extends keyof paths> = NonNullable<paths[P][M]>;
type Json<C> = C extends { content: { 'application/json': infer T } } ? T : undefined;
type Given<T, K extends string> = K extends keyof T ? NonNullable<T[K]> : never;

// Answer is what the server sends when it does not refuse.
export type Answer<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202 | 204)]> : never;

// Body is what the operation reads.
export type Body<M extends Method, P extends keyof paths> = Json<Given<Operation<M, P>, 'requestBody'>>;

type Parameter<M extends Method, P extends keyof paths, K extends string> = Given<Given<Operation<M, P>, 'parameters'>, K>;

type Needs<K extends string, T> = [T] extends [never] | [undefined] ? { [N in K]?: never } : {} extends T ? { [N in K]?: T } : { [N in K]: T };

export type Options<M extends Method, P extends keyof paths> =
  & Needs<'path', Parameter<M, P, 'path'>>
  & Needs<'query', Parameter<M, P, 'query'>>
  & Needs<'body', Body<M, P>>
  & Extra;

interface Extra {
  // A body that is no JSON, sent as it is.
  raw?: Blob;
  // The attempt's token, for the calls of a sign-in that is not finished.
  attempt?: string;
  // Public calls carry no token.
  open?: boolean;
  // A public call that is signed nevertheless.
  signed?: boolean;
  signal?: AbortSignal;
  // An old proof is a refusal: the person is not asked for a fresh one.
  quiet?: boolean;
}

type Rest<O> = {} extends O ? [options?: O] : [options: O];

// call sends a request and answers its body. It settles what can be settled without the
// caller: an access token that ended, and a fresh proof that the server wants first.
export async function call<M extends Method, P extends Paths<M>>(method: M, path: P, ...[options]: Rest<Options<M, P>>): Promise<Answer<M, P>> {
  const once = async () => (await bodyOf(await respond(method, path, options))) as Answer<M, P>;
  return options?.quiet ? once() : proven(once);
}

let proofs = 0; // that the person has given

// proven asks for a fresh proof when the server wants one, and then repeats the work. Work that
// was refused while another call was asking needs no second proof.
async function proven<T>(work: () => Promise<T>): Promise<T> {
  const before = proofs;
  try {
    return await work();
  } catch (err) {
    if (!(err instanceof Problem) || err.code !== 'step_up_required') throw err;
    if (proofs === before) {
      if (!(await keeper().prove())) throw cancelled();
      proofs++;
    }
    return work();
  }
}

export const get = <P extends Paths<'get'>>(path: P, ...rest: Rest<Options<'get', P>>) => call('get', path, ...rest);
export const post = <P extends Paths<'post'>>(path: P, ...rest: Rest<Options<'post', P>>) => call('post', path, ...rest);
export const put = <P extends Paths<'put'>>(path: P, ...rest: Rest<Options<'put', P>>) => call('put', path, ...rest);
export const patch = <P extends Paths<'patch'>>(path: P, ...rest: Rest<Options<'patch', P>>) => call('patch', path, ...rest);
export const del = <P extends Paths<'delete'>>(path: P, ...rest: Rest<Options<'delete', P>>) => call('delete', path, ...rest);

// stream is for downloads: the answer, whose body is not read yet.
export function stream<P extends Paths<'get'>>(path: P, ...[options]: Rest<Options<'get', P>>): Promise<Response> {
  return proven(() => respond('get', path, options));
}

// streamOf is stream for what takes a body.
export function streamOf<P extends Paths<'post'>>(path: P, ...[options]: Rest<Options<'post', P>>): Promise<Response> {
  return proven(() => respond('post', path, options));
}

// Loose is Options of any operation: the functions below serve all of them.
interface Loose extends Extra {
  path?: object;
  query?: object;
  body?: unknown;
}

// respond returns a response that is no refusal.
async function respond(method: Method, path: string, options: Loose = {}): Promise<Response> {
  if (options.attempt) return send(method, path, options, 'Attempt ' + options.attempt);
  if (!options.open) return withToken((token) => send(method, path, { ...options, signed: true }, 'Bearer ' + token));
  try {
    return await send(method, path, options);
  } catch (err) {
    if (!proofRefused(err)) throw err;
    return send(method, path, options);
  }
}

// withToken makes a call with the access token. Once it replaces a token that the server no
// longer takes, or signs again: the refusal of a signature has told the server's time.
export async function withToken<T>(once: (token: string) => Promise<T>): Promise<T> {
  const token = await keeper().token();
  try {
    return await once(token);
  } catch (err) {
    if (tokenEnded(err)) await keeper().renew(token);
    else if (!proofRefused(err)) throw err;
    return once(await keeper().token());
  }
}

// tokenEnded tells a token that the server no longer takes from other refusals with
// status 401, such as a wrong code.
function tokenEnded(err: unknown): boolean {
  return err instanceof Problem && err.code === 'unauthenticated' && me() !== undefined;
}

function proofRefused(err: unknown): boolean {
  return err instanceof Problem && err.code === 'invalid_proof';
}

// By how many milliseconds the server's clock is ahead of this one. Signatures bear the
// server's time, so that a wrong clock locks nobody out.
let ahead = 0;

// hearTime takes the Date of an answer.
export function hearTime(date: string | null): void {
  if (date) ahead = Date.parse(date) - Date.now();
}

// serverNow is the time of the server's clock, which its answers speak of.
export const serverNow = () => Date.now() + ahead;

// proof returns the header fields that prove a request of the session.
export function proof(method: string, to: string, authorization?: string, body?: string): Promise<Record<string, string>> {
  return keeper().sign({ method, address: to, authorization, body, at: serverNow() });
}

async function send(method: Method, path: string, { path: named, query, body, raw, signal, signed }: Loose, authorization?: string): Promise<Response> {
  const to = address(path, query, named);
  const json = body === undefined ? undefined : JSON.stringify(body);
  const headers: Record<string, string> = { Accept: 'application/json', ...(signed && (await proof(method, to, authorization, json))) };
  if (authorization) headers.Authorization = authorization;
  if (json !== undefined) headers['Content-Type'] = 'application/json';
  else if (raw) headers['Content-Type'] = raw.type || 'application/octet-stream';
  let response: Response;
  try {
    response = await fetch(to, { method: method.toUpperCase(), headers, body: json ?? raw, signal, credentials: 'same-origin', cache: 'no-store' });
  } catch (err) {
    if (signal?.aborted) throw err;
    throw offline();
  }
  hearTime(response.headers.get('Date'));
  if (!response.ok) throw problemOf(response.status, await bodyOf(response), response.headers.get('Retry-After'));
  return response;
}

// address writes the URL of an operation: {names} in the path are replaced, parameters
// without a value are left out.
export function address(path: string, query: object = {}, named: object = {}): string {
  const values = named as Record<string, string>;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value));
  const tail = search.toString();
  return '/v1' + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name]!)) + (tail ? '?' + tail : '');
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
