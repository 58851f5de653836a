// A list of entries as a grid: one stop of Tab, a selection, a bar of what can be done with it.
// Only the rows that are near are drawn, however many there are.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { Icon } from '../shell/icon';
import { moves } from '../shell/router';
import type { MenuItem } from '../shell/ui';
import { lift, lower, target, type Receive } from './drag';
import type { Listing } from './listing';
import type { Kept } from './remember';
import { Gap, More, Row } from './row';
import { keep, moved, nothing, only, range, toggle, without, type Picked } from './select';
import type { Entry } from './tree';
import { useWhole } from './whole';
import { useWindow } from './window';
import { t } from './words';

export type Grid<E extends Entry> = ReturnType<typeof useGrid<E>>;

// useGrid is what a page knows of its list: the selection, and where the focus is.
export function useGrid<E extends Entry>(of: string, list: Listing<E>, view: Kept) {
  const [picked, setPicked] = useState<Picked>(nothing);
  const table = useRef<HTMLTableElement>(null);
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
    if (moves.value > 0 && !document.activeElement?.closest('tr, dialog')) wanted.current = { at, still: true };
  } });
  useEffect(() => {
    if (!items) return;
    // The stop of Tab stays with an entry that somebody chose, else at its place.
    const chosen = picked.ids.size > 0 || table.current?.contains(document.activeElement);
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

  // Escape lets go of the selection wherever the focus is, unless something else closes.
  const { clear } = whole;
  useEffect(() => {
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
    items, table, picked, setPicked, whole, wanted, focus,
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

interface ListProps<E extends Entry> {
  grid: Grid<E>;
  list: Listing<E>;
  deeds: Deeds<E>;
  label: string;
  here?: string; // the folder that is listed
  keys: string;
  headings: ComponentChildren;
  cells: (entry: E, tab: number) => ComponentChildren;
  name?: string;
}

export function List<E extends Entry>({ grid, list, deeds, label, here, keys, headings, cells, name }: ListProps<E>) {
  const { picked, setPicked, whole, table, wanted } = grid;
  const items = grid.items!;
  const { rows, height } = useWindow(table, items.length, picked.focus);

  useLayoutEffect(() => {
    const to = wanted.current;
    const row = to && table.current?.querySelector<HTMLElement>(`tr[data-at="${to.at}"]`);
    if (!row) return;
    wanted.current = undefined;
    row.focus({ preventScroll: to.still });
  });

  function key(event: KeyboardEvent) {
    const row = (event.target as Element).closest('tr[data-at]');
    if (!row) return;
    const at = Number(row.getAttribute('data-at'));
    const onRow = event.target === row;
    const to = event.altKey ? undefined : moved(event.key, at, items.length);
    if (to !== undefined) {
      setPicked(event.shiftKey ? range({ ...picked, anchor: picked.ids.size ? picked.anchor : at }, items, to) : { ...picked, focus: to, anchor: to });
      wanted.current = { at: to, still: false };
    } else if (event.key === ' ' && onRow) {
      setPicked(event.shiftKey ? range(picked, items, at) : toggle(picked, items, at));
    } else if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey)) {
      void whole.select();
    } else if (event.key === 'Enter' && onRow && deeds.open) {
      deeds.open(items[at]!);
    } else if (!deeds.key?.(event.key, items[at]!, grid.meant(at))) {
      return;
    }
    event.preventDefault();
  }

  function click(event: MouseEvent, at: number) {
    if ((event.target as Element).closest('a, button, input, label')) return;
    if (event.shiftKey) setPicked(range(picked, items, at));
    else if (event.ctrlKey || event.metaKey) setPicked(toggle(picked, items, at));
    else setPicked(only(items, at));
  }

  function raise(event: DragEvent, at: number) {
    const entries = grid.meant(at);
    lift(event, entries, entries.length === 1 ? entries[0]!.name : t('items', { count: entries.length }));
  }

  const { selected } = grid;
  const all = list.total === undefined ? t('selectAllOpen') : t('selectAllOf', { count: list.total });
  const lines: ComponentChildren[] = [];
  let next = 0;
  const gap = (to: number) => {
    if (to > next) lines.push(<Gap key={'gap' + lines.filter((l) => (l as { type?: unknown }).type === Gap).length} rows={to - next} height={height} />);
  };
  for (const at of rows) {
    gap(at);
    next = at + 1;
    const entry = items[at]!;
    const open = deeds.open && (() => deeds.open!(entry));
    lines.push(
      <Row key={entry.id} entry={entry} at={at} focus={at === picked.focus} selected={picked.ids.has(entry.id)} menu={deeds.menu(entry)} draggable={deeds.receive !== undefined}
        onClick={(event) => click(event, at)} onToggle={() => setPicked(toggle(picked, items, at))} onOpen={open}
        takes={entry.kind === 'folder' && deeds.receive ? target(entry.id, entry.name, here ?? '*', deeds.receive) : undefined}
        onLift={(event) => raise(event, at)} onLower={lower}
        onFocus={() => { if (picked.focus !== at) setPicked((p) => ({ ...p, focus: at })); }}>
        {cells(entry, at === picked.focus ? 0 : -1)}
      </Row>,
    );
  }
  gap(items.length);

  return (
    <>
      <table ref={table} class={'list' + (name ? ' ' + name : '')} role="grid" aria-multiselectable="true" aria-label={label} aria-rowcount={list.total === undefined ? -1 : list.total + 1} aria-describedby="file-keys" onKeyDown={key}>
        <thead>
          <tr aria-rowindex={1}>
            <th class="col-check" scope="col">
              <label>
                <input type="checkbox" aria-label={all} checked={whole.all}
                  ref={(box) => { if (box) box.indeterminate = selected.length > 0 && !whole.all; }}
                  onChange={() => (whole.all ? whole.clear() : void whole.select())} />
              </label>
            </th>
            {headings}
            <th class="col-menu" scope="col"><span class="hidden">{t('actions')}</span></th>
          </tr>
        </thead>
        <tbody>{lines}</tbody>
      </table>
      <p class="hidden" id="file-keys">{keys}</p>
      {list.more && <More load={list.more} problem={list.problem} />}
    </>
  );
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
