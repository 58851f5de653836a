// The field of a new password, with the rules that the page can check.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Password } from './form';
import { Icon } from './icon';
import { longEnough, passwordMin, personal } from './rules';
import { useSettings } from './settings';
import { t } from './words';

interface NewPasswordProps {
  name?: string;
  label?: string;
  // What the page knows of the person. Beside it count the fields of the form.
  about?: readonly string[];
  autoFocus?: boolean;
  // The page does not know whose password it is, and cannot promise a tick.
  stranger?: boolean;
}

// NewPassword ticks each rule as it is met. What the page knows of the person counts: a
// password may not be made of it.
export function NewPassword({ name = 'password', label = t('password'), about = [], stranger, autoFocus }: NewPasswordProps) {
  const [met, setMet] = useState({ length: false, own: false });
  const list = useRef<HTMLUListElement>(null);
  const min = useSettings()?.password_min ?? passwordMin;
  const known = about.join('\n');
  useLayoutEffect(() => {
    const form = list.current!.closest('form')!;
    const look = () => {
      const value = (field: string) => (form.elements.namedItem(field) as HTMLInputElement | null)?.value ?? '';
      const password = value(name);
      const own = [...known.split('\n'), value('first_name'), value('last_name'), value('username'), value('email').split('@')[0]!];
      setMet({ length: longEnough(password, min), own: password !== '' && !personal(password, own) });
    };
    look();
    form.addEventListener('input', look);
    return () => form.removeEventListener('input', look);
  }, [min, known]);
  const rules = (
    <>
      <ul class="rules" ref={list}>
        <Rule met={met.length} text={t('ruleLength', { count: min })} />
        {!stranger && <Rule met={met.own} text={t('ruleOwn')} />}
      </ul>
      <p>{t(stranger ? 'ruleStranger' : 'ruleWords')}</p>
    </>
  );
  return <Password name={name} label={label} autoComplete="new-password" required hint={rules} autoFocus={autoFocus} />;
}

function Rule({ met, text }: { met: boolean; text: string }) {
  return (
    <li class={met ? 'met' : undefined}>
      <Icon name={met ? 'check' : 'chevron'} /> {text} <span class="hidden">{met ? t('ruleMet') : ''}</span>
    </li>
  );
}
