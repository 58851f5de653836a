// The dialog of a file's versions: what it was before it was replaced.
import { useState } from 'preact/hooks';
import { get, post, del, stream, type Answer } from '../shell/api';
import { Time } from '../shell/form';
import { ago, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { useSettings } from '../shell/settings';
import { ask, Confirm, Dialog, Failed, Menu, Skeleton, toast, toastProblem, useLoad, type MenuItem } from '../shell/ui';
import { save } from './download';
import { refreshFolder } from './refresh';
import type { Entry } from './tree';
import { t } from './words';

type Version = Answer<'get', '/files/{id}/versions'>['items'][number];

async function every(id: string, signal: AbortSignal): Promise<Version[]> {
  const all: Version[] = [];
  let cursor: string | undefined;
  do {
    const page: Answer<'get', '/files/{id}/versions'> = await get('/files/{id}/versions', { path: { id }, query: { cursor }, signal });
    all.push(...page.items);
    cursor = page.next_cursor || undefined;
  } while (cursor);
  return all;
}

export function Versions({ entry, onClose, onChange }: { entry: Entry; onClose: () => void; onChange: () => Promise<unknown> }) {
  const [now, setNow] = useState(entry);
  const kept = useSettings()?.versions;
  const { data, problem, reload } = useLoad((signal) => every(entry.id, signal), [entry.id]);
  const restore = async (v: Version) => {
    try {
      setNow(await post('/files/{id}/versions/{version}/restore', { path: { id: entry.id, version: v.id } }));
      toast(t('versionRestored'));
      refreshFolder(entry.parent ?? '');
      await Promise.all([reload(), onChange()]);
    } catch (err) {
      toastProblem(err);
    }
  };
  const keep = (v: Version) => save(entry.name, v.size, () => stream('/files/{id}/versions/{version}/content', { path: { id: entry.id, version: v.id } }));
  const remove = (v: Version) => ask((close) => (
    <Confirm title={t('versionDelete')} action={t('deleteForGood')} onClose={close} onConfirm={async () => {
      await del('/files/{id}/versions/{version}', { path: { id: entry.id, version: v.id } });
      await reload();
    }}>
      <p>{t('versionOf', { time: ago(v.stored_at), size: size(v.size) })}</p>
      <p>{t('deleteText')}</p>
    </Confirm>
  ));
  const menu = (v: Version): MenuItem[] => [
    { icon: 'download', label: t('download'), run: () => void keep(v).catch(toastProblem) },
    { icon: 'history', label: t('restore'), run: () => void restore(v) },
    { icon: 'trash', label: t('deleteForGood'), run: () => void remove(v), danger: true },
  ];
  return (
    <Dialog title={t('versions')} onClose={onClose}>
      <p class="long-name">{entry.name}</p>
      {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={2} /> : (
        <ul class="versions">
          <li>
            <div>
              <p>{t('versionNow')}</p>
              <p class="hint">{size(now.size)} · <Time at={now.modified_at}>{ago(now.modified_at)}</Time></p>
            </div>
          </li>
          {data.map((v) => {
            const time = ago(v.stored_at);
            return (
              <li key={v.id}>
                <div>
                  <p><Time at={v.stored_at}>{time}</Time></p>
                  <p class="hint">{size(v.size)} · {t('versionUntil', { time: ago(v.replaced_at) })}</p>
                </div>
                <Menu label={t('versionMenu', { time })} items={menu(v)}><Icon name="more" /></Menu>
              </li>
            );
          })}
        </ul>
      )}
      {data && <p class="hint">{data.length === 0 ? kept === 0 ? t('versionsOff') : t('versionsNone') : t('versionsRoom')}</p>}
    </Dialog>
  );
}
