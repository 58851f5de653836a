// The step of a sign-in that asks for a code from a text message.
import { CodeForm } from '../shell/code';
import { Time } from '../shell/form';
import { dateTime } from '../shell/i18n';
import type { LayerProps } from '../shell/room';
import { unbroken } from './phone';
import { Unsent } from './unsent';
import { t } from './words';

export function Step({ layer, answer, again }: LayerProps) {
  const { sent_to: to, resend_at: at } = layer;
  return (
    <>
      {to ? <p>{t('sentTo', { number: unbroken(to) })}</p> : <p>{t('capped')} {at && <Time at={at}>{t('cappedUntil', { time: dateTime(at) })}</Time>}</p>}
      <CodeForm submit={t('go')} label={t('code')} hint={t('codeHint')} autoFocus onCode={(code) => answer('/auth/attempts/{id}/sms', { code })}
        again={{ at, send: () => again('/auth/attempts/{id}/sms/resend') }} />
      <Unsent />
    </>
  );
}
