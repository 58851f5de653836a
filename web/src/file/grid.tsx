// A page's list in either layout has one stop of Tab, a selection, and a bar of the selection's
// actions.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { Icon } from '../shell/icon';
import { moves } from '../shell/router';
import type { MenuItem } from '../shell/ui';
import type { Receive } from './drag';
import type { Listing } from './listing';
import type { Kept } from './remember';
import { keep, nothing, without, type Picked } from './select';
import type { Entry } from './tree';
import { useWhole } from './whole';
import { t } from './words';

export type Grid<E extends Entry> = ReturnType<typeof useGrid<E>>;

// useGrid is what a page knows of its list: the selection, and where the focus is.
export function useGrid<E extends Entry>(of: string, list: Listing<E>, view: Kept) {
  const [picked, setPicked] = useState<Picked>(nothing);
  const box = useRef<HTMLElement>(null); // the element with the role of a grid
  const acted = useRef(false);
  const wanted = useRef<{ at: number; still: boolean }>(undefined); // a row that shall get the focus
  const before = useRef<readonly E[]>(undefined);
  const { items } = list;
  const whole = useWhole(list, picked, setPicked, of);

  useEffect(() => {
    setPicked(nothing);
    before.current = undefined;
  }, [of]);
  view.follow({ items, pages: list.pages, focus: picked.focus, refocus: (at) => {
    setPicked((p) => ({ ...p, focus: at, anchor: at }));
    if (moves.value > 0 && !document.activeElement?.closest('[data-at], dialog')) wanted.current = { at, still: true };
  } });
  useEffect(() => {
    if (!items) return;
    // The stop of Tab stays with an entry that somebody chose, else at its place.
    const chosen = picked.ids.size > 0 || box.current?.contains(document.activeElement);
    const old = (chosen && before.current) || items;
    before.current = items;
    setPicked((p) => keep(p, items, old));
  }, [items]);
  // The focused row may be moved or deleted: its neighbour, or the heading, gets the focus.
  useEffect(() => {
    if (!acted.current || !items || document.querySelector('dialog[open]')) return;
    acted.current = false;
    if (document.activeElement !== document.body) return;
    if (items.length) focus(Math.min(picked.focus, items.length - 1));
    else focusMain();
  });

  // Escape lets go of the selection wherever the focus is, unless something else closes. It does so from
  // the moment that the selection is drawn, which an effect after the paint would miss.
  const { clear } = whole;
  useLayoutEffect(() => {
    if (picked.ids.size === 0) return;
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open], [popover]:popover-open')) return;
      clear();
    };
    document.addEventListener('keydown', escape);
    return () => document.removeEventListener('keydown', escape);
  });

  // focus gives a row the focus, once it is drawn.
  function focus(at: number, still = false) {
    wanted.current = { at, still };
    setPicked((p) => ({ ...p, focus: at }));
  }

  return {
    items, box, picked, setPicked, whole, wanted, focus,
    selected: whole.selected,
    // done takes out what work has moved or deleted, and reads the list again.
    done(gone: readonly Entry[]): Promise<void> {
      acted.current = true;
      setPicked((p) => without(p, gone));
      list.without(gone);
      return list.reload();
    },
    // meant is what a key on a row means: the selection, or that row alone where it is not part of it.
    meant(at: number): E[] {
      const entry = items![at]!;
      return picked.ids.has(entry.id) ? whole.selected : [entry];
    },
  };
}

// Deeds are what can be done with the entries of a list.
export interface Deeds<E> {
  open?: (entry: E) => void;
  menu: (entry: E) => MenuItem[];
  bar: (entries: E[]) => MenuItem[];
  key?: (key: string, entry: E, meant: E[]) => boolean;
  receive?: Receive; // takes rows that are dropped on a folder
}

// Selection is the bar of what can be done with the selected entries.
export function Selection<E extends Entry>({ grid, list, deeds }: { grid: Grid<E>; list: Listing<E>; deeds: Deeds<E> }) {
  const { whole, selected } = grid;
  if (selected.length === 0) return null;
  const said = t('selected', { count: selected.length });
  return (
    <div class="selection" role="toolbar" aria-label={said}>
      <span aria-live="polite">{whole.reading === undefined ? said : t('selecting', { count: whole.reading })}</span>
      {whole.reading === undefined && !whole.all && (
        <button type="button" class="link select-all" onClick={whole.select}>{list.total === undefined ? t('selectAllOpen') : t('selectAllOf', { count: list.total })}</button>
      )}
      {whole.reading === undefined && (
        <div class="selection-actions">
          {deeds.bar(selected).map((item) => (
            <button key={item.label} type="button" class={item.danger ? 'button danger-text' : 'button'} onClick={item.run}><Icon name={item.icon} /> <span>{item.label}</span></button>
          ))}
        </div>
      )}
      <button type="button" class="icon-button" aria-label={t('clear')} title={t('clear')} onClick={whole.clear}><Icon name="close" /></button>
    </div>
  );
}
