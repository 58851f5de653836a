// The steps of a sign-in: each layer's room brings the form that asks.
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import { Icon } from '../shell/icon';
import { Problem } from '../shell/problem';
import { layerStep, type Challenge, type LayerProps } from '../shell/room';
import { isChallenge, type Session } from './session';
import { t } from './words';

interface StepsProps {
  challenge: Challenge;
  onSession: (s: Session) => Promise<void>;
  onOver: () => void;
  inside?: boolean; // a dialog's title stands above
}

// Steps asks for one open layer after the other until the server opens the session.
export function Steps({ challenge, onSession, onOver, inside }: StepsProps) {
  const [layers, setLayers] = useState(challenge.layers);
  const next = layers.find((l) => !l.done && layerStep(l.layer));
  const step = next && layerStep(next.layer);

  const send: LayerProps['answer'] = async (path, body) => {
    try {
      const opened = await post(path, { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token, body });
      if (isChallenge(opened)) setLayers(opened.layers);
      else await onSession(opened);
    } catch (err) {
      // The attempt is over: too many wrong answers, or too late.
      if (err instanceof Problem && (err.status === 410 || err.status === 404 || err.code === 'attempt_over')) onOver();
      else throw err;
    }
  };

  const again: LayerProps['again'] = async (path) => {
    const sent: { sent_to?: string; resend_at: string } = await post(path, { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token });
    setLayers((all) => all.map((l) => (l === next ? { ...l, ...sent } : l)));
    return sent;
  };

  return (
    <>
      {inside ? <h3>{t('oneMore')}</h3> : <h1>{t('oneMore')}</h1>}
      <ol class="layers" aria-label={t('steps')}>
        <li class="done"><Icon name="check" /> {t('password')}<span class="hidden">, {t('done')}</span></li>
        {layers.map((l) => (
          <li key={l.layer} class={l.done ? 'done' : l === next ? 'now' : undefined} aria-current={l === next ? 'step' : undefined}>
            <Icon name={l.done ? 'check' : 'shield'} /> {layerStep(l.layer)?.title() ?? l.layer}
            {l.done && <span class="hidden">, {t('done')}</span>}
          </li>
        ))}
      </ol>
      {next && step ? <step.Step key={next.layer} layer={next} answer={send} again={again} /> : <p>{t('noStep')}</p>}
    </>
  );
}
