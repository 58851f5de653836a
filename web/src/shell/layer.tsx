// The card of a sign-in step on the security page: whether it is on, since when, and when it was
// used last.
import type { ComponentChildren } from 'preact';
import type { Line, SecurityProps } from './room';
import { Used } from './turn-off';
import { Skeleton } from './ui';
import { t } from './words';

interface LayerCardProps extends SecurityProps {
  layer: string;
  title: string;
  text: (on: boolean, line: Line | undefined) => string;
  // The buttons beside the text.
  buttons: (on: boolean) => ComponentChildren;
  children?: ComponentChildren; // dialogs
}

// leadToStep brings a step's card into view, and gives its first button the focus.
export function leadToStep(layer: string): void {
  const card = document.getElementById(layer)?.closest('section');
  card?.querySelector<HTMLElement>('.button')?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: 'center' });
}

export function LayerCard({ layer, title, status: { data, problem }, text, buttons, children }: LayerCardProps) {
  const line = data?.[layer];
  const on = line?.enabled ?? false;
  return (
    <section class="card" aria-labelledby={layer}>
      <div class="card-head">
        <div>
          <h2 id={layer}>{title} {data && <span class={on ? 'tag good' : 'tag'}>{on ? t('on') : t('off')}</span>}</h2>
          <p class="hint">{text(on, line)}</p>
          <Used line={line} />
        </div>
        {data && <div class="card-buttons">{buttons(on)}</div>}
      </div>
      {!data && !problem && <Skeleton rows={1} />}
      {children}
    </section>
  );
}
