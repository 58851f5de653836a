// What can be done with entries of the tree, wherever they are listed: in a folder, in a search.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { stream } from '../shell/api';
import { Preview } from '../shell/preview';
import { go } from '../shell/router';
import { toastProblem, type MenuItem } from '../shell/ui';
import { saveZip } from './archive';
import { discard } from './bin';
import { moveNow, Relocate, Rename } from './dialogs';
import { download } from './download';
import type { Deeds, Grid } from './grid';
import type { Listing } from './listing';
import { deedsOf } from './others';
import type { Entry } from './tree';
import { Versions } from './versions';
import { t } from './words';

type Wish = { kind: 'rename' | 'versions'; entry: Entry } | { kind: 'move' | 'copy'; entries: Entry[] } | { kind: 'preview'; id: string };

// useDeeds gives the deeds of a list, and the dialogs that they open. `here` is the folder that is
// listed, if it is one.
export function useDeeds<E extends Entry>(grid: Grid<E>, list: Listing<E>, here: { id: string; name: string } | undefined): [Deeds<E>, ComponentChildren] {
  const [wish, setWish] = useState<Wish>();
  const close = () => setWish(undefined);
  const { done } = grid;

  function save(entries: Entry[]) {
    const [one] = entries;
    if (entries.length === 1 && one!.kind === 'file') void download(one!).catch(toastProblem);
    else saveZip(entries, grid.whole.all ? here : undefined);
  }

  const open = (entry: Entry) => (entry.kind === 'folder' ? go('/files/' + entry.id) : setWish({ kind: 'preview', id: entry.id }));
  const remove = (entries: Entry[]) => void discard(entries, done);

  const deeds: Deeds<E> = {
    open,
    menu: (entry): MenuItem[] => [
      { icon: entry.kind === 'folder' ? 'folder' : 'eye', label: t('open'), run: () => open(entry), keys: '↵' },
      { icon: 'download', label: t('download'), run: () => save([entry]) },
      ...deedsOf(entry),
      { icon: 'pencil', label: t('rename'), run: () => setWish({ kind: 'rename', entry }), keys: 'F2' },
      { icon: 'move', label: t('move'), run: () => setWish({ kind: 'move', entries: [entry] }) },
      { icon: 'copy', label: t('copyTo'), run: () => setWish({ kind: 'copy', entries: [entry] }) },
      ...(entry.kind === 'file' ? [{ icon: 'history' as const, label: t('versions'), run: () => setWish({ kind: 'versions', entry }) }] : []),
      { icon: 'trash', label: t('delete'), run: () => remove([entry]), danger: true, keys: '⌦' },
    ],
    bar: (entries): MenuItem[] => [
      { icon: 'download', label: t('download'), run: () => save(entries) },
      ...(entries.length === 1 ? deedsOf(entries[0]!).filter((deed) => deed.bar) : []),
      { icon: 'move', label: t('move'), run: () => setWish({ kind: 'move', entries }) },
      { icon: 'copy', label: t('copyTo'), run: () => setWish({ kind: 'copy', entries }) },
      { icon: 'trash', label: t('delete'), run: () => remove(entries), danger: true },
    ],
    key(key, entry, meant) {
      if (key === 'F2') setWish({ kind: 'rename', entry });
      else if (key === 'Delete') remove(meant);
      else return false;
      return true;
    },
    receive: (entries, id, name) => void moveNow(entries, { id, name }, done),
  };

  const from = here?.id ?? (wish && 'entries' in wish && wish.entries.length === 1 ? (wish.entries[0]!.parent ?? '') : undefined);
  const dialogs = (
    <>
      {wish?.kind === 'rename' && <Rename entry={wish.entry} onClose={close} onDone={done} />}
      {wish?.kind === 'versions' && <Versions entry={wish.entry} onClose={close} onChange={list.reload} />}
      {(wish?.kind === 'move' || wish?.kind === 'copy') && <Relocate kind={wish.kind} entries={wish.entries} here={from} onClose={close} onDone={done} />}
      {wish?.kind === 'preview' && grid.items && (
        <Preview items={grid.items} id={wish.id} deeds={deedsOf} more={list.more} read={(entry, signal) => stream('/files/{id}/content', { path: { id: entry.id }, signal })} onSave={(entry) => save([entry])} onClose={(last) => {
          close();
          const at = grid.items!.findIndex((e) => e.id === last);
          if (at >= 0) grid.focus(at);
        }} />
      )}
    </>
  );
  return [deeds, dialogs];
}
