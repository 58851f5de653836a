// The page that lists a folder.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Delete, Move, Rename } from './dialogs';
import { download } from './download';
import { useListing } from './listing';
import { chooseFiles, upload } from './new';
import { everything, keep, moved, nothing, only, range, toggle, type Picked } from './select';
import { path, type Column, type Entry, type Sort } from './tree';
import { dropped } from './walk';
import { t } from './words';
import { focusMain } from '../shell/app';
import { useParent } from '../shell/frame';
import { Time } from '../shell/form';
import { ago, size } from '../shell/i18n';
import { Icon, type Icon as IconName } from '../shell/icon';
import type { Problem } from '../shell/problem';
import { go, type Params } from '../shell/router';
import { Empty, Failed, Menu, Skeleton, toastProblem, useLoad, type MenuItem } from '../shell/ui';

type Wish = { kind: 'rename'; entry: Entry } | { kind: 'move' | 'delete'; entries: Entry[] };

const columns: Column[] = ['name', 'size', 'modified'];

export function Files({ params }: { params: Params }) {
  const folder = params.folder ?? '';
  const [sort, setSort] = useState<Sort>({ by: 'name', down: false });
  const [picked, setPicked] = useState<Picked>(nothing);
  const [wish, setWish] = useState<Wish>();
  const [dragging, setDragging] = useState(false);
  const way = useLoad((signal) => path(folder, signal), [folder]);
  const page = useListing(folder, sort);
  const grid = useRef<HTMLTableElement>(null);
  const acted = useRef(false);
  const items = page.items;
  const here = way.data?.at(-1)?.name ?? t('files');
  const above = way.data?.at(-2);
  useParent(folder && way.data ? (above ? '/files/' + above.id : '/files') : undefined, above?.name ?? t('files'));

  useEffect(() => setPicked(nothing), [folder, sort]);
  useEffect(() => {
    setPicked((p) => keep(p, items ?? []));
    // The focused row may be moved or deleted: its neighbour, or the heading, gets the focus.
    if (!acted.current || document.activeElement !== document.body) return;
    acted.current = false;
    if (items?.length) focusRow(Math.min(picked.focus, items.length - 1));
    else focusMain();
  }, [items]);
  useDrop((transfer) => void upload(dropped(transfer), folder), setDragging);

  function open(entry: Entry) {
    if (entry.kind === 'folder') go('/files/' + entry.id);
    else save([entry]);
  }

  async function save(entries: Entry[]) {
    for (const entry of entries) {
      if (entry.kind === 'folder') continue;
      try {
        await download(entry);
      } catch (err) {
        toastProblem(err);
      }
    }
  }

  function focusRow(at: number) {
    grid.current?.querySelectorAll<HTMLElement>('tbody tr')[at]?.focus();
  }

  const chosenEntries = () => (items ?? []).filter((e) => picked.ids.has(e.id));
  // A key on a row that is not selected means that row alone.
  const meant = (at: number): Entry[] => {
    const entry = items![at]!;
    return picked.ids.has(entry.id) ? chosenEntries() : [entry];
  };

  function key(event: KeyboardEvent) {
    const row = (event.target as Element).closest('tr[data-at]');
    if (!items || !row) return;
    const at = Number(row.getAttribute('data-at'));
    const onRow = event.target === row;
    const to = event.altKey ? undefined : moved(event.key, at, items.length);
    if (to !== undefined) {
      setPicked(event.shiftKey ? range({ ...picked, anchor: picked.ids.size ? picked.anchor : at }, items, to) : { ...picked, focus: to, anchor: to });
      focusRow(to);
    } else if (event.key === ' ' && onRow) {
      setPicked(event.shiftKey ? range(picked, items, at) : toggle(picked, items, at));
    } else if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey)) {
      setPicked(everything(picked, items));
    } else if (event.key === 'Escape' && picked.ids.size > 0) {
      setPicked({ ...picked, ids: new Set() });
    } else if (event.key === 'Enter' && onRow) {
      open(items[at]!);
    } else if (event.key === 'F2') {
      setWish({ kind: 'rename', entry: items[at]! });
    } else if (event.key === 'Delete') {
      setWish({ kind: 'delete', entries: meant(at) });
    } else {
      return;
    }
    event.preventDefault();
  }

  function click(event: MouseEvent, at: number) {
    if ((event.target as Element).closest('a, button, input, label')) return;
    if (event.shiftKey) setPicked(range(picked, items!, at));
    else if (event.ctrlKey || event.metaKey) setPicked(toggle(picked, items!, at));
    else setPicked(only(items!, at));
  }

  function menu(entry: Entry): MenuItem[] {
    const isFolder = entry.kind === 'folder';
    return [
      isFolder ? { icon: 'folder', label: t('open'), run: () => open(entry), keys: '↵' } : { icon: 'download', label: t('download'), run: () => save([entry]), keys: '↵' },
      { icon: 'pencil', label: t('rename'), run: () => setWish({ kind: 'rename', entry }), keys: 'F2' },
      { icon: 'move', label: t('move'), run: () => setWish({ kind: 'move', entries: [entry] }) },
      { icon: 'trash', label: t('delete'), run: () => setWish({ kind: 'delete', entries: [entry] }), danger: true, keys: '⌦' },
    ];
  }

  const close = () => setWish(undefined);
  const done = () => {
    acted.current = true;
    return page.reload();
  };
  const selected = chosenEntries();
  if (way.problem) return <><h1>{t('files')}</h1><Failed problem={way.problem} retry={way.reload} /><p><a class="button" href="/files">{t('files')}</a></p></>;

  return (
    <div class="files">
      <div class="files-head">
        <Crumbs way={way.data} folder={folder} />
      </div>

      {selected.length > 0 && (
        <div class="selection" role="toolbar" aria-label={t('selected', { count: selected.length })}>
          <span aria-live="polite">{t('selected', { count: selected.length })}</span>
          {selected.some((e) => e.kind === 'file') && <button type="button" class="button" onClick={() => save(selected)}><Icon name="download" /> <span>{t('download')}</span></button>}
          <button type="button" class="button" onClick={() => setWish({ kind: 'move', entries: selected })}><Icon name="move" /> <span>{t('move')}</span></button>
          <button type="button" class="button danger-text" onClick={() => setWish({ kind: 'delete', entries: selected })}><Icon name="trash" /> <span>{t('delete')}</span></button>
          <button type="button" class="icon-button" aria-label={t('clear')} title={t('clear')} onClick={() => setPicked({ ...picked, ids: new Set() })}><Icon name="close" /></button>
        </div>
      )}

      {page.problem && !items ? <Failed problem={page.problem} retry={page.reload} /> : !items ? <Skeleton rows={6} /> : items.length === 0 ? (
        <Empty icon="folder" title={folder ? t('emptyFolderTitle') : t('emptyTitle')}>
          <p>{t('emptyText')}</p>
          <p><button type="button" class="button primary big" onClick={chooseFiles}><Icon name="upload" /> {t('uploadFiles')}</button></p>
        </Empty>
      ) : (
        <>
          <table ref={grid} class="list" role="grid" aria-multiselectable="true" aria-label={t('listOf', { name: here })} aria-rowcount={page.next ? -1 : items.length + 1} aria-describedby="file-keys" onKeyDown={key}>
            <thead>
              <tr>
                <th class="col-check" scope="col">
                  <input type="checkbox" aria-label={t('selectAll')} checked={selected.length === items.length}
                    ref={(box) => { if (box) box.indeterminate = selected.length > 0 && selected.length < items.length; }}
                    onChange={() => setPicked(selected.length === items.length ? { ...picked, ids: new Set() } : everything(picked, items))} />
                </th>
                {columns.map((by) => <Heading key={by} by={by} sort={sort} set={setSort} />)}
                <th class="col-menu" scope="col"><span class="hidden">{t('actions')}</span></th>
              </tr>
            </thead>
            <tbody>
              {items.map((entry, at) => (
                <Row key={entry.id} entry={entry} at={at} focus={at === picked.focus} selected={picked.ids.has(entry.id)} menu={menu(entry)}
                  onClick={(event) => click(event, at)} onToggle={() => setPicked(toggle(picked, items, at))} onOpen={() => open(entry)}
                  onFocus={() => { if (picked.focus !== at) setPicked((p) => ({ ...p, focus: at })); }} />
              ))}
            </tbody>
          </table>
          <p class="hidden" id="file-keys">{t('keys')}</p>
          {page.next && <More load={page.more} problem={page.problem} />}
        </>
      )}

      {dragging && <div class="drop" aria-hidden="true"><div><Icon name="upload" /><p>{t('dropHere', { name: here })}</p></div></div>}
      {wish?.kind === 'rename' && <Rename entry={wish.entry} onClose={close} onDone={done} />}
      {wish?.kind === 'move' && <Move entries={wish.entries} here={folder} onClose={close} onDone={done} />}
      {wish?.kind === 'delete' && <Delete entries={wish.entries} onClose={close} onDone={done} />}
    </div>
  );
}

function Crumbs({ way, folder }: { way: Entry[] | undefined; folder: string }) {
  const last = way?.at(-1);
  return (
    <nav class="crumbs" aria-label={t('path')}>
      {folder === '' ? <h1>{t('files')}</h1> : (
        <>
          <ol>
            <li><a href="/files">{t('files')}</a></li>
            {way?.slice(0, -1).map((e) => <li key={e.id}><a class="ellipsis" href={'/files/' + e.id} title={e.name}><bdi>{e.name}</bdi></a></li>)}
          </ol>
          <h1 class="ellipsis" title={last?.name} aria-current="page"><bdi>{last?.name ?? '…'}</bdi></h1>
        </>
      )}
    </nav>
  );
}

function Heading({ by, sort, set }: { by: Column; sort: Sort; set: (s: Sort) => void }) {
  const mine = sort.by === by;
  return (
    <th scope="col" class={'col-' + by} aria-sort={mine ? (sort.down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="sort" title={t('sortBy', { column: t(by) })} onClick={() => set({ by, down: mine && !sort.down })}>
        {t(by)} {mine && <Icon name={sort.down ? 'arrowDown' : 'arrowUp'} />}
      </button>
    </th>
  );
}

interface RowProps {
  entry: Entry;
  at: number;
  focus: boolean;
  selected: boolean;
  menu: MenuItem[];
  onClick: (event: MouseEvent) => void;
  onToggle: () => void;
  onOpen: () => void;
  onFocus: () => void;
}

function Row({ entry, at, focus, selected, menu, onClick, onToggle, onOpen, onFocus }: RowProps) {
  const tab = focus ? 0 : -1;
  const icon = iconOf(entry);
  return (
    <tr data-at={at} data-id={entry.id} tabIndex={tab} aria-selected={selected} aria-rowindex={at + 2} onClick={onClick} onDblClick={onOpen} onFocus={onFocus}>
      <td class="col-check"><input type="checkbox" tabIndex={tab} checked={selected} aria-label={t('select', { name: entry.name })} onChange={onToggle} /></td>
      <td class="col-name">
        <span class="name-cell">
          <Icon name={icon} class={'kind kind-' + icon} />
          {entry.kind === 'folder'
            ? <a class="ellipsis" tabIndex={tab} href={'/files/' + entry.id} title={entry.name}><bdi>{entry.name}</bdi></a>
            : <button type="button" class="link ellipsis" tabIndex={tab} title={entry.name} aria-label={t('downloadOf', { name: entry.name })} onClick={onOpen}><bdi>{entry.name}</bdi></button>}
        </span>
        {entry.damaged && <strong class="danger-text">{t('damaged')}</strong>}
        <span class="under" aria-hidden="true">{entry.damaged ? t('damaged') : entry.kind === 'folder' ? t('folder') : size(entry.size)} · {ago(entry.modified_at)}</span>
      </td>
      <td class="col-size">{entry.kind === 'folder' ? '–' : size(entry.size)}</td>
      <td class="col-modified"><Time at={entry.modified_at}>{ago(entry.modified_at)}</Time></td>
      <td class="col-menu"><Menu label={t('rowMenu', { name: entry.name })} items={menu} tabIndex={tab}><Icon name="more" /></Menu></td>
    </tr>
  );
}

const kinds: Record<string, IconName> = {
  png: 'image', jpg: 'image', jpeg: 'image', gif: 'image', webp: 'image', avif: 'image', heic: 'image', svg: 'image',
  mp3: 'audio', flac: 'audio', wav: 'audio', ogg: 'audio', m4a: 'audio', opus: 'audio',
  mp4: 'video', mkv: 'video', mov: 'video', webm: 'video', avi: 'video',
  zip: 'archive', gz: 'archive', tar: 'archive', xz: 'archive', zst: 'archive', '7z': 'archive', rar: 'archive',
};

function iconOf(entry: Entry): IconName {
  if (entry.kind === 'folder') return 'folder';
  return kinds[entry.name.split('.').pop()!.toLowerCase()] ?? 'file';
}

// More loads the next page when it comes into view, or when its button is pressed.
function More({ load, problem }: { load: () => void; problem: Problem | undefined }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (problem) return;
    const watch = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && load(), { rootMargin: '400px' });
    watch.observe(button.current!);
    return () => watch.disconnect();
  }, [load, problem]);
  return <div class="more">{problem && <Failed problem={problem} />}<button ref={button} type="button" class="button" onClick={load}>{t('more')}</button></div>;
}

// useDrop makes the whole page a place to drop files on.
function useDrop(drop: (transfer: DataTransfer) => void, setDragging: (on: boolean) => void): void {
  const latest = useRef(drop);
  latest.current = drop;
  // Before the page is drawn: until then the browser itself would open what is dropped.
  useLayoutEffect(() => {
    let depth = 0; // dragenter and dragleave come for every element on the way
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const on: [keyof DocumentEventMap, (event: DragEvent) => void][] = [
      ['dragenter', () => { depth++; setDragging(true); }],
      ['dragleave', () => { if (--depth <= 0) { depth = 0; setDragging(false); } }],
      ['dragover', (event) => { event.dataTransfer!.dropEffect = 'copy'; }],
      ['drop', (event) => { depth = 0; setDragging(false); latest.current(event.dataTransfer!); }],
    ];
    const bound = on.map(([name, act]) => {
      const handler = (event: Event) => {
        if (!carries(event as DragEvent)) return;
        event.preventDefault();
        act(event as DragEvent);
      };
      document.addEventListener(name, handler);
      return [name, handler] as const;
    });
    return () => bound.forEach(([name, handler]) => document.removeEventListener(name, handler));
  }, []);
}
