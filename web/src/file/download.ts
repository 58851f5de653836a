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
export async function download(entry: Entry): Promise<void> {
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (entry.size < askFrom || !showSaveFilePicker) {
    const response = await stream('/files/{id}/content', { path: { id: entry.id } });
    return give(await response.blob(), entry.name);
  }
  // Asked first: the picker needs the press of the button that led here.
  const handle = await showSaveFilePicker.call(window, { suggestedName: entry.name }).catch(() => {
    throw cancelled();
  });
  const response = await stream('/files/{id}/content', { path: { id: entry.id } });
  await response.body!.pipeTo(await handle.createWritable());
}
