// The step of a sign-in that asks for a mailed code.
import { CodeForm } from '../shell/code';
import { Problem } from '../shell/problem';
import type { LayerProps } from '../shell/room';
import { t } from './words';

export function Step({ layer, answer, again }: LayerProps) {
  return (
    <CodeForm label={t('code')} hint={layer.sent_to ? t('sentTo', { address: layer.sent_to }) : t('sent')} submit={t('go')} autoFocus
      again={{ at: layer.resend_at, send: () => again('/auth/attempts/{id}/email-otp/resend') }}
      onCode={async (code) => {
        try {
          await answer('/auth/attempts/{id}/email-otp', { code });
        } catch (err) {
          throw err instanceof Problem && err.code === 'invalid_code' ? new Problem({ status: err.status, code: 'wrong_mailed_code' }) : err;
        }
      }} />
  );
}
