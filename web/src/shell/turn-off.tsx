// What every sign-in step says of itself on the security page, and the question before it goes.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Answer } from './api';
import { Time } from './form';
import { ago, date } from './i18n';
import { Problem } from './problem';
import { Confirm } from './ui';
import { t } from './words';

type Protection = Answer<'get', '/account/security'>[string];

// Used says since when a step is on, and when it was used last.
export function Used({ line }: { line: Protection | undefined }) {
  if (!line?.enabled || !line.since) return null;
  return (
    <p class="hint">
      {t('onSince')} <Time at={line.since}>{date(line.since)}</Time>
      {'\u00a0· '}{line.last_used ? <>{t('lastUsed')} <Time at={line.last_used}>{ago(line.last_used)}</Time></> : t('neverUsed')}
    </p>
  );
}

interface TurnOffProps {
  title: string;
  children: ComponentChildren;
  // recovery says that the person agreed to lose the ways back in.
  off: (recovery?: 'off') => Promise<unknown>;
  onOff: () => Promise<void>;
  onClose: () => void;
}

// TurnOff asks before a step is turned off. It asks again when the ways back in end with it.
export function TurnOff({ title, children, off, onOff, onClose }: TurnOffProps) {
  const [recovery, setRecovery] = useState(false);
  return (
    <Confirm key={String(recovery)} title={recovery ? t('waysBackTitle') : title} action={recovery ? t('turnOffBoth') : t('turnOff')} onClose={onClose} onConfirm={async () => {
      try {
        await off(recovery ? 'off' : undefined);
      } catch (err) {
        if (recovery || !(err instanceof Problem) || err.code !== 'recovery_needs_two_layers') throw err;
        setRecovery(true);
        return false;
      }
      await onOff();
    }}>
      {recovery ? <p>{t('waysBackText')}</p> : children}
    </Confirm>
  );
}
