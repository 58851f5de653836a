// "Download my data": one zip that the server streams. It goes on while the person moves to other
// pages, and stands in the list of transfers. What breaks is never saved.
import { effect, signal } from '@preact/signals';
import { stream } from '../shell/api';
import { auth } from '../shell/auth';
import { asProblem, cancelled, Problem } from '../shell/problem';
import { downloads, type Download } from '../shell/transfers';
import { t } from './words';

interface SaveFilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle & { remove?(): Promise<void> }>;
}

// The one download of this tab: a second press while it runs does nothing.
const current = signal<Download | undefined>(undefined);

const running = () => current.value?.state.value === 'running';

export function ExportSection() {
  return (
    <section class="card" aria-labelledby="data">
      <div class="card-head">
        <div>
          <h2 id="data">{t('data')}</h2>
          <p class="hint">{t('dataText')}</p>
        </div>
        <ExportButton />
      </div>
    </section>
  );
}

export function ExportButton() {
  return (
    <button type="button" class="button" aria-disabled={running()} onClick={() => {
      if (!running()) begin();
    }}>
      {running() && <span class="spinner" aria-hidden="true" />}
      {running() ? t('dataRuns') : t('dataDo')}
    </button>
  );
}

function begin(): void {
  const stop = new AbortController();
  const mine: Download = {
    name: () => t('data'),
    received: signal(0),
    state: signal<'running' | 'done' | 'failed' | 'cancelled'>('running'),
    problem: signal<Problem | undefined>(undefined),
    cancel: () => stop.abort(),
    again: begin,
  };
  downloads.value = [...downloads.peek().filter((d) => d !== current.peek()), mine];
  current.value = mine;
  save(stop.signal, (bytes) => {
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

// save writes the zip straight into the file that the person picks, where the browser can do
// that, because nobody knows how large it will be. Other browsers keep it until its end.
async function save(stop: AbortSignal, seen: (bytes: number) => void): Promise<void> {
  const name = `coffer-${new Date().toISOString().slice(0, 10)}.zip`;
  const { showSaveFilePicker } = window as SaveFilePicker;
  if (!showSaveFilePicker) {
    const response = await stream('/account/export', { signal: stop });
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
    const response = await stream('/account/export', { signal: stop });
    const file = await handle.createWritable();
    try {
      await read(response, async (chunk) => {
        await file.write(chunk);
        seen(chunk.length);
      });
    } catch (err) {
      await file.abort();
      throw err;
    }
    await file.close();
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

function give(zip: Blob, name: string): void {
  const url = URL.createObjectURL(zip);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// Leaving the app would break the download, so the browser asks first; signing out cancels it.
export function startExport(): void {
  addEventListener('beforeunload', (event) => {
    if (running()) event.preventDefault();
  });
  effect(() => {
    if (auth.value.is !== 'out') return;
    current.peek()?.cancel();
    downloads.value = downloads.peek().filter((d) => d !== current.peek());
    current.value = undefined;
  });
}
