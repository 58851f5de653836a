// Downloads carry the access token in a header, so they go through fetch.
//
// The limit: the API has no address that works without that header (tokens never stand
// in URLs), so a plain link cannot do it. Where the browser has a save picker
// (Chromium), large files stream to disk; elsewhere the whole file passes through the
// browser's blob storage, which for very large files may be more than it allows. The
// command line and the REST API have no such limit.
import { stream } from '../shell/api';
import { cancelled } from '../shell/problem';
import { give } from '../shell/save';
import type { Entry } from './tree';

interface SaveFilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

// Smaller files are saved without asking where.
const askFrom = 64 << 20;

// download saves one file.
export function download(entry: Entry): Promise<void> {
  return save(entry.name, entry.size, () => stream('/files/{id}/content', { path: { id: entry.id } }));
}

// save writes what the server sends into a file of that name.
export async function save(name: string, size: number, open: () => Promise<Response>): Promise<void> {
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (size < askFrom || !showSaveFilePicker) return give(await (await open()).blob(), name);
  // Asked first: the picker needs the press of the button that led here.
  const handle = await showSaveFilePicker.call(window, { suggestedName: name }).catch(() => {
    throw cancelled();
  });
  await (await open()).body!.pipeTo(await handle.createWritable());
}
