// The page of the link that stops a recovery. Opening it does nothing: a person presses the button.
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { focusMain } from '../shell/app';
import { me } from '../shell/auth';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { t } from './words';

export function Stop() {
  const link = useOneTime('/auth/recovery/stop/check');
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (done) focusMain();
  }, [done]);
  const newPassword = <a class="button primary" href="/forgot">{t('stopNext')}</a>;
  if (done) {
    return (
      <div class="card narrow">
        <span class="badge"><Icon name="shield" /></span>
        <h1>{t('stopDone')}</h1>
        <p>{t('stopAdvice')}</p>
        <div class="form-actions">{newPassword}</div>
      </div>
    );
  }
  if (link.dead || !link.token) {
    return (
      <DeadLink dead={link.dead ?? 'damaged'} gone={t('stopGone')}>
        <div class="form-actions">{newPassword}<SignInLink class="button" /></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="warning" /></span>
      <h1>{t('stop')}</h1>
      <p>{t('stopText')}</p>
      <p class="hint">{t('stopMine')}</p>
      <Form submit={t('stopDo')} danger onSubmit={async () => {
        if (!(await link.use((token) => post('/auth/recovery/stop', { open: true, body: { token } })))) return;
        setDone(true);
        // The frame goes at once when this browser's session has ended too.
        if (me()) void get('/account').catch(() => undefined);
      }}>{null}</Form>
    </div>
  );
}
