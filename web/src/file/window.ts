// A list draws the rows that are in view, those around them, and the one that has the focus.
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

const around = 20; // rows drawn beyond the edges of the screen
const step = 8; // the edges move by so many rows

export interface Drawn {
  rows: number[]; // the places of the rows that are drawn, in order
  height: number; // of one row, in pixels
}

// inView are the rows that a screen shows of a list which begins `top` pixels below its upper edge.
export function inView(top: number, screen: number, height: number, count: number): [first: number, end: number] {
  const first = Math.floor((-top / height - around) / step) * step;
  const end = Math.ceil(((screen - top) / height + around) / step) * step;
  return [Math.min(Math.max(0, first), count), Math.min(Math.max(0, end), count)];
}

// drawn adds the row with the focus to the rows in view.
export function drawn([first, end]: readonly [number, number], focus: number, count: number): number[] {
  const rows = Array.from({ length: Math.max(0, Math.min(end, count) - first) }, (_, i) => first + i);
  if (focus < first && focus < count) rows.unshift(focus);
  else if (focus >= end && focus < count) rows.push(focus);
  return rows;
}

// useWindow says which of `count` rows the table draws. All rows are equally high.
export function useWindow(table: RefObject<HTMLTableElement | null>, count: number, focus: number): Drawn {
  const [range, setRange] = useState<readonly [number, number]>([0, Math.min(count, 2 * around)]);
  const [height, setHeight] = useState(() => (matchMedia('(max-width: 40rem)').matches ? 56.25 : 48.75));
  const look = useRef(() => undefined as void);
  look.current = () => {
    const body = table.current?.tBodies[0];
    if (!body) return;
    const row = body.querySelector('tr[data-at]')?.getBoundingClientRect().height || height;
    if (Math.abs(row - height) > .01) setHeight(row);
    const [first, end] = inView(body.getBoundingClientRect().top, innerHeight, row, count);
    setRange((now) => (now[0] === first && now[1] === end ? now : [first, end]));
  };
  useLayoutEffect(() => look.current(), [count, height]);
  useLayoutEffect(() => {
    const again = () => look.current();
    addEventListener('scroll', again, { passive: true });
    addEventListener('resize', again);
    return () => {
      removeEventListener('scroll', again);
      removeEventListener('resize', again);
    };
  }, []);

  // The browser takes the focus from a row that moves in the document: it gets it back.
  const active = document.activeElement;
  useLayoutEffect(() => {
    if (active instanceof HTMLElement && active !== document.activeElement && active.isConnected && document.activeElement === document.body && table.current?.contains(active)) active.focus({ preventScroll: true });
  });
  return { rows: drawn(range, focus, count), height };
}
