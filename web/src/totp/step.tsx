// The step of a sign-in that asks for a code.
import { CodeForm } from '../shell/code';
import type { LayerProps } from '../shell/room';
import { t } from './words';
import { sendCode } from './wrong';

export function Step({ answer }: LayerProps) {
  return <CodeForm submit={t('go')} label={t('code')} hint={t('codeHint')} autoFocus onCode={(code) => sendCode(answer('/auth/attempts/{id}/totp', { code }))} />;
}
