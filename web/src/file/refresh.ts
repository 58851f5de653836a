// Folders whose contents changed. A page that shows one reads it again.
import { signal } from '@preact/signals';

// Counts the changes of each folder; "" is the top.
export const changes = signal<Readonly<Record<string, number>>>({});

// everyFolder is the key under which a change is counted that may be anywhere.
const everyFolder = '*';

// refreshFolder tells the pages that the contents of a folder changed, here or elsewhere.
export function refreshFolder(id = everyFolder): void {
  const now = changes.peek();
  changes.value = { ...now, [id]: (now[id] ?? 0) + 1 };
}

// allChanges is how often anything changed so far.
export function allChanges(): number {
  return Object.values(changes.value).reduce((sum, n) => sum + n, 0);
}

// changesOf is how often the contents of a folder changed so far.
export function changesOf(id: string): number {
  return (changes.value[id] ?? 0) + (changes.value[everyFolder] ?? 0);
}
