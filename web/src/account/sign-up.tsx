// The pages that make an account: sign-up, and the first administrator's.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { useLeaveWhenIn } from '../shell/app';
import { keeper } from '../shell/auth';
import { Entries } from '../shell/entries';
import { Field, Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { useLink, whenGone } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { NewPassword } from '../shell/new-password';
import { Problem } from '../shell/problem';
import { signInPath } from '../shell/room';
import { go } from '../shell/router';
import { toast } from '../shell/ui';
import { setAwaited } from './awaited';
import { Names, newAccount, Username } from './fields';
import { t } from './words';

export function SignUp() {
  useLeaveWhenIn();
  return (
    <div class="card narrow">
      <h1>{t('signUp')}</h1>
      <Form submit={t('signUp')} onSubmit={async (v) => {
        await post('/auth/sign-up', { open: true, body: newAccount(v) });
        setAwaited(v.email!);
        go('/verify-email');
      }}>
        <Names />
        <Username />
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} hint={t('emailHint')} />
        <NewPassword />
      </Form>
      <Entries signUp onOpened={(opened) => keeper().enter(opened)} />
      <p class="aside">{t('haveAccount')} <SignInLink /></p>
    </div>
  );
}

// FirstAdmin makes the first account. The page says at once when its link is used.
export function FirstAdmin() {
  const link = useLink();
  const [over, setOver] = useState(false);
  const gone = () => {
    link.used();
    setOver(true);
  };
  useEffect(() => whenGone(link.secret, '/auth/first-admin/check', gone), []);
  if (link.damaged || over) {
    return (
      <DeadLink dead={over ? 'gone' : 'damaged'} gone={t('firstAdminGone')} damaged={t('firstAdminDamaged')} icon="shield">
        <p><SignInLink class={over ? 'button primary' : 'button'} /></p>
      </DeadLink>
    );
  }
  if (!link.secret) {
    return (
      <div class="card narrow">
        <h1>{t('firstAdmin')}</h1>
        <p>{t('firstAdminNoToken')}</p>
        <p><SignInLink class="button" /></p>
      </div>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="shield" /></span>
      <h1>{t('firstAdmin')}</h1>
      <p>{t('firstAdminText')}</p>
      <Form submit={t('firstAdminDo')} onSubmit={async (v) => {
        try {
          await post('/auth/first-admin', { open: true, body: { token: link.secret, ...newAccount(v) } });
        } catch (err) {
          if (!(err instanceof Problem) || err.code !== 'link_gone') throw err;
          return gone();
        }
        link.used();
        go(signInPath());
        toast(t('firstAdminDone'));
      }}>
        <Names />
        <Username />
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} />
        <NewPassword />
      </Form>
    </div>
  );
}
