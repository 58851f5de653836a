// Folders whose contents changed. A page that shows one reads it again.
import { signal } from '@preact/signals';

// changes counts the changes of each folder; "" is the top.
export const changes = signal<Readonly<Record<string, number>>>({});

// refreshFolder tells the pages that the contents of a folder changed, here or elsewhere.
export function refreshFolder(id: string): void {
  changes.value = { ...changes.value, [id]: (changes.value[id] ?? 0) + 1 };
}
