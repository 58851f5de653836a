// The pages of a folder that were read so far.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../shell/problem';
import { useLoad } from '../shell/ui';
import { changesOf } from './refresh';
import { everything, list, type Entry, type Sort } from './tree';

interface Listing {
  of: string; // the folder and the sorting
  items: Entry[];
  next: string | undefined;
  // What follows the pages that are shown, once somebody asked for all of it.
  beyond?: Entry[];
}

// useListing holds the pages of a folder read so far, and reads them again when something
// changes in it. It begins with as many pages as the person had read.
export function useListing(folder: string, sort: Sort, pages: number) {
  const [problem, setProblem] = useState<Problem>();
  const what = `${folder} ${sort.by} ${sort.down}`;
  const shown = useRef({ what, pages, loading: false });
  if (shown.current.what !== what) shown.current = { what, pages, loading: false };
  const read = useLoad(async (signal): Promise<Listing> => {
    const items: Entry[] = [];
    let next: string | undefined;
    for (let page = 0; page < shown.current.pages && (page === 0 || next); page++) {
      const { items: some, next_cursor } = await list(folder, sort, next, signal);
      items.push(...some);
      next = next_cursor || undefined;
    }
    return { of: what, items, next };
  }, [folder, sort.by, sort.down]);
  const latest = useRef(read.data);
  latest.current = read.data;

  // Many files that arrive one after the other are read a few times, not once for each.
  const n = changesOf(folder);
  const newest = useRef(n);
  newest.current = n;
  const known = useRef({ folder, n });
  if (known.current.folder !== folder) known.current = { folder, n };
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (known.current.n === n || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      known.current.n = newest.current;
      void read.reload();
    }, 250);
  }, [n, folder]);
  useEffect(() => () => {
    clearTimeout(timer.current);
    timer.current = undefined;
  }, [folder, sort.by, sort.down]);

  async function more() {
    const mine = shown.current;
    if (mine.loading || !read.data?.next || read.data.of !== what) return;
    mine.loading = true;
    try {
      const page = await list(folder, sort, read.data.next);
      if (shown.current !== mine) return; // the answer is about another folder by now
      mine.pages++;
      const now = latest.current ?? read.data;
      const there = new Set(now.items.map((e) => e.id));
      const fresh = page.items.filter((e) => !there.has(e.id));
      const loaded = new Set(fresh.map((e) => e.id));
      read.set({ of: what, items: [...now.items, ...fresh], next: page.next_cursor || undefined, beyond: now.beyond?.filter((e) => !loaded.has(e.id)) });
      setProblem(undefined);
    } catch (err) {
      setProblem(asProblem(err));
    } finally {
      mine.loading = false;
    }
  }

  // rest reads what lies beyond the pages that are shown, without showing it.
  async function rest(signal: AbortSignal, seen: (count: number) => void): Promise<Entry[]> {
    const now = latest.current;
    if (!now?.next || now.of !== what) return [];
    if (now.beyond) return now.beyond;
    const beyond = await everything(folder, { sort, cursor: now.next, signal, seen });
    const at = latest.current;
    if (at?.of !== what) return [];
    const there = new Set(at.items.map((e) => e.id));
    const others = beyond.filter((e) => !there.has(e.id));
    if (at.next) read.set({ ...at, beyond: others });
    return others;
  }

  // The answer about another folder is none.
  const data = read.data?.of === what ? read.data : undefined;
  return {
    items: data?.items,
    next: data?.next,
    beyond: data?.beyond,
    // How many there are in the folder, where that is known.
    total: data && (!data.next ? data.items.length : data.beyond && data.items.length + data.beyond.length),
    pages: () => shown.current.pages,
    more, rest,
    problem: read.problem ?? problem,
    reload: read.reload,
  };
}
