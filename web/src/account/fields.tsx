// The fields that the forms of this room share.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Body } from '../shell/api';
import type { Account } from '../shell/auth';
import { Field, Password, type Values } from '../shell/form';
import { Icon } from '../shell/icon';
import { useSettings } from '../shell/settings';
import { longEnough, passwordMin, personal } from './rules';
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

// NewPassword ticks each rule as it is met. The fields beside it count: a password may not be
// made of them.
export function NewPassword() {
  const [met, setMet] = useState({ length: false, own: false });
  const list = useRef<HTMLUListElement>(null);
  const min = useSettings()?.password_min ?? passwordMin;
  useLayoutEffect(() => {
    const form = list.current!.closest('form')!;
    const look = () => {
      const value = (name: string) => (form.elements.namedItem(name) as HTMLInputElement | null)?.value ?? '';
      const password = value('password');
      const about = [value('first_name'), value('last_name'), value('username'), value('email').split('@')[0]!];
      setMet({ length: longEnough(password, min), own: password !== '' && !personal(password, about) });
    };
    form.addEventListener('input', look);
    return () => form.removeEventListener('input', look);
  }, [min]);
  const rules = (
    <>
      <ul class="rules" ref={list}>
        <Rule met={met.length} text={t('ruleLength', { count: min })} />
        <Rule met={met.own} text={t('ruleOwn')} />
      </ul>
      <p>{t('ruleWords')}</p>
    </>
  );
  return <Password name="password" label={t('password')} autoComplete="new-password" required hint={rules} />;
}

function Rule({ met, text }: { met: boolean; text: string }) {
  return (
    <li class={met ? 'met' : undefined}>
      <Icon name={met ? 'check' : 'chevron'} /> {text} <span class="hidden">{met ? t('ruleMet') : ''}</span>
    </li>
  );
}

// newAccount reads the fields of a form that makes an account.
export function newAccount(v: Values): Body<'post', '/auth/sign-up'> {
  return { first_name: v.first_name!, last_name: v.last_name!, username: v.username!, email: v.email!, password: v.password! };
}
