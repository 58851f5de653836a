// The trash: what was deleted, where it was, and how long it stays.
import { useState } from 'preact/hooks';
import { get, type Answer } from '../shell/api';
import { Time } from '../shell/form';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { Empty, Failed, Skeleton, type MenuItem } from '../shell/ui';
import { bin, EmptyTrash, ForGood, restore } from './bin';
import { Selection, useGrid, type Deeds } from './grid';
import { List } from './list';
import { useListing } from './listing';
import { changesOf } from './refresh';
import { useView } from './remember';
import { NameCell } from './row';
import { t } from './words';

type Trashed = Answer<'get', '/trash'>['items'][number];

export function Trash() {
  const view = useView(bin, '/trash');
  const list = useListing<Trashed>(bin, (cursor, limit, signal) => get('/trash', { query: { cursor, limit }, signal }), changesOf(bin), view.pages);
  const grid = useGrid(bin, list, view);
  const [wish, setWish] = useState<Trashed[] | 'all'>();
  const close = () => setWish(undefined);
  const back = (entries: Trashed[]) => void restore(entries, grid.done);
  const both = (entries: Trashed[]): MenuItem[] => [
    { icon: 'restore', label: t('restore'), run: () => back(entries) },
    { icon: 'trash', label: t('deleteForGood'), run: () => setWish(entries), danger: true },
  ];
  const deeds: Deeds<Trashed> = {
    menu: (entry) => both([entry]),
    bar: both,
    key(key, _, meant) {
      if (key === 'Delete') setWish(meant);
      else return false;
      return true;
    },
  };
  const { items } = list;
  return (
    <div class="files">
      <div class="files-head">
        <div>
          <h1>{t('trash')}</h1>
          <p class="hint">{t('trashText')}</p>
        </div>
        {items && items.length > 0 && <button type="button" class="button danger-text" onClick={() => setWish('all')}><Icon name="trash" /> {t('emptyTrash')}</button>}
      </div>
      <Selection grid={grid} list={list} deeds={deeds} />
      {list.problem && !list.more && <Failed problem={list.problem} retry={list.reload} />}
      {!items ? !list.problem && <Skeleton rows={6} /> : items.length === 0 ? (
        <Empty icon="trash" title={t('trashEmpty')}>
          <p>{t('trashEmptyText')}</p>
        </Empty>
      ) : (
        <List grid={grid} list={list} deeds={deeds} label={t('trash')} keys={t('trashKeys')} name="trashed"
          headings={(
            <>
              <th scope="col" class="col-name">{t('name')}</th>
              <th scope="col" class="col-place">{t('origin')}</th>
              <th scope="col" class="col-left">{t('timeLeft')}</th>
            </>
          )}
          cells={(entry, tab) => (
            <>
              <NameCell entry={entry} tab={tab} under={<span aria-hidden="true">{originOf(entry)} · {stays(entry)}</span>} />
              <td class="col-place"><Name name={originOf(entry)} read /></td>
              <td class="col-left"><Time at={entry.expires_at ?? entry.deleted_at}>{stays(entry)}</Time></td>
            </>
          )} />
      )}
      {wish === 'all' ? <EmptyTrash onClose={close} onDone={() => grid.done(items ?? [])} /> : wish && <ForGood entries={wish} onClose={close} onDone={grid.done} />}
    </div>
  );
}

// The folder may be gone by now, so nothing leads there.
const originOf = ({ origin }: Trashed): string => [t('files'), ...origin.path].join(' / ');

const day = 86_400_000;

function stays({ expires_at: until }: Trashed): string {
  if (!until) return t('staysForEver');
  const left = Date.parse(until) - Date.now();
  return left > day ? t('staysDays', { count: Math.round(left / day) }) : left > day / 24 ? t('staysHours', { count: Math.round(24 * left / day) }) : t('staysLittle');
}
