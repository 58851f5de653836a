// Keeps how a list was looked at, with its place in the history.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { moves } from '../shell/router';
import type { Entry, Sort } from './tree';
import { sortText, stateOf, viewOf } from './view';

const last = 'coffer.files.sort'; // what was used last in this tab

export interface Kept {
  sort: Sort;
  setSort: (sort: Sort) => void;
  pages: number; // how many to begin with
  // follow saves what changes, and brings back what was saved once the entries are there.
  follow: (now: { items: readonly Entry[] | undefined; pages: () => number; focus: number; refocus: (at: number) => void }) => void;
}

// useView is the view of a list, whose page has that address.
export function useView(folder: string, address: string): Kept {
  const start = useMemo(() => viewOf(history.state, folder, sessionStorage.getItem(last)), [folder]);
  const [chosen, choose] = useState<{ after: typeof start; sort: Sort }>();
  const mine = chosen?.after === start ? chosen.sort : undefined;
  const sort = mine ?? start.sort;
  const shown = useRef<string>(undefined); // the folder whose view was brought back
  const write = useRef<(row?: string) => void>(() => undefined);

  function setSort(to: Sort) {
    sessionStorage.setItem(last, sortText(to));
    choose({ after: start, sort: to });
  }

  const follow: Kept['follow'] = ({ items, pages, focus, refocus }) => {
    write.current = (row) => {
      if (shown.current !== folder || location.pathname !== address) return;
      const id = row ?? (focus > 0 ? items?.[focus]?.id : undefined);
      history.replaceState(stateOf(history.state, folder, { sort, pages: pages(), scroll: scrollY, focus: id ?? '' }), '');
    };
    // After the frame has scrolled the new page to its top: its effects run before these.
    useEffect(() => {
      if (!items || shown.current === folder) return;
      shown.current = folder;
      if (start.scroll > 0) scrollTo(0, start.scroll);
      const at = start.focus ? items.findIndex((e) => e.id === start.focus) : -1;
      if (at >= 0) refocus(at);
    }, [items, folder]);
    useEffect(() => write.current(), [sort, focus, items]);
  };

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Browsers refuse to write the history at every step of a scroll.
    const later = () => {
      const move = moves.peek();
      clearTimeout(timer);
      timer = setTimeout(() => move === moves.peek() && write.current(), 150);
    };
    const now = () => write.current();
    // Not every browser gives the focus to a link that is pressed.
    const press = (event: Event) => write.current((event.target as Element).closest('[data-at]')?.getAttribute('data-id') ?? undefined);
    addEventListener('scroll', later, { passive: true });
    addEventListener('pagehide', now);
    // Before what is pressed leads elsewhere.
    document.addEventListener('click', press, { capture: true });
    document.addEventListener('keydown', press, { capture: true });
    return () => {
      clearTimeout(timer);
      removeEventListener('scroll', later);
      removeEventListener('pagehide', now);
      document.removeEventListener('click', press, { capture: true });
      document.removeEventListener('keydown', press, { capture: true });
    };
  }, []);
  return { sort, setSort, pages: mine ? 1 : start.pages, follow };
}
