// Reads folders: one page of a listing, the way down to a folder, all folders in one.
import { get, type Answer } from '../shell/api';

export type Entry = Answer<'get', '/files/{id}'>;
type Page = Answer<'get', '/files'>;

export type Column = 'name' | 'size' | 'modified';
export interface Sort {
  by: Column;
  down: boolean;
}

export function list(folder: string, sort: Sort, cursor: string | undefined, signal?: AbortSignal): Promise<Page> {
  return get('/files', { query: { parent: folder, sort: `${sort.down ? '-' : ''}${sort.by}`, limit: 100, cursor }, signal });
}

// path returns the folders from the top down to `id`, itself included.
export async function path(id: string, signal?: AbortSignal): Promise<Entry[]> {
  const way: Entry[] = [];
  for (let at: string | null | undefined = id; at; ) {
    const entry: Entry = await get('/files/{id}', { path: { id: at }, signal });
    way.unshift(entry);
    at = entry.parent;
  }
  return way;
}

export async function everyFolder(parent: string, signal?: AbortSignal): Promise<Entry[]> {
  const folders: Entry[] = [];
  let cursor: string | undefined;
  do {
    const page: Page = await get('/files', { query: { parent, sort: 'name', limit: 200, cursor }, signal });
    folders.push(...page.items.filter((e) => e.kind === 'folder'));
    cursor = page.next_cursor;
  } while (cursor);
  return folders;
}
