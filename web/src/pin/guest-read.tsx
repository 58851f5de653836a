// The content of an encrypted pin's link: one file, or folders of files.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { Time } from '../shell/form';
import { compareNames, date, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { iconOf, kindOf } from '../shell/kinds';
import { Name } from '../shell/name';
import { Preview } from '../shell/preview';
import { go, place } from '../shell/router';
import { Empty } from '../shell/ui';
import type { Bytes } from './blocks';
import { Downloads } from './guest-downloads';
import { t } from './guest-words';
import { inside, type File, type Opened, type Row } from './opened';
import { problemOf, save } from './save';
import { zip, type ZipEntry } from './zip';

interface Props {
  content: Opened;
  of: string; // the link
}

const page = (at: string): string => location.pathname + (at && '?path=' + encodeURIComponent(at)) + location.hash;

// response hands a file to a look: each byte of it is checked.
function response(content: Opened, path: string, signal: AbortSignal): Response {
  const parts = content.read(path, signal);
  return new Response(new ReadableStream<Bytes>({
    async pull(to) {
      try {
        const { done, value } = await parts.next();
        if (done) to.close();
        else to.enqueue(value);
      } catch (err) {
        to.error(err);
      }
    },
    cancel: () => void parts.return(undefined),
  }));
}

// whole reads a file to its end before any of it is shown.
async function whole(content: Opened, path: string, signal: AbortSignal): Promise<Response> {
  try {
    return new Response(await response(content, path, signal).blob());
  } catch (err) {
    throw signal.aborted ? err : problemOf(err);
  }
}

const saveFile = (content: Opened, of: string, file: File): void => save({ key: `${of} ${file.path}`, name: file.name, size: file.size, read: (signal) => content.read(file.path, signal) });

// within are the files of a folder of the pin, and of the folders in it.
const within = (content: Opened, at: string): readonly File[] => (at ? content.files.filter(({ path }) => path.startsWith(at + '/')) : content.files);

const sizeOf = (files: readonly File[]): number => files.reduce((sum, file) => sum + file.size, 0);

// saveAll saves a folder of the pin as a zip. Its size is not known to the byte before its end.
function saveAll(content: Opened, of: string, at: string): void {
  const before = at ? at + '/' : '';
  const name = at ? at.slice(at.lastIndexOf('/') + 1) : content.name;
  const files = within(content, at);
  const folders = content.folders.filter((path) => path.startsWith(before) && path !== at);
  const entries = (signal: AbortSignal): ZipEntry[] => [
    ...folders.map((path) => ({ path: `${name}/${path.slice(before.length)}/`, size: 0, modified: '' })),
    ...files.map((file) => ({ path: `${name}/${file.path.slice(before.length)}`, size: file.size, modified: file.modified, bytes: () => content.read(file.path, signal) })),
  ];
  save({ key: `${of} zip ${at}`, name: name + '.zip', size: sizeOf(files), read: (signal) => zip(entries(signal)) });
}

export function Contents({ content, of }: Props) {
  const at = new URLSearchParams(place.value.search).get('path') ?? '';
  const rows = inside(content, at, compareNames);
  const [looking, look] = useState<string>();
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(at);
  useEffect(() => {
    if (was.current !== at) {
      scrollTo(0, 0);
      focusMain();
    }
    was.current = at;
  }, [at]);
  const names = at ? at.split('/') : [];
  const title = names.at(-1) ?? content.name;
  const [file] = content.files;
  const single = content.single && file !== undefined;
  const files = within(content, at);
  return (
    <div class="opened">
      <header class="opened-head">
        <p class="opened-lead">{t('lead')}</p>
        {names.length > 0 && (
          <nav class="opened-above" aria-label={t('path')}>
            <ol>{[content.name, ...names.slice(0, -1)].map((name, i) => <li key={i}><To at={names.slice(0, i).join('/')} label={name}><Name name={name} /></To></li>)}</ol>
          </nav>
        )}
        <h1><Icon name={single ? iconOf({ kind: 'file', name: content.name }) : 'folder'} class="kind" /> <span>{title}</span></h1>
        <p class="hint">{single ? size(file.size) : [t('files', { count: files.length }), t('size', { size: size(sizeOf(files)) })].join(' · ')}</p>
      </header>
      {single ? (
        <div class="card-buttons">
          <button type="button" ref={button} class="button primary big" onClick={() => saveFile(content, of, file)}><Icon name="download" /> {t('download')}</button>
          {kindOf(file) && <button type="button" class="button big" onClick={() => look(file.path)}><Icon name="eye" /> {t('look')}</button>}
        </div>
      ) : rows.length > 0 && (
        <div class="card-buttons opened-main">
          <button type="button" ref={button} class="button primary big" onClick={() => saveAll(content, of, at)}><Icon name="download" /> {t('downloadAll')}</button>
          <p class="hint">{t('zipHint')}</p>
        </div>
      )}
      <Downloads of={of} focus={() => button.current?.focus()} />
      {!single && (rows.length === 0 ? <Empty icon="folder" title={t('empty')}><p>{t('emptyText')}</p></Empty> : <List title={title} rows={rows} look={look} save={(row) => saveFile(content, of, row)} />)}
      {looking !== undefined && (
        <Preview items={rows.map((row) => ({ ...row, id: row.path, modified_at: row.modified }))} id={looking} more={undefined}
          read={(item, signal) => whole(content, item.id, signal)} onSave={(item) => saveFile(content, of, { ...item, path: item.id, modified: item.modified_at })} onClose={() => look(undefined)} />
      )}
    </div>
  );
}

const most = 200; // rows that are drawn at first

interface ListProps {
  title: string;
  rows: readonly Row[];
  look: (path: string) => void;
  save: (row: Row) => void;
}

function List({ title, rows, look, save: keep }: ListProps) {
  const [shown, show] = useState(most);
  return (
    <>
      <ul class="opened-rows" aria-label={t('contents', { name: title })}>
        {rows.slice(0, shown).map((row) => (
          <li key={row.path} class="opened-row">
            <Icon name={iconOf(row)} class={'kind kind-' + iconOf(row)} />
            <div class="opened-text">
              <p class="opened-name">
                {row.kind === 'folder' ? <To at={row.path} label={t('openFolder', { name: row.name })}><Name name={row.name} /></To>
                  : kindOf(row) ? <button type="button" class="link" aria-label={t('lookOf', { name: row.name })} onClick={() => look(row.path)}><Name name={row.name} /></button> : <Name name={row.name} read />}
              </p>
              <p class="hint">{[row.kind === 'folder' && t('folder'), size(row.size)].filter(Boolean).join(' · ')}{row.modified && <> · <Time at={row.modified}>{date(row.modified)}</Time></>}</p>
            </div>
            {row.kind === 'file' && <button type="button" class="icon-button" aria-label={t('downloadOf', { name: row.name })} title={t('downloadOf', { name: row.name })} onClick={() => keep(row)}><Icon name="download" /></button>}
          </li>
        ))}
      </ul>
      {rows.length > shown && <div class="opened-rest"><button type="button" class="button" onClick={() => show(shown + most)}>{t('more')}</button></div>}
    </>
  );
}

// To leads to a folder of the pin. The router does not follow links with a fragment: it holds the key.
function To({ at, label, children }: { at: string; label: string; children: ComponentChildren }) {
  const href = page(at);
  return (
    <a href={href} aria-label={label} onClick={(event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      go(href);
    }}>{children}</a>
  );
}
