// The downloads of a link, and how far they are.
import { useEffect, useState } from 'preact/hooks';
import { size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { pace, percent, perSecond } from '../shell/pace';
import { say } from '../shell/problem';
import { again, cancel, downloads, forget, type Download } from './guest-download';
import { t } from './guest-words';

// focus takes the focus from a row that goes.
export function Downloads({ token, focus }: { token: string; focus: () => void }) {
  const mine = downloads.value.filter((d) => d.token === token);
  const moves = mine.some((d) => d.state.value === 'running');
  const [, tick] = useState(0);
  useEffect(() => {
    if (!moves) return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [moves]);
  if (mine.length === 0) return null;
  return (
    <section class="guest-downloads" aria-label={t('downloads')}>
      <ul>{mine.map((d) => <Row key={d.id} of={d} focus={focus} />)}</ul>
    </section>
  );
}

function Row({ of: d, focus }: { of: Download; focus: () => void }) {
  const state = d.state.value;
  const { name } = d;
  const press = (icon: 'close' | 'retry', label: string, run: () => void) => (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={run}><Icon name={icon} /></button>
  );
  return (
    <li class="guest-transfer">
      <div class="guest-row-text">
        <p class="guest-row-name"><Name name={name} read /></p>
        {state === 'running' && (d.size === undefined ? <progress aria-label={t('downloading', { name })} /> : <progress value={d.received.value} max={Math.max(1, d.size)} aria-label={t('downloading', { name })} />)}
        <p class="hint" role={state === 'running' ? undefined : 'status'}>{state === 'failed' && d.problem.value ? <span class="error">{say(d.problem.value)}</span> : numbers(d)}</p>
      </div>
      {state === 'done' && <Icon name="check" class="good" />}
      {(state === 'failed' || state === 'cancelled') && press('retry', t('retryOf', { name }), () => again(d))}
      {state === 'running' ? press('close', t('cancelOf', { name }), () => cancel(d)) : press('close', t('dismissOf', { name }), () => {
        focus();
        forget(d);
      })}
    </li>
  );
}

function numbers(d: Download): string {
  const bytes = d.received.value;
  switch (d.state.value) {
    case 'done': return [t('saved'), size(bytes)].join(' · ');
    case 'handed': return t('handed');
    case 'cancelled': return t('cancelled');
  }
  if (d.held.value) return t('lost');
  if (bytes === 0) return t('preparing');
  if (d.size === undefined) {
    const speed = d.meter.speed(performance.now());
    return [t('received', { size: size(bytes) }), ...(speed ? [perSecond(speed)] : [])].join(' · ');
  }
  return [percent(bytes, d.size), t('receivedOf', { received: size(bytes), size: size(d.size) }), ...pace(d.meter, d.size - bytes)].join(' · ');
}
