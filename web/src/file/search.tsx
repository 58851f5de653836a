// The page that searches the names of all files and folders.
import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { get, type Answer } from '../shell/api';
import { useParent } from '../shell/frame';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { go, place } from '../shell/router';
import { Empty, Failed, Skeleton } from '../shell/ui';
import { useDeeds } from './deeds';
import { List, Selection, useGrid } from './grid';
import { useListing } from './listing';
import { allChanges } from './refresh';
import { useView } from './remember';
import { brief, NameCell, SizeAndTime } from './row';
import { t } from './words';

type Hit = Answer<'get', '/files/search'>['items'][number];

export function Search() {
  const q = new URLSearchParams(place.value.search).get('q')?.trim() ?? '';
  useParent('/files', t('files'));
  return (
    <div class="files">
      <h1>{q ? t('hitsFor', { q }) : t('search')}</h1>
      <SearchField key={q} q={q} />
      {q ? <Hits key={q} q={q} /> : (
        <Empty icon="search" title={t('searchTitle')}>
          <p>{t('searchText')}</p>
        </Empty>
      )}
    </div>
  );
}

// SearchField is for screens whose top bar has no room for one.
function SearchField({ q }: { q: string }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!q && field.current!.checkVisibility()) field.current!.focus();
  }, []);
  return (
    <form class="search-here" role="search" onSubmit={(event: TargetedSubmitEvent<HTMLFormElement>) => {
      event.preventDefault();
      const to = field.current!.value.trim();
      if (to) go('/search?q=' + encodeURIComponent(to), { replace: !q });
      field.current!.blur();
    }}>
      <Icon name="search" />
      <input ref={field} type="search" name="q" aria-label={t('search')} placeholder={t('search')} defaultValue={q} maxLength={200} enterKeyHint="search" autoComplete="off" />
    </form>
  );
}

function Hits({ q }: { q: string }) {
  const of = 'search ' + q;
  const view = useView(of, '/search');
  const list = useListing<Hit>(of, (cursor, limit, signal) => get('/files/search', { query: { q, cursor, limit }, signal }), allChanges(), view.pages);
  const grid = useGrid(of, list, view);
  const [deeds, dialogs] = useDeeds(grid, list, undefined);
  const { items } = list;
  return (
    <>
      <Selection grid={grid} list={list} deeds={deeds} />
      {list.problem && !list.more && <Failed problem={list.problem} retry={list.reload} />}
      {items && <p class="hidden" role="status">{list.total === undefined ? t('hitsOpen', { count: items.length }) : t('hits', { count: items.length })}</p>}
      {!items ? !list.problem && <Skeleton rows={6} /> : items.length === 0 ? (
        <Empty icon="search" title={t('noHits')}>
          <p>{t('noHitsText')}</p>
        </Empty>
      ) : (
        <List grid={grid} list={list} deeds={deeds} label={t('hitsFor', { q })} keys={t('keys')} name="hits"
          headings={(
            <>
              <th scope="col" class="col-name">{t('name')}</th>
              <th scope="col" class="col-place">{t('place')}</th>
              <th scope="col" class="col-size">{t('size')}</th>
              <th scope="col" class="col-modified">{t('modified')}</th>
            </>
          )}
          cells={(hit, tab) => (
            <>
              <NameCell entry={hit} tab={tab} onOpen={() => deeds.open!(hit)} under={<><Way hit={hit} tab={tab} /> <span aria-hidden="true">{brief(hit)}</span></>} />
              <td class="col-place"><Way hit={hit} tab={tab} /></td>
              <SizeAndTime entry={hit} />
            </>
          )} />
      )}
      {dialogs}
    </>
  );
}

// Way leads to the folder that a hit lies in.
function Way({ hit, tab }: { hit: Hit; tab: number }) {
  const way = [t('files'), ...hit.path.map((step) => step.name)].join(' / ');
  return <a class="hit-place" tabIndex={tab} href={'/files' + (hit.parent ? '/' + hit.parent : '')} draggable={false} aria-label={t('placeOf', { name: hit.name, place: way })}><Name name={way} /></a>;
}
