// How a list was looked at: its sorting, how far it was read, and where it was scrolled
// to. The browser keeps it with the page's place in the history, so that Back and a reload
// find it again.
import type { Column, Sort } from './tree';

export interface View {
  sort: Sort;
  pages: number; // how many pages of the list were read
  scroll: number;
  focus: string; // the entry that Tab reaches; "" when none was chosen
}

const columns: readonly string[] = ['name', 'size', 'modified'] satisfies Column[];
const most = 1000; // pages that are read again at once

export const sortText = (s: Sort): string => (s.down ? '-' : '') + s.by;

export function sortOf(text: unknown): Sort | undefined {
  if (typeof text !== 'string') return undefined;
  const by = text.replace(/^-/, '');
  return columns.includes(by) ? { by: by as Column, down: text.startsWith('-') } : undefined;
}

// viewOf reads the view of a folder from the state of a history entry. One that is not of
// this folder, or damaged, is a fresh view with the sorting that was used last.
export function viewOf(state: unknown, folder: string, last: unknown): View {
  const fresh: View = { sort: sortOf(last) ?? { by: 'name', down: false }, pages: 1, scroll: 0, focus: '' };
  const kept = (state as { files?: Record<string, unknown> } | null)?.files;
  if (typeof kept !== 'object' || kept === null || kept.folder !== folder) return fresh;
  const sort = sortOf(kept.sort);
  if (!sort) return fresh;
  return {
    sort,
    pages: whole(kept.pages, 1, most),
    scroll: whole(kept.scroll, 0, 1e7),
    focus: typeof kept.focus === 'string' ? kept.focus : '',
  };
}

function whole(n: unknown, least: number, most: number): number {
  return typeof n === 'number' && Number.isFinite(n) ? Math.min(most, Math.max(least, Math.round(n))) : least;
}

// stateOf adds a view to the state of a history entry.
export function stateOf(state: unknown, folder: string, v: View): object {
  return { ...(typeof state === 'object' ? state : null), files: { folder, sort: sortText(v.sort), pages: v.pages, scroll: Math.round(v.scroll), focus: v.focus } };
}
