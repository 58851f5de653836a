// The way down to a folder. At a desk all of it; on a phone the top bar leads to the parent,
// and a menu to the rest.
import { Icon } from '../shell/icon';
import { Menu } from '../shell/ui';
import { target, type Receive } from './drag';
import { Name } from '../shell/name';
import type { Entry } from './tree';
import { t } from './words';

interface Props {
  way: Entry[] | undefined;
  folder: string;
  onReceive: Receive;
}

const address = (id: string) => '/files' + (id && '/' + id);

export function Crumbs({ way, folder, onReceive }: Props) {
  if (folder === '') return <nav class="crumbs" aria-label={t('path')}><h1>{t('files')}</h1></nav>;
  const last = way?.at(-1);
  const above = [{ id: '', name: t('files') }, ...(way?.slice(0, -1) ?? [])];
  return (
    <nav class="crumbs" aria-label={t('path')}>
      <ol class="crumbs-all">
        {above.map((e) => (
          <li key={e.id}><a href={address(e.id)} aria-label={e.name} draggable={false} {...target(e.id, e.name, folder, onReceive)}><Name name={e.name} /></a></li>
        ))}
      </ol>
      <h1 aria-current="page">{last ? <Name name={last.name} read /> : '…'}</h1>
      {above.length > 1 && (
        <div class="crumbs-short">
          <Menu label={t('foldersAbove')} class="icon-button" items={above.slice(0, -1).reverse().map((e) => ({ icon: 'folder', label: e.name, href: address(e.id) }))}>
            <Icon name="more" class="crumb-more" />
          </Menu>
        </div>
      )}
    </nav>
  );
}
