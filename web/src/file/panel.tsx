// The panel of uploads, in the corner of every page while there are any.
import { size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { say } from '../shell/problem';
import { panel } from '../shell/transfers';
import { active, cancel, clear, retry, totals, uploads, type Upload } from './upload';
import { t } from './words';

export function Uploads() {
  const open = panel.value ?? false;
  const all = uploads.value;
  if (all.length === 0) return null;
  const sum = totals.value;
  const busy = active.value;
  const title = busy > 0 ? t('uploading', { count: busy }) : sum.failed > 0 ? t('uploadsFailed', { count: sum.failed }) : t('uploaded', { count: sum.done });
  return (
    <section class="uploads" aria-label={t('uploads')}>
      <div class="uploads-head">
        <h2 aria-live="polite">{title}</h2>
        <button type="button" class="icon-button" aria-expanded={open} aria-label={open ? t('less') : t('details')} title={open ? t('less') : t('details')} onClick={() => { panel.value = !open; }}>
          <Icon name="chevron" class={open ? 'down' : 'up'} />
        </button>
        {busy === 0 && <button type="button" class="icon-button" aria-label={t('closeUploads')} title={t('closeUploads')} onClick={clear}><Icon name="close" /></button>}
      </div>
      {busy > 0 && <progress value={sum.sent} max={Math.max(1, sum.size)} aria-label={t('allUploads')} />}
      {open && <ul>{all.map((u) => <Row key={u.id} upload={u} />)}</ul>}
    </section>
  );
}

function Row({ upload: u }: { upload: Upload }) {
  const state = u.state.value;
  const problem = u.problem.value;
  return (
    <li class={'upload ' + state}>
      <div class="upload-text">
        <p class="upload-name" title={u.shown}>{u.shown}</p>
        {state === 'sending' && <progress value={u.sent.value} max={Math.max(1, u.file.size)} aria-label={t('progressOf', { name: u.shown })} />}
        <p class="hint">
          {state === 'sending' && u.held.value ? t('held')
            : state === 'sending' ? t('sentOf', { sent: size(u.sent.value), size: size(u.file.size) })
            : state === 'failed' && problem ? <span class="error">{say(problem)}</span>
            : `${t(`state_${state}`)} · ${size(u.file.size)}`}
        </p>
      </div>
      {state === 'done' && <Icon name="check" class="good" />}
      {(state === 'waiting' || state === 'sending') && (
        <button type="button" class="icon-button" aria-label={t('cancelOf', { name: u.shown })} title={t('cancel')} onClick={() => cancel(u)}><Icon name="close" /></button>
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <button type="button" class="icon-button" aria-label={t('retryOf', { name: u.shown })} title={t('retry')} onClick={() => retry(u)}><Icon name="retry" /></button>
      )}
    </li>
  );
}
