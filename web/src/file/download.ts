// Downloads carry the access token in a header, so they go through fetch.
//
// The limit: the API has no address that works without that header (tokens never stand
// in URLs), so a plain link cannot do it. Where the browser has a save picker
// (Chromium), large files stream to disk; elsewhere the whole file passes through the
// browser's blob storage, which for very large files may be more than it allows. The
// command line and the REST API have no such limit.
import { stream } from '../shell/api';
import { cancelled } from '../shell/problem';
import type { Entry } from './tree';

interface SaveFilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

// Smaller files are saved without asking where.
const askFrom = 64 << 20;

// download saves one file. With a signal it is one of several: no press of a button stands
// behind each of them, so the picker cannot open.
export async function download(entry: Entry, signal?: AbortSignal): Promise<void> {
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (entry.size >= askFrom && showSaveFilePicker && !signal) {
    // Asked first: the picker needs the press of the button that led here.
    const handle = await showSaveFilePicker.call(window, { suggestedName: entry.name }).catch(() => {
      throw cancelled();
    });
    const response = await stream('/files/{id}/content', { path: { id: entry.id } });
    await response.body!.pipeTo(await handle.createWritable());
    return;
  }
  const response = await stream('/files/{id}/content', { path: { id: entry.id }, signal });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = entry.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
