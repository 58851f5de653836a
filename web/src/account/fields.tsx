// The fields that the forms of this room share.
import type { Body } from '../shell/api';
import type { Account } from '../shell/auth';
import { Field, type Values } from '../shell/form';
import { t } from './words';

export function Names({ value }: { value?: Account }) {
  return (
    <div class="pair">
      <Field name="first_name" label={t('firstName')} autoComplete="given-name" required maxLength={100} value={value?.first_name} />
      <Field name="last_name" label={t('lastName')} autoComplete="family-name" required maxLength={100} value={value?.last_name} />
    </div>
  );
}

export function Username({ value }: { value?: string }) {
  return <Field name="username" label={t('username')} hint={t('usernameHint')} autoComplete="username" required maxLength={32} spellcheck={false} value={value} />;
}

// newAccount reads the fields of a form that makes an account.
export function newAccount(v: Values): Body<'post', '/auth/sign-up'> {
  return { first_name: v.first_name!, last_name: v.last_name!, username: v.username!, email: v.email!, password: v.password! };
}
