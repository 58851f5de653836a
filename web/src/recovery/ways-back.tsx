// The section of the security page with the ways back in. Each needs two sign-in steps.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../shell/icon';
import { leadToStep } from '../shell/layer';
import { stepsOf, type SecurityProps } from '../shell/room';
import { Skeleton } from '../shell/ui';
import { BackupCodes } from './backup';
import { TrustedAddress } from './trusted';
import { t } from './words';

const needed = 2; // sign-in steps

export function WaysBack({ status }: SecurityProps) {
  const { data, problem } = status;
  const missing = data ? Math.max(0, needed - stepsOf(data, true).length) : 0;
  const next = data && stepsOf(data, false)[0];
  return (
    <section class="card" aria-labelledby="ways-back">
      <div>
        <h2 id="ways-back">{t('waysBack')}</h2>
        <p class="hint">{t('waysBackHint')}</p>
      </div>
      {data && missing > 0 && (
        <div class="notice">
          <Icon name="shield" />
          <div>
            <p>{t('waysNeed', { count: missing })}</p>
            {next && <button type="button" class="button" onClick={() => leadToStep(next)}>{t('waysNeedDo')}</button>}
          </div>
        </div>
      )}
      {!data && !problem && <Skeleton rows={2} />}
      {data?.backup_codes && <BackupCodes status={status} may={missing === 0} />}
      {data?.trusted_email && <TrustedAddress status={status} may={missing === 0} />}
    </section>
  );
}

interface WayProps {
  id: string;
  title: string;
  tag?: string;
  good?: boolean;
  text: ComponentChildren;
  buttons: ComponentChildren;
  children?: ComponentChildren; // what stands below, and dialogs
}

// Way is one way back. When its buttons change under the focus, the first of them takes it.
export function Way({ id, title, tag, good, text, buttons, children }: WayProps) {
  const box = useRef<HTMLDivElement>(null);
  const held = useRef(false); // the focus, after the last render
  useEffect(() => {
    if (held.current && document.activeElement === document.body) box.current!.querySelector<HTMLElement>('.button')?.focus();
    held.current = box.current!.contains(document.activeElement);
  });
  return (
    <div class="way" ref={box} role="group" aria-labelledby={id}>
      <div>
        <h3 id={id}>{title} {tag && <span class={good ? 'tag good' : 'tag'}>{tag}</span>}</h3>
        {text}
      </div>
      {buttons && <div class="card-buttons">{buttons}</div>}
      {children}
    </div>
  );
}
