// The parts of a list: headings, rows, the choice of the sorting on a phone.
import type { ComponentChildren, TargetedEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Time } from '../shell/form';
import { ago, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { iconOf } from '../shell/kinds';
import type { Problem } from '../shell/problem';
import { Failed, Menu, type MenuItem } from '../shell/ui';
import { Name } from '../shell/name';
import { Marks } from './others';
import type { Column, Entry, Sort } from './tree';
import { sortOf, sortText } from './view';
import { t } from './words';

export const columns: Column[] = ['name', 'size', 'modified'];

export function Heading({ by, sort, set }: { by: Column; sort: Sort; set: (s: Sort) => void }) {
  const mine = sort.by === by;
  return (
    <th scope="col" class={'col-' + by} aria-sort={mine ? (sort.down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="sort" title={t('sortBy', { column: t(by) })} onClick={() => set({ by, down: mine && !sort.down })}>
        {t(by)} {mine && <Icon name={sort.down ? 'arrowDown' : 'arrowUp'} />}
      </button>
      {by === 'name' && <Sorting sort={sort} set={set} />}
    </th>
  );
}

// Sorting is for tiles, and for screens without room for the headings.
export function Sorting({ sort, set }: { sort: Sort; set: (s: Sort) => void }) {
  const options = { name: t('sortNameUp'), '-name': t('sortNameDown'), '-modified': t('sortNewest'), modified: t('sortOldest'), '-size': t('sortLargest'), size: t('sortSmallest') };
  const now = sortText(sort);
  return (
    <label class="sorting">
      <span class="hidden">{t('sorting')}</span>
      <select value={now} onChange={(event: TargetedEvent<HTMLSelectElement>) => set(sortOf(event.currentTarget.value)!)}>
        {Object.entries(options).map(([value, text]) => <option key={value} value={value} selected={value === now}>{text}</option>)}
      </select>
    </label>
  );
}

interface RowProps {
  entry: Entry;
  at: number;
  focus: boolean;
  selected: boolean;
  menu: MenuItem[];
  draggable: boolean;
  takes: object | undefined; // the handlers of a folder, which takes what is dropped on it
  children: ComponentChildren; // the cells between the box and the menu
  onClick: (event: MouseEvent) => void;
  onToggle: () => void;
  onFocus: () => void;
  onLift: (event: DragEvent) => void;
  onLower: () => void;
}

export function Row({ entry, at, focus, selected, menu, draggable, takes, children, onClick, onToggle, onFocus, onLift, onLower }: RowProps) {
  const tab = focus ? 0 : -1;
  return (
    <tr data-line data-at={at} data-id={entry.id} tabIndex={tab} aria-selected={selected} aria-rowindex={at + 2} draggable={draggable} onClick={onClick} onFocusIn={onFocus}
      onDragStart={onLift} onDragEnd={onLower} {...takes}>
      <td class="col-check"><label><input type="checkbox" tabIndex={tab} checked={selected} aria-label={t('select', { name: entry.name })} onChange={onToggle} /></label></td>
      {children}
      <td class="col-menu"><Menu label={t('rowMenu', { name: entry.name })} items={menu} tabIndex={tab}><Icon name="more" /></Menu></td>
    </tr>
  );
}

// NameCell is the cell of a name. Without onOpen the entry cannot be opened from here.
export function NameCell({ entry, tab, onOpen, under }: { entry: Entry; tab: number; onOpen?: () => void; under: ComponentChildren }) {
  const icon = iconOf(entry);
  const name = <Name name={entry.name} read={!onOpen} />;
  return (
    <td class="col-name">
      <span class="name-cell">
        <Icon name={icon} class={'kind kind-' + icon} />
        {!onOpen ? <span class="name-alone">{name}</span>
          : entry.kind === 'folder' ? <a tabIndex={tab} href={'/files/' + entry.id} draggable={false} aria-label={entry.name}>{name}</a>
          : <button type="button" class="link" tabIndex={tab} aria-label={t('openOf', { name: entry.name })} onClick={onOpen}>{name}</button>}
        {onOpen && <Marks entry={entry} tab={tab} />}
        {entry.damaged && <strong class="danger-text">{t('damaged')}</strong>}
      </span>
      <span class="under">{under}</span>
    </td>
  );
}

// SizeAndTime are the last two cells of an entry.
export function SizeAndTime({ entry }: { entry: Entry }) {
  return (
    <>
      <td class="col-size">{entry.kind === 'folder' ? '–' : size(entry.size)}</td>
      <td class="col-modified"><Time at={entry.modified_at}>{ago(entry.modified_at)}</Time></td>
    </>
  );
}

// brief is what stands of an entry below its name, where there is no room for columns.
export const brief = (entry: Entry): string => [entry.kind === 'folder' ? t('folder') : size(entry.size), ago(entry.modified_at)].join(' · ');

// Gap stands for `rows` that are not drawn.
export function Gap({ rows, height }: { rows: number; height: number }) {
  return <tr class="gap" aria-hidden="true"><td colSpan={6} ref={(cell) => { if (cell) cell.style.height = rows * height + 'px'; }} /></tr>;
}

// More loads what follows when it comes near, or when its button is pressed. seen tells how many
// were read on the way to the end.
export function More({ load, problem, seen }: { load: () => void; problem: Problem | undefined; seen: number | undefined }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (problem) return;
    const watch = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && load(), { rootMargin: '1500px' });
    watch.observe(button.current!);
    return () => watch.disconnect();
  }, [load, problem]);
  return (
    <div class="more">
      {problem && <Failed problem={problem} />}
      <p class="hint" role="status">{seen !== undefined && <><span class="spinner" aria-hidden="true" /> {t('seeking', { count: seen })}</>}</p>
      <button ref={button} type="button" class="button" onClick={load}>{t('more')}</button>
    </div>
  );
}
