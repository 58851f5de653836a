// The section of the account page that changes the address. The present one counts until the
// new one is confirmed by the link that goes there.
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { keeper, type Account } from '../shell/auth';
import { Field, Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { SendAgain } from '../shell/send-again';
import { toast } from '../shell/ui';
import { t } from './words';

export function Email({ me }: { me: Account }) {
  const [sent, setSent] = useState(0);
  const pending = me.pending_email;
  // The link may be opened in another browser: who comes back to this page sees what counts now.
  useEffect(() => {
    if (!pending) return;
    const seen = () => document.visibilityState === 'visible' && void refresh().catch(() => undefined);
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [pending]);
  return (
    <section class="card" aria-labelledby="email">
      <h2 id="email">{t('email')}</h2>
      <p class="address"><span class="hint">{t('emailNow')}</span> <strong>{me.email}</strong></p>
      {pending && (
        <div class="notice" role="status">
          <Icon name="mail" />
          <div>
            <p class="address">{t('emailPending', { pending, email: me.email })}</p>
            <SendAgain key={pending} send={async () => {
              await post('/account/email', { body: { email: pending } });
              return t('emailSentAgain');
            }} />
          </div>
        </div>
      )}
      <Form wide quiet key={sent} submit={t('emailChange')} onSubmit={async (v) => {
        await post('/account/email', { body: { email: v.email! } });
        await refresh();
        setSent(sent + 1);
        toast(t('emailSent'));
      }}>
        <Field name="email" label={t('emailNew')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} hint={t('emailNewHint')} />
      </Form>
    </section>
  );
}

async function refresh(): Promise<void> {
  keeper().changed(await get('/account'));
}
