// The dialogs of the file room: new folder, rename, move, delete, save several.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { del, patch, post } from '../shell/api';
import { Field, Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { asProblem, say } from '../shell/problem';
import { ask, Confirm, Dialog, Failed, toast, useLoad } from '../shell/ui';
import { each, type Outcome } from './batch';
import { download } from './download';
import { Name } from '../shell/name';
import { everyFolder, path as pathOf, type Entry } from './tree';
import { t } from './words';

interface Props {
  onClose: () => void;
  onDone: (done: readonly Entry[]) => Promise<unknown>;
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

// ---- work on many ------------------------------------------------------------------

interface Working {
  tried: number;
  count: number;
}

// useWork runs work on entries, tells how far it is, and can be stopped.
function useWork() {
  const [working, setWorking] = useState<Working>();
  const stop = useRef<AbortController | undefined>(undefined);
  return {
    working,
    stop: () => stop.current?.abort(),
    async run<T>(items: readonly T[], work: (item: T, signal: AbortSignal) => Promise<unknown>): Promise<Outcome<T>> {
      const { signal } = (stop.current = new AbortController());
      setWorking({ tried: 0, count: items.length });
      try {
        return await each(items, (item) => work(item, signal), { signal, progress: (tried) => setWorking({ tried, count: items.length }) });
      } finally {
        setWorking(undefined);
      }
    },
  };
}

function Progress({ working }: { working: Working | undefined }) {
  if (!working || working.count < 2) return null;
  return (
    <div class="working">
      <progress value={working.tried} max={working.count} aria-label={t('progress')} />
      <p class="hint">{t('triedOf', { tried: working.tried, count: working.count })}</p>
    </div>
  );
}

// report says how it ended; a single one that failed says so in its dialog.
function report(out: Outcome<Entry>, count: number, done: string): void {
  const { failed, left } = out;
  if (failed.length === 0 && left.length === 0) return toast(done);
  if (count === 1 && failed[0]) throw failed[0].problem;
  if (failed.length === 0) return toast(t('stopped', { done: out.done.length, count }), true);
  toast(t('someFailed', { done: out.done.length, count, reason: say(failed[0]!.problem) }), true);
}

export function Delete({ entries, onClose, onDone }: Props & { entries: Entry[] }) {
  const work = useWork();
  const one = entries.length === 1 ? entries[0] : undefined;
  return (
    <Confirm title={one ? t('deleteOne') : t('deleteMany', { count: entries.length })} action={t('delete')} onClose={work.working ? work.stop : onClose} onConfirm={async () => {
      const out = await work.run(entries, (entry) => del('/files/{id}', { path: { id: entry.id } }).catch((err) => {
        if (asProblem(err).code !== 'not_found') throw err; // gone already
      }));
      await onDone(out.done);
      report(out, entries.length, t('deleted', { count: entries.length }));
      onClose();
    }}>
      {one && <p class="long-name">{one.name}</p>}
      <p>{entries.some((e) => e.kind === 'folder') ? t('deleteFolderText') : t('deleteText')}</p>
      <Progress working={work.working} />
    </Confirm>
  );
}

// Target is where something moves.
interface Target {
  id: string;
  name: string;
}

// moveAll moves entries and says what became of them: where a name was taken, the server
// has chosen another.
async function moveAll(work: ReturnType<typeof useWork>, entries: readonly Entry[], to: Target, onDone: Props['onDone']): Promise<void> {
  const numbered: string[] = [];
  const out = await work.run(entries, async (entry) => {
    const moved = await patch('/files/{id}', { path: { id: entry.id }, body: { parent: to.id } });
    if (moved.name !== entry.name) numbered.push(moved.name);
  });
  await onDone(out.done);
  report(out, entries.length, t('moved', { count: entries.length, folder: to.name }));
  if (numbered.length > 0) toast(t('movedNumbered', { count: numbered.length, name: numbered[0]! }));
}

// Move is a tree of radio buttons, which every screen reader knows.
export function Move({ entries, here, onClose, onDone }: Props & { entries: Entry[]; here: string }) {
  const { data: above, problem } = useLoad(() => pathOf(here), [here]);
  const [target, setTarget] = useState<Target>();
  const work = useWork();
  const moving = new Set(entries.map((e) => e.id));
  const opened = new Set(['', ...(above ?? []).map((e) => e.id)]);
  const close = work.working ? work.stop : onClose;
  return (
    <Dialog title={entries.length === 1 ? t('moveOne') : t('moveMany', { count: entries.length })} onClose={close}>
      <Form submit={t('moveHere')} onCancel={close} onSubmit={async () => {
        if (!target) return;
        await moveAll(work, entries, target, onDone);
        onClose();
      }}>
        {entries.length === 1 && <p class="long-name">{entries[0]!.name}</p>}
        <fieldset class="tree">
          <legend>{t('where')}</legend>
          {problem ? <Failed problem={problem} /> : above && (
            <ul><Branch id="" name={t('files')} opened={opened} moving={moving} here={here} target={target?.id} pick={setTarget} /></ul>
          )}
        </fieldset>
        <Progress working={work.working} />
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
  pick: (to: Target) => void;
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
          <input type="radio" name="target" value={id} required checked={target === id} disabled={stuck || id === here} onChange={() => pick({ id, name })} />
          <Icon name="folder" /> <Name name={name} read /> {id === here && <span class="hint">{t('isHere')}</span>}
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

// moveNow moves what was dropped on a folder. The dialog tells how far it is, and shows
// only when there is something to tell.
export async function moveNow(entries: readonly Entry[], to: Target, onDone: Props['onDone']): Promise<void> {
  await ask((close) => <MoveNow entries={entries} to={to} onClose={close} onDone={onDone} />);
}

function MoveNow({ entries, to, onClose, onDone }: Props & { entries: readonly Entry[]; to: Target }) {
  const work = useWork();
  const [slow, setSlow] = useState(false);
  useLayoutEffect(() => {
    const timer = setTimeout(() => setSlow(true), 600);
    moveAll(work, entries, to, onDone).catch((err) => toast(say(asProblem(err)), true)).finally(onClose);
    return () => clearTimeout(timer);
  }, []);
  if (!slow || entries.length < 2) return null;
  return (
    <Dialog title={t('moveMany', { count: entries.length })} onClose={work.stop}>
      <Progress working={work.working} />
      <button type="button" class="button" onClick={work.stop}>{t('stop')}</button>
    </Dialog>
  );
}

// Save says what a download of several things brings and what it leaves out, then saves
// file by file.
export function Save({ entries, onClose }: { entries: Entry[]; onClose: () => void }) {
  const work = useWork();
  const files = entries.filter((e) => e.kind === 'file');
  const folders = entries.length - files.length;
  const close = work.working ? work.stop : onClose;
  return (
    <Dialog title={t('saveMany', { count: files.length })} onClose={close}>
      <Form submit={t('download')} onCancel={close} onSubmit={async () => {
        const out = await work.run(files, download);
        report(out, files.length, t('saved', { count: files.length }));
        onClose();
      }}>
        {folders > 0 && <p class="notice"><Icon name="warning" /> <span>{t('saveLeavesOut', { count: folders })}</span></p>}
        {files.length > 1 && <p>{t('saveOneByOne')}</p>}
        <Progress working={work.working} />
      </Form>
    </Dialog>
  );
}
