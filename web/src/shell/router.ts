// Addresses and pages: history paths, no hashes. A link is a plain <a href>; a click
// on it stays in the app when the address is ours.
import { computed, signal } from '@preact/signals';
import type { ComponentType } from 'preact';

export type Params = Record<string, string>;

export interface Route {
  path: string; // "/files/:folder"
  page: ComponentType<{ params: Params }>;
  title: () => string;
  open?: boolean; // may be seen without a session
  wide?: boolean; // uses the whole width
  alone?: boolean; // is shown without places and New
}

export interface Match {
  route: Route;
  params: Params;
}

// match finds the route of a path; a trailing slash means nothing.
export function match(routes: readonly Route[], path: string): Match | undefined {
  const parts = split(path);
  for (const route of routes) {
    const params = fit(split(route.path), parts);
    if (params) return { route, params };
  }
  return undefined;
}

function split(path: string): string[] {
  return path.replace(/\/+$/, '').split('/').slice(1);
}

function fit(pattern: string[], parts: string[]): Params | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Params = {};
  for (let i = 0; i < pattern.length; i++) {
    const want = pattern[i]!;
    const got = parts[i]!;
    if (want.startsWith(':')) {
      try {
        params[want.slice(1)] = decodeURIComponent(got);
      } catch {
        return undefined;
      }
    } else if (want !== got) {
      return undefined;
    }
  }
  return params;
}

// safeNext returns where to go after a sign-in: a path of this app, else `first`, whatever
// the address bar was made to say ("//evil", "/\evil", "/.//evil", "javascript:" are not ours).
export function safeNext(next: string | null, origin: string, first: string): string {
  if (!next || !next.startsWith('/')) return first;
  try {
    const url = new URL(next, origin);
    // Dots are resolved by now, so that "/.//evil" shows what it is.
    return url.origin === origin && !url.pathname.startsWith('//') ? url.pathname + url.search : first;
  } catch {
    return first;
  }
}

interface Place {
  path: string;
  search: string;
}

export const place = signal<Place>({ path: '/', search: '' });
export const path = computed(() => place.value.path);

// How many times the app has moved; 0 is the first page, whose focus the browser owns.
export const moves = signal(0);

// Changes when a link with a fragment is opened on top of the page that it leads to.
export const arrivals = signal(0);

function read(): void {
  place.value = { path: location.pathname, search: location.search };
}

export function go(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  moves.value++;
  read();
}

export function startRouter(): void {
  read();
  addEventListener('popstate', () => {
    if (location.hash) arrivals.value++;
    moves.value++;
    read();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target || link.hasAttribute('download') || link.dataset.leave !== undefined) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || url.hash) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
