// The selection of a whole folder: what is loaded, and what is not.
import { useEffect, useRef, useState } from 'preact/hooks';
import { toastProblem } from '../shell/ui';
import type { useListing } from './listing';
import { everything, type Picked } from './select';
import type { Entry } from './tree';

// Up to so many entries are counted as soon as something is selected, so that the button
// says how many there are. A larger folder is read when the person asks for all of it.
const counted = 2000;

export function useWhole(page: ReturnType<typeof useListing>, picked: Picked, setPicked: (to: Picked | ((p: Picked) => Picked)) => void, of: string) {
  const [reading, setReading] = useState<number>();
  const stop = useRef<AbortController | undefined>(undefined);
  const known = useRef(new Map<string, Entry>());
  const items = useRef(page.items);
  items.current = page.items;

  function end() {
    stop.current?.abort();
    stop.current = undefined;
    setReading(undefined);
  }
  useEffect(() => () => {
    end();
    known.current.clear();
  }, [of]);

  const some = picked.ids.size > 0;
  useEffect(() => {
    if (!some || page.total !== undefined || reading !== undefined || !page.items) return;
    const count = new AbortController();
    page.rest(count.signal, (n) => n > counted && count.abort()).catch(() => undefined);
    return () => count.abort();
  }, [some, page.total === undefined, reading === undefined, of]);

  // select takes all of the folder; it reads what is not loaded first.
  async function select(): Promise<void> {
    if (!page.items) return;
    setPicked((p) => everything(p, page.items!));
    const loaded = page.items.length;
    end();
    const mine = (stop.current = new AbortController());
    if (page.next && !page.beyond) setReading(loaded);
    try {
      const beyond = await page.rest(mine.signal, (n) => !mine.signal.aborted && setReading(loaded + n));
      if (mine.signal.aborted) return;
      for (const e of beyond) known.current.set(e.id, e);
      setPicked((p) => everything(p, items.current ?? [], beyond));
    } catch (err) {
      if (!mine.signal.aborted) toastProblem(err);
    } finally {
      if (stop.current === mine) end();
    }
  }

  const loaded = (page.items ?? []).filter((e) => picked.ids.has(e.id));
  const shown = new Set(loaded.map((e) => e.id));
  const selected = [...loaded, ...[...known.current.values()].filter((e) => picked.ids.has(e.id) && !shown.has(e.id))];
  return {
    select,
    reading, // how many were read of a folder that is being selected
    selected,
    all: page.total !== undefined && page.total > 0 && selected.length === page.total,
    knows: (id: string) => known.current.has(id),
    clear() {
      end();
      setPicked((p) => ({ ...p, ids: new Set() }));
    },
  };
}
