// The page that sends the link for a new password. It answers alike for every address.
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import { me } from '../shell/auth';
import { Field, Form } from '../shell/form';
import { SignInLink } from '../shell/link-page';
import { Sent } from './sent';
import { takeTyped } from './typed';
import { t } from './words';

export function Forgot() {
  const [email, setEmail] = useState(known);
  const [sent, setSent] = useState(false);
  const send = (to: string) => post('/auth/password/forgot', { open: true, body: { email: to } });
  if (sent) {
    return (
      <Sent text={t('forgotSent', { email })} next={t('forgotNext')} send={() => send(email)} again={t('forgotAgain')}>
        <button type="button" class="link" onClick={() => setSent(false)}>{t('otherEmail')}</button>
      </Sent>
    );
  }
  return (
    <div class="card narrow">
      <h1>{t('forgot')}</h1>
      <p>{t('forgotText')}</p>
      <Form submit={t('send')} onSubmit={async (v) => {
        await send(v.email!);
        setEmail(v.email!);
        setSent(true);
      }}>
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} autoFocus value={email} />
      </Form>
      <div class="aside ways">
        <p>{t('forgotOther')} <a href="/recover">{t('recoverLink')}</a></p>
        {!me() && <p>{t('remembered')} <SignInLink /></p>}
      </div>
    </div>
  );
}

// known is the address that the person typed at the sign-in, or that of their account.
function known(): string {
  const { identifier } = takeTyped();
  if (identifier.includes('@')) return identifier;
  return me()?.email ?? '';
}
