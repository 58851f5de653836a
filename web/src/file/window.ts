// A list draws the lines that are in view, those around them, and the one that has the focus. A line
// is a row of the list, or a row of tiles.
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Lines {
  around: number; // lines drawn beyond the edges of the screen
  step: number; // the edges move by so many lines
  height: number; // of one line in pixels, as far as that is known before one is drawn
}

export const inList: Lines = { around: 20, step: 8, height: 48.75 };
export const inTiles: Lines = { around: 4, step: 2, height: 236 };

export interface Drawn {
  rows: number[]; // the places of the lines that are drawn, in order
  height: number; // of one line, in pixels
}

// inView are the lines that a screen shows of a list which begins `top` pixels below its upper edge.
export function inView(top: number, screen: number, height: number, count: number, { around, step }: Lines = inList): [first: number, end: number] {
  const first = Math.floor((-top / height - around) / step) * step;
  const end = Math.ceil(((screen - top) / height + around) / step) * step;
  return [Math.min(Math.max(0, first), count), Math.min(Math.max(0, end), count)];
}

// drawn adds the line with the focus to the lines in view.
export function drawn([first, end]: readonly [number, number], focus: number, count: number): number[] {
  const rows = Array.from({ length: Math.max(0, Math.min(end, count) - first) }, (_, i) => first + i);
  if (focus < first && focus < count) rows.unshift(focus);
  else if (focus >= end && focus < count) rows.push(focus);
  return rows;
}

// useWindow says which of `count` lines are drawn. All of them are equally high. The element in
// `box` holds one marked data-body with the lines, which are marked data-line.
export function useWindow(box: RefObject<HTMLElement | null>, count: number, focus: number, lines: Lines): Drawn {
  const [range, setRange] = useState<readonly [number, number]>([0, Math.min(count, 2 * lines.around)]);
  const [height, setHeight] = useState(lines.height);
  const look = useRef(() => undefined as void);
  look.current = () => {
    const body = box.current?.querySelector('[data-body]');
    if (!body) return;
    const line = body.querySelector('[data-line]')?.getBoundingClientRect().height || height;
    if (Math.abs(line - height) > .01) setHeight(line);
    lines.height = line; // the next list of this kind begins with it
    const [first, end] = inView(body.getBoundingClientRect().top, innerHeight, line, count, lines);
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

  // The browser takes the focus from what moves in the document: it gets it back.
  const active = document.activeElement;
  useLayoutEffect(() => {
    if (active instanceof HTMLElement && active !== document.activeElement && active.isConnected && document.activeElement === document.body && box.current?.contains(active)) active.focus({ preventScroll: true });
  });
  return { rows: drawn(range, focus, count), height };
}
