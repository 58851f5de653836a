// Folders, and several entries, as one zip that the server writes while it sends.
import { stream, streamOf } from '../shell/api';
import { saveStream } from '../shell/save';
import { toast } from '../shell/ui';
import type { Entry } from './tree';
import { t } from './words';

// The server takes so many entries in one call.
const atOnce = 1000;

// saveZip begins a download of entries. `all` names the folder when they are all of it.
export function saveZip(entries: readonly Entry[], all?: { id: string; name: string }): void {
  const [one] = entries;
  if (entries.length === 1 && one!.kind === 'folder') return folder(one!);
  if (entries.length > atOnce) return all?.id ? folder(all) : toast(t('tooManyForZip', { count: atOnce }), true);
  const ids = entries.map((e) => e.id);
  saveStream({
    name: () => t('zipOf', { count: ids.length }),
    file: () => 'Coffer.zip',
    open: (signal) => streamOf('/files/archive', { body: { ids }, signal }),
  });
}

function folder({ id, name }: { id: string; name: string }): void {
  saveStream({
    name: () => name + '.zip',
    file: () => name + '.zip',
    open: (signal) => stream('/files/{id}/archive', { path: { id }, signal }),
  });
}
