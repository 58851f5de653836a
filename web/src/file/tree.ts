// Reads folders: one page of a listing, the way down to a folder, all folders in one.
import type { Entry, Page } from '../api';
import { get } from '../shell/auth';

export type Column = 'name' | 'size' | 'modified';
export interface Sort {
  by: Column;
  down: boolean;
}

export function list(folder: string, sort: Sort, cursor: string | undefined, signal?: AbortSignal): Promise<Page<Entry>> {
  return get<Page<Entry>>('/files', { parent: folder, sort: (sort.down ? '-' : '') + sort.by, limit: 100, cursor }, signal);
}

// path answers the folders from the top down to `id`, itself included.
export async function path(id: string, signal?: AbortSignal): Promise<Entry[]> {
  const way: Entry[] = [];
  for (let at: string | null | undefined = id; at; ) {
    const entry: Entry = await get<Entry>(`/files/${encodeURIComponent(at)}`, {}, signal);
    way.unshift(entry);
    at = entry.parent;
  }
  return way;
}

export async function everyFolder(parent: string, signal?: AbortSignal): Promise<Entry[]> {
  const folders: Entry[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Entry> = await get<Page<Entry>>('/files', { parent, sort: 'name', limit: 200, cursor }, signal);
    folders.push(...page.items.filter((e) => e.kind === 'folder'));
    cursor = page.next_cursor;
  } while (cursor);
  return folders;
}
