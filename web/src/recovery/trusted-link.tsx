// The page of the link that proves a trusted address. Opening it does nothing: a person presses
// the button. The mailbox may be open in a browser without a session.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { focusMain } from '../shell/app';
import { auth } from '../shell/auth';
import { Form } from '../shell/form';
import { duration } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink } from '../shell/link-page';
import { securityPage } from '../shell/room';
import { useSettings } from '../shell/settings';
import { t } from './words';

export function TrustedLink() {
  const link = useOneTime('/auth/trusted-email/verify/check');
  const rest = useSettings()?.trusted_rest_seconds;
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (done) focusMain();
  }, [done]);
  const security = securityPage();
  const way = security && <div class="form-actions"><a class="button primary" href={security.href}>{auth.value.is === 'in' ? security.label() : t('trustedSignIn')}</a></div>;
  const next = rest === 0 ? t('trustedCountsNow') : rest ? t('trustedCounts', { time: duration(rest) }) : t('trustedCountsBare');
  if (done) {
    return (
      <div class="card narrow">
        <span class="badge"><Icon name="check" /></span>
        <h1>{t('trustedProved')}</h1>
        <p>{next}</p>
        <p>{t('trustedNotices')}</p>
        {way}
      </div>
    );
  }
  if (link.dead || !link.token) return <DeadLink dead={link.dead ?? 'damaged'} gone={t('trustedGone')}>{way}</DeadLink>;
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="mail" /></span>
      <h1>{t('trustedProve')}</h1>
      <p>{t('trustedProveText')}</p>
      <p class="hint">{t('trustedProveNot')}</p>
      <Form submit={t('trustedProveDo')} onSubmit={async () => {
        if (await link.use((token) => post('/auth/trusted-email/verify', { open: true, body: { token } }))) setDone(true);
      }}>{null}</Form>
    </div>
  );
}
