// The dialogs of the file room: new folder, rename, move, copy.
import { useState } from 'preact/hooks';
import { patch, post } from '../shell/api';
import { Field, Form } from '../shell/form';
import type { Target } from '../shell/room';
import { Dialog, toast } from '../shell/ui';
import { Chooser } from './choose';
import type { Entry } from './tree';
import { Progress, report, useWork, workNow, type Work } from './work';
import { t } from './words';

interface Props {
  onClose: () => void;
  onDone: (gone: readonly Entry[]) => Promise<unknown>;
}

export function NewFolder({ parent, onClose, onDone }: Props & { parent: string }) {
  return (
    <Dialog title={t('newFolder')} onClose={onClose}>
      <Form submit={t('create')} onCancel={onClose} onSubmit={async (v) => {
        const made = await post('/files/folders', { body: { name: v.name!, ...(parent && { parent }) } });
        onClose();
        if (made.name !== v.name!.normalize('NFC')) toast(t('numbered', { name: made.name }));
        await onDone([]);
      }}>
        <Field name="name" label={t('name')} required autoFocus autoComplete="off" maxLength={255} />
      </Form>
    </Dialog>
  );
}

export function Rename({ entry, onClose, onDone }: Props & { entry: Entry }) {
  return (
    <Dialog title={entry.kind === 'folder' ? t('renameFolder') : t('renameFile')} onClose={onClose}>
      <Form submit={t('rename')} onCancel={onClose} onSubmit={async (v) => {
        const wanted = v.name!.normalize('NFC');
        const changed = wanted === entry.name ? entry : await patch('/files/{id}', { path: { id: entry.id }, body: { name: v.name } });
        onClose();
        if (changed.name !== wanted) toast(entry.kind === 'folder' ? t('numbered', { name: changed.name }) : t('numberedFile', { name: changed.name }));
        await onDone([]);
      }}>
        <Field name="name" label={t('name')} value={entry.name} required autoFocus selectName={entry.kind === 'file'} autoComplete="off" maxLength={255} />
      </Form>
    </Dialog>
  );
}

// relocate moves or copies entries and says what became of them: where a name was taken, the
// server has chosen another.
async function relocate(kind: 'move' | 'copy', work: Work, entries: readonly Entry[], to: Target, onDone: Props['onDone']): Promise<void> {
  const numbered: string[] = [];
  const out = await work.run(entries, async (entry) => {
    const made = kind === 'move'
      ? await patch('/files/{id}', { path: { id: entry.id }, body: { parent: to.id } })
      : await post('/files/{id}/copy', { path: { id: entry.id }, body: { parent: to.id } });
    if (made.name !== entry.name) numbered.push(made.name);
  });
  await onDone(kind === 'move' ? out.done : []);
  report(out, entries.length, () => toast(kind === 'move' ? t('moved', { count: entries.length, folder: to.name }) : t('copied', { count: entries.length, folder: to.name })));
  if (numbered.length > 0) toast(t('movedNumbered', { count: numbered.length, name: numbered[0]! }));
}

// Relocate asks where to move or to copy. A copy may stay in its folder, under another name.
export function Relocate({ kind, entries, here, onClose, onDone }: Props & { kind: 'move' | 'copy'; entries: Entry[]; here: string | undefined }) {
  const [target, setTarget] = useState<Target>();
  const work = useWork();
  const close = work.working ? work.stop : onClose;
  const one = entries.length === 1 ? entries[0] : undefined;
  const title = kind === 'move' ? (one ? t('moveOne') : t('moveMany', { count: entries.length })) : one ? t('copyOne') : t('copyMany', { count: entries.length });
  return (
    <Dialog title={title} onClose={close}>
      <Form submit={kind === 'move' ? t('moveHere') : t('copyHere')} onCancel={close} onSubmit={async () => {
        if (!target) return;
        await relocate(kind, work, entries, target, onDone);
        onClose();
      }}>
        {one && <p class="long-name">{one.name}</p>}
        <Chooser here={here} stuck={new Set(entries.map((e) => e.id))} barred={kind === 'move' ? here : undefined} target={target} pick={setTarget} />
        <Progress working={work.working} />
      </Form>
    </Dialog>
  );
}

// moveNow moves what was dropped on a folder.
export async function moveNow(entries: readonly Entry[], to: Target, onDone: Props['onDone']): Promise<void> {
  await workNow(t('moveMany', { count: entries.length }), entries.length, (work) => relocate('move', work, entries, to, onDone));
}
