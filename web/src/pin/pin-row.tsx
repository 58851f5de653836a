// A pin in a list: what it is, how far it is at each provider, its address, and what can be done with it.
import { del, post } from '../shell/api';
import { Time } from '../shell/form';
import { ago, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import { Qr } from '../shell/qr';
import { folders } from '../shell/room';
import { ask, Confirm, Copy, Dialog, Menu, toast, toastProblem, type MenuItem } from '../shell/ui';
import { actionsOf, titleOf, type Action } from './shown';
import { changed, nameOf, reasonOf, wordOf, type At, type Pin } from './pins';
import { t } from './words';

const tags: Partial<Record<Pin['state'], string>> = { verified: 'tag good', failed: 'tag bad' };

// With named, the list is of many entries.
export function PinRow({ pin, named }: { pin: Pin; named?: boolean }) {
  const { cid, damaged, link, targets } = pin;
  const doing = t.find(`doing_${pin.state}`); // what the server changes by itself
  const title = titleOf(pin, named);
  return (
    <li class="pin-row" data-pin={pin.id}>
      <span class="pin-icon"><Icon name={damaged ? 'warning' : pin.encrypt ? 'key' : 'globe'} /></span>
      <div class="pin-text">
        <p class="pin-name" tabIndex={-1}><strong>{named && !damaged ? <Name name={title} read /> : title}</strong> <span class={tags[pin.state] ?? 'tag'}>{t(`state_${pin.state}`)}</span></p>
        <p class="hint">{[named && !damaged && t(pin.encrypt ? 'sealed' : 'open'), pin.size > 0 && size(pin.size)].filter(Boolean).map((part) => `${part}\u00a0· `)}<Time at={pin.created_at}>{ago(pin.created_at)}</Time></p>
        {damaged && <p class="pin-why">{t('damagedText')}</p>}
        {pin.state === 'failed' && !damaged && pin.reason && !targets.some((at) => at.state === 'failed') && <p class="pin-why">{reasonOf(pin.reason)}</p>}
        {!damaged && !pin.file_id && <p class="hint">{t('fileGone')}</p>}
        {pin.ledger.length > 0 && <p class="hint">{t('inLedger', { count: pin.ledger.length, list: pin.ledger.join(', ') })}</p>}
        {doing && <p class="hint">{doing}</p>}
      </div>
      <Menu label={t('menu', { name: title })} items={menu(pin, named)}><Icon name="more" /></Menu>
      {targets.length > 0 && <ul class="pin-at" aria-label={t('providersOf', { name: title })}>{targets.map((at) => <Where key={at.name} at={at} />)}</ul>}
      {link && pin.state !== 'removing' && (
        <div class="pin-url">
          <input readOnly value={link} aria-label={t('linkOf', { name: title })} spellcheck={false} onFocus={(event) => event.currentTarget.select()} />
          <Copy text={link} label={t('copyLink')} />
        </div>
      )}
      {cid && (
        <div class="pin-url">
          <input readOnly value={cid} aria-label={t('cidOf', { name: title })} spellcheck={false} onFocus={(event) => event.currentTarget.select()} />
          <Copy text={cid} label={t('copyCid')} />
        </div>
      )}
    </li>
  );
}

function Where({ at }: { at: At }) {
  return (
    <li class={at.state === 'failed' ? 'pin-failed' : undefined}>
      <Icon name={at.state === 'verified' ? 'check' : at.state === 'failed' ? 'warning' : 'retry'} />
      <span><strong>{nameOf(at.name)}</strong> {wordOf(at)}</span>
    </li>
  );
}

function menu(pin: Pin, named: boolean | undefined): MenuItem[] {
  const tree = folders();
  const items: Record<Action, () => MenuItem[]> = {
    verify: () => [{ icon: 'shield', label: t('verify'), run: () => void act('/pins/{id}/verify', pin, t('verifying')) }],
    retry: () => [{ icon: 'retry', label: t('retry'), run: () => void act('/pins/{id}/retry', pin, t('retrying')) }],
    qr: () => [{ icon: 'phone', label: t('qr'), run: () => void askQr(pin, pin.link!) }],
    see: () => pin.targets.flatMap(({ name, gateway_url: url }) => (url ? [{ icon: 'eye', label: t('seeAt', { name: nameOf(name) }), href: url, leave: true }] : [])),
    openFolder: () => (tree ? [{ icon: 'folder', label: t('openFolder'), href: tree.href(pin.file_id!) }] : []),
    remove: () => [{ icon: 'trash', label: t('remove'), danger: true, run: () => void askRemove(pin) }],
  };
  return actionsOf(pin, named).flatMap((action) => items[action]());
}

async function act(path: '/pins/{id}/verify' | '/pins/{id}/retry', { id }: Pin, said: string): Promise<void> {
  try {
    await post(path, { path: { id } });
    changed();
    toast(said);
  } catch (err) {
    toastProblem(err);
  }
}

const askQr = ({ name }: Pin, link: string): Promise<void> => ask((close) => (
  <Dialog title={t('qr')} onClose={close}>
    <div class="pin-scan">
      <Qr class="pin-square" text={link} label={t('qrOf', { name })} />
      <p class="hint">{t('qrHint')}</p>
    </div>
  </Dialog>
));

const askRemove = (pin: Pin): Promise<void> => ask((close) => (
  <Confirm title={t('removeTitle')} action={t('remove')} onClose={close} onConfirm={async () => {
    await del('/pins/{id}', { path: { id: pin.id } });
    changed();
  }}>
    <p class="long-name">{titleOf(pin, true)}</p>
    <p>{t(pin.damaged ? 'removeDamaged' : pin.encrypt ? 'removeSealed' : 'removeOpen')}</p>
  </Confirm>
));
