// The pages of a folder that were read so far.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../shell/problem';
import { useLoad } from '../shell/ui';
import { list, type Entry, type Sort } from './tree';
import { everyFolder, landed } from './upload';

interface Listing {
  items: Entry[];
  next: string | undefined;
}

// useListing holds the pages of a folder read so far, and reads them again when
// something arrives in it.
export function useListing(folder: string, sort: Sort) {
  const [problem, setProblem] = useState<Problem>();
  const what = `${folder} ${sort.by} ${sort.down}`;
  const shown = useRef({ what, pages: 1, loading: false });
  if (shown.current.what !== what) shown.current = { what, pages: 1, loading: false };
  const read = useLoad(async (signal): Promise<Listing> => {
    const items: Entry[] = [];
    let next: string | undefined;
    for (let page = 0; page < shown.current.pages && (page === 0 || next); page++) {
      const { items: some, next_cursor } = await list(folder, sort, next, signal);
      items.push(...some);
      next = next_cursor || undefined;
    }
    return { items, next };
  }, [folder, sort.by, sort.down]);

  const n = (landed.value[folder] ?? 0) + (landed.value[everyFolder] ?? 0);
  useEffect(() => {
    if (n === 0) return;
    const timer = setTimeout(read.reload, 250);
    return () => clearTimeout(timer);
  }, [n]);

  async function more() {
    const mine = shown.current;
    if (mine.loading || !read.data?.next) return;
    mine.loading = true;
    try {
      const page = await list(folder, sort, read.data.next);
      if (shown.current !== mine) return; // the answer is about another folder by now
      mine.pages++;
      const known = new Set(read.data.items.map((e) => e.id));
      read.set({ items: [...read.data.items, ...page.items.filter((e) => !known.has(e.id))], next: page.next_cursor || undefined });
      setProblem(undefined);
    } catch (err) {
      setProblem(asProblem(err));
    } finally {
      mine.loading = false;
    }
  }
  return { items: read.data?.items, next: read.data?.next, more, problem: read.problem ?? problem, reload: read.reload };
}
