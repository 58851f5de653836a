// The frame around every page: header, navigation, footer, the focus after a move, and the
// way to the sign-in for people without a session.
import { useEffect, useRef } from 'preact/hooks';
import type { TargetedEvent } from 'preact';
import { auth } from './auth';
import { Home } from './home';
import { lang, languages, setLang, type Lang } from './i18n';
import { Icon, Mark } from './icon';
import { collect, firstPlace, rooms, signInDoor, signInPath } from './room';
import { arrivals, go, match, moves, place, safeNext, type Match, type Route } from './router';
import { setTheme, theme, themes, type Theme } from './theme';
import { Dialogs, Empty, Failed, Menu, Skeleton, Toasts } from './ui';
import { t } from './words';

const home: Route = { path: '/', page: Home, title: () => 'Coffer', open: true };
const lost: Route = { path: '', page: Lost, title: () => t('lost'), open: true };

export function App() {
  const routes = [home, ...rooms().flatMap((room) => room.routes ?? [])];
  const found = match(routes, place.value.path) ?? { route: lost, params: {} };
  const title = found.route.title();
  useEffect(() => {
    document.title = title === 'Coffer' ? title : `${title} – Coffer`;
  }, [title]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        focusMain();
      }}>{t('skip')}</a>
      <Header />
      <main id="main" class={found.route.wide ? 'wide' : undefined} tabIndex={-1}>
        <Guarded found={found} />
      </main>
      <Footer />
      {auth.value.is === 'in' && rooms().map(({ Floating }, i) => Floating && <Floating key={i} />)}
      <Toasts />
      <Dialogs />
    </>
  );
}

// focusMain puts the focus on the page's heading.
export function focusMain(): void {
  const heading = document.querySelector<HTMLElement>('main h1');
  heading?.setAttribute('tabindex', '-1');
  (heading ?? document.getElementById('main'))!.focus();
}

// Guarded shows the page, or why it cannot be shown yet.
function Guarded({ found }: { found: Match }) {
  const { path } = place.value;
  const state = auth.value;
  const leave = !found.route.open && state.is === 'out';
  const shown = useRef(0);
  useEffect(() => {
    if (leave) go(signInPath() + '?next=' + encodeURIComponent(path + place.value.search), { replace: true });
  }, [leave, path]);
  useEffect(() => {
    // After a move the new page's heading gets the focus, so that a screen reader says
    // where we are and Tab goes on from there.
    if (moves.value !== shown.current && !document.querySelector('dialog[open]')) {
      const to = document.activeElement;
      if (!to || to === document.body || !to.closest('main') || !to.isConnected) focusMain();
      scrollTo(0, 0);
    }
    shown.current = moves.value;
  }, [path, state.is]);

  if (state.is === 'starting' && !found.route.open) return <Skeleton />;
  if (state.is === 'unreachable' && !found.route.open) return <Failed problem={state.problem} retry={state.retry} />;
  if (leave) return null;
  const { page: Page } = found.route;
  return <Page key={found.route.path + arrivals.value} params={found.params} />;
}

function Header() {
  const state = auth.value;
  const { path } = place.value;
  const nav = collect((room) => room.nav);
  const menu = collect((room) => room.menu).map((item) => ({ ...item, label: item.label() }));
  const door = signInDoor();
  return (
    <header class="top">
      <a class="brand" href={state.is === 'in' ? firstPlace() : '/'}><Mark /> <span>Coffer</span></a>
      {state.is === 'in' && (
        <nav class="nav" aria-label={t('nav')}>
          {nav.map((item) => {
            const here = path === item.href || path.startsWith(item.href + '/');
            return (
              <a key={item.href} href={item.href} aria-current={here ? 'page' : undefined}>
                <Icon name={item.icon} /> <span>{item.label()}</span>
              </a>
            );
          })}
        </nav>
      )}
      <div class="top-end">
        {state.is === 'in' && (
          <Menu label={t('menu', { name: state.account.username })} class="avatar" items={menu}>
            <span aria-hidden="true" data-initials={initials(state.account.first_name, state.account.last_name)} />
          </Menu>
        )}
        {state.is === 'out' && door && path !== door.href && <a class="button" href={door.href}>{door.label()}</a>}
      </div>
    </header>
  );
}

function initials(first: string, last: string): string {
  const letter = (name: string) => [...(name ?? '')][0] ?? '';
  return (letter(first) + letter(last)).toUpperCase() || '·';
}

function Footer() {
  return (
    <footer class="bottom">
      <label>
        <span>{t('language')}</span>
        <select value={lang.value} onChange={(event: TargetedEvent<HTMLSelectElement>) => setLang(event.currentTarget.value as Lang)}>
          {Object.entries(languages).map(([tag, name]) => <option key={tag} value={tag} lang={tag} selected={tag === lang.value}>{name}</option>)}
        </select>
      </label>
      <label>
        <span>{t('theme')}</span>
        <select value={theme.value} onChange={(event: TargetedEvent<HTMLSelectElement>) => setTheme(event.currentTarget.value as Theme)}>
          {themes.map((name) => <option key={name} value={name} selected={name === theme.value}>{t(`theme_${name}`)}</option>)}
        </select>
      </label>
      <a href="/docs" data-leave>{t('developers')}</a>
    </footer>
  );
}

function Lost() {
  return (
    <Empty icon="file" title={t('lost')} page>
      <p>{t('lostText')}</p>
      <p><a class="button primary" href="/">{t('home')}</a></p>
    </Empty>
  );
}

// useLeaveWhenIn takes people who have a session away from pages that make one.
export function useLeaveWhenIn(): void {
  const signedIn = auth.value.is === 'in';
  useEffect(() => {
    if (signedIn) go(safeNext(new URLSearchParams(location.search).get('next'), location.origin, firstPlace()), { replace: true });
  }, [signedIn]);
}
