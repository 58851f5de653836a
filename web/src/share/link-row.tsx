// A link in a list: what it leads to, what it asks for, and what can be done with it.
import { del } from '../shell/api';
import { Time } from '../shell/form';
import { ago } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { Qr } from '../shell/qr';
import { folders } from '../shell/room';
import { ask, Confirm, Copy, Dialog, Menu, type MenuItem } from '../shell/ui';
import { askChange } from './change';
import { changed, limits, nameOf, titleOf, type Link } from './links';
import { askUses } from './uses';
import { t } from './words';

// A damaged link has no address, note, entry or bounds: it has its log, and an end.
// Without onOpen the list is of one entry, whose name is said above it.
export function LinkRow({ link, onOpen }: { link: Link; onOpen?: (entry: NonNullable<Link['entry']>) => unknown }) {
  const own = !onOpen;
  const open = link.state === 'open';
  const request = link.kind === 'request';
  const { entry } = link;
  const title = own ? titleOf(link) : nameOf(link);
  const alive = open && !!entry;
  return (
    <li class={alive ? 'share-link' : 'share-link share-over'} data-link={link.id}>
      <span class="share-icon"><Icon name={request ? 'inbox' : own ? 'link' : entry?.kind === 'folder' ? 'folder' : entry ? 'file' : link.state === 'damaged' ? 'warning' : 'trash'} /></span>
      <div class="share-text">
        <p class="share-name">
          {own || !entry ? <strong class="share-note">{title}</strong> : <button type="button" class="link" aria-label={t('sharingOf', { name: title })} onClick={() => void onOpen(entry)}><Name name={title} /></button>}
          {link.state !== 'open' && <span class={link.state === 'blocked' || link.state === 'damaged' ? 'tag bad' : 'tag'}>{t(`state_${link.state}`)}</span>}
        </p>
        {!own && entry && <p class="hint share-place"><Name name={t('inPlace', { place: [t('top'), ...entry.path.map((step) => step.name)].join(' / ') })} read /></p>}
        {!own && link.note && <p class="share-said">{link.note}</p>}
        <p class="hint">
          {limits(link).join('\u00a0· ')}
          {link.last_used_at && <>{'\u00a0· '}{t('lastUsed')} <Time at={link.last_used_at}>{ago(link.last_used_at)}</Time></>}
        </p>
        {!entry && link.state !== 'damaged' && <p class="hint">{t('inTrashText')}</p>}
        {link.state === 'damaged' && <p class="hint">{t('damagedText')}</p>}
        {link.state === 'blocked' && <p class="hint">{t('blockedText')}</p>}
      </div>
      <Menu label={t('linkMenu', { name: title })} items={menu(link, own)}><Icon name="more" /></Menu>
      {alive && (
        <div class="share-url">
          <input readOnly value={link.url} aria-label={t('address', { name: title })} spellcheck={false} onFocus={(event) => event.currentTarget.select()} />
          <Copy text={link.url} label={t('copyLink')} />
        </div>
      )}
    </li>
  );
}

export function menu(link: Link, own: boolean): MenuItem[] {
  const tree = folders();
  const items: MenuItem[] = [{ icon: 'history', label: t('uses'), run: () => void askUses(link) }];
  if (link.state !== 'damaged') items.unshift({ icon: 'pencil', label: t('changeDo'), run: () => void askChange(link) });
  if (link.state === 'open' && link.entry) {
    items.push({ icon: 'phone', label: t('qr'), run: () => void askQr(link) });
    if ('share' in navigator) items.push({ icon: 'share', label: t('sendBy'), run: () => void navigator.share({ url: link.url }).catch(() => undefined) });
  }
  const { entry } = link;
  if (tree && entry && !own) {
    if (entry.kind === 'folder') items.push({ icon: 'folder', label: t('openFolder'), href: tree.href(entry.id) });
    else items.push({ icon: 'folder', label: t('showPlace'), href: tree.href(entry.path.at(-1)?.id ?? '') });
  }
  items.push({ icon: 'close', label: t(link.kind === 'read' ? 'stop' : 'stopRequest'), danger: true, run: () => void askStop(link) });
  return items;
}

const askQr = (link: Link): Promise<void> => ask((close) => (
  <Dialog title={t('qr')} onClose={close}>
    <div class="share-scan">
      <Qr class="share-square" text={link.url} label={t('qrOf', { name: nameOf(link) })} />
      <p class="hint">{t('qrHint')}</p>
    </div>
  </Dialog>
));

const askStop = (link: Link): Promise<void> => ask((close) => (
  <Confirm title={t(link.kind === 'read' ? 'stopTitle' : 'stopRequestTitle')} action={t(link.kind === 'read' ? 'stop' : 'stopRequest')} onClose={close} onConfirm={async () => {
    await del('/shares/{id}', { path: { id: link.id } });
    changed();
  }}>
    <p class="long-name">{nameOf(link)}</p>
    <p>{t(link.kind === 'read' ? 'stopText' : 'stopRequestText')}</p>
  </Confirm>
));
