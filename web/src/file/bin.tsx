// To the trash and back.
import { del, post } from '../shell/api';
import { cut } from '../shell/cut';
import { asProblem, Problem } from '../shell/problem';
import { Confirm, toast } from '../shell/ui';
import { refreshFolder } from './refresh';
import type { Entry } from './tree';
import { Progress, report, useWork, workNow, type Work } from './work';
import { t } from './words';

// The key under which changes of the trash are counted, beside those of folders.
export const bin = 'trash';

// brief cuts a long name in the middle.
function brief(name: string): string {
  const [head, tail] = cut(name);
  return head.length > 24 ? head.slice(0, 20) + '…' + tail : name;
}

const gone = (err: unknown): undefined => {
  if (asProblem(err).code !== 'not_found') throw err; // gone already
};

// emptied says of what is no longer in the trash what became of it.
const emptied = (err: unknown): never => {
  throw asProblem(err).code === 'not_found' ? new Problem({ status: 404, code: 'not_in_trash' }) : err;
};

// discard moves entries to the trash without a question: the toast undoes it.
export async function discard(entries: readonly Entry[], onDone: (gone: readonly Entry[]) => Promise<unknown>): Promise<void> {
  await workNow(t('discarding', { count: entries.length }), entries.length, async (work) => {
    const out = await work.run(entries, (entry) => del('/files/{id}', { path: { id: entry.id } }).catch(gone));
    void onDone(out.done); // the list need not be read before the person is told
    refreshFolder(bin);
    const undo = { label: t('undo'), run: () => void restore(out.done) };
    report(out, entries.length, () => toast(t('discarded', { count: entries.length, name: brief(entries[0]!.name) }), false, undo), undo);
  });
}

// restore puts entries back where they were. Their folders may have gone, and their names may be
// taken by now: the server makes the ones anew, and numbers the others.
export async function restore(entries: readonly Entry[], onDone?: (gone: readonly Entry[]) => Promise<unknown>): Promise<void> {
  await workNow(t('restoring', { count: entries.length }), entries.length, async (work) => {
    const numbered: string[] = [];
    const out = await work.run(entries, async (entry) => {
      const back = await post('/trash/{id}/restore', { path: { id: entry.id } }).catch(emptied);
      if (back.name !== entry.name) numbered.push(back.name);
    });
    void onDone?.(out.done);
    refreshFolder();
    report(out, entries.length, () => toast(t('restored', { count: entries.length })));
    if (numbered.length > 0) toast(t('movedNumbered', { count: numbered.length, name: numbered[0]! }));
  });
}

interface ForGoodProps {
  entries: readonly Entry[];
  onClose: () => void;
  onDone: (gone: readonly Entry[]) => Promise<unknown>;
}

// ForGood asks once before what cannot be undone.
export function ForGood({ entries, onClose, onDone }: ForGoodProps) {
  const work: Work = useWork();
  const one = entries.length === 1 ? entries[0] : undefined;
  return (
    <Confirm title={one ? t('deleteOne') : t('deleteMany', { count: entries.length })} action={t('deleteForGood')} onClose={work.working ? work.stop : onClose} onConfirm={async () => {
      const out = await work.run(entries, (entry) => del('/trash/{id}', { path: { id: entry.id } }).catch(gone));
      await onDone(out.done);
      report(out, entries.length, () => toast(t('deleted', { count: entries.length })));
      onClose();
    }}>
      {one && <p class="long-name">{one.name}</p>}
      <p>{entries.some((e) => e.kind === 'folder') ? t('deleteFolderText') : t('deleteText')}</p>
      <Progress working={work.working} />
    </Confirm>
  );
}

export function EmptyTrash({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<unknown> }) {
  return (
    <Confirm title={t('emptyTrashTitle')} action={t('emptyTrash')} onClose={onClose} onConfirm={async () => {
      await del('/trash');
      await onDone();
      toast(t('emptied'));
    }}>
      <p>{t('emptyTrashText')}</p>
    </Confirm>
  );
}
