// A list laid out in rows or in tiles. Both have the same keys, selection, menus and drag and drop.
// Only the lines that are near are drawn, however many there are.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { lift, lower, target } from './drag';
import type { Deeds, Grid } from './grid';
import { arrive } from './layout';
import type { Listing } from './listing';
import { Gap, More, Row } from './row';
import { moved, only, range, toggle } from './select';
import { Tile, TileGap } from './tile';
import type { Entry } from './tree';
import { inList, inTiles, useWindow, type Lines } from './window';
import { t } from './words';

interface Common<E extends Entry> {
  grid: Grid<E>;
  list: Listing<E>;
  deeds: Deeds<E>;
  label: string;
  here?: string; // the folder that is listed
  keys: string;
}

// useLines is what rows and tiles have in common, in as many columns.
function useLines<E extends Entry>({ grid, list, deeds, here }: Common<E>, columns: number) {
  const { picked, setPicked, whole, box, wanted } = grid;
  const items = grid.items!;

  useLayoutEffect(() => {
    const to = wanted.current;
    const item = to && box.current?.querySelector<HTMLElement>(`[data-at="${to.at}"]`);
    if (!item) return;
    wanted.current = undefined;
    item.focus({ preventScroll: to.still });
  });

  // go leads the focus to an entry; with `stretch` the selection reaches there.
  function go(all: readonly E[], from: number, to: number, stretch: boolean) {
    setPicked(stretch ? range({ ...picked, anchor: picked.ids.size ? picked.anchor : from }, all, to) : { ...picked, focus: to, anchor: to });
    wanted.current = { at: to, still: false };
  }

  // toEnd reads what is missing of the list, and then leads to its last entry.
  async function toEnd(from: number, stretch: boolean) {
    go(items, from, items.length - 1, stretch);
    const all = await whole.reach();
    if (all?.length) go(all, from, all.length - 1, stretch);
  }

  function key(event: KeyboardEvent) {
    const item = (event.target as Element).closest('[data-at]');
    if (!item) return;
    const at = Number(item.getAttribute('data-at'));
    const onItem = event.target === item;
    const to = event.altKey ? undefined : moved(event.key, at, items.length, columns);
    if (to !== undefined) whole.stay();
    if (to !== undefined && event.key === 'End' && list.more) {
      void toEnd(at, event.shiftKey);
    } else if (to !== undefined) {
      go(items, at, to, event.shiftKey);
    } else if (event.key === ' ' && onItem) {
      setPicked(event.shiftKey ? range(picked, items, at) : toggle(picked, items, at));
    } else if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey)) {
      void whole.select();
    } else if (event.key === 'Enter' && onItem && deeds.open) {
      deeds.open(items[at]!);
    } else if (!deeds.key?.(event.key, items[at]!, grid.meant(at))) {
      return;
    }
    event.preventDefault();
  }

  // The first click of two selects, and the bar that then comes moves what is under the pointer: the
  // second one opens what the first one met, and presses nothing else.
  const pressed = useRef<{ entry: E; x: number; y: number }>(undefined);
  const open = useRef(deeds.open);
  open.current = deeds.open;
  useEffect(() => {
    const again = (event: MouseEvent) => {
      const first = pressed.current;
      pressed.current = undefined;
      if (!first || event.detail < 2 || Math.hypot(event.clientX - first.x, event.clientY - first.y) > 4) return;
      event.preventDefault();
      event.stopPropagation();
      open.current?.(first.entry);
    };
    document.addEventListener('click', again, true);
    return () => document.removeEventListener('click', again, true);
  }, []);

  function click(event: MouseEvent, at: number) {
    if ((event.target as Element).closest('a, button, input, label')) return;
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) pressed.current = { entry: items[at]!, x: event.clientX, y: event.clientY };
    if (event.shiftKey) setPicked(range(picked, items, at));
    else if (event.ctrlKey || event.metaKey) setPicked(toggle(picked, items, at));
    else setPicked(only(items, at));
  }

  function raise(event: DragEvent, at: number) {
    const entries = grid.meant(at);
    lift(event, entries, entries.length === 1 ? entries[0]!.name : t('items', { count: entries.length }));
  }

  // item is what a row or a tile is given.
  function item(at: number) {
    const entry = items[at]!;
    return {
      entry, at,
      focus: at === picked.focus,
      selected: picked.ids.has(entry.id),
      menu: deeds.menu(entry),
      draggable: deeds.receive !== undefined,
      onClick: (event: MouseEvent) => click(event, at),
      onToggle: () => setPicked(toggle(picked, items, at)),
      onOpen: deeds.open && (() => deeds.open!(entry)),
      takes: entry.kind === 'folder' && deeds.receive ? target(entry.id, entry.name, here ?? '*', deeds.receive) : undefined,
      onLift: (event: DragEvent) => raise(event, at),
      onLower: lower,
      onFocus: () => { if (picked.focus !== at) setPicked((p) => ({ ...p, focus: at })); },
    };
  }

  const all = list.total === undefined ? t('selectAllOpen') : t('selectAllOf', { count: list.total });
  const selectAll = (
    <label>
      <input type="checkbox" aria-label={all} checked={whole.all}
        ref={(input) => { if (input) input.indeterminate = grid.selected.length > 0 && !whole.all; }}
        onChange={() => (whole.all ? whole.clear() : void whole.select())} />
    </label>
  );
  return { items, box, key, item, selectAll };
}

export type Item = ReturnType<ReturnType<typeof useLines>['item']>;

// useSamePlace scrolls to what stood at the upper edge before the layout changed.
function useSamePlace(box: { current: HTMLElement | null }, line: (at: number) => number, lines: Lines) {
  useEffect(() => {
    const at = arrive();
    const body = box.current?.querySelector('[data-body]');
    if (at === undefined || !body) return;
    const edge = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    scrollTo(0, body.getBoundingClientRect().top + scrollY + line(at) * lines.height - edge);
  }, []);
}

// spread draws the lines of the window, with a gap for those that are not drawn.
function spread(rows: readonly number[], count: number, line: (at: number) => ComponentChildren, gap: (key: string, rows: number) => ComponentChildren): ComponentChildren[] {
  const lines: ComponentChildren[] = [];
  let next = 0;
  let gaps = 0;
  for (const at of [...rows, count]) {
    if (at > next) lines.push(gap('gap' + gaps++, at - next));
    if (at < count) lines.push(line(at));
    next = at + 1;
  }
  return lines;
}

interface ListProps<E extends Entry> extends Common<E> {
  headings: ComponentChildren;
  cells: (entry: E, tab: number) => ComponentChildren;
  name?: string;
}

export function List<E extends Entry>({ headings, cells, name, ...common }: ListProps<E>) {
  const { list, label, keys, grid } = common;
  const { items, box, key, item, selectAll } = useLines(common, 1);
  const { rows, height } = useWindow(box, items.length, grid.picked.focus, inList);
  useSamePlace(box, (at) => at, inList);
  return (
    <>
      <table ref={box as { current: HTMLTableElement | null }} class={'list' + (name ? ' ' + name : '')} role="grid" aria-multiselectable="true" aria-label={label} aria-rowcount={list.total === undefined ? -1 : list.total + 1} aria-describedby="file-keys" onKeyDown={key}>
        <thead>
          <tr aria-rowindex={1}>
            <th class="col-check" scope="col">{selectAll}</th>
            {headings}
            <th class="col-menu" scope="col"><span class="hidden">{t('actions')}</span></th>
          </tr>
        </thead>
        <tbody data-body>
          {spread(rows, items.length, (at) => <Row key={items[at]!.id} {...item(at)}>{cells(items[at]!, at === grid.picked.focus ? 0 : -1)}</Row>,
            (id, gone) => <Gap key={id} rows={gone} height={height} />)}
        </tbody>
      </table>
      <p class="hidden" id="file-keys">{keys}</p>
      {list.more && <More load={list.more} problem={list.problem} seen={grid.whole.seeking} />}
    </>
  );
}

interface TilesProps<E extends Entry> extends Common<E> {
  sorting?: ComponentChildren;
  under: (entry: E, tab: number) => ComponentChildren;
}

const narrowest = 10 * 16; // pixels of a tile
const phones = 9 * 16;

// columnsOf says how many tiles stand beside one another.
export const columnsOf = (width: number): number => Math.max(2, Math.floor((width + 16) / ((width < 640 ? phones : narrowest) + 16)));

let columnsBefore = 6; // of the tiles that were shown last

export function Tiles<E extends Entry>({ sorting, under, ...common }: TilesProps<E>) {
  const { list, label, keys, grid } = common;
  const [columns, setColumns] = useState(columnsBefore);
  const { items, box, key, item, selectAll } = useLines(common, columns);
  const count = Math.ceil(items.length / columns);
  const { rows, height } = useWindow(box, count, Math.floor(grid.picked.focus / columns), inTiles);
  const body = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const fit = () => {
      columnsBefore = columnsOf(body.current!.clientWidth);
      setColumns(columnsBefore);
    };
    fit();
    const watch = new ResizeObserver(fit);
    watch.observe(body.current!);
    return () => watch.disconnect();
  }, []);
  useSamePlace(box, (at) => Math.floor(at / columnsBefore), inTiles);
  useLayoutEffect(() => body.current!.style.setProperty('--columns', String(columns)), [columns]);
  const tiles = (line: number) => items.slice(line * columns, (line + 1) * columns).map((entry, i) => {
    const at = line * columns + i;
    return <Tile key={entry.id} column={i} {...item(at)} under={under(entry, at === grid.picked.focus ? 0 : -1)} />;
  });
  return (
    <>
      <div class="tiles-head">
        {selectAll}
        {sorting}
      </div>
      <div ref={box as { current: HTMLDivElement | null }} class="tiles" role="grid" aria-multiselectable="true" aria-label={label} aria-rowcount={list.total === undefined ? -1 : Math.ceil(list.total / columns)} aria-colcount={columns} aria-describedby="file-keys" onKeyDown={key}>
        <div ref={body} role="rowgroup" data-body>
          {spread(rows, count, (line) => <div key={'line' + line} role="row" class="tiles-line" data-line aria-rowindex={line + 1}>{tiles(line)}</div>,
            (id, gone) => <TileGap key={id} height={gone * height} />)}
        </div>
      </div>
      <p class="hidden" id="file-keys">{keys}</p>
      {list.more && <More load={list.more} problem={list.problem} seen={grid.whole.seeking} />}
    </>
  );
}
