// The step of a sign-in that asks for a code.
import { Code, digits, Form } from '../shell/form';
import type { LayerProps } from '../shell/room';
import { t } from './words';
import { sendCode } from './wrong';

export function Step({ answer }: LayerProps) {
  return (
    <Form submit={t('go')} onSubmit={(v) => sendCode(answer('/auth/attempts/{id}/totp', { code: digits(v.code) }))}>
      <Code label={t('code')} hint={t('codeHint')} autoFocus />
    </Form>
  );
}
