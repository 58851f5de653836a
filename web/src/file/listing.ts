// The pages of a list that were read so far: of a folder, of a search, of the trash.
import { effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { auth } from '../shell/auth';
import { asProblem, type Problem } from '../shell/problem';

export const unit = 100; // entries of the first page; the next ones have twice as many

export type Read<E> = (cursor: string | undefined, limit: number, signal?: AbortSignal) => Promise<{ items: E[]; next_cursor?: string | null }>;

interface Held<E> {
  of: string;
  items: readonly E[];
  next: string | undefined;
}

export type Listing<E extends { id: string }> = ReturnType<typeof useListing<E>>;

// Long lists that were left a moment ago: Back shows them at once. They end with the session.
const left = new Map<string, Held<{ id: string }>>();
const leftMost = 5;

export function startListings(): void {
  effect(() => {
    if (auth.value.is !== 'in') left.clear();
  });
}

function leave(held: Held<{ id: string }> | undefined): void {
  if (!held || held.items.length <= unit) return;
  left.delete(held.of);
  left.set(held.of, held);
  if (left.size > leftMost) left.delete(left.keys().next().value!);
}

// useListing holds what was read of the list `of`, and reads it again when `changes` does. It begins
// with as many pages of `unit` as the person had read.
export function useListing<E extends { id: string }>(of: string, read: Read<E>, changes: number, pages = 1) {
  const [held, setHeld] = useState<Held<E>>();
  const [problem, setProblem] = useState<Problem>();
  const latest = useRef<Held<E>>(undefined);
  // What is read counts only while the list is this one, and no newer reading has begun.
  const now = useRef({ of: '', wanted: 0, end: false, busy: false, reading: 0, took: 0 });
  const running = useRef<AbortController>(undefined);

  function put(to: Held<E> | undefined) {
    latest.current = to;
    setHeld(to);
  }

  // reload reads again as far as was read before: to the end, if that was known.
  async function reload(): Promise<void> {
    running.current?.abort();
    const { signal } = (running.current = new AbortController());
    const mine = now.current;
    mine.reading++;
    const began = performance.now();
    try {
      const items: E[] = [];
      const seen = new Set<string>();
      let next: string | undefined;
      do {
        const page = await read(next, items.length === 0 ? unit : 2 * unit, signal);
        for (const e of page.items) if (!seen.has(e.id) && seen.add(e.id)) items.push(e);
        next = page.next_cursor || undefined;
        if (signal.aborted) return;
      } while (next && (mine.end || items.length < mine.wanted));
      mine.wanted = items.length;
      mine.end = !next;
      mine.took = performance.now() - began;
      put({ of: mine.of, items, next });
      setProblem(undefined);
    } catch (err) {
      if (!signal.aborted) setProblem(asProblem(err));
    }
  }

  useEffect(() => {
    const known = pages > 1 ? (left.get(of) as Held<E> | undefined) : undefined;
    now.current = { of, wanted: known?.items.length ?? pages * unit, end: known !== undefined && !known.next, busy: false, reading: 0, took: 0 };
    put(known);
    setProblem(undefined);
    void reload();
    return () => {
      running.current?.abort();
      leave(latest.current);
    };
  }, [of]);

  // Many changes one after the other are read a few times, not once for each; a list that takes
  // long is read seldom.
  const newest = useRef(changes);
  newest.current = changes;
  const known = useRef({ of, changes });
  if (known.current.of !== of) known.current = { of, changes };
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (known.current.changes === changes || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      known.current.changes = newest.current;
      void reload();
    }, Math.max(250, 4 * now.current.took));
  }, [changes, of]);
  useEffect(() => () => {
    clearTimeout(timer.current);
    timer.current = undefined;
  }, [of]);

  function append(to: Held<E>, some: readonly E[], next: string | undefined) {
    const there = new Set(to.items.map((e) => e.id));
    const items = [...to.items, ...some.filter((e) => !there.has(e.id))];
    now.current.wanted = items.length;
    now.current.end = !next;
    put({ of: to.of, items, next });
  }

  async function more(): Promise<void> {
    const mine = now.current;
    const { reading } = mine;
    const from = latest.current;
    if (mine.busy || !from?.next) return;
    mine.busy = true;
    try {
      const page = await read(from.next, 2 * unit);
      // Another list, a newer reading, or the rest of it came first.
      if (now.current !== mine || mine.reading !== reading || latest.current!.next !== from.next) return;
      append(latest.current!, page.items, page.next_cursor || undefined);
      setProblem(undefined);
    } catch (err) {
      if (now.current === mine) setProblem(asProblem(err));
    } finally {
      mine.busy = false;
    }
  }

  // rest reads on to the end, or until it has `most` more, and answers all that is there then.
  async function rest(signal: AbortSignal, seen: (count: number) => void, most = Infinity): Promise<readonly E[]> {
    const mine = now.current;
    const { reading } = mine;
    const some: E[] = [];
    let next = latest.current?.next;
    while (next && some.length < most) {
      const page = await read(next, 2 * unit, signal);
      some.push(...page.items);
      next = page.next_cursor || undefined;
      seen(some.length);
    }
    signal.throwIfAborted();
    if (now.current !== mine || !latest.current) return [];
    if (mine.reading !== reading) {
      // The list changed meanwhile: what was read of it may be old.
      mine.wanted = latest.current.items.length + some.length;
      mine.end = !next;
      await reload();
    } else if (some.length > 0 && latest.current.next) {
      append(latest.current, some, next);
    }
    return latest.current.items;
  }

  const data = held?.of === of ? held : undefined;
  return {
    items: data?.items,
    more: data?.next === undefined ? undefined : more, // there is more to read
    // How many there are in all, where that is known.
    total: data && !data.next ? data.items.length : undefined,
    pages: () => Math.ceil((latest.current?.items.length ?? 0) / unit) || 1,
    problem, reload, rest,
    // without takes out what is gone already, so that nobody waits for the next reading.
    without(gone: readonly { id: string }[]) {
      if (gone.length === 0 || !latest.current) return;
      const ids = new Set(gone.map((e) => e.id));
      put({ ...latest.current, items: latest.current.items.filter((e) => !ids.has(e.id)) });
    },
  };
}
