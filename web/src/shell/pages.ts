// The pages of a list that were read so far.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from './problem';

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

type Read<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>;

// usePages reads the first page, and when `changes` does, all that was read before.
export function usePages<T>(read: Read<T>, changes: number) {
  const [held, setHeld] = useState<Page<T>>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const latest = useRef<Page<T>>(undefined);
  const running = useRef<AbortController>(undefined);

  // run reads on from a cursor until it has `wanted`.
  async function run(before: T[], from: string | undefined, wanted: number): Promise<void> {
    running.current?.abort();
    const { signal } = (running.current = new AbortController());
    setBusy(true);
    try {
      const items = [...before];
      let next = from;
      let empty = 0; // pages in a row of which a filter has left nothing
      do {
        const page = await read(next, signal);
        items.push(...page.items);
        empty = page.items.length > 0 ? 0 : empty + 1;
        next = page.next_cursor || undefined;
        if (signal.aborted) return;
      } while (next && items.length < wanted && empty < 10);
      latest.current = { items, next_cursor: next };
      setHeld(latest.current);
      setProblem(undefined);
    } catch (err) {
      if (!signal.aborted) setProblem(asProblem(err));
    } finally {
      if (!signal.aborted) setBusy(false);
    }
  }

  const reload = () => run([], undefined, latest.current?.items.length ?? 1);
  useEffect(() => {
    void reload();
    return () => running.current?.abort();
  }, [changes]);
  return {
    items: held?.items,
    problem, busy, reload,
    more: held?.next_cursor ? () => void run(held.items, held.next_cursor!, held.items.length + 1) : undefined,
  };
}
