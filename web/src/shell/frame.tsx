// What stands around every page of people who are signed in: the top bar and, at a desk, the
// sidebar; on a phone the bar at the lower edge with its two sheets.
import { signal } from '@preact/signals';
import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { auth, me, type Account } from './auth';
import { Face } from './face';
import { Icon, Mark } from './icon';
import { askLook } from './look';
import { collect, firstPlace, places, repairPath, rooms, signInDoor, type MenuEntry, type Spot } from './room';
import { go, path, place } from './router';
import { panel, transfers } from './transfers';
import { Dialog, Item, Menu, type MenuItem } from './ui';
import { t } from './words';

interface Parent {
  href: string;
  label: string;
}

const parent = signal<Parent | undefined>(undefined);

// useParent names the page above this one, for the way up on a phone.
export function useParent(href: string | undefined, label: string | undefined): void {
  useEffect(() => {
    parent.value = href !== undefined && label !== undefined ? { href, label } : undefined;
    return () => {
      parent.value = undefined;
    };
  }, [href, label]);
}

export function Top({ framed }: { framed: boolean }) {
  const state = auth.value;
  const door = signInDoor();
  const account = me();
  const up = framed ? parent.value : undefined;
  const search = framed ? collect((room) => room.search)[0] : undefined;
  return (
    <header class="top">
      {up && <a class="top-up" href={up.href}><Icon name="back" /> <span class="ellipsis">{up.label}</span></a>}
      <a class={up ? 'brand under-parent' : 'brand'} href={state.is === 'in' ? firstPlace() : state.is === 'repair' ? repairPath() : '/'}><Mark /> <span>Coffer</span></a>
      {search && <Search href={search.href} from={search.from} label={search.label()} />}
      <div class="top-end">
        {framed && <Ring />}
        {search && <a class="icon-button phone-only" href={[search.href, new URLSearchParams(search.from?.()).toString()].filter(Boolean).join('?')} aria-label={search.label()} title={search.label()}><Icon name="search" /></a>}
        {account && (
          <Menu label={t('menu', { name: account.username })} class="avatar" items={mine(account)}>
            <Face account={account} size="small" />
          </Menu>
        )}
        {state.is === 'out' && door && path.value !== door.href && <a class="button" href={door.href}>{door.label()}</a>}
      </div>
    </header>
  );
}

// Search is the field at a desk; "/" leads to it from anywhere but from a field.
function Search({ href, from, label }: { href: string; from: (() => Record<string, string>) | undefined; label: string }) {
  const field = useRef<HTMLInputElement>(null);
  const { path: here, search } = place.value;
  // The field says what the page searched, after Back too.
  useEffect(() => {
    field.current!.value = here === href ? (new URLSearchParams(search).get('q') ?? '') : '';
  }, [here, search]);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element).closest('input, textarea, select, dialog, [role="menu"]')) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, []);
  return (
    <form class="search" role="search" onSubmit={(event: TargetedSubmitEvent<HTMLFormElement>) => {
      event.preventDefault();
      const q = field.current!.value.trim();
      if (q) go(`${href}?${new URLSearchParams({ q, ...from?.() }).toString()}`);
    }}>
      <Icon name="search" />
      <input ref={field} type="search" name="q" aria-label={label} placeholder={label} maxLength={200} aria-keyshortcuts="/" />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

// Ring shows how far the transfers are and how many are not over.
function Ring() {
  const { count, resting, failed, done } = transfers.value;
  const open = panel.value;
  if (open === undefined) return null;
  // A failure is told first: it needs the person.
  const over = failed > 0 ? t('transfersFailed', { count: failed }) : resting > 0 ? t('transfersRest', { count: resting }) : t('transfersOver');
  const runs = done === undefined ? t('transfersOpen', { count }) : t('transfers', { count, percent: Math.round(done * 100) });
  const label = count === 0 ? over : failed > 0 ? `${runs}, ${t('transfersFailed', { count: failed })}` : runs;
  return (
    <button type="button" class={failed > 0 ? 'ring bad' : 'ring'} aria-expanded={open} aria-label={label} title={label} onClick={() => {
      panel.value = !open;
    }}>
      <svg viewBox="0 0 36 36" aria-hidden="true" focusable="false">
        <circle class="ring-whole" cx="18" cy="18" r="15" />
        <circle class="ring-share" cx="18" cy="18" r="15" pathLength={100} stroke-dasharray={`${count > 0 ? (done ?? .25) * 100 : resting > 0 ? 0 : 100} 200`} />
      </svg>
      {count > 0 ? <span aria-hidden="true">{count}</span> : <Icon name={failed > 0 ? 'warning' : resting > 0 ? 'pause' : 'check'} />}
    </button>
  );
}

// mine is what stands behind the picture.
function mine(account: Account): MenuItem[] {
  const shells: MenuEntry[] = [
    { icon: 'look', label: () => t('look'), order: 6, always: true, run: askLook },
    { icon: 'code', label: () => t('api'), order: 7, always: true, href: '/docs', leave: true },
  ];
  return [...collect((room) => room.menu), ...shells]
    .filter((entry) => (!entry.admins || account.role === 'admin') && (entry.always || auth.value.is === 'in'))
    .sort((a, b) => a.order - b.order)
    .map((entry) => ({ ...entry, label: entry.label() }));
}

const deeds = (): MenuItem[] => collect((room) => room.create).map((deed) => ({ ...deed, label: deed.label() }));

const isHere = (spot: Spot) => path.value === spot.href || path.value.startsWith(spot.href + '/');

function SpotLink({ spot, children }: { spot: Spot; children: ComponentChildren }) {
  return <a href={spot.href} aria-current={isHere(spot) ? 'page' : undefined}><Icon name={spot.icon} /> <span>{children}</span></a>;
}

// Side is the sidebar.
export function Side() {
  const items = deeds();
  return (
    <nav class="side" aria-label={t('nav')}>
      {items.length > 0 && <Menu label={t('new')} class="button primary new" items={items}><Icon name="plus" /> <span>{t('new')}</span> <Icon name="chevron" class="down" /></Menu>}
      <div class="nav">{places().map((spot) => <SpotLink key={spot.href} spot={spot}>{spot.label()}</SpotLink>)}</div>
      {rooms().map(({ Side: End }, i) => End && <End key={i} />)}
    </nav>
  );
}

// Bar is the phone's: two places, "+", one more place, "More", as far as they exist.
export function Bar({ account }: { account: Account }) {
  const [open, setOpen] = useState<'new' | 'more'>();
  const close = () => setOpen(undefined);
  const spots = places().filter((spot) => spot.phone === 'bar');
  const rest = places().filter((spot) => spot.phone === 'more');
  const items = deeds();
  const more = [...rest.map((spot) => ({ icon: spot.icon, label: spot.label(), href: spot.href })), ...mine(account)];
  const split = Math.min(2, spots.length);
  const link = (spot: Spot) => <SpotLink key={spot.href} spot={spot}>{(spot.short ?? spot.label)()}</SpotLink>;
  return (
    <>
      <nav class="bar" aria-label={t('nav')}>
        {spots.slice(0, split).map(link)}
        {items.length > 0 && (
          <button type="button" class="bar-new" aria-haspopup="dialog" aria-label={t('new')} title={t('new')} onClick={() => setOpen('new')}><Icon name="plus" /></button>
        )}
        {spots.slice(split).map(link)}
        <button type="button" aria-haspopup="dialog" aria-current={rest.some(isHere) ? 'true' : undefined} onClick={() => setOpen('more')}><Icon name="menu" /> <span>{t('more')}</span></button>
      </nav>
      {open === 'new' && <Sheet title={t('new')} items={items} close={close} />}
      {open === 'more' && <Sheet title={t('more')} items={more} close={close} />}
    </>
  );
}

function Sheet({ title, items, close }: { title: string; items: MenuItem[]; close: () => void }) {
  return (
    <Dialog title={title} onClose={close} sheet>
      <ul>
        {items.map((item) => {
          // A dialog that follows opens when the sheet has given the focus back.
          const run = item.run && (() => setTimeout(item.run!));
          return <li key={item.label}><Item item={{ ...item, run }} close={close} /></li>;
        })}
      </ul>
    </Dialog>
  );
}
