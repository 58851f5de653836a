// The page that an address means, in its frame; the focus after a move; the way to the
// sign-in for people without a session.
import { useEffect, useRef } from 'preact/hooks';
import { auth, me } from './auth';
import { Bar, Side, Top } from './frame';
import { Home } from './home';
import { carried } from './link';
import { Footer } from './look';
import { firstPlace, repairPath, rooms, signInPath } from './room';
import { arrivals, go, match, moves, place, safeNext, type Match, type Route } from './router';
import { Dialogs, Empty, Failed, Skeleton, Toasts } from './ui';
import { t } from './words';

const home: Route = { path: '/', page: Home, title: () => 'Coffer', open: true };
const lost: Route = { path: '', page: Lost, title: () => t('lost'), open: true };

export function App() {
  const routes = [home, ...rooms().flatMap((room) => room.routes ?? [])];
  const found = match(routes, place.value.path) ?? { route: lost, params: {} };
  const title = found.route.title();
  const state = auth.value;
  const framed = state.is === 'in' && !found.route.alone;
  useEffect(() => {
    document.title = title === 'Coffer' ? title : `${title} – Coffer`;
  }, [title]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        focusMain();
      }}>{t('skip')}</a>
      <Top framed={framed} />
      <div class={framed ? 'body with-side' : 'body'}>
        {framed && <Side />}
        <main id="main" class={found.route.wide ? 'wide' : undefined} tabIndex={-1}>
          <Guarded found={found} />
        </main>
      </div>
      {framed ? <Bar account={state.account} /> : !me() && state.is !== 'starting' && <Footer />}
      {state.is === 'in' && rooms().map(({ Floating }, i) => Floating && <Floating key={i} />)}
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
  const away = !found.route.open && state.is === 'repair' && found.route.path !== repairPath();
  const shown = useRef(0);
  useEffect(() => {
    if (!leave) return;
    const search = [place.value.search.slice(1), carried()].filter(Boolean).join('&');
    go(signInPath() + '?next=' + encodeURIComponent(path + (search && '?' + search)), { replace: true });
  }, [leave, path]);
  useEffect(() => {
    if (away) go(repairPath(), { replace: true });
  }, [away, path]);
  useEffect(() => {
    if (path !== place.value.path) return; // another page is on its way
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
  if (leave || away) return null;
  const { page: Page } = found.route;
  return <Page key={found.route.path + arrivals.value} params={found.params} />;
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
  const signedIn = me() !== undefined;
  useEffect(() => {
    if (!signedIn) return;
    if (auth.value.is === 'repair') return go(repairPath(), { replace: true });
    const next = safeNext(new URLSearchParams(location.search).get('next'), location.origin, firstPlace());
    go(next.split('?')[0] === location.pathname ? firstPlace() : next, { replace: true });
  }, [signedIn]);
}
