// The steps of a sign-in: each layer's room brings the form that asks.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import type { Opened } from '../shell/auth';
import { Others } from '../shell/entries';
import { Icon } from '../shell/icon';
import { cancelled, Problem } from '../shell/problem';
import { collect, layerStep, wayBack, type Challenge, type LayerProps } from '../shell/room';
import { isChallenge, type Session } from './session';
import { t } from './words';

interface StepsProps {
  challenge: Challenge;
  onSession: (s: Session) => Promise<void>;
  onOver: () => void;
  inside?: boolean; // a dialog's title stands above
  identifier: string; // what the person signs in with
  by?: string; // what was proved, where it is not the password
  onLeave?: () => void; // the person goes to another way back
  children?: ComponentChildren; // beside the way back
}

// inOrder puts the step that asks least first. The server asks for the question of its own
// accord when all others are done, and the page's order has it last as well.
const inOrder = (layers: Challenge['layers']) =>
  [...layers].sort((a, b) => (layerStep(a.layer)?.order ?? Infinity) - (layerStep(b.layer)?.order ?? Infinity));

// Steps asks for one open layer after the other until the server opens the session. The
// password, or what stood for it, counts as the first step.
export function Steps({ challenge, onSession, onOver, inside, identifier, by = t('password'), onLeave, children }: StepsProps) {
  const [layers, setLayers] = useState(() => inOrder(challenge.layers));
  const next = layers.find((l) => !l.done && layerStep(l.layer));
  const step = next && layerStep(next.layer);
  const left = layers.filter((l) => !l.done).length;
  const total = layers.length + 1;

  // guard ends the steps of an attempt that is over: too many wrong answers, or too late. A
  // code that has expired ends no attempt.
  async function guard<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (err) {
      if (!(err instanceof Problem) || err.code !== 'attempt_over' && err.status !== 404) throw err;
      onOver();
      return undefined;
    }
  }

  async function goOn(opened: Opened): Promise<void> {
    if (isChallenge(opened)) setLayers(inOrder(opened.layers));
    else await onSession(opened);
  }

  const answer: LayerProps['answer'] = async (path, body) => {
    const opened = await guard(post(path, { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token, body }));
    if (opened) await goOn(opened);
  };

  const again: LayerProps['again'] = async (path) => {
    const sent = await guard(post(path, { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token }));
    if (!sent) throw cancelled();
    setLayers((all) => all.map((l) => (l.layer === next?.layer ? { ...l, ...sent } : l)));
    return sent;
  };

  const passes = challenge.passkey ? collect((room) => room.pass) : [];
  const back = wayBack('recover');
  const title = t('oneMore', { count: left });
  return (
    <>
      <div class="steps-head">
        {inside ? <h3>{title}</h3> : <h1>{title}</h1>}
        {next && step && <p class="hint" role="status">{t('progress', { step: total - left + 1, total, name: step.title() })}</p>}
      </div>
      <ol class="layers" aria-label={t('steps')}>
        <li class="done"><Icon name="check" /> {by}<span class="hidden">, {t('done')}</span></li>
        {layers.map((l) => (
          <li key={l.layer} class={l.done ? 'done' : l === next ? 'now' : undefined} aria-current={l === next ? 'step' : undefined}>
            <Icon name={l.done ? 'check' : 'shield'} /> {layerStep(l.layer)?.title() ?? l.layer}
            {l.done && <span class="hidden">, {t('done')}</span>}
          </li>
        ))}
      </ol>
      {passes.length > 0 && <Others before>{passes.map(({ Way, order }) => <Way key={order} challenge={challenge} guard={guard} onOpened={goOn} />)}</Others>}
      {next && step ? <step.Step key={next.layer} layer={next} answer={answer} again={again} /> : <p>{t('noStep')}</p>}
      {(back || children) && (
        <div class="aside ways">
          {back && (
            <p><a href={back.href} onClick={() => {
              back.take({ identifier });
              onLeave?.();
            }}>{t('cannot')}</a></p>
          )}
          {children}
        </div>
      )}
    </>
  );
}
