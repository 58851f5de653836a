// The frame around every page: header, navigation, footer, where the focus goes, and
// who may see what.
import { useEffect, useRef } from 'preact/hooks';
import type { TargetedEvent } from 'preact';
import { auth, signOut, startAuth } from './auth';
import { catalog, lang, languages, setLang, type Lang } from './i18n';
import { Icon, Mark } from './icon';
import { rooms } from './room';
import { arrivals, go, match, moves, place, safeNext, type Match, type Route } from './router';
import { setTheme, theme, themes, type Theme } from './theme';
import { Dialogs, Empty, Failed, Menu, Skeleton, toast, toastProblem, Toasts } from './ui';

const lost: Route = { path: '', page: Lost, title: () => t('lost'), open: true };

export function App({ routes }: { routes: Route[] }) {
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
    if (leave) go('/sign-in?next=' + encodeURIComponent(path + place.value.search), { replace: true });
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
  if (state.is === 'unreachable' && !found.route.open) return <Failed problem={state.problem} retry={startAuth} />;
  if (leave) return null;
  const { page: Page } = found.route;
  return <Page key={found.route.path + arrivals.value} params={found.params} />;
}

function Header() {
  const state = auth.value;
  const { path } = place.value;
  const nav = rooms().flatMap((room) => room.nav ?? []).sort((a, b) => a.order - b.order);
  return (
    <header class="top">
      <a class="brand" href={state.is === 'in' ? '/files' : '/'}><Mark /> <span>Coffer</span></a>
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
          <Menu label={t('menu', { name: state.account.username })} class="avatar" items={[
            { icon: 'user', label: t('account'), run: () => go('/account') },
            { icon: 'signOut', label: t('signOut'), run: leave },
          ]}>
            <span aria-hidden="true" data-initials={initials(state.account.first_name, state.account.last_name)} />
          </Menu>
        )}
        {state.is === 'out' && path !== '/sign-in' && <a class="button" href="/sign-in">{t('signIn')}</a>}
      </div>
    </header>
  );
}

async function leave(): Promise<void> {
  try {
    await signOut(() => go('/'));
    toast(t('signedOut'));
  } catch (err) {
    toastProblem(err);
  } finally {
    // Signing out cleared this site's storage; how the app looks is not a secret.
    setTheme(theme.value);
    setLang(lang.value);
  }
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

// Home is for people who are not signed in; the others find their files.
export function Home() {
  const signedIn = auth.value.is === 'in';
  useEffect(() => {
    if (signedIn) go('/files', { replace: true });
  }, [signedIn]);
  if (signedIn || auth.value.is === 'starting') return <Skeleton />;
  return (
    <div class="hero">
      <Mark />
      <h1>{t('heroTitle')}</h1>
      <p class="lead">{t('heroText')}</p>
      <div class="hero-actions">
        <a class="button primary big" href="/sign-up">{t('signUp')}</a>
        <a class="button big" href="/sign-in">{t('signIn')}</a>
      </div>
      <ul class="points">
        <li><Icon name="shield" /><div><h2>{t('point1')}</h2><p>{t('point1Text')}</p></div></li>
        <li><Icon name="device" /><div><h2>{t('point2')}</h2><p>{t('point2Text')}</p></div></li>
        <li><Icon name="folder" /><div><h2>{t('point3')}</h2><p>{t('point3Text')}</p></div></li>
      </ul>
    </div>
  );
}

// useLeaveWhenIn takes people who have a session away from pages that make one.
export function useLeaveWhenIn(): void {
  const signedIn = auth.value.is === 'in';
  useEffect(() => {
    if (signedIn) go(safeNext(new URLSearchParams(location.search).get('next'), location.origin), { replace: true });
  }, [signedIn]);
}

const t = catalog({
  en: {
    skip: 'Skip to the content',
    nav: 'Main',
    menu: 'Account menu of {name}',
    account: 'Account',
    signOut: 'Sign out',
    signedOut: 'You are signed out, on this browser and all its tabs.',
    signIn: 'Sign in',
    signUp: 'Create an account',
    language: 'Language',
    theme: 'Appearance',
    theme_auto: 'As the system',
    theme_light: 'Light',
    theme_dark: 'Dark',
    developers: 'For developers',
    lost: 'Nothing here',
    lostText: 'This address leads nowhere. Perhaps the link is old, or a letter is missing.',
    home: 'To the start',
    heroTitle: 'A safe place for your files',
    heroText: 'Coffer keeps what is yours: encrypted where it rests, listed where it is open, and gone when you say so.',
    point1: 'Sealed at rest',
    point1Text: 'Names and contents are encrypted before they are written. A copy of the database alone opens nothing.',
    point2: 'You see every device',
    point2Text: 'Each sign-in is listed with its device and place. End any of them, and it is over at once.',
    point3: 'Simple as a drawer',
    point3Text: 'Drop files and whole folders, rename, move and download them, with a mouse, a finger or the keyboard.',
  },
  de: {
    skip: 'Zum Inhalt springen',
    nav: 'Hauptmenü',
    menu: 'Kontomenü von {name}',
    account: 'Konto',
    signOut: 'Abmelden',
    signedOut: 'Sie sind abgemeldet, in diesem Browser und allen seinen Tabs.',
    signIn: 'Anmelden',
    signUp: 'Konto anlegen',
    language: 'Sprache',
    theme: 'Aussehen',
    theme_auto: 'Wie das System',
    theme_light: 'Hell',
    theme_dark: 'Dunkel',
    developers: 'Für Entwickler',
    lost: 'Hier ist nichts',
    lostText: 'Diese Adresse führt nirgendwohin. Vielleicht ist der Link alt, oder es fehlt ein Zeichen.',
    home: 'Zum Anfang',
    heroTitle: 'Ein sicherer Ort für Ihre Dateien',
    heroText: 'Coffer bewahrt, was Ihnen gehört: verschlüsselt, wo es liegt, sichtbar, wo es offen ist, und weg, wenn Sie es sagen.',
    point1: 'Verschlüsselt abgelegt',
    point1Text: 'Namen und Inhalte werden verschlüsselt, bevor sie geschrieben werden. Eine Kopie der Datenbank allein öffnet nichts.',
    point2: 'Sie sehen jedes Gerät',
    point2Text: 'Jede Anmeldung steht mit Gerät und Ort in einer Liste. Beenden Sie eine, und sie ist sofort vorbei.',
    point3: 'Einfach wie eine Schublade',
    point3Text: 'Dateien und ganze Ordner hineinziehen, umbenennen, verschieben, herunterladen: mit Maus, Finger oder Tastatur.',
  },
});
