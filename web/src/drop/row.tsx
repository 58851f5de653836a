// A line of an item, and how far it is.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Meter } from '../shell/meter';
import { Name } from '../shell/name';
import { pace, percent } from '../shell/pace';
import type { Item } from './drop';
import { clean } from './names';
import { t } from './words';

export const sizeOf = (item: Item): string => [size(item.size), ...(item.kind === 'folder' ? [t('filesInside', { count: item.files })] : [])].join(' · ');

interface RowProps {
  item: Item;
  hint?: ComponentChildren;
  children?: ComponentChildren; // below the name
  actions?: ComponentChildren;
  class?: string;
}

export function Row({ item, hint, children, actions, class: extra }: RowProps) {
  return (
    <li data-item={item.id} class={extra ? 'drop-row ' + extra : 'drop-row'}>
      <Icon name={iconOf(item)} class={'drop-kind' + (item.kind === 'folder' ? ' folder' : '')} />
      <div class="drop-row-text">
        <p class="drop-row-name"><Name name={clean(item.name)} read /></p>
        <p class="hint">{hint ?? sizeOf(item)}</p>
        {children}
      </div>
      {actions && <div class="drop-row-actions">{actions}</div>}
    </li>
  );
}

function iconOf({ kind, type }: Item): Icon {
  if (kind === 'folder') return 'folder';
  const [family] = type.split('/');
  return family === 'image' || family === 'audio' || family === 'video' ? family : /zip|tar|compressed/.test(type) ? 'archive' : 'file';
}

// Progress draws the bar, and says percent, speed and the time that is left.
export function Progress({ label, done, total, to, moving = true }: { label: string; done: number; total: number; to?: string; moving?: boolean }) {
  const meter = useRef<Meter>(undefined);
  meter.current ??= new Meter();
  const [, tick] = useState(0);
  if (moving) meter.current.note(performance.now(), done);
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [moving]);
  const words = [percent(done, total), t('ofWhole', { done: size(done), size: size(total) }), ...(moving ? pace(meter.current, total - done) : [])];
  return (
    <>
      <progress value={done} max={Math.max(1, total)} aria-label={label} />
      <p class="hint drop-pace">{to && <span class="drop-to">{to}</span>} <span>{words.join(' · ')}</span></p>
    </>
  );
}
