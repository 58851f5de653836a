// What every sign-in step says of itself on the security page, and the question before it goes.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { get } from './api';
import { Time } from './form';
import { ago, date } from './i18n';
import { Problem } from './problem';
import { collect, type Line } from './room';
import { Confirm } from './ui';
import { t } from './words';

// Used says since when a step is on, and when it was used last.
export function Used({ line }: { line: Line | undefined }) {
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
  const [ends, setEnds] = useState<string[]>(); // the ways back that end too
  const recovery = ends !== undefined;
  return (
    <Confirm key={String(recovery)} title={recovery ? t('waysBackTitle') : title} action={recovery ? t('turnOffBoth') : t('turnOff')} onClose={onClose} onConfirm={async () => {
      try {
        await off(recovery ? 'off' : undefined);
      } catch (err) {
        if (recovery || !(err instanceof Problem) || err.code !== 'recovery_needs_two_layers') throw err;
        setEnds(await waysOn());
        return false;
      }
      await onOff();
    }}>
      {!ends ? children : (
        <>
          <p>{t('waysBackText')}</p>
          {ends.length > 0 && <ul>{ends.map((name) => <li key={name}>{name}</li>)}</ul>}
          <p>{t('waysBackKeep')}</p>
        </>
      )}
    </Confirm>
  );
}

// waysOn names the ways back that are on.
async function waysOn(): Promise<string[]> {
  const lines = await get('/account/security');
  return collect((room) => room.security).flatMap(({ ways = {} }) => Object.entries(ways)).flatMap(([name, say]) => (lines[name]?.enabled ? say(lines[name]) : []));
}
