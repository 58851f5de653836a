// The files that are being saved, and how far they are.
import { useEffect, useState } from 'preact/hooks';
import { size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { pace, percent } from '../shell/pace';
import { say } from '../shell/problem';
import { t } from './guest-words';
import { cancel, forget, save, savings, type Saving } from './save';

// focus takes the focus from a row that goes.
export function Downloads({ of, focus }: { of: string; focus: () => void }) {
  const mine = savings.value.filter((s) => s.key.startsWith(of + ' '));
  const moves = mine.some((s) => s.state.value === 'running');
  const [, tick] = useState(0);
  useEffect(() => {
    if (!moves) return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [moves]);
  if (mine.length === 0) return null;
  return (
    <section class="opened-downloads" aria-label={t('downloads')}>
      <ul>{mine.map((s) => <Line key={s.id} of={s} focus={focus} />)}</ul>
    </section>
  );
}

function Line({ of: s, focus }: { of: Saving; focus: () => void }) {
  const state = s.state.value;
  const { name } = s;
  const press = (icon: 'close' | 'retry', label: string, run: () => void) => (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={run}><Icon name={icon} /></button>
  );
  return (
    <li class="opened-transfer">
      <div class="opened-text">
        <p class="opened-name"><Name name={name} read /></p>
        {state === 'running' && <progress value={Math.min(s.received.value, s.size)} max={Math.max(1, s.size)} aria-label={t('downloading', { name })} />}
        <p class="hint" role={state === 'running' ? undefined : 'status'}>{state === 'failed' ? <span class="error">{why(s)}</span> : numbers(s)}</p>
      </div>
      {state === 'done' && <Icon name="check" class="good" />}
      {(state === 'failed' || state === 'cancelled') && press('retry', t('retryOf', { name }), () => save(s))}
      {state === 'running' ? press('close', t('cancelOf', { name }), () => cancel(s)) : press('close', t('dismissOf', { name }), () => {
        focus();
        forget(s);
      })}
    </li>
  );
}

const why = (s: Saving): string => (s.damaged.value !== undefined ? t('damaged', { name: s.damaged.value }) : s.problem.value ? say(s.problem.value) : '');

function numbers(s: Saving): string {
  const bytes = s.received.value;
  switch (s.state.value) {
    case 'done': return [t('saved'), size(s.size)].join(' · ');
    case 'cancelled': return t('cancelled');
  }
  if (bytes === 0) return t('preparing');
  return [percent(Math.min(bytes, s.size), s.size), t('receivedOf', { received: size(bytes), size: size(s.size) }), ...pace(s.meter, s.size - bytes)].join(' · ');
}
