// The check of a ledger in this browser, and what it found. The last checkpoint stays in this browser:
// a ledger that was rewritten since no longer fits it.
import { equal, grew, hashOf, included, keyOf, leafHash, leafOf, Malformed, signed, type Bytes, type Checkpoint, type Entry, type Key } from './proof';

// A Ledger answers what the check asks for.
export interface Ledger {
  keys: () => Promise<readonly string[]>;
  checkpoint: () => Promise<string | undefined>; // undefined: none was signed yet
  grown: (from: number, to: number) => Promise<readonly string[]>; // the proof between two sizes
  proof: (n: number, size: number) => Promise<readonly string[] | undefined>; // undefined: it has no such entry
}

// The faults, for words.
export type Wrong = 'malformed' | 'signature' | 'oldSignature' | 'shrunk' | 'forked' | 'rewritten' | 'order' | 'entry' | 'missing' | 'unsigned';

export type Finding =
  | { is: 'none' } // no checkpoint yet, and no entry that is due
  | { is: 'sound'; size: number; root: string; checked: number; waiting: number; first: boolean; note: string }
  | { is: 'broken'; wrong: Wrong; n?: number };

// Wrongness ends a check.
class Wrongness extends Error {
  constructor(readonly wrong: Wrong, readonly n?: number) {
    super(wrong);
  }
}

const atOnce = 4;

// overdue is the age in milliseconds at which a server must have signed an entry: 24 hours.
const overdue = 24 * 60 * 60 * 1000;

// verify checks the newest checkpoint, that the ledger has grown from the one `kept`, and that each
// entry stands in it as it is listed here. An entry outside of it may not be old: `at` is the time.
// `done` hears how many entries are checked.
export async function verify(ledger: Ledger, entries: readonly Entry[], kept: string | undefined, done: (count: number) => void = () => undefined, at = Date.now()): Promise<Finding> {
  try {
    const keys = (await ledger.keys()).map(keyOf);
    const note = await ledger.checkpoint();
    if (note === undefined) {
      if (kept !== undefined) throw new Wrongness('shrunk');
      due(entries, 0, at);
      return { is: 'none' };
    }
    const now = signed(note, keys);
    if (!now) throw new Wrongness('signature');
    if (kept !== undefined) await follows(ledger, remembered(kept, keys), now);
    const inside = ordered(entries).filter(({ n }) => n < now.size);
    await every(ledger, inside, now, done);
    due(entries, now.size, at);
    return { is: 'sound', size: now.size, root: btoa(String.fromCharCode(...now.root)), checked: inside.length, waiting: entries.length - inside.length, first: kept === undefined, note };
  } catch (err) {
    if (err instanceof Wrongness) return { is: 'broken', wrong: err.wrong, n: err.n };
    if (err instanceof Malformed) return { is: 'broken', wrong: 'malformed' };
    throw err;
  }
}

// remembered reads the checkpoint that this browser keeps. The ledger publishes its old keys for ever.
function remembered(note: string, keys: readonly Key[]): Checkpoint {
  const old = signed(note, keys);
  if (!old) throw new Wrongness('oldSignature');
  return old;
}

async function follows(ledger: Ledger, old: Checkpoint, now: Checkpoint): Promise<void> {
  if (now.origin !== old.origin) throw new Wrongness('oldSignature');
  if (now.size < old.size) throw new Wrongness('shrunk');
  if (now.size === old.size && !equal(now.root, old.root)) throw new Wrongness('forked');
  if (now.size === old.size || old.size === 0) return;
  if (!grew(old, now, hashes(await ledger.grown(old.size, now.size)))) throw new Wrongness('rewritten');
}

// due refuses an old entry that no checkpoint covers: the server signs no more, or hides what it signed.
function due(entries: readonly Entry[], size: number, at: number): void {
  const old = entries.findLast(({ n, time }) => n >= size && !(Date.parse(time) >= at - overdue));
  if (old) throw new Wrongness('unsigned', old.n);
}

// ordered refuses a list that shows one place twice.
function ordered(entries: readonly Entry[]): readonly Entry[] {
  entries.forEach((entry, i) => {
    if (i > 0 && entry.n >= entries[i - 1]!.n) throw new Wrongness('order', entry.n);
  });
  return entries;
}

async function every(ledger: Ledger, entries: readonly Entry[], now: Checkpoint, done: (count: number) => void): Promise<void> {
  let next = 0;
  let count = 0;
  let over = false;
  const work = async () => {
    while (next < entries.length && !over) {
      try {
        await one(ledger, entries[next++]!, now);
      } catch (err) {
        over = true;
        throw err;
      }
      if (!over) done(++count); // another may have ended the check meanwhile
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function one(ledger: Ledger, entry: Entry, now: Checkpoint): Promise<void> {
  const proof = await ledger.proof(entry.n, now.size);
  if (!proof) throw new Wrongness('missing', entry.n);
  let holds = false;
  try {
    holds = included(leafHash(leafOf(entry)), entry.n, now.size, hashes(proof), now.root);
  } catch (err) {
    if (!(err instanceof Malformed)) throw err;
  }
  if (!holds) throw new Wrongness('entry', entry.n);
}

const hashes = (proof: readonly string[]): Bytes[] => proof.map(hashOf);
