// The dialog that proves a telephone: its number first, then the code that is sent there.
import { useMemo, useRef, useState } from 'preact/hooks';
import { post, type Answer } from '../shell/api';
import { CodeForm } from '../shell/code';
import { Field, Form, Select } from '../shell/form';
import { lang } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Problem } from '../shell/problem';
import { callingCode, countries, homeOf, toE164, unbroken } from './phone';
import { Unsent } from './unsent';
import { t } from './words';

interface SetUpProps {
  change: boolean; // a number is in force
  better: { label: () => string; run: () => void } | undefined; // a step that protects more
  onClose: () => void;
  onDone: () => Promise<void>;
}

export function SetUp({ change, better, onClose, onDone }: SetUpProps) {
  const [sent, setSent] = useState<Answer<'post', '/account/sms'>>();
  const notice = useRef<string | undefined>(undefined);
  const typed = useRef({ country: homeOf(navigator.languages), phone: '' });

  if (!sent) {
    return (
      <div class="telephone-set">
        {better && (
          <div class="notice">
            <Icon name="shield" />
            <div>
              <p>{t('better')}</p>
              <button type="button" class="button" onClick={better.run}>{better.label()}</button>
            </div>
          </div>
        )}
        <Number change={change} typed={typed.current} onClose={onClose} onSent={(s) => {
          notice.current = s.notice ?? notice.current;
          setSent(s);
        }} />
      </div>
    );
  }
  return (
    <div class="telephone-set">
      <p>{t('sentTo', { number: unbroken(sent.sent_to) })}</p>
      <CodeForm submit={change ? t('changeDo') : t('confirm')} label={t('code')} hint={t('codeHint')} autoFocus onCancel={onClose}
        onCode={async (code) => {
          await post('/account/sms/confirm', { body: { code } });
          await onDone();
        }}
        again={{ at: sent.resend_at, send: () => post('/account/sms/resend') }} />
      <div class="telephone-foot">
        {change && <p class="hint">{t('oldStays')}</p>}
        <button type="button" class="link" onClick={() => setSent(undefined)}>{t('otherNumber')}</button>
      </div>
      <Unsent />
      {notice.current && <div class="notice small"><Icon name="shield" /><p>{notice.current}</p></div>}
    </div>
  );
}

function Number({ change, typed, onClose, onSent }: { change: boolean; typed: { country: string; phone: string }; onClose: () => void; onSent: (sent: Answer<'post', '/account/sms'>) => void }) {
  const [, setRound] = useState(0);
  const options = useMemo(() => Object.fromEntries(countries(lang.value).map(({ country, name }) => [country, `${name} +${callingCode(country)}`])), [lang.value]);
  const whole = toE164(typed.phone, typed.country);
  return (
    <Form submit={t('send')} onCancel={onClose} onSubmit={async () => {
      // The server would count the characters, which says nothing to a person.
      if (!/^\+\d{7,15}$/.test(whole)) throw new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/phone', code: 'invalid_phone' }] });
      onSent(await post('/account/sms', { body: { phone: whole } }));
    }}>
      <p>{change ? t('changeText') : t('enrolText')}</p>
      <div class="telephone-entry" onInput={(event) => {
        const { name, value } = event.target as HTMLInputElement;
        if (name === 'country' || name === 'phone') typed[name] = value;
        setRound((n) => n + 1);
      }}>
        <Select name="country" label={t('country')} value={typed.country} options={options} />
        <Field name="phone" label={t('phone')} value={typed.phone} required autoFocus autoComplete="tel" inputMode="tel" maxLength={30} hint={t('phoneHint')} />
        {typed.phone.replace(/\D/g, '').length > 4 && <p class="hint">{t('goesTo', { number: whole })}</p>}
      </div>
    </Form>
  );
}
