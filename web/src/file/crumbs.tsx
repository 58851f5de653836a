// The way down to a folder. At a desk all of it; on a phone the parent, and a menu with the
// rest.
import { Icon } from '../shell/icon';
import { go } from '../shell/router';
import { Menu } from '../shell/ui';
import { target, type Receive } from './drag';
import { Name } from './name';
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
  const parent = above.at(-1)!;
  return (
    <nav class="crumbs" aria-label={t('path')}>
      <ol class="crumbs-all">
        {above.map((e) => (
          <li key={e.id}><a href={address(e.id)} aria-label={e.name} draggable={false} {...target(e.id, e.name, folder, onReceive)}><Name name={e.name} /></a></li>
        ))}
      </ol>
      {way && (
        <div class="crumbs-short">
          <a href={address(parent.id)} aria-label={t('backTo', { name: parent.name })} draggable={false} {...target(parent.id, parent.name, folder, onReceive)}>
            <Icon name="chevron" class="crumb-back" /> <Name name={parent.name} />
          </a>
          {above.length > 1 && (
            <Menu label={t('foldersAbove')} class="icon-button" items={above.slice(0, -1).reverse().map((e) => ({ icon: 'folder', label: e.name, run: () => go(address(e.id)) }))}>
              <Icon name="more" class="crumb-more" />
            </Menu>
          )}
        </div>
      )}
      <h1 aria-current="page">{last ? <Name name={last.name} read /> : '…'}</h1>
    </nav>
  );
}
