// The page that lists a folder.
import { useEffect, useRef } from 'preact/hooks';
import { Crumbs } from './crumbs';
import { useDeeds } from './deeds';
import { Selection, useGrid } from './grid';
import { layout, LayoutChoice } from './layout';
import { List, Tiles } from './list';
import { useListing } from './listing';
import { chooseFiles, upload } from './new';
import { changesOf } from './refresh';
import { useView } from './remember';
import { brief, columns, Heading, NameCell, SizeAndTime, Sorting } from './row';
import { list as read, path, type Entry } from './tree';
import { sortText } from './view';
import { dropped } from './walk';
import { t } from './words';
import { DropZone } from '../shell/drop-zone';
import { useParent } from '../shell/frame';
import { Icon } from '../shell/icon';
import type { Params } from '../shell/router';
import { Empty, Failed, Skeleton, useLoad } from '../shell/ui';

export function Files({ params }: { params: Params }) {
  const folder = params.folder ?? '';
  const view = useView(folder, '/files' + (folder && '/' + folder));
  const { sort } = view;
  const of = `${folder} ${sortText(sort)}`;
  const way = useLoad((signal) => path(folder, signal), [folder]);
  const list = useListing<Entry>(of, (cursor, limit, signal) => read(folder, sort, cursor, signal, limit), changesOf(folder), view.pages);
  const grid = useGrid(of, list, view);
  const here = way.data?.at(-1)?.name ?? t('files');
  const above = way.data?.at(-2);
  const [deeds, dialogs] = useDeeds(grid, list, { id: folder, name: here });
  useParent(folder && way.data ? (above ? '/files/' + above.id : '/files') : undefined, above?.name ?? t('files'));

  // The folders above may have new names.
  const seen = ['', ...(way.data?.slice(0, -1) ?? []).map((e) => e.id)].map(changesOf).join();
  const last = useRef({ folder, seen });
  useEffect(() => {
    const before = last.current;
    last.current = { folder, seen };
    if (folder && before.folder === folder && before.seen !== seen) void way.reload();
  }, [seen]);
  if (way.problem) return <><h1>{t('files')}</h1><Failed problem={way.problem} retry={way.reload} /><p><a class="button" href="/files">{t('files')}</a></p></>;

  const { items } = list;
  const shared = { grid, list, deeds, label: t('listOf', { name: here }), here: folder, keys: t('keys') };
  return (
    <div class="files">
      <div class="files-head">
        <Crumbs way={way.data} folder={folder} onReceive={deeds.receive!} />
        {items && items.length > 0 && <LayoutChoice />}
      </div>
      <Selection grid={grid} list={list} deeds={deeds} />
      {list.problem && !list.more && <Failed problem={list.problem} retry={list.reload} />}
      {!items ? !list.problem && <Skeleton rows={6} /> : items.length === 0 ? (
        <Empty icon="folder" title={folder ? t('emptyFolderTitle') : t('emptyTitle')}>
          <p>{t('emptyText')}</p>
          <p><button type="button" class="button primary big" onClick={chooseFiles}><Icon name="upload" /> {t('uploadFiles')}</button></p>
        </Empty>
      ) : layout.value === 'tiles' ? (
        <Tiles {...shared} sorting={<Sorting sort={sort} set={view.setSort} />} under={(entry) => <span aria-hidden="true">{brief(entry)}</span>} />
      ) : (
        <List {...shared}
          headings={columns.map((by) => <Heading key={by} by={by} sort={sort} set={view.setSort} />)}
          cells={(entry, tab) => (
            <>
              <NameCell entry={entry} tab={tab} onOpen={() => deeds.open!(entry)} under={<span aria-hidden="true">{brief(entry)}</span>} />
              <SizeAndTime entry={entry} />
            </>
          )} />
      )}
      <DropZone label={t('dropHere', { name: here })} onDrop={(transfer) => void upload(dropped(transfer), folder)} />
      {dialogs}
    </div>
  );
}
