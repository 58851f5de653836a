// The panel of uploads, and of downloads that other rooms run, in the corner of every page while
// there are any: what failed first, then what runs, then what is done.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { size } from '../shell/i18n';
import { Icon, type Icon as Icons } from '../shell/icon';
import { say, sayField, type Problem } from '../shell/problem';
import { downloading, downloads, panel, type Download } from '../shell/transfers';
import { Meter } from '../shell/meter';
import { Name } from '../shell/name';
import { pace, percent, perSecond } from '../shell/pace';
import { Remedy } from '../shell/remedy';
import { toast } from '../shell/ui';
import { askDiscard } from './unfinished';
import { pick } from './pick';
import { cancel, cancelAll, choose, clear, discard, pause, resume, retry } from './upload';
import { active, clock, meter, resumable, runs, totals, uploads, type Hold, type Upload } from './upload-model';
import { t } from './words';

const most = 100; // rows of a group that are drawn

export function Uploads() {
  return uploads.value.length + downloads.value.length === 0 ? null : <Panel />;
}

function Panel() {
  const open = panel.value ?? false;
  const all = uploads.value;
  const busy = active.value;
  const running = all.filter((u) => runs(u) || u.state.value === 'paused');
  const left = all.filter((u) => u.state.value === 'left');
  const paused = running.length - busy;
  const missing = all.filter((u) => u.state.value === 'failed' || u.state.value === 'cancelled');
  const done = all.filter((u) => u.state.value === 'done');
  const failed = missing.filter((u) => u.state.value === 'failed').length;
  const own = downloads.value;
  const coming = downloading.value;
  const broken = own.filter((d) => d.state.value === 'failed').length;
  const title = busy > 0 ? t('uploading', { count: busy }) : coming > 0 ? t('downloading')
    : failed > 0 ? t('uploadsFailed', { count: failed }) : broken > 0 ? t('downloadFailed')
    : paused > 0 ? t('uploadsPaused', { count: paused }) : left.length > 0 ? t('uploadsLeft', { count: left.length })
    : all.length > 0 ? t('uploaded', { count: done.length }) : own.some((d) => d.state.value === 'done') ? t('downloaded') : t('downloadCancelled');
  // A failure is not folded away.
  useEffect(() => {
    if (broken > 0) panel.value = true;
  }, [broken]);
  const label = all.length > 0 ? t('uploads') : t('downloads');
  return (
    <section ref={useRoom()} class="uploads" aria-label={label}>
      <div class="uploads-head">
        <div>
          <h2 aria-live="polite">{title}</h2>
          {busy > 0 && <Sum />}
          {busy > 0 && failed > 0 && !open && <p class="error">{t('uploadsFailed', { count: failed })}</p>}
        </div>
        <button type="button" class="icon-button" aria-expanded={open} aria-label={open ? t('less') : t('details')} title={open ? t('less') : t('details')} onClick={() => { panel.value = !open; }}>
          <Icon name="chevron" class={open ? 'down' : 'up'} />
        </button>
        {running.length + coming === 0 && <button type="button" class="icon-button" aria-label={t('closeUploads')} title={t('closeUploads')} onClick={clear}><Icon name="close" /></button>}
      </div>
      {busy > 0 && <progress value={totals.value.sent} max={Math.max(1, totals.value.size)} aria-label={t('allUploads')} />}
      {open && (
        <div class="uploads-list" tabIndex={0} role="group" aria-label={label}>
          {own.length > 0 && <ul class="uploads-group">{own.map((d, i) => <Coming key={i} download={d} />)}</ul>}
          <Group title={t('notUploaded')} list={missing}>
            {missing.length > 1 && <button type="button" class="link" onClick={() => retry(missing)}>{t('retryAll')}</button>}
          </Group>
          <Group title={t('unfinished')} list={left} hint={t('unfinishedText', { count: left.length })}>
            <button type="button" class="link" onClick={chooseAgain}>{t('chooseFiles', { count: left.length })}</button>
          </Group>
          <Group title={t('underWay')} list={running}>
            {running.length > 1 && <button type="button" class="link" onClick={cancelAll}>{t('cancelAll')}</button>}
          </Group>
          <Group title={t('arrived', { count: done.length })} list={done} folded />
        </div>
      )}
    </section>
  );
}

// useRoom keeps the end of every page, and the toasts, out from under the panel: the style
// sheet reads how far the panel reaches up.
function useRoom() {
  const box = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const root = document.documentElement;
    const measure = () => root.style.setProperty('--uploads', Math.ceil(innerHeight - box.current!.getBoundingClientRect().top) + 'px');
    const watch = new ResizeObserver(measure);
    watch.observe(box.current!);
    addEventListener('resize', measure);
    return () => {
      watch.disconnect();
      removeEventListener('resize', measure);
      root.style.removeProperty('--uploads');
    };
  }, []);
  return box;
}

// Sum is the progress of all together, in words.
function Sum() {
  void clock.value; // again with every tick
  const { size: whole, sent } = totals.value;
  const moves = uploads.value.some((u) => u.state.value === 'sending');
  return <p class="hint">{[percent(sent, whole), ...(moves ? pace(meter, whole - sent) : [])].join(' · ')}</p>;
}

function Group({ title, list, folded, hint, children }: { title: string; list: readonly Upload[]; folded?: boolean; hint?: string; children?: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  if (list.length === 0) return null;
  return (
    <div class="uploads-group">
      <div class="uploads-title">
        {folded ? (
          <h3><button type="button" class="uploads-fold" aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(!open)}>
            <Icon name="chevron" class={open ? 'down' : undefined} /> {title}
          </button></h3>
        ) : <h3>{title}</h3>}
        {children}
      </div>
      {hint && <p class="uploads-hint hint">{hint}</p>}
      {(!folded || open) && (
        <ul id={id}>
          {list.slice(0, most).map((u) => <Row key={u.id} upload={u} />)}
          {list.length > most && <li class="upload hint">{t('others', { count: list.length - most })}</li>}
        </ul>
      )}
    </div>
  );
}

// chooseAgain asks for the files of uploads that were left.
function chooseAgain(): void {
  pick({}, (files) => {
    const strange = choose(files);
    if (strange.length > 0) toast(t('otherFile', { count: strange.length, name: strange[0]!.name }), true);
  });
}

const holds: Record<Exclude<Hold, 'answer'>, 'held' | 'lost'> = { busy: 'held', lost: 'lost' };

function numbers(u: Upload): string[] {
  const state = u.state.value;
  const held = u.held.value;
  const sent = u.sent.value;
  if (state === 'sending') {
    if (held && held !== 'answer') return [t(holds[held])];
    if (sent >= u.size) return [t('finishing')];
    return [percent(sent, u.size), t('sentOf', { sent: size(sent), size: size(u.size) }), ...pace(u.meter, u.size - sent)];
  }
  if (state === 'paused' || state === 'left') return [...(state === 'paused' ? [t('state_paused')] : []), percent(sent, u.size), t('sentOf', { sent: size(sent), size: size(u.size) })];
  return [u.became.value ? t('became') : held === 'answer' && state === 'asking' ? t('asked') : t(`state_${state}`), size(u.size)];
}

// No field is marked here, so the first one stands for all.
const why = (p: Problem): string => (p.fields[0] ? sayField(p.fields[0]) : say(p));

function Row({ upload: u }: { upload: Upload }) {
  const state = u.state.value;
  const problem = u.problem.value;
  const name = u.shown.value;
  const sending = state === 'sending';
  if (sending) void clock.value;
  const press = (icon: Icons, what: string, label: string, run: () => void) => (
    <button type="button" class="icon-button" aria-label={label} title={what} onClick={run}><Icon name={icon} /></button>
  );
  return (
    <li class={'upload ' + state}>
      <div class="upload-text">
        <p class="upload-name"><Name name={name} read /></p>
        {(sending || state === 'paused' || state === 'left') && <progress value={u.sent.value} max={Math.max(1, u.size)} aria-label={t('progressOf', { name })} />}
        <p class="hint">{state === 'failed' && problem ? <span class="error">{why(problem)}<Remedy problem={problem} /></span> : numbers(u).join(' · ')}</p>
      </div>
      {state === 'done' && <Icon name="check" class="good" />}
      {(sending || state === 'waiting') && resumable(u) && press('pause', t('pause'), t('pauseOf', { name }), () => pause(u))}
      {state === 'paused' && press('play', t('resume'), t('resumeOf', { name }), () => resume(u))}
      {(runs(u) || state === 'paused') && press('close', t('cancel'), t('cancelOf', { name }), () => cancel(u))}
      {state === 'left' && press('trash', t('discard'), t('discardOf', { name }), () => void askDiscard(u.name, () => discard(u)))}
      {(state === 'failed' || state === 'cancelled') && press('retry', t('retry'), t('retryOf', { name }), () => retry([u]))}
    </li>
  );
}

// Coming is a download: how much has come, for the whole is not known.
function Coming({ download: d }: { download: Download }) {
  const [meter] = useState(() => new Meter());
  void clock.value;
  const state = d.state.value;
  const bytes = d.received.value;
  const now = performance.now();
  if (state === 'running') meter.note(now, bytes);
  const speed = meter.speed(now);
  const name = d.name();
  const problem = d.problem.value;
  return (
    <li class="upload">
      <div class="upload-text">
        <p class="upload-name">{name}</p>
        {state === 'running' && <progress aria-label={t('progressOf', { name })} />}
        <p class="hint">
          {state === 'failed' && problem ? <span class="error">{say(problem)}</span>
            : state === 'running' ? (bytes === 0 ? t('preparing') : [t('received', { size: size(bytes) }), ...(speed ? [perSecond(speed)] : [])].join(' · '))
            : state === 'done' ? [t('downloaded'), size(bytes)].join(' · ') : t('state_cancelled')}
        </p>
      </div>
      {state === 'running' && <button type="button" class="icon-button" aria-label={t('cancelOf', { name })} title={t('cancel')} onClick={() => d.cancel()}><Icon name="close" /></button>}
      {state === 'done' && <Icon name="check" class="good" />}
      {(state === 'failed' || state === 'cancelled') && (
        <button type="button" class="icon-button" aria-label={t('retryOf', { name })} title={t('retry')} onClick={() => d.again()}><Icon name="retry" /></button>
      )}
    </li>
  );
}
