// Whether files stand in a list or in a grid. The browser remembers it.
import { signal } from '@preact/signals';
import { Icon } from '../shell/icon';
import { t } from './words';

const where = 'coffer.files.layout';

export type LaidOut = 'list' | 'tiles';

export const layout = signal<LaidOut>(localStorage.getItem(where) === 'tiles' ? 'tiles' : 'list');

let top: number | undefined; // the entry that stood at the upper edge

function firstInView(): number | undefined {
  const edge = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0;
  const first = scrollY > 0 && [...document.querySelectorAll('[data-at]')].find((e) => e.getBoundingClientRect().bottom > edge + 8);
  return first ? Number(first.getAttribute('data-at')) : undefined;
}

// arrive answers once which entry the other layout had at its upper edge.
export function arrive(): number | undefined {
  const at = top;
  top = undefined;
  return at;
}

export function LayoutChoice() {
  const now = layout.value;
  const set = (to: LaidOut) => {
    top = firstInView();
    layout.value = to;
    localStorage.setItem(where, to);
  };
  const choice = (to: LaidOut, label: string) => (
    <button type="button" class="icon-button" aria-pressed={now === to} aria-label={label} title={label} onClick={() => set(to)}><Icon name={to} /></button>
  );
  return (
    <div class="layout" role="group" aria-label={t('layout')}>
      {choice('list', t('asList'))}
      {choice('tiles', t('asGrid'))}
    </div>
  );
}
