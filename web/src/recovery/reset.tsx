// The page of the link for a new password. Opening it does nothing: a person presses the button.
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import { keeper } from '../shell/auth';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { NewPassword } from '../shell/new-password';
import { Problem } from '../shell/problem';
import { toast } from '../shell/ui';
import { t } from './words';

export function Reset() {
  const link = useOneTime('/auth/password/reset/check');
  const [deactivated, setDeactivated] = useState(false);
  if (link.dead || !link.token) {
    return (
      <DeadLink dead={link.dead ?? 'damaged'} gone={t('resetGone')} damaged={t('resetDamaged')}>
        <div class="form-actions"><a class="button primary" href="/forgot">{t('newLink')}</a><SignInLink class="button" /></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="shield" /></span>
      <h1>{t('reset')}</h1>
      <p>{t('resetText')}</p>
      <Form submit={t('resetDo')} onSubmit={async (v) => {
        setDeactivated(false);
        try {
          await link.use(async (token) => {
            const opened = await post('/auth/password/reset', { open: true, body: { token, password: v.password!, ...(await keeper().opening()) } });
            await keeper().enter(opened);
            toast(t('resetDone'));
          });
        } catch (err) {
          if (err instanceof Problem && err.code === 'account_deactivated') setDeactivated(true);
          throw err;
        }
      }}>
        <NewPassword label={t('newPassword')} stranger />
      </Form>
      {deactivated && <p class="aside">{t('deactivatedText')} <a href="/activate">{t('activate')}</a></p>}
    </div>
  );
}
