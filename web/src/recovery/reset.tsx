// The page of the link for a new password. Opening it does nothing: a person presses the button.
import { post } from '../shell/api';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { NewPassword } from '../shell/new-password';
import { Problem } from '../shell/problem';
import { go } from '../shell/router';
import { toast } from '../shell/ui';
import { enterBy } from './enter';
import { setTyped } from './typed';
import { t } from './words';

export function Reset() {
  const link = useOneTime('/auth/password/reset/check');
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
        try {
          await enterBy(link, (token, opening) => post('/auth/password/reset', { open: true, body: { token, password: v.password!, ...opening } }), t('resetDone'));
        } catch (err) {
          if (!(err instanceof Problem) || err.code !== 'account_deactivated') throw err;
          // The new password is set, and activates the account.
          link.used();
          setTyped({ identifier: '', password: v.password });
          go('/activate', { replace: true });
          toast(t('resetDone'));
        }
      }}>
        <NewPassword label={t('newPassword')} stranger />
      </Form>
    </div>
  );
}
