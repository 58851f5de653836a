// The page that takes files of people without an account. They see nothing of the folder.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { DropZone } from '../shell/drop-zone';
import { Field } from '../shell/form';
import { size } from '../shell/i18n';
import { Icon, type Icon as Icons } from '../shell/icon';
import { iconOf } from '../shell/kinds';
import { Name } from '../shell/name';
import { pace, percent } from '../shell/pace';
import { say, sayField, type Problem } from '../shell/problem';
import type { RequestLink, Way } from './guest';
import { Head, until } from './guest-head';
import { t } from './guest-words';
import { cancel, choose, forget, handIn, handings, judged, remove, runs, type Handing, type Limit } from './hand-in';

// The name outlasts a reload, for this tab. It is kept without the link.
const stored = 'coffer.from';

interface Props {
  token: string;
  link: RequestLink;
  way: Way;
}

export function HandIn({ token, link, way }: Props) {
  const [from, setFrom] = useState(() => sessionStorage.getItem(stored) ?? '');
  const [closed, close] = useState(false);
  const [folders, setFolders] = useState<string[]>([]); // that were dropped
  const mine = handings.value.filter((h) => h.token === token && h.state.value !== 'cancelled');
  const done = mine.filter((h) => h.state.value === 'done');
  const open = mine.filter((h) => h.state.value !== 'done');
  const left = useLeft(link, done.length);
  const limits = judged(open.filter((h) => h.state.value !== 'failed'), link, left);
  const ready = open.filter((h) => h.state.value === 'chosen' && !limits.has(h));
  const failed = open.filter((h) => h.state.value === 'failed');
  const moving = open.filter(runs);
  const over = done.length > 0 && open.length === 0;
  const main = useRef<HTMLButtonElement>(null);

  const send = (some: readonly Handing[]) => {
    setFolders([]);
    handIn(some, { from: from.trim(), ended: (problem) => (problem.status === 404 ? close(true) : void way.load()) });
  };
  const take = (files: readonly File[]) => {
    if (!closed) choose(token, files);
    setFolders([]);
  };
  const caught = (transfer: DataTransfer) => {
    const dropped = droppedOf(transfer);
    take(dropped.files);
    setFolders(dropped.folders);
  };

  const types = link.accept.join(', ');
  const words: Record<Limit, string> = {
    tooLarge: t('tooLarge', { size: size(link.max_file_bytes ?? 0) }), wrongType: t('wrongType', { types }), tooMany: t('tooMany', { count: left ?? 0 }),
  };
  const list = (
    <ul class="guest-rows" aria-label={t('chosen')}>
      {mine.map((h) => <Row key={h.id} of={h} limit={limits.has(h) ? words[limits.get(h)!] : undefined} owner={link.owner} retry={closed ? undefined : () => send([h])} focus={() => main.current?.focus()} />)}
    </ul>
  );
  if (over) return <Thanks token={token} owner={link.owner} count={done.length} again={closed || left === 0 ? undefined : way.load}>{list}</Thanks>;
  const empty = mine.length === 0;
  const rules = [
    ...(link.max_file_bytes === null ? [] : [t('limitSize', { size: size(link.max_file_bytes) })]),
    ...(left === null ? [] : [t('limitCount', { count: left })]),
    ...(types ? [t('limitTypes', { types })] : []),
  ];
  const pick = () => ask(link.accept, take);
  return (
    <article class="card guest-card">
      <Head link={link} lead={t('asksBy', { owner: link.owner })} facts={until('handInUntil', link.expires_at)}>
        <h1>{link.name}</h1>
      </Head>
      {closed ? <p class="notice bad" role="alert"><Icon name="warning" /> <span>{done.length > 0 ? t('closed', { count: done.length }) : t('closedNone')}</span></p> : (
        <>
          <Field name="from" label={t('from')} hint={t('fromHint', { owner: link.owner })} value={from} maxLength={100} autoComplete="name" onInput={(value) => {
            setFrom(value);
            sessionStorage.setItem(stored, value);
          }} />
          <div class={empty ? 'guest-target' : 'guest-target small'}>
            {empty && <Icon name="upload" class="guest-target-icon" />}
            <button type="button" ref={empty ? main : undefined} class={empty ? 'button primary big' : 'button'} onClick={pick}><Icon name={empty ? 'file' : 'plus'} /> {empty ? t('chooseFiles') : t('chooseMore')}</button>
            <p class="hint guest-desk">{t('orDrop')}</p>
            {rules.length > 0 && <ul class="guest-said" aria-label={t('limits')}>{rules.map((rule) => <li key={rule}>{rule}</li>)}</ul>}
          </div>
          {folders.length > 0 && <p class="notice bad" role="alert"><Icon name="warning" /> <span>{t('noFolders', { count: folders.length, name: folders[0]! })}</span></p>}
        </>
      )}
      <p class={moving.length > 0 ? 'hint' : 'hidden'} role="status">{moving.length > 0 && t('progress', { done: done.length, count: done.length + moving.length })}</p>
      {!closed && (ready.length > 0 || failed.length > 1) && (
        <div class="card-buttons guest-main">
          {ready.length > 0 && <button type="button" ref={main} class="button primary big" onClick={() => send(ready)}><Icon name="upload" /> {t('handIn', { count: ready.length })}</button>}
          {failed.length > 1 && <button type="button" class="button" onClick={() => send(failed)}><Icon name="retry" /> {t('retryAll')}</button>}
        </div>
      )}
      {!empty && list}
      <p class="aside">{t('nothingShown')}</p>
      {!closed && <DropZone label={t('dropHere')} onDrop={caught} />}
    </article>
  );
}

// useLeft counts how many more files the link takes. Its own number is as old as the page.
function useLeft(link: RequestLink, done: number): number | null {
  const began = useRef({ link, done });
  if (began.current.link !== link) began.current = { link, done };
  return link.files_left === null ? null : Math.max(0, link.files_left - (done - began.current.done));
}

// ask opens the browser's picker.
function ask(accept: readonly string[], take: (files: File[]) => void): void {
  const field = document.createElement('input');
  field.type = 'file';
  field.multiple = true;
  field.accept = accept.join(',');
  field.hidden = true;
  field.addEventListener('change', () => {
    field.remove();
    take([...field.files!]);
  });
  field.addEventListener('cancel', () => field.remove());
  document.body.append(field);
  field.click();
}

// droppedOf tells files from folders, which cannot be handed in.
function droppedOf(transfer: DataTransfer): { files: File[]; folders: string[] } {
  const files: File[] = [];
  const folders: string[] = [];
  for (const item of transfer.items) {
    const file = item.kind === 'file' ? item.getAsFile() : null;
    if (!file) continue;
    if (item.webkitGetAsEntry()?.isDirectory) folders.push(file.name);
    else files.push(file);
  }
  return { files, folders };
}

function why(problem: Problem, owner: string): string {
  if (problem.code === 'quota_exceeded') return t('noRoom', { owner });
  return problem.fields[0] ? sayField(problem.fields[0]) : say(problem);
}

interface RowProps {
  of: Handing;
  limit: string | undefined;
  owner: string;
  retry: (() => void) | undefined;
  focus: () => void; // takes the focus from a row that goes
}

function Row({ of: h, limit, owner, retry, focus }: RowProps) {
  const state = h.state.value;
  const sending = state === 'sending';
  const [, tick] = useState(0);
  useEffect(() => {
    if (!sending) return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [sending]);
  const { name } = h.file;
  const icon = iconOf({ kind: 'file', name });
  const problem = h.problem.value;
  const wrong = limit ?? (state === 'failed' && problem ? why(problem, owner) : undefined);
  const press = (sign: Icons, label: string, run: () => void) => (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={run}><Icon name={sign} /></button>
  );
  return (
    <li class="guest-row guest-handing" data-name={name}>
      <span class="guest-thumb"><Icon name={icon} class={'kind kind-' + icon} /></span>
      <div class="guest-row-text">
        <p class="guest-row-name"><Name name={name} read /></p>
        {sending && <progress value={h.sent.value} max={Math.max(1, h.file.size)} aria-label={t('progressOf', { name })} />}
        {wrong ? <p class="error" role="alert"><Icon name="warning" /> {wrong}</p> : <p class="hint">{numbers(h)}</p>}
      </div>
      {state === 'done' && <Icon name="check" class="good" />}
      {state === 'failed' && retry && press('retry', t('retryOf', { name }), retry)}
      {runs(h) && press('close', t('cancelOf', { name }), () => cancel(h))}
      {(state === 'chosen' || state === 'failed') && press('close', t('remove', { name }), () => {
        focus();
        remove(h);
      })}
    </li>
  );
}

function numbers(h: Handing): string {
  const state = h.state.value;
  const whole = h.file.size;
  if (state !== 'sending' || h.held.value) return [state === 'sending' || state === 'failed' ? t('state_busy') : t(`state_${state}`), size(whole)].join(' · ');
  const sent = h.sent.value;
  if (sent >= whole) return t('state_finishing');
  return [percent(sent, whole), t('receivedOf', { received: size(sent), size: size(whole) }), ...pace(h.meter, whole - sent)].join(' · ');
}

interface ThanksProps {
  token: string;
  owner: string;
  count: number;
  again: (() => Promise<void>) | undefined;
  children: ComponentChildren;
}

function Thanks({ token, owner, count, again, children }: ThanksProps) {
  useEffect(() => focusMain(), []);
  return (
    <article class="card guest-card">
      <div class="guest-thanks">
        <span class="badge"><Icon name="check" /></span>
        <h1>{t('thanks')}</h1>
        <p role="status">{t('thanksText', { owner, count })} {t('thanksLeave')}</p>
      </div>
      {children}
      {again && (
        <div class="card-buttons">
          <button type="button" class="button" onClick={() => {
            forget(token);
            void again().then(focusMain);
          }}><Icon name="plus" /> {t('handInMore')}</button>
        </div>
      )}
    </article>
  );
}
