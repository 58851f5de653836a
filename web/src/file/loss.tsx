// What the page that deletes the account says of files: how many, and how large.
import { useEffect, useState } from 'preact/hooks';
import { size } from '../shell/i18n';
import { everything } from './tree';
import { t } from './words';

const enough = 10_000; // more are not counted to the end

interface Count {
  files: number;
  bytes: number;
  more: boolean;
}

export function FilesGo() {
  const [count, setCount] = useState<Count | 'unknown'>();
  useEffect(() => {
    const stop = new AbortController();
    countFiles(stop.signal).then(setCount, () => stop.signal.aborted || setCount('unknown'));
    return () => stop.abort();
  }, []);
  return <li>{words(count)}</li>;
}

function words(count: Count | 'unknown' | undefined): string {
  if (!count) return t('goFilesCounting');
  if (count === 'unknown') return t('goFilesAll');
  if (count.more) return t('goFilesMany', { count: count.files });
  return count.files === 0 ? t('goFilesNone') : t('goFiles', { count: count.files, size: size(count.bytes) });
}

// countFiles reads one folder after the other: the API has no count of a whole tree.
async function countFiles(signal: AbortSignal): Promise<Count> {
  const count: Count = { files: 0, bytes: 0, more: false };
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await everything(folder, { signal })) {
      if (entry.kind === 'folder') {
        folders.push(entry.id);
        continue;
      }
      count.files++;
      count.bytes += entry.size;
    }
    if (count.files >= enough) return { ...count, more: true };
  }
  return count;
}
