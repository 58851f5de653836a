// What stands around every page for admins: the way to the other pages, the first line, and the
// way out for accounts that are no admin, or no longer.
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../shell/api';
import { keeper, me } from '../shell/auth';
import { useParent } from '../shell/frame';
import { cancelled, Problem } from '../shell/problem';
import { firstPlace } from '../shell/room';
import { go, path, type Params } from '../shell/router';
import { Empty, toast, useLoad, type Loaded } from '../shell/ui';
import { t } from './words';

export const pages = [
  { href: '/admin', label: () => t('overview') },
  { href: '/admin/people', label: () => t('people') },
  { href: '/admin/storage', label: () => t('storage') },
  { href: '/admin/blocks', label: () => t('blocks') },
  { href: '/admin/jobs', label: () => t('jobs') },
  { href: '/admin/keys', label: () => t('keys') },
  { href: '/admin/log', label: () => t('log') },
];

interface DeskProps {
  title: string;
  text: string; // what the page is for, and what to do
  main?: ComponentChildren; // beside the title
  children: ComponentChildren;
}

export function Desk({ title, text, main, children }: DeskProps) {
  const here = path.value;
  const strip = useRef<HTMLElement>(null);
  useParent(here === '/admin' ? undefined : '/admin', here === '/admin' ? undefined : t('admin'));
  useEffect(() => {
    // On a phone the strip is longer than the screen.
    const box = strip.current!;
    const at = box.querySelector<HTMLElement>('[aria-current]');
    if (at) box.scrollLeft = at.offsetLeft - (box.clientWidth - at.offsetWidth) / 2;
  }, [here]);
  return (
    <>
      <nav class="admin-pages" aria-label={t('admin')} ref={strip}>
        {pages.map(({ href, label }) => <a key={href} href={href} aria-current={here === href || (href !== '/admin' && here.startsWith(href + '/')) ? 'page' : undefined}>{label()}</a>)}
      </nav>
      <div class="card-head">
        <div>
          <h1>{title}</h1>
          <p class="hint">{text}</p>
        </div>
        {main}
      </div>
      {children}
    </>
  );
}

// forAdmins shows the page to admins alone. The server decides; this spares others the refusals.
export function forAdmins(Page: ComponentType<{ params: Params }>): ComponentType<{ params: Params }> {
  return function Gate(props: { params: Params }) {
    return me()?.role === 'admin' ? <Page {...props} /> : <Stranger />;
  };
}

function Stranger() {
  useEffect(() => {
    // The account may have become an admin since this page was opened.
    void get('/account').then((account) => account.role !== me()?.role && keeper().changed(account), () => undefined);
  }, []);
  return (
    <Empty icon="shield" title={t('strangerTitle')} page>
      <p>{t('strangerText')}</p>
      <p><a class="button primary" href={firstPlace()}>{t('toFiles')}</a></p>
    </Empty>
  );
}

const refused = (err: unknown) => err instanceof Problem && err.code === 'admin_only';

let leaving: Promise<void> | undefined;

// leave takes a person off the pages for admins who was one when they were opened.
function leave(): Promise<void> {
  leaving ??= (async () => {
    const account = await get('/account').catch(() => undefined);
    go(firstPlace(), { replace: true });
    toast(t('demoted'), true);
    if (account) keeper().changed(account);
  })().finally(() => {
    leaving = undefined;
  });
  return leaving;
}

// useLeave leaves when a list was refused because the account is no admin any longer.
export function useLeave(problem: Problem | undefined): void {
  useEffect(() => {
    if (refused(problem)) void leave();
  }, [problem]);
}

// act passes on what a change answers.
export async function act<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (err) {
    if (!refused(err)) throw err;
    await leave();
    throw cancelled();
  }
}

// useLook reads something, and again while the page is looked at: what changed elsewhere appears
// by itself.
export function useLook<T>(work: (signal: AbortSignal) => Promise<T>, deps: unknown[], every = 15): Loaded<T> {
  const loaded = useLoad(work, deps);
  useLeave(loaded.problem);
  useAgain(loaded.reload, every);
  return loaded;
}

// useAgain repeats work while the page is looked at.
export function useAgain(work: () => unknown, every = 15): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const again = () => document.visibilityState === 'visible' && void latest.current();
    const timer = setInterval(again, every * 1000);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [every]);
}

// keepFocus is for a row that goes: its button takes the focus along.
export const keepFocus = (): void => document.getElementById('main')?.focus({ preventScroll: true });
