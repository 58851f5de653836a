// The person's entries, and what the check of the ledger asks the server for.
import { signal } from '@preact/signals';
import { get, stream, type Answer } from '../shell/api';
import { Problem } from '../shell/problem';
import type { Ledger } from './verify';

export type Own = Answer<'get', '/account/ledger'>['items'][number];

// How often the entries may have changed so far.
export const changes = signal(0);

export const changed = (): void => {
  changes.value++;
};

// patient asks again when it has asked more often than the server lets one address.
async function patient<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (err) {
      if (!(err instanceof Problem) || err.status !== 429 || err.retryAfter === 0 || tries === 5 || signal.aborted) throw err;
      await new Promise((resolve) => setTimeout(resolve, err.retryAfter * 1000));
    }
  }
}

const open = true; // the ledger is public: no call for its proofs says whose entries are meant

export const served = (signal: AbortSignal): Ledger => ({
  keys: async () => (await get('/ledger/keys', { open, signal })).items.map(({ key }) => key),
  async checkpoint() {
    try {
      return await (await stream('/ledger/checkpoint', { open, signal })).text();
    } catch (err) {
      if (err instanceof Problem && err.code === 'no_checkpoint') return undefined;
      throw err;
    }
  },
  grown: async (from, to) => (await get('/ledger/consistency', { open, signal, query: { from, to } })).hashes,
  async proof(n, size) {
    try {
      return (await patient(() => get('/ledger/entries/{n}/proof', { open, signal, path: { n }, query: { size } }), signal)).hashes;
    } catch (err) {
      if (err instanceof Problem && err.status === 404) return undefined;
      throw err;
    }
  },
});

// all reads every entry of the person, the newest first.
export async function all(signal: AbortSignal): Promise<Own[]> {
  const items: Own[] = [];
  let cursor: string | undefined;
  do {
    const page: Answer<'get', '/account/ledger'> = await get('/account/ledger', { query: { cursor, limit: 200 }, signal });
    items.push(...page.items);
    cursor = page.next_cursor || undefined;
  } while (cursor);
  return items;
}

const stored = 'coffer.ledger';

interface Kept {
  note: string;
  at: string;
}

// kept is the last checkpoint that this browser saw, and when.
export function kept(): Kept | undefined {
  try {
    const value = JSON.parse(localStorage.getItem(stored) ?? 'null') as Partial<Kept> | null;
    return value && typeof value.note === 'string' && typeof value.at === 'string' ? { note: value.note, at: value.at } : undefined;
  } catch {
    return undefined;
  }
}

export const keep = (note: string, now: Date): void => localStorage.setItem(stored, JSON.stringify({ note, at: now.toISOString() } satisfies Kept));
