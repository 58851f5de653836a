// The dialogs of the file room: new folder, rename, move, delete.
import { useState } from 'preact/hooks';
import { del, patch, post } from '../shell/api';
import { Field, Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { Confirm, Dialog, Failed, toast, useLoad } from '../shell/ui';
import { everyFolder, path as pathOf, type Entry } from './tree';
import { t } from './words';

interface Props {
  onClose: () => void;
  onDone: (changed?: Entry) => Promise<unknown>;
}

export function NewFolder({ parent, onClose, onDone }: Props & { parent: string }) {
  return (
    <Dialog title={t('newFolder')} onClose={onClose}>
      <Form submit={t('create')} onCancel={onClose} onSubmit={async (v) => {
        const made = await post('/files/folders', { body: { name: v.name!, ...(parent && { parent }) } });
        onClose();
        if (made.name !== v.name) toast(t('numbered', { name: made.name }));
        await onDone(made);
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
        const changed = v.name === entry.name ? entry : await patch('/files/{id}', { path: { id: entry.id }, body: { name: v.name } });
        onClose();
        await onDone(changed);
      }}>
        <Field name="name" label={t('name')} value={entry.name} required autoFocus selectName={entry.kind === 'file'} autoComplete="off" maxLength={255} />
      </Form>
    </Dialog>
  );
}

export function Delete({ entries, onClose, onDone }: Props & { entries: Entry[] }) {
  const one = entries.length === 1 ? entries[0] : undefined;
  return (
    <Confirm title={one ? t('deleteOne') : t('deleteMany', { count: entries.length })} action={t('delete')} onClose={onClose} onConfirm={async () => {
      try {
        for (const entry of entries) await del('/files/{id}', { path: { id: entry.id } });
        toast(t('deleted', { count: entries.length }));
      } finally {
        await onDone();
      }
    }}>
      {one && <p class="long-name">{one.name}</p>}
      <p>{entries.some((e) => e.kind === 'folder') ? t('deleteFolderText') : t('deleteText')}</p>
    </Confirm>
  );
}

// Move is a tree of radio buttons, which every screen reader knows.
export function Move({ entries, here, onClose, onDone }: Props & { entries: Entry[]; here: string }) {
  const { data: above, problem } = useLoad(() => pathOf(here), [here]);
  const [target, setTarget] = useState<string>();
  const moving = new Set(entries.map((e) => e.id));
  const opened = new Set(['', ...(above ?? []).map((e) => e.id)]);
  return (
    <Dialog title={entries.length === 1 ? t('moveOne') : t('moveMany', { count: entries.length })} onClose={onClose}>
      <Form submit={t('moveHere')} onCancel={onClose} onSubmit={async () => {
        if (target === undefined) return;
        try {
          for (const entry of entries) await patch('/files/{id}', { path: { id: entry.id }, body: { parent: target } });
        } finally {
          await onDone();
        }
        onClose();
        toast(t('moved', { count: entries.length }));
      }}>
        {entries.length === 1 && <p class="long-name">{entries[0]!.name}</p>}
        <fieldset class="tree">
          <legend>{t('where')}</legend>
          {problem ? <Failed problem={problem} /> : above && (
            <ul><Branch id="" name={t('files')} opened={opened} moving={moving} here={here} target={target} pick={setTarget} /></ul>
          )}
        </fieldset>
      </Form>
    </Dialog>
  );
}

interface BranchProps {
  id: string;
  name: string;
  opened: ReadonlySet<string>;
  moving: ReadonlySet<string>;
  here: string;
  target: string | undefined;
  pick: (id: string) => void;
}

function Branch({ id, name, opened, moving, here, target, pick }: BranchProps) {
  const [open, setOpen] = useState(opened.has(id));
  const stuck = moving.has(id);
  return (
    <li>
      <div class="branch">
        <button type="button" class="icon-button small" aria-expanded={open && !stuck} disabled={stuck} aria-label={t('foldersIn', { name })} onClick={() => setOpen(!open)}>
          <Icon name="chevron" class={open && !stuck ? 'down' : undefined} />
        </button>
        <label class={target === id ? 'chosen' : undefined}>
          <input type="radio" name="target" value={id} required checked={target === id} disabled={stuck || id === here} onChange={() => pick(id)} />
          <Icon name="folder" /> <span class="ellipsis" title={name}>{name}</span> {id === here && <span class="hint">{t('isHere')}</span>}
        </label>
      </div>
      {open && !stuck && <Twigs id={id} opened={opened} moving={moving} here={here} target={target} pick={pick} />}
    </li>
  );
}

function Twigs(props: Omit<BranchProps, 'name'>) {
  const { data, problem, reload } = useLoad((signal) => everyFolder(props.id, signal), [props.id]);
  if (problem) return <Failed problem={problem} retry={reload} />;
  if (data?.length === 0) return props.id === '' ? <p class="hint">{t('noFolders')}</p> : null;
  return <ul>{data?.map((f) => <Branch {...props} key={f.id} id={f.id} name={f.name} />)}</ul>;
}
