// The step of a sign-in that asks the security question, when all other steps are passed.
import { Field, Form } from '../shell/form';
import type { LayerProps } from '../shell/room';
import { t } from './words';

export function Step({ layer, answer }: LayerProps) {
  // The server cannot read a question that was damaged in its database, and takes no answer.
  if (!layer.question) return <p>{t('unreadable')}</p>;
  return (
    <Form submit={t('go')} onSubmit={(v) => answer('/auth/attempts/{id}/security-question', { answer: v.answer! })}>
      <Field name="answer" label={layer.question} secret class="asked" required autoFocus maxLength={200} autoComplete="off" spellcheck={false}
        hint={layer.hint ? <>{t('hintIs', { hint: layer.hint })}<br />{t('forgiving')}</> : t('forgiving')} />
    </Form>
  );
}
