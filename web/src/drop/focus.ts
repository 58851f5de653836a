// The focus in a list whose rows move from one group to another.
import { useEffect, useRef } from 'preact/hooks';

// useKeptFocus gives a list what keeps the focus at the row that was pressed, when the pressed
// button makes room for another one. Of a row that is gone the heading gets it.
export function useKeptFocus() {
  const box = useRef<HTMLElement>(null);
  const last = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (last.current === undefined || document.activeElement !== document.body) return;
    const row = [...box.current!.querySelectorAll<HTMLElement>('[data-item]')].find((e) => e.dataset.item === last.current);
    (row?.querySelector<HTMLElement>('button') ?? box.current!.querySelector<HTMLElement>('h2'))?.focus();
  });
  return {
    ref: box,
    onFocusIn: (event: FocusEvent) => {
      const row = (event.target as Element).closest<HTMLElement>('[data-item]');
      last.current = row?.dataset.item ?? ((event.target as Element).closest('.drop-main') ? box.current!.querySelector<HTMLElement>('[data-item]')?.dataset.item : undefined);
    },
    onFocusOut: (event: FocusEvent) => {
      // The person went elsewhere; a button that is gone has nowhere to hand the focus.
      if (event.relatedTarget) last.current = undefined;
    },
  };
}
