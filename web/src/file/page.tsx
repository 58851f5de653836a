// The page that lists a folder.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Crumbs } from './crumbs';
import { Delete, Move, moveNow, Rename, Save } from './dialogs';
import { download } from './download';
import { lift, lower, target, type Receive } from './drag';
import { useListing } from './listing';
import { chooseFiles, upload } from './new';
import { changesOf } from './refresh';
import { useView } from './remember';
import { columns, Heading, More, Row } from './row';
import { keep, moved, nothing, only, range, toggle, without, type Picked } from './select';
import { path, type Entry } from './tree';
import { dropped } from './walk';
import { useWhole } from './whole';
import { t } from './words';
import { focusMain } from '../shell/app';
import { DropZone } from '../shell/drop-zone';
import { useParent } from '../shell/frame';
import { Icon } from '../shell/icon';
import { go, moves, type Params } from '../shell/router';
import { Empty, Failed, Skeleton, toastProblem, useLoad, type MenuItem } from '../shell/ui';

type Wish = { kind: 'rename'; entry: Entry } | { kind: 'move' | 'delete' | 'save'; entries: Entry[] };

export function Files({ params }: { params: Params }) {
  const folder = params.folder ?? '';
  const view = useView(folder);
  const { sort } = view;
  const [picked, setPicked] = useState<Picked>(nothing);
  const [wish, setWish] = useState<Wish>();
  const way = useLoad((signal) => path(folder, signal), [folder]);
  const page = useListing(folder, sort, view.pages);
  const grid = useRef<HTMLTableElement>(null);
  const acted = useRef(false);
  const items = page.items;
  const here = way.data?.at(-1)?.name ?? t('files');
  const above = way.data?.at(-2);
  useParent(folder && way.data ? (above ? '/files/' + above.id : '/files') : undefined, above?.name ?? t('files'));

  const whole = useWhole(page, picked, setPicked, folder + sort.by + sort.down);
  const selected = whole.selected;

  useEffect(() => setPicked(nothing), [folder, sort]);
  view.follow({ items, pages: page.pages, focus: picked.focus, refocus: (at) => {
    setPicked((p) => ({ ...p, focus: at, anchor: at }));
    if (moves.value > 0 && !document.activeElement?.closest('tr, dialog')) focusRow(at, true);
  } });
  useEffect(() => {
    if (!items) return;
    setPicked((p) => keep(p, items, page.next ? whole.knows : undefined));
    // The focused row may be moved or deleted: its neighbour, or the heading, gets the focus.
    if (!acted.current || document.activeElement !== document.body) return;
    acted.current = false;
    if (items.length) focusRow(Math.min(picked.focus, items.length - 1));
    else focusMain();
  }, [items]);
  // The folders above may have new names.
  const seen = ['', ...(way.data?.slice(0, -1) ?? []).map((e) => e.id)].map(changesOf).join();
  const read = useRef({ folder, seen });
  useEffect(() => {
    const before = read.current;
    read.current = { folder, seen };
    if (folder && before.folder === folder && before.seen !== seen) void way.reload();
  }, [seen]);
  // Escape lets go of the selection wherever the focus is, unless something else closes.
  const clear = whole.clear;
  useEffect(() => {
    if (picked.ids.size === 0) return;
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open], [popover]:popover-open')) return;
      clear();
    };
    document.addEventListener('keydown', escape);
    return () => document.removeEventListener('keydown', escape);
  });

  function open(entry: Entry) {
    if (entry.kind === 'folder') go('/files/' + entry.id);
    else save([entry]);
  }

  async function save(entries: Entry[]) {
    if (entries.length > 1) return setWish({ kind: 'save', entries });
    await download(entries[0]!).catch(toastProblem);
  }

  function focusRow(at: number, still = false) {
    grid.current?.querySelectorAll<HTMLElement>('tbody tr')[at]?.focus({ preventScroll: still });
  }

  // A key on a row that is not selected means that row alone.
  const meant = (at: number): Entry[] => {
    const entry = items![at]!;
    return picked.ids.has(entry.id) ? selected : [entry];
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
      void whole.select();
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
  const done = (gone: readonly Entry[]) => {
    acted.current = true;
    setPicked((p) => without(p, gone));
    return page.reload();
  };
  const receive: Receive = (entries, id, name) => void moveNow(entries, { id, name }, done);
  if (way.problem) return <><h1>{t('files')}</h1><Failed problem={way.problem} retry={way.reload} /><p><a class="button" href="/files">{t('files')}</a></p></>;

  return (
    <div class="files">
      <div class="files-head">
        <Crumbs way={way.data} folder={folder} onReceive={receive} />
      </div>

      {selected.length > 0 && (
        <div class="selection" role="toolbar" aria-label={t('selected', { count: selected.length })}>
          <span aria-live="polite">{whole.reading === undefined ? t('selected', { count: selected.length }) : t('selecting', { count: whole.reading })}</span>
          {whole.reading === undefined && !whole.all && (
            <button type="button" class="link select-all" onClick={whole.select}>{page.total === undefined ? t('selectAllOpen') : t('selectAllOf', { count: page.total })}</button>
          )}
          {whole.reading === undefined && (
            <div class="selection-actions">
              {selected.some((e) => e.kind === 'file') && <button type="button" class="button" onClick={() => save(selected)}><Icon name="download" /> <span>{t('download')}</span></button>}
              <button type="button" class="button" onClick={() => setWish({ kind: 'move', entries: selected })}><Icon name="move" /> <span>{t('move')}</span></button>
              <button type="button" class="button danger-text" onClick={() => setWish({ kind: 'delete', entries: selected })}><Icon name="trash" /> <span>{t('delete')}</span></button>
            </div>
          )}
          <button type="button" class="icon-button" aria-label={t('clear')} title={t('clear')} onClick={clear}><Icon name="close" /></button>
        </div>
      )}

      {page.problem && !items ? <Failed problem={page.problem} retry={page.reload} /> : !items ? <Skeleton rows={6} /> : items.length === 0 ? (
        <Empty icon="folder" title={folder ? t('emptyFolderTitle') : t('emptyTitle')}>
          <p>{t('emptyText')}</p>
          <p><button type="button" class="button primary big" onClick={chooseFiles}><Icon name="upload" /> {t('uploadFiles')}</button></p>
        </Empty>
      ) : (
        <>
          <table ref={grid} class="list" role="grid" aria-multiselectable="true" aria-label={t('listOf', { name: here })} aria-rowcount={page.total === undefined ? -1 : page.total + 1} aria-describedby="file-keys" onKeyDown={key}>
            <thead>
              <tr>
                <th class="col-check" scope="col">
                  <label>
                    <input type="checkbox" aria-label={page.total === undefined ? t('selectAllOpen') : t('selectAllOf', { count: page.total })} checked={whole.all}
                      ref={(box) => { if (box) box.indeterminate = selected.length > 0 && !whole.all; }}
                      onChange={() => (whole.all ? clear() : void whole.select())} />
                  </label>
                </th>
                {columns.map((by) => <Heading key={by} by={by} sort={sort} set={view.setSort} />)}
                <th class="col-menu" scope="col"><span class="hidden">{t('actions')}</span></th>
              </tr>
            </thead>
            <tbody>
              {items.map((entry, at) => (
                <Row key={entry.id} entry={entry} at={at} focus={at === picked.focus} selected={picked.ids.has(entry.id)} menu={menu(entry)}
                  onClick={(event) => click(event, at)} onToggle={() => setPicked(toggle(picked, items, at))} onOpen={() => open(entry)}
                  takes={entry.kind === 'folder' ? target(entry.id, entry.name, folder, receive) : undefined}
                  onLift={(event) => raise(event, at)} onLower={lower}
                  onFocus={() => { if (picked.focus !== at) setPicked((p) => ({ ...p, focus: at })); }} />
              ))}
            </tbody>
          </table>
          <p class="hidden" id="file-keys">{t('keys')}</p>
          {page.problem && !page.next && <Failed problem={page.problem} retry={page.reload} />}
          {page.next && <More load={page.more} problem={page.problem} />}
        </>
      )}

      <DropZone label={t('dropHere', { name: here })} onDrop={(transfer) => void upload(dropped(transfer), folder)} />
      {wish?.kind === 'rename' && <Rename entry={wish.entry} onClose={close} onDone={done} />}
      {wish?.kind === 'move' && <Move entries={wish.entries} here={folder} onClose={close} onDone={done} />}
      {wish?.kind === 'save' && <Save entries={wish.entries} onClose={close} />}
      {wish?.kind === 'delete' && <Delete entries={wish.entries} onClose={close} onDone={done} />}
    </div>
  );

  function raise(event: DragEvent, at: number) {
    const entries = meant(at);
    lift(event, entries, entries.length === 1 ? entries[0]!.name : t('items', { count: entries.length }));
  }
}
