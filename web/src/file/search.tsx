// The page that searches the names of all files and folders.
import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { get, type Answer } from '../shell/api';
import { useParent } from '../shell/frame';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { go, place } from '../shell/router';
import { Empty, Failed, Skeleton, useLoad } from '../shell/ui';
import { useDeeds } from './deeds';
import { Selection, useGrid } from './grid';
import { layout, LayoutChoice } from './layout';
import { List, Tiles } from './list';
import { useListing } from './listing';
import { allChanges } from './refresh';
import { useView } from './remember';
import { brief, NameCell, SizeAndTime } from './row';
import { t } from './words';

type Hit = Answer<'get', '/files/search'>['items'][number];

// The address says which folder the search began in, and whether it stays below that folder.
interface Scope {
  from?: string;
  below?: string;
}

function scopeOf(search: string): Scope {
  const query = new URLSearchParams(search);
  const [from, below] = [query.get('from'), query.get('below')];
  return below ? { below } : from ? { from } : {};
}

const addressOf = (q: string, scope: Scope): string => '/search?' + new URLSearchParams({ ...(q && { q }), ...scope }).toString();

// searchFrom is where a search that begins on the page shown begins.
export function searchFrom(): Record<string, string> {
  const { path, search } = place.value;
  const folder = /^\/files\/([^/]+)/.exec(path)?.[1];
  return folder ? { from: folder } : path === '/search' ? { ...scopeOf(search) } : {};
}

export function Search() {
  const q = new URLSearchParams(place.value.search).get('q')?.trim() ?? '';
  const scope = scopeOf(place.value.search);
  const folder = scope.below ?? scope.from;
  useParent(folder ? '/files/' + folder : '/files', t('files'));
  return (
    <div class="files">
      <div class="files-head search-head">
        <h1>{q ? t('hitsFor', { q }) : t('search')}</h1>
        {q && <LayoutChoice />}
      </div>
      <SearchField key={q} q={q} scope={scope} />
      {folder && <Where key={folder} folder={folder} q={q} below={scope.below !== undefined} />}
      {q ? <Hits key={addressOf(q, scope)} q={q} below={scope.below} /> : (
        <Empty icon="search" title={t('searchTitle')}>
          <p>{t('searchText')}</p>
        </Empty>
      )}
    </div>
  );
}

// Where chooses between everything and the folder in which the search began.
function Where({ folder, q, below }: { folder: string; q: string; below: boolean }) {
  const { data } = useLoad((signal) => get('/files/{id}', { path: { id: folder }, signal }), [folder]);
  if (!data && !below) return null;
  return (
    <nav class="scope" aria-label={t('searchWhere')}>
      <a href={addressOf(q, { from: folder })} aria-current={below ? undefined : 'true'}>{t('searchAll')}</a>
      <a href={addressOf(q, { below: folder })} aria-current={below ? 'true' : undefined}>{data ? <><Icon name="folder" /> <Name name={data.name} /></> : t('folder')}</a>
    </nav>
  );
}

// SearchField is for screens whose top bar has no room for one.
function SearchField({ q, scope }: { q: string; scope: Scope }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!q && field.current!.checkVisibility()) field.current!.focus();
  }, []);
  return (
    <form class="search-here" role="search" onSubmit={(event: TargetedSubmitEvent<HTMLFormElement>) => {
      event.preventDefault();
      const to = field.current!.value.trim();
      if (to) go(addressOf(to, scope), { replace: !q });
      field.current!.blur();
    }}>
      <Icon name="search" />
      <input ref={field} type="search" name="q" aria-label={t('search')} placeholder={t('search')} defaultValue={q} maxLength={200} enterKeyHint="search" autoComplete="off" />
    </form>
  );
}

function Hits({ q, below }: { q: string; below: string | undefined }) {
  const of = `search ${below ?? ''} ${q}`;
  const view = useView(of, '/search');
  const list = useListing<Hit>(of, (cursor, limit, signal) => get('/files/search', { query: { q, under: below, cursor, limit }, signal }), allChanges(), view.pages);
  const grid = useGrid(of, list, view);
  const [deeds, dialogs] = useDeeds(grid, list, undefined);
  const { items } = list;
  const shared = { grid, list, deeds, label: t('hitsFor', { q }), keys: t('keys') };
  return (
    <>
      <Selection grid={grid} list={list} deeds={deeds} />
      {list.problem && !list.more && <Failed problem={list.problem} retry={list.reload} />}
      {items && <p class="hidden" role="status">{list.total === undefined ? t('hitsOpen', { count: items.length }) : t('hits', { count: items.length })}</p>}
      {!items ? !list.problem && <Skeleton rows={6} /> : items.length === 0 ? (
        <Empty icon="search" title={t('noHits')}>
          <p>{t('noHitsText')}</p>
        </Empty>
      ) : layout.value === 'tiles' ? (
        <Tiles {...shared} under={(hit, tab) => <Way hit={hit} tab={tab} />} />
      ) : (
        <List {...shared} name="hits"
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
