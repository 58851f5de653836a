// What a person sees when a drop has ended, or does not let this device in: what happened, and the
// button that helps.
import { useEffect } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { useWait } from '../shell/form';
import { duration } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { forget, send } from './current';
import type { Refusal } from './drop';
import { NameForm } from './name-form';
import { t } from './words';

interface OverProps {
  refusal: Refusal;
  host: boolean;
  name: string;
  retryAfter?: number;
  again: () => void; // tries once more
}

export function Over({ refusal, host, name, retryAfter = 0, again }: OverProps) {
  const [wait, setWait] = useWait();
  useEffect(() => {
    setWait(retryAfter);
    focusMain();
  }, [refusal]);
  const { icon, title, text, retry } = told(refusal, host, name, wait);
  return (
    <div class="card narrow">
      <span class="badge"><Icon name={icon} /></span>
      <h1>{title}</h1>
      <p>{text}</p>
      {refusal === 'not_found' && !host ? <NameForm value={name} /> : (
        <div class="form-actions">
          {retry && <button type="button" class="button primary" disabled={wait > 0} onClick={again}>{retry}</button>}
          {host && !retry && <button type="button" class="button primary" onClick={() => void forget().then(() => send())}>{t('newConnection')}</button>}
          <a class={retry || host ? 'button' : 'button primary'} href="/send" onClick={() => void forget()}>{t('startOver')}</a>
        </div>
      )}
    </div>
  );
}

function told(refusal: Refusal, host: boolean, name: string, wait: number): { icon: Icon; title: string; text: string; retry?: string } {
  const gone = refusal === 'host_gone' || refusal === 'not_found';
  if (gone && host) return { icon: 'device', title: t('goneHostTitle'), text: t('goneHostText') };
  switch (refusal) {
    case 'not_found': return { icon: 'search', title: t('notFoundTitle', { name }), text: t('notFoundText') };
    case 'host_gone': return { icon: 'device', title: t('goneTitle'), text: t('goneText'), retry: t('again') };
    case 'full': return { icon: 'user', title: t('fullTitle'), text: t('fullText'), retry: t('again') };
    case 'offline': return { icon: 'warning', title: t('offlineTitle'), text: t('offlineText'), retry: t('again') };
    case 'too_often': return { icon: 'warning', title: t('tooOftenTitle'), text: wait > 0 ? t('tooOften', { time: duration(wait) }) : t('tooOftenOver'), retry: t('again') };
    case 'replaced': return { icon: 'copy', title: t('replacedTitle'), text: t('replacedText'), retry: t('continueHere') };
    case 'expired': return { icon: 'warning', title: t('expiredTitle'), text: t('expiredText') };
    default: return host ? { icon: 'check', title: t('closedHostTitle'), text: t('closedHostText') } : { icon: 'check', title: t('closedTitle'), text: t('closedText') };
  }
}
