// The small pictures of files. One is asked for when its tile comes into view, a few at a time, and
// kept in memory for a while: the call carries the session's token, so the browser keeps none.
import { effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { stream } from '../shell/api';
import { auth } from '../shell/auth';
import type { Entry } from './tree';

const atOnce = 4;
const most = 400; // that are kept

// The addresses of what came, by the hash of the content: copies and moved files have the same. Those
// that were shown last stand last.
const kept = new Map<string, string>();

interface Wish {
  entry: Entry;
  key: string;
  signal: AbortSignal;
  settle: (url: string | undefined) => void;
}

let waiting: Wish[] = [];
let running = 0;

export function startThumbnails(): void {
  effect(() => {
    if (auth.value.is === 'in') return;
    for (const url of kept.values()) URL.revokeObjectURL(url);
    kept.clear();
    waiting = [];
  });
}

// use answers what is kept, and marks it as shown last.
function use(key: string): string | undefined {
  const url = kept.get(key);
  if (url === undefined) return undefined;
  kept.delete(key);
  kept.set(key, url);
  return url;
}

function work(): void {
  while (running < atOnce) {
    // The thumbnail that came into view last is in front of the person.
    const wish = waiting.pop();
    if (!wish) return;
    if (wish.signal.aborted) continue;
    running++;
    void bring(wish).then(wish.settle, () => wish.settle(undefined)).finally(() => {
      running--;
      work();
    });
  }
}

async function bring({ entry, key, signal }: Wish): Promise<string | undefined> {
  const known = use(key); // a copy of the same came first
  if (known) return known;
  const response = await stream('/files/{id}/thumbnail', { path: { id: entry.id }, signal, quiet: true });
  const blob = await response.blob();
  if (auth.peek().is !== 'in') return undefined;
  const url = URL.createObjectURL(blob);
  kept.set(key, url);
  for (const [old, gone] of kept) {
    if (kept.size <= most) break;
    kept.delete(old);
    URL.revokeObjectURL(gone);
  }
  return url;
}

// useThumbnail answers the address of an entry's small picture, from when the element comes near.
// Without one, or when it cannot be had, it answers undefined: the tile shows an icon.
export function useThumbnail(entry: Entry) {
  const box = useRef<HTMLDivElement>(null);
  const key = entry.thumbnail ? entry.sha256 ?? entry.id : undefined;
  const [url, setUrl] = useState(() => (key === undefined ? undefined : use(key)));
  useEffect(() => {
    if (key === undefined || url !== undefined) return;
    const stop = new AbortController();
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((s) => s.isIntersecting)) return;
      watch.disconnect();
      waiting.push({ entry, key, signal: stop.signal, settle: (to) => stop.signal.aborted || setUrl(to) });
      work();
    }, { rootMargin: '200px' });
    watch.observe(box.current!);
    return () => {
      watch.disconnect();
      stop.abort();
    };
  }, [key]);
  return [box, url] as const;
}
