// The section of the security page that sets the security question up, changes it and turns it
// off.
import { useState } from 'preact/hooks';
import { del, get, put } from '../shell/api';
import { Field, Form } from '../shell/form';
import { LayerCard } from '../shell/layer';
import type { SecurityProps } from '../shell/room';
import { TurnOff } from '../shell/turn-off';
import { Dialog, toast, useLoad } from '../shell/ui';
import { t } from './words';

type Wish = 'enable' | 'change' | 'disable';

export function Section({ status }: SecurityProps) {
  const [wish, setWish] = useState<Wish>();
  const close = () => setWish(undefined);

  async function done(said: string) {
    close();
    toast(said);
    await status.reload();
  }

  return (
    <LayerCard layer="security_question" title={t('title')} status={status} text={(on) => (on ? t('onText') : t('offText'))}
      buttons={(on) => (on
        ? (
          <>
            <button type="button" class="button" onClick={() => setWish('change')}>{t('change')}</button>
            <button type="button" class="button" onClick={() => setWish('disable')}>{t('disable')}</button>
          </>
        )
        : <button type="button" class="button" onClick={() => setWish('enable')}>{t('enable')}</button>)}>
      {(wish === 'enable' || wish === 'change') && (
        <Dialog title={wish === 'enable' ? t('enableTitle') : t('changeTitle')} onClose={close}>
          <SetUp change={wish === 'change'} onClose={close} onDone={() => done(wish === 'enable' ? t('enabled') : t('changed'))} />
        </Dialog>
      )}
      {wish === 'disable' && (
        <TurnOff title={t('disableTitle')} onClose={close}
          off={(recovery) => del('/account/security-question', { query: { recovery } })} onOff={() => done(t('disabled'))}>
          <p>{t('disableText')}</p>
        </TurnOff>
      )}
    </LayerCard>
  );
}

// StepGoes is what the page that deletes the account says of the question, when it is set.
export function StepGoes() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  return data?.security_question?.enabled ? <li>{t('goStep')}</li> : null;
}

function SetUp({ change, onClose, onDone }: { change: boolean; onClose: () => void; onDone: () => Promise<void> }) {
  const [idea, setIdea] = useState<string>();
  return (
    <Form submit={change ? t('changeDo') : t('enable')} onCancel={onClose} onSubmit={async (v) => {
      await put('/account/security-question', { body: { question: v.question!, answer: v.answer!, hint: v.hint } });
      await onDone();
    }}>
      {change && <p class="hint">{t('changeText')}</p>}
      {/* A new key puts the idea into the field, where it can be written on. */}
      <Field key={idea} name="question" label={t('question')} class="asked" value={idea} required autoFocus={idea === undefined} maxLength={200} autoComplete="off" hint={t('questionHint')} />
      <div class="ideas" role="group" aria-label={t('ideas')}>
        {[t('idea1'), t('idea2'), t('idea3')].map((text) => (
          <button key={text} type="button" class="link" onClick={() => setIdea(text)}>{text}</button>
        ))}
      </div>
      <Field name="answer" label={t('answer')} secret required maxLength={200} autoComplete="off" spellcheck={false} hint={t('answerHint')} />
      <Field name="hint" label={t('hint')} maxLength={200} autoComplete="off" hint={t('hintHint')} />
    </Form>
  );
}
