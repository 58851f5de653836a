// This browser's key pair, in IndexedDB. WebCrypto keeps the private half: scripts, this
// one included, can use it but never read it. Tokens never come here.
import type { Body } from '../shell/api';

type PublicKey = NonNullable<Body<'post', '/auth/sign-in'>['public_key']>;

const database = 'coffer';
const keys = 'keys';

// Browsers without P-521 (older Safari) fall back to P-256.
const curves = ['P-521', 'P-256'];

// clientKey returns the public half, making the pair at the first call. It answers
// undefined where WebCrypto is missing (a page that is not on https or localhost):
// the server then makes a throw-away pair.
export async function clientKey(): Promise<PublicKey | undefined> {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return undefined;
  const pair = (await read()) ?? (await make());
  const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { kty: jwk.kty!, crv: jwk.crv!, x: jwk.x!, y: jwk.y! };
}

async function make(): Promise<CryptoKeyPair> {
  let last: unknown;
  for (const namedCurve of curves) {
    try {
      const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve }, false, ['deriveBits']);
      await within('readwrite', (store) => store.put(pair, 'client'));
      return pair;
    } catch (err) {
      last = err;
    }
  }
  throw last;
}

function read(): Promise<CryptoKeyPair | undefined> {
  return within('readonly', (store) => store.get('client') as IDBRequest<CryptoKeyPair | undefined>);
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
