// Dragging rows onto folders.
import type { Entry } from './tree';

let carried: readonly Entry[] = [];

// lift begins to drag entries; `label` is what hangs at the pointer.
export function lift(event: DragEvent, entries: readonly Entry[], label: string): void {
  carried = entries;
  const transfer = event.dataTransfer!;
  transfer.effectAllowed = 'move';
  // A type of our own: other programs take nothing from it.
  transfer.setData('application/x-coffer-entries', '');
  const ghost = document.createElement('div');
  ghost.className = 'ghost';
  ghost.textContent = label;
  document.body.append(ghost);
  transfer.setDragImage(ghost, 12, 12);
  setTimeout(() => ghost.remove());
}

export function lower(): void {
  carried = [];
  for (const mark of document.querySelectorAll('[data-over]')) mark.removeAttribute('data-over');
}

export type Receive = (entries: readonly Entry[], folder: string, name: string) => void;

// target makes an element take rows that are dropped on it, into the folder `id`.
export function target(id: string, name: string, here: string, receive: Receive) {
  const takes = () => carried.length > 0 && id !== here && !carried.some((e) => e.id === id);
  const over = (event: DragEvent) => {
    if (!takes()) return;
    event.preventDefault();
    event.dataTransfer!.dropEffect = 'move';
    (event.currentTarget as HTMLElement).dataset.over = '';
  };
  return {
    onDragEnter: over,
    onDragOver: over,
    onDragLeave: (event: DragEvent) => {
      const mine = event.currentTarget as HTMLElement;
      if (!mine.contains(event.relatedTarget as Node | null)) delete mine.dataset.over;
    },
    onDrop: (event: DragEvent) => {
      if (!takes()) return;
      event.preventDefault();
      const entries = carried;
      lower();
      receive(entries, id, name);
    },
  };
}
