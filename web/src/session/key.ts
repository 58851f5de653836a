// This browser's key pair and the key that signs requests, in IndexedDB. WebCrypto keeps what
// is secret of them: scripts, this one included, can use it but never read it. Tokens never
// come here.
import type { Body } from '../shell/api';
import type { Outgoing } from '../shell/auth';
import type { Session } from './session';

type PublicKey = NonNullable<Body<'post', '/auth/sign-in'>['public_key']>;

const database = 'coffer';
const keys = 'keys';

// Browsers without P-521 (older Safari) fall back to P-256.
const curves = ['P-521', 'P-256'];

// The pair of this tab: another tab may make its own at the same moment.
let pair: CryptoKeyPair | undefined;

// clientKey returns the public half, making the pair at the first call. It answers
// undefined where WebCrypto is missing (a page that is not on https or localhost):
// the server then makes a throw-away pair, and no request is signed.
export async function clientKey(): Promise<PublicKey | undefined> {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return undefined;
  pair = (await read<CryptoKeyPair>('client')) ?? (await make());
  const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { kty: jwk.kty!, crv: jwk.crv!, x: jwk.x!, y: jwk.y! };
}

async function make(): Promise<CryptoKeyPair> {
  let last: unknown;
  for (const namedCurve of curves) {
    try {
      const made = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve }, false, ['deriveBits']);
      await write('client', made);
      return made;
    } catch (err) {
      last = err;
    }
  }
  throw last;
}

// A Prover signs the requests of one session.
export interface Prover {
  session: string;
  origin: string; // the server's public one
  key: CryptoKey;
}

// prover derives the key of a session from this browser's pair and the server's public key,
// and keeps it: after a reload the first refresh must be signed.
export async function prover(session: Session): Promise<Prover> {
  const own = pair ?? (await read<CryptoKeyPair>('client'));
  if (!own) throw new Error('the session wants signed requests, but its key is gone');
  const { subtle } = crypto;
  const { namedCurve } = own.publicKey.algorithm as EcKeyAlgorithm;
  const { kty, crv, x, y } = session.server_public_key;
  const server = await subtle.importKey('jwk', { kty, crv, x, y } as JsonWebKey, { name: 'ECDH', namedCurve }, true, []);
  const agreed = await subtle.deriveBits({ name: 'ECDH', public: server }, own.privateKey, namedCurve === 'P-521' ? 528 : 256);
  const issuer = issuerOf(session.access_token);
  const info = joined(text('coffer/session/v1\0'), ...[
    text('proof'), text(issuer), text(`${namedCurve.replace('-', '')}-HKDF512-A256GCM`),
    new Uint8Array(await subtle.exportKey('raw', server)), new Uint8Array(await subtle.exportKey('raw', own.publicKey)),
  ].flatMap((part) => [new Uint8Array([part.length >> 8, part.length & 255]), part]));
  const key = await subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-512', salt: bytes(session.session_id), info }, await subtle.importKey('raw', agreed, 'HKDF', false, ['deriveKey']),
    { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign'],
  );
  const made = { session: session.session_id, origin: new URL(issuer).origin, key };
  await write('proof', made);
  return made;
}

// keptProver is the one that this browser derived last, in whichever tab.
export async function keptProver(): Promise<Prover | undefined> {
  return globalThis.crypto?.subtle && globalThis.indexedDB ? read<Prover>('proof') : undefined;
}

// sign returns the header fields that prove a request (RFC 9421): a signature over its method,
// its address at the server's public origin, its token and its body.
export async function sign({ session, origin, key }: Prover, { method, address, authorization, body, at }: Outgoing): Promise<Record<string, string>> {
  const { subtle } = crypto;
  const fields: Record<string, string> = {};
  const covered: [name: string, value: string][] = [['@method', method.toUpperCase()], ['@target-uri', origin + address]];
  if (authorization) covered.push(['authorization', authorization]);
  if (body !== undefined) {
    const digest = fields['Content-Digest'] = `sha-256=:${base64(await subtle.digest('SHA-256', text(body)))}:`;
    covered.push(['content-digest', digest]);
  }
  const nonce = base64(crypto.getRandomValues(new Uint8Array(18)).buffer);
  const params = `(${covered.map(([name]) => `"${name}"`).join(' ')});created=${Math.floor(at / 1000)};nonce="${nonce}";keyid="${session}";alg="hmac-sha256"`;
  const base = covered.map(([name, value]) => `"${name}": ${value}\n`).join('') + `"@signature-params": ${params}`;
  fields['Signature-Input'] = 'proof=' + params;
  fields.Signature = `proof=:${base64(await subtle.sign('HMAC', key, text(base)))}:`;
  return fields;
}

// issuerOf reads the server's public address in an access token.
function issuerOf(token: string): string {
  return (JSON.parse(new TextDecoder().decode(bytes(token.split('.')[1]!))) as { iss: string }).iss;
}

const text = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s);

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

// bytes reads base64url.
function bytes(s: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(s.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}

function base64(b: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(b)));
}

function read<T>(name: string): Promise<T | undefined> {
  return within('readonly', (store) => store.get(name) as IDBRequest<T | undefined>);
}

function write(name: string, value: unknown): Promise<unknown> {
  return within('readwrite', (store) => store.put(value, name));
}

async function within<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  try {
    const request = work(db.transaction(keys, mode).objectStore(keys));
    return await settled(request);
  } finally {
    db.close(); // an open connection would block the clearing of site data at sign-out
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(keys);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
