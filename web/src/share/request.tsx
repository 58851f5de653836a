// "Request files": a link by which others hand files into one folder.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, serverNow } from '../shell/api';
import { Field, Form } from '../shell/form';
import { folders, type Target } from '../shell/room';
import { ask, Dialog, useLoad } from '../shell/ui';
import { Fields } from './fields';
import { made, read } from './limits';
import { changed } from './links';
import { askSharing, type Shared } from './sharing';
import { t } from './words';

// askRequest asks for what the request needs; folder is the one that takes the files.
export const askRequest = (folder?: Shared): Promise<void> => ask((close) => <Request folder={folder} onClose={close} />);

function Request({ folder, onClose }: { folder?: Shared; onClose: () => void }) {
  const tree = folders();
  const shown = folder || !tree ? '' : tree.shown();
  const { data: here } = useLoad(async (signal) => (shown ? get('/files/{id}', { path: { id: shown }, signal }) : undefined), [shown]);
  const [own, setOwn] = useState(false);
  const [target, setTarget] = useState<Target>();
  useEffect(() => {
    if (!here) return;
    setOwn(true);
    setTarget({ id: here.id, name: here.name });
  }, [here]);
  // A folder that was made stays the one, when the server refuses the rest.
  const fresh = useRef<{ wish: string; entry: Shared }>(undefined);

  async function into(name: string): Promise<Shared> {
    if (folder) return folder;
    if (own) return { id: target!.id, kind: 'folder', name: target!.name };
    if (fresh.current?.wish !== name) fresh.current = { wish: name, entry: await post('/files/folders', { body: { name } }) };
    return fresh.current.entry;
  }

  return (
    <Dialog title={t('request')} class="share-dialog" onClose={onClose}>
      <p class="hint">{t('requestText')}</p>
      <Form submit={t('makeRequest')} icon="link" onCancel={onClose} onSubmit={async (values) => {
        const limits = made(read(values, undefined, serverNow()));
        const entry = await into(values.folder ?? '');
        const link = await post('/files/{id}/shares', { path: { id: entry.id }, body: { kind: 'request', ...limits } });
        changed();
        onClose();
        void askSharing(entry, link.id);
      }}>
        {folder ? <p class="long-name">{folder.name}</p> : (
          <fieldset class="share-where">
            <legend>{t('where')}</legend>
            <label><input type="radio" name="where" checked={!own} onChange={() => setOwn(false)} /> {t('whereNew')}</label>
            {!own && <Field name="folder" label={t('folderName')} value={t('folderDefault')} required autoComplete="off" maxLength={255} />}
            {tree && <label><input type="radio" name="where" checked={own} onChange={() => setOwn(true)} /> {t('whereOwn')}</label>}
            {tree && own && <tree.Choose below here={shown} target={target} pick={setTarget} />}
          </fieldset>
        )}
        <Fields kind="request" />
      </Form>
    </Dialog>
  );
}
