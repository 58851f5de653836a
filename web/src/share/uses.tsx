// The uses of a link, the newest first.
import { get, type Answer } from '../shell/api';
import { Time } from '../shell/form';
import { ago } from '../shell/i18n';
import { Icon, type Icon as IconName } from '../shell/icon';
import { ask, Dialog, Failed, Skeleton } from '../shell/ui';
import { nameOf, useChanges, type Link } from './links';
import { usePages } from '../shell/pages';
import { t } from './words';

type Use = Answer<'get', '/shares/{id}/uses'>['items'][number];

const icons: Record<Use['action'], IconName> = { download: 'download', archive: 'archive', upload: 'upload', unlock: 'key' };

export const askUses = (link: Link): Promise<void> => ask((close) => <Uses link={link} onClose={close} />);

function Uses({ link, onClose }: { link: Link; onClose: () => void }) {
  const list = usePages<Use>((cursor, signal) => get('/shares/{id}/uses', { path: { id: link.id }, query: { cursor, limit: 50 }, signal }), useChanges());
  return (
    <Dialog title={t('uses')} class="share-dialog" onClose={onClose}>
      <p class="long-name">{nameOf(link)}</p>
      {link.note && <p class="hint share-said">{link.note}</p>}
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {!list.items ? !list.problem && <Skeleton rows={3} /> : list.items.length === 0 ? <p>{t('usesNone')}</p> : (
        <ul class="share-uses">
          {list.items.map((use, i) => (
            <li key={i}>
              <Icon name={icons[use.action] ?? 'eye'} />
              <div>
                <p class="share-did">{t(`did_${use.action}`)}{use.path && <span class="share-path">{use.path.includes('\n') ? '\n' : ' '}{use.path}</span>}</p>
                <p class="hint">{[use.from && t('from', { name: use.from }), use.device, use.place].filter(Boolean).join(' · ')}{(use.from || use.device || use.place) && ' · '}<Time at={use.at}>{ago(use.at)}</Time></p>
              </div>
            </li>
          ))}
        </ul>
      )}
      {list.more && <div class="share-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
      {list.items && list.items.length > 0 && !list.more && <p class="hint">{t('usesKept')}</p>}
    </Dialog>
  );
}
