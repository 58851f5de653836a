// The selection of a whole list: what is read of it, and what is not yet.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { toastProblem } from '../shell/ui';
import type { Listing } from './listing';
import { everything, type Picked } from './select';

// Up to so many entries are counted as soon as something is selected, so that the button says how
// many there are. A longer list is read when the person asks for all of it.
const counted = 2000;

export function useWhole<E extends { id: string }>(list: Listing<E>, picked: Picked, setPicked: (to: (p: Picked) => Picked) => void, of: string) {
  const [reading, setReading] = useState<number>();
  const [seeking, setSeeking] = useState<number>();
  const stop = useRef<AbortController>(undefined);

  function end() {
    stop.current?.abort();
    stop.current = undefined;
    setReading(undefined);
    setSeeking(undefined);
  }
  useEffect(() => end, [of]);

  const some = picked.ids.size > 0;
  const open = list.items !== undefined && list.total === undefined;
  useEffect(() => {
    if (!some || !open || reading !== undefined || seeking !== undefined || list.items!.length > counted) return;
    const count = new AbortController();
    list.rest(count.signal, () => undefined, counted).catch(() => undefined);
    return () => count.abort();
  }, [some, open, reading === undefined, seeking === undefined, of]);

  // select takes all of the list; it reads what is missing first.
  async function select(): Promise<void> {
    if (!list.items) return;
    const loaded = list.items;
    setPicked((p) => everything(p, loaded));
    end();
    if (!list.more) return;
    const mine = (stop.current = new AbortController());
    setReading(loaded.length);
    try {
      const all = await list.rest(mine.signal, (n) => !mine.signal.aborted && setReading(loaded.length + n));
      if (!mine.signal.aborted) setPicked((p) => everything(p, all));
    } catch (err) {
      if (!mine.signal.aborted) toastProblem(err);
    } finally {
      if (stop.current === mine) end();
    }
  }

  // reach reads the list to its end and answers all of it; undefined when something else came first.
  async function reach(): Promise<readonly E[] | undefined> {
    end();
    const mine = (stop.current = new AbortController());
    const loaded = list.items!.length;
    setSeeking(loaded);
    try {
      const all = await list.rest(mine.signal, (n) => !mine.signal.aborted && setSeeking(loaded + n));
      return mine.signal.aborted ? undefined : all;
    } catch (err) {
      if (!mine.signal.aborted) toastProblem(err);
      return undefined;
    } finally {
      if (stop.current === mine) end();
    }
  }

  const selected = useMemo(() => (some ? (list.items ?? []).filter((e) => picked.ids.has(e.id)) : []), [list.items, picked.ids]);
  return {
    select,
    reading, // how many were read of a list that is being selected
    reach,
    seeking, // how many were read on the way to the end
    stay: () => seeking !== undefined && end(), // the person goes elsewhere than to the end
    selected,
    all: list.total !== undefined && list.total > 0 && selected.length === list.total,
    clear() {
      end();
      setPicked((p) => ({ ...p, ids: new Set() }));
    },
  };
}
