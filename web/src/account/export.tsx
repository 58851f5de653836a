// "Download my data": one zip that the server streams.
import { signal } from '@preact/signals';
import { stream } from '../shell/api';
import { saveStream } from '../shell/save';
import type { Download } from '../shell/transfers';
import { t } from './words';

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
  saveStream({
    name: () => t('data'),
    file: () => `coffer-${new Date().toISOString().slice(0, 10)}.zip`,
    open: (signal) => stream('/account/export', { signal }),
    began: (download) => {
      current.value = download;
    },
  }, current.peek());
}
