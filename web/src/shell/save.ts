// Downloads whose length only their end tells, such as zips that the server writes while it sends.
// They go on while the person moves to other pages, and stand in the list of transfers. What breaks
// is never saved.
import { effect, signal } from '@preact/signals';
import { auth } from './auth';
import { asProblem, cancelled, Problem } from './problem';
import { downloading, downloads, type Download } from './transfers';

interface SaveFilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle & { remove?(): Promise<void> }>;
}

interface Saving {
  name: () => string; // in the list of transfers
  file: () => string; // the name to save it under
  open: (signal: AbortSignal) => Promise<Response>;
  began?: (download: Download) => void; // this one, and each further try
}

// saveStream begins a download and puts it in the list, in the place of an older one.
export function saveStream(saving: Saving, instead?: Download): void {
  guard();
  const stop = new AbortController();
  const mine: Download = {
    name: saving.name,
    received: signal(0),
    state: signal<'running' | 'done' | 'failed' | 'cancelled'>('running'),
    problem: signal<Problem | undefined>(undefined),
    cancel: () => stop.abort(),
    again: () => saveStream(saving, mine),
  };
  downloads.value = [...downloads.peek().filter((d) => d !== instead), mine];
  saving.began?.(mine);
  write(saving, stop.signal, (bytes) => {
    mine.received.value += bytes;
  }).then(() => {
    mine.state.value = 'done';
  }, (err: unknown) => {
    const problem = stop.signal.aborted ? cancelled() : asProblem(err);
    if (problem.code === 'cancelled') {
      mine.state.value = 'cancelled';
      return;
    }
    mine.problem.value = problem;
    mine.state.value = 'failed';
  });
}

// write puts the bytes straight into the file that the person picks, where the browser can do
// that, because nobody knows how many come. Other browsers keep them until their end.
async function write({ file, open }: Saving, stop: AbortSignal, seen: (bytes: number) => void): Promise<void> {
  const name = file();
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (!showSaveFilePicker) {
    const response = await open(stop);
    const parts: Blob[] = [];
    let held: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    // The browser may put blobs on its disk; bytes stay in the memory.
    const put = () => {
      parts.push(new Blob(held));
      held = [];
      bytes = 0;
    };
    await read(response, (chunk) => {
      held.push(chunk);
      bytes += chunk.length;
      if (bytes >= 4 << 20) put();
      seen(chunk.length);
    });
    put();
    return give(new Blob(parts, { type: 'application/zip' }), name);
  }
  // Asked first: the picker needs the press of the button that led here.
  const handle = await showSaveFilePicker.call(window, { suggestedName: name }).catch(() => {
    throw cancelled();
  });
  try {
    const response = await open(stop);
    const to = await handle.createWritable();
    try {
      await read(response, async (chunk) => {
        await to.write(chunk);
        seen(chunk.length);
      });
    } catch (err) {
      await to.abort();
      throw err;
    }
    await to.close();
  } catch (err) {
    await handle.remove?.().catch(() => undefined); // the picker has made an empty file
    throw err;
  }
}

async function read(response: Response, put: (chunk: Uint8Array<ArrayBuffer>) => void | Promise<void>): Promise<void> {
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Problem({ status: 0, code: 'download_broken' });
    });
    if (done) return;
    await put(value);
  }
}

// give hands bytes to the browser's own downloads.
export function give(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// Leaving the app would break a download, so the browser asks first; signing out cancels all.
let guarded = false;

function guard(): void {
  if (guarded) return;
  guarded = true;
  addEventListener('beforeunload', (event) => {
    if (downloading.value > 0) event.preventDefault();
  });
  effect(() => {
    if (auth.value.is !== 'out') return;
    for (const d of downloads.peek()) if (d.state.peek() === 'running') d.cancel();
    downloads.value = [];
  });
}
