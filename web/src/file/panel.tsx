// The panel of uploads, and of downloads that other rooms run, in the corner of every page while
// there are any: what failed first, then what runs, then what is done.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { say } from '../shell/problem';
import { downloading, downloads, panel, type Download } from '../shell/transfers';
import { Meter } from '../shell/meter';
import { Name } from '../shell/name';
import { pace, percent, perSecond } from '../shell/pace';
import { active, cancel, cancelAll, clear, clock, meter, retry, runs, totals, uploads, type Upload } from './upload';
import { t } from './words';

const most = 100; // rows of a group that are drawn

export function Uploads() {
  return uploads.value.length + downloads.value.length === 0 ? null : <Panel />;
}

function Panel() {
  const open = panel.value ?? false;
  const all = uploads.value;
  const busy = active.value;
  const running = all.filter(runs);
  const missing = all.filter((u) => u.state.value === 'failed' || u.state.value === 'cancelled');
  const done = all.filter((u) => u.state.value === 'done');
  const failed = missing.filter((u) => u.state.value === 'failed').length;
  const own = downloads.value;
  const coming = downloading.value;
  const broken = own.filter((d) => d.state.value === 'failed').length;
  const title = busy > 0 ? t('uploading', { count: busy }) : coming > 0 ? t('downloading')
    : failed > 0 ? t('uploadsFailed', { count: failed }) : broken > 0 ? t('downloadFailed')
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
        {busy + coming === 0 && <button type="button" class="icon-button" aria-label={t('closeUploads')} title={t('closeUploads')} onClick={clear}><Icon name="close" /></button>}
      </div>
      {busy > 0 && <progress value={totals.value.sent} max={Math.max(1, totals.value.size)} aria-label={t('allUploads')} />}
      {open && (
        <div class="uploads-list" tabIndex={0} role="group" aria-label={label}>
          {own.length > 0 && <ul class="uploads-group">{own.map((d, i) => <Coming key={i} download={d} />)}</ul>}
          <Group title={t('notUploaded')} list={missing}>
            {missing.length > 1 && <button type="button" class="link" onClick={() => retry(missing)}>{t('retryAll')}</button>}
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
  return <p class="hint">{[percent(sent, whole), ...pace(meter, whole - sent)].join(' · ')}</p>;
}

function Group({ title, list, folded, children }: { title: string; list: readonly Upload[]; folded?: boolean; children?: ComponentChildren }) {
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
      {(!folded || open) && (
        <ul id={id}>
          {list.slice(0, most).map((u) => <Row key={u.id} upload={u} />)}
          {list.length > most && <li class="upload hint">{t('others', { count: list.length - most })}</li>}
        </ul>
      )}
    </div>
  );
}

function Row({ upload: u }: { upload: Upload }) {
  const state = u.state.value;
  const problem = u.problem.value;
  const name = u.shown.value;
  const sending = state === 'sending';
  if (sending) void clock.value;
  return (
    <li class={'upload ' + state}>
      <div class="upload-text">
        <p class="upload-name"><Name name={name} read /></p>
        {sending && <progress value={u.sent.value} max={Math.max(1, u.file.size)} aria-label={t('progressOf', { name })} />}
        <p class="hint">
          {state === 'failed' && problem ? <span class="error">{say(problem)}</span> : (
            sending && u.held.value ? [t('held')]
              : sending && u.sent.value >= u.file.size ? [t('finishing')]
              : sending ? [percent(u.sent.value, u.file.size), t('sentOf', { sent: size(u.sent.value), size: size(u.file.size) }), ...pace(u.meter, u.file.size - u.sent.value)]
              : [u.became.value ? t('became') : state === 'asking' && u.held.value ? t('asked') : t(`state_${state}`), size(u.file.size)]
          ).join(' · ')}
        </p>
      </div>
      {state === 'done' && <Icon name="check" class="good" />}
      {runs(u) && (
        <button type="button" class="icon-button" aria-label={t('cancelOf', { name })} title={t('cancel')} onClick={() => cancel(u)}><Icon name="close" /></button>
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <button type="button" class="icon-button" aria-label={t('retryOf', { name })} title={t('retry')} onClick={() => retry([u])}><Icon name="retry" /></button>
      )}
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
