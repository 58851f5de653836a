// A shared file, and a shared folder.
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { Time } from '../shell/form';
import { date, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { iconOf, kindOf } from '../shell/kinds';
import { Name } from '../shell/name';
import { Preview } from '../shell/preview';
import type { Problem } from '../shell/problem';
import { Empty, Failed } from '../shell/ui';
import { page, type Door, type Item, type ReadLink, type Way } from './guest';
import { download, downloads, read, thumbnailOf } from './guest-download';
import { Downloads } from './guest-downloads';
import { Head, until } from './guest-head';
import { t } from './guest-words';

type At = Extract<Door, { is: 'open' }> & { link: ReadLink };

interface Props {
  token: string;
  at: At;
  way: Way;
}

const factsOf = ({ link: { expires_at, downloads_left }, over }: At) => [
  ...until('until', expires_at),
  ...(downloads_left === null || over ? [] : [t('downloadsLeft', { count: downloads_left })]),
];

// useSaving gives what saves a file or a zip. Each download tells what the link still gives.
function useSaving(token: string, way: Way) {
  const latest = useRef(way);
  latest.current = way;
  const ended = (problem?: Problem) => {
    const had = downloads.peek().some((d) => d.token === token && (d.state.peek() === 'done' || d.state.peek() === 'handed'));
    if (!problem || problem.status === 404 || problem.status === 401) void latest.current.used(had);
  };
  return {
    file: (item: Pick<Item, 'id' | 'name' | 'size'>) => download({ token, path: item.id, name: item.name, size: item.size }, ended),
    zip: (item: Pick<Item, 'id' | 'name'>) => download({ token, path: item.id, name: item.name + '.zip', zip: true }, ended),
    seen: () => void latest.current.used(true),
  };
}

export function Single({ token, at, way }: Props) {
  const { link, over } = at;
  const item: Item = { ...link.entry, id: at.path };
  const [looking, look] = useState(false);
  const saving = useSaving(token, way);
  const icon = iconOf(item);
  const shows = kindOf(item) !== undefined && !over;
  const button = useRef<HTMLButtonElement>(null);
  return (
    <article class="card guest-card">
      <Head link={link} lead={t('sharedBy', { owner: link.owner })} facts={[size(item.size), ...factsOf(at)]}>
        <h1>{!item.thumbnail && <Icon name={icon} class={'kind kind-' + icon} />} <span>{item.name}</span></h1>
      </Head>
      {over ? <p class="notice" role="status">{t('over')}</p> : (
        <div class="card-buttons guest-main">
          <button type="button" ref={button} class="button primary big" onClick={() => saving.file(item)}><Icon name="download" /> {t('download')}</button>
          {shows && <button type="button" class="button big" onClick={() => look(true)}><Icon name="eye" /> {t('look')}</button>}
        </div>
      )}
      <Downloads token={token} focus={() => button.current?.focus()} />
      {looking && <Looking token={token} link={link} items={[item]} id={item.id} more={undefined} saving={saving} onClose={() => look(false)} />}
      {item.thumbnail && <Hero token={token} item={item} onLook={shows ? () => look(true) : undefined} />}
    </article>
  );
}

export function Folder({ token, at, way }: Props) {
  const { link, path, items, over } = at;
  const [looking, look] = useState<string>();
  const saving = useSaving(token, way);
  const list = useRef<HTMLUListElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const icon = iconOf(link.entry);
  const here: Pick<Item, 'id' | 'name'> = { id: path, name: link.entry.name };
  useArrival(path, list);
  const more = at.next ? () => void way.more() : undefined;
  const names = path ? path.split('/') : [];
  return (
    <div class="guest-content">
      <Head link={link} lead={t('sharedBy', { owner: link.owner })} facts={factsOf(at)} inside={names.length > 0}>
        {names.length > 0 && (
          <nav class="guest-above" aria-label={t('path')}>
            <ol>
              {[link.name, ...names.slice(0, -1)].map((name, i) => (
                <li key={i}><a href={page(token, names.slice(0, i).join('/'))} aria-label={name}><Name name={name} /></a></li>
              ))}
            </ol>
          </nav>
        )}
        <h1><Icon name={icon} class={'kind kind-' + icon} /> <span>{link.entry.name}</span></h1>
      </Head>
      {over && <p class="notice" role="status">{t('over')}</p>}
      {!over && items.length > 0 && (
        <div class="card-buttons guest-main">
          <button type="button" ref={button} class="button primary big" onClick={() => saving.zip(here)}><Icon name="download" /> {names.length > 0 ? t('downloadFolder') : t('downloadAll')}</button>
          <p class="hint">{t('zipHint')}</p>
        </div>
      )}
      <Downloads token={token} focus={() => button.current?.focus()} />
      {items.length === 0 ? <Empty icon="folder" title={t('empty')}><p>{t('emptyText')}</p></Empty> : (
        <ul ref={list} class="guest-rows" aria-label={t('contents', { name: link.entry.name })}>
          {items.map((item) => (
            <li key={item.id} class="guest-row" data-name={item.name}>
              <Picture token={token} item={item} small />
              <div class="guest-row-text">
                <p class="guest-row-name">
                  {item.kind === 'folder'
                    ? <a href={page(token, item.id)} aria-label={t('openFolder', { name: item.name })}><Name name={item.name} /></a>
                    : <button type="button" class="link" aria-label={t('lookOf', { name: item.name })} onClick={() => look(item.id)}><Name name={item.name} /></button>}
                </p>
                <p class="hint">{item.kind === 'folder' ? t('folder') : size(item.size)} · <Time at={item.modified_at}>{date(item.modified_at)}</Time></p>
              </div>
              {!over && <Save item={item} onSave={() => (item.kind === 'folder' ? saving.zip(item) : saving.file(item))} />}
            </li>
          ))}
        </ul>
      )}
      {at.next && <More load={way.more} problem={way.stuck} />}
      {looking !== undefined && <Looking token={token} link={link} items={items} id={looking} more={more} saving={saving} onClose={(last) => {
        look(undefined);
        rowOf(list.current, items.find((i) => i.id === last)?.name)?.focus();
      }} />}
    </div>
  );
}

function Save({ item, onSave }: { item: Item; onSave: () => void }) {
  const label = item.kind === 'folder' ? t('zipOf', { name: item.name }) : t('downloadOf', { name: item.name });
  return <button type="button" class="icon-button" aria-label={label} title={label} onClick={onSave}><Icon name="download" /></button>;
}

const rowOf = (list: HTMLElement | null, name: string | undefined) =>
  [...(list?.querySelectorAll<HTMLElement>('[data-name]') ?? [])].find((row) => row.dataset.name === name)?.querySelector<HTMLElement>('a, .link');

// useArrival puts the focus where a person arrives: on the heading of a folder, and back above it on
// the folder that they came from.
function useArrival(path: string, list: { current: HTMLElement | null }): void {
  const was = useRef(path);
  useEffect(() => {
    const from = was.current;
    was.current = path;
    if (from === path) return;
    const back = path === '' || from.startsWith(path + '/') ? from.slice(path ? path.length + 1 : 0).split('/')[0] : undefined;
    const row = back && rowOf(list.current, back);
    if (row) return row.focus();
    scrollTo(0, 0);
    focusMain();
  }, [path]);
}

interface LookingProps {
  token: string;
  link: ReadLink;
  items: readonly Item[];
  id: string;
  more: (() => void) | undefined;
  saving: ReturnType<typeof useSaving>;
  onClose: (last: string) => void;
}

function Looking({ token, link, items, id, more, saving, onClose }: LookingProps) {
  const left = link.downloads_left;
  return (
    <Preview items={items} id={id} more={more} onClose={onClose} onSave={saving.file}
      price={() => (left === null ? undefined : t('priceOfLook', { count: left }))}
      read={async (item, signal) => {
        const response = await read({ token, path: item.id }, left !== null, signal);
        if (left !== null) saving.seen();
        return response;
      }} />
  );
}

// Hero is the picture of a shared file.
function Hero({ token, item, onLook }: { token: string; item: Item; onLook: (() => void) | undefined }) {
  const picture = <Picture token={token} item={item} />;
  return onLook ? <button type="button" class="guest-hero" aria-label={t('lookOf', { name: item.name })} onClick={onLook}>{picture}</button> : <div class="guest-hero">{picture}</div>;
}

// Picture shows what an item is: its thumbnail, or a drawing of its kind.
function Picture({ token, item, small }: { token: string; item: Item; small?: boolean }) {
  const [broken, setBroken] = useState(false);
  const icon = iconOf(item);
  return (
    <span class={small ? 'guest-thumb' : 'guest-picture'}>
      {item.thumbnail && !broken ? <img src={thumbnailOf(token, item.id)} alt="" loading={small ? 'lazy' : undefined} onError={() => setBroken(true)} /> : <Icon name={icon} class={'kind kind-' + icon} />}
    </span>
  );
}

// More reads on when it comes near, or when its button is pressed.
function More({ load, problem }: { load: () => Promise<void>; problem: Problem | undefined }) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (problem) return;
    const watch = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && void latest.current(), { rootMargin: '800px' });
    watch.observe(button.current!);
    return () => watch.disconnect();
  });
  return <div class="guest-rest">{problem && <Failed problem={problem} />}<button ref={button} type="button" class="button" onClick={() => void load()}>{t('more')}</button></div>;
}

