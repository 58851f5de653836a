// The pages that make an account: sign-up, and the first administrator's.
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import { useLeaveWhenIn } from '../shell/app';
import { Field, Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { signInDoor, signInPath } from '../shell/room';
import { fragment, go } from '../shell/router';
import { toast } from '../shell/ui';
import { Names, newAccount, NewPassword, Username } from './fields';
import { t } from './words';

// The address that was just signed up: in memory, so that the next page can name it.
export const awaited = signal('');

export function SignUp() {
  useLeaveWhenIn();
  return (
    <div class="card narrow">
      <h1>{t('signUp')}</h1>
      <Form submit={t('signUp')} onSubmit={async (v) => {
        await post('/auth/sign-up', { open: true, body: newAccount(v) });
        awaited.value = v.email!;
        go('/verify-email');
      }}>
        <Names />
        <Username />
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} hint={t('emailHint')} />
        <NewPassword />
      </Form>
      <p class="aside">{t('haveAccount')} <SignInLink /></p>
    </div>
  );
}

function SignInLink(props: { class?: string }) {
  const door = signInDoor();
  return door ? <a {...props} href={door.href}>{door.label()}</a> : null;
}

export function FirstAdmin() {
  const [token] = useState(() => fragment('token'));
  if (!token) {
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
        await post('/auth/first-admin', { open: true, body: { token, ...newAccount(v) } });
        toast(t('firstAdminDone'));
        go(signInPath());
      }}>
        <Names />
        <Username />
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} />
        <NewPassword />
      </Form>
    </div>
  );
}
