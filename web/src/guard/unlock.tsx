// The page of the link in the mail that strangers try passwords: it lets this device sign in.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, NewPasswordLink, SignInLink } from '../shell/link-page';
import { focusMain } from '../shell/app';
import { t } from './words';

export function Unlock() {
  const link = useOneTime('/auth/unlock/check');
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (done) focusMain();
  }, [done]);
  if (done) {
    return (
      <div class="card narrow centre">
        <span class="badge"><Icon name="check" /></span>
        <h1>{t('unlocked')}</h1>
        <p>{t('unlockedText')}</p>
        <div class="form-actions"><SignInLink class="button primary" /><NewPasswordLink class="button" /></div>
      </div>
    );
  }
  if (link.dead || !link.token) {
    return (
      <DeadLink dead={link.dead ?? 'damaged'} gone={t('unlockGone')} damaged={t('unlockDamaged')} icon="key">
        <div class="form-actions"><SignInLink class="button primary" /><NewPasswordLink class="button" /></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow centre">
      <span class="badge"><Icon name="key" /></span>
      <h1>{t('unlock')}</h1>
      <p>{t('unlockText')}</p>
      <Form submit={t('unlockDo')} onSubmit={async () => {
        if (await link.use((token) => post('/auth/unlock', { open: true, body: { token } }))) setDone(true);
      }}>{null}</Form>
      <p class="aside">{t('unlockNot')} <NewPasswordLink /></p>
    </div>
  );
}
