// The fields that the forms of this room share.
import { useState } from 'preact/hooks';
import type { Body } from '../shell/api';
import type { Account } from '../shell/auth';
import { Field, Password, type Values } from '../shell/form';
import { Icon } from '../shell/icon';
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

// The server's default. A server with another setting names it in its refusal.
const passwordMin = 12;

export function NewPassword() {
  const [length, setLength] = useState(0);
  const enough = length >= passwordMin;
  const rules = (
    <ul class="rules">
      <li class={enough ? 'met' : undefined}>
        <Icon name={enough ? 'check' : 'chevron'} /> {t('ruleLength', { count: passwordMin })}
        <span class="hidden">{length > 0 && enough ? t('ruleMet') : ''}</span>
      </li>
      <li><Icon name="chevron" /> {t('ruleWords')}</li>
      <li><Icon name="chevron" /> {t('ruleCommon')}</li>
    </ul>
  );
  return <Password name="password" label={t('password')} autoComplete="new-password" required hint={rules} onInput={(value) => setLength([...value].length)} />;
}

// newAccount reads the fields of a form that makes an account.
export function newAccount(v: Values): Body<'post', '/auth/sign-up'> {
  return { first_name: v.first_name!, last_name: v.last_name!, username: v.username!, email: v.email!, password: v.password! };
}
