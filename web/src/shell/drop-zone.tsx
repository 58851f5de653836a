// The whole page as a place to drop files on.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon';

// DropZone shows what a drop does while files hang over the page.
export function DropZone({ label, onDrop }: { label: string; onDrop: (transfer: DataTransfer) => void }) {
  const [dragging, setDragging] = useState(false);
  useDrop(onDrop, setDragging);
  return dragging ? <div class="drop" aria-hidden="true"><div><Icon name="upload" /><p>{label}</p></div></div> : null;
}

function useDrop(drop: (transfer: DataTransfer) => void, setDragging: (on: boolean) => void): void {
  const latest = useRef(drop);
  latest.current = drop;
  // Before the page is drawn: until then the browser itself would open what is dropped.
  useLayoutEffect(() => {
    let depth = 0; // dragenter and dragleave come for every element on the way
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const on: [keyof DocumentEventMap, (event: DragEvent) => void][] = [
      ['dragenter', () => { depth++; setDragging(true); }],
      ['dragleave', () => { if (--depth <= 0) { depth = 0; setDragging(false); } }],
      ['dragover', (event) => { event.dataTransfer!.dropEffect = 'copy'; }],
      ['drop', (event) => { depth = 0; setDragging(false); latest.current(event.dataTransfer!); }],
    ];
    const bound = on.map(([name, act]) => {
      const handler = (event: Event) => {
        if (!carries(event as DragEvent)) return;
        event.preventDefault();
        act(event as DragEvent);
      };
      document.addEventListener(name, handler);
      return [name, handler] as const;
    });
    return () => bound.forEach(([name, handler]) => document.removeEventListener(name, handler));
  }, []);
}
