// The page of an encrypted pin's link, for people without an account: this browser fetches the blocks,
// checks and decrypts them, and saves the files.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { Icon, type Icon as Icons } from '../shell/icon';
import { asProblem, type Problem } from '../shell/problem';
import type { Params } from '../shell/router';
import { Failed, Skeleton } from '../shell/ui';
import { Damaged } from './blocks';
import { get } from './gateway';
import { Contents } from './guest-read';
import { t } from './guest-words';
import { linkOf, open, WrongKey, type Link, type Opened as Content } from './opened';
import { leave } from './save';

// The name of what was opened. Nothing else of the link stands in the page's title.
const called = signal('');

export const titleOfOpened = (): string => called.value || t('title');

type Door =
  | { is: 'loading' | 'gone' | 'key' | 'damaged' }
  | { is: 'failed'; problem: Problem }
  | { is: 'open'; content: Content };

// The content that was opened last: the way back through its folders opens nothing again.
let last: { of: string; content: Content } | undefined;

export function Opened({ params }: { params: Params }) {
  const [fragment] = useState(location.hash); // a link opened on top of the page is a new page
  const link = linkOf(params.cid!, fragment);
  if (!link) return <Stop icon="link" title={t('partTitle')}><p>{t('partText')}</p></Stop>;
  return <Page key={params.cid! + fragment} link={link} of={params.cid! + fragment} />;
}

function Page({ link, of }: { link: Link; of: string }) {
  const [door, set] = useState<Door>(() => (last?.of === of ? { is: 'open', content: last.content } : { is: 'loading' }));
  const asking = useRef<AbortController>(undefined);
  const name = door.is === 'open' ? door.content.name : '';

  async function load(): Promise<void> {
    asking.current?.abort();
    const { signal: stop } = (asking.current = new AbortController());
    set({ is: 'loading' });
    const next = await open(get, link, stop).then((content): Door => ({ is: 'open', content }), doorOf);
    if (stop.aborted) return;
    if (next.is === 'open') last = { of, content: next.content };
    set(next);
  }
  useEffect(() => {
    if (door.is !== 'open') void load();
    return () => asking.current?.abort();
  }, []);
  useEffect(() => () => {
    if (!location.pathname.startsWith('/p/')) leave(of);
  }, []);
  useEffect(() => {
    called.value = name;
    return () => {
      called.value = '';
    };
  }, [name]);
  const was = useRef(door.is);
  useEffect(() => {
    // The view that replaces the page takes the focus too.
    if (was.current !== door.is && was.current !== 'loading' && door.is !== 'loading') focusMain();
    was.current = door.is;
  }, [door.is]);

  const retry = <p><button type="button" class="button primary" onClick={() => void load()}><Icon name="retry" /> {t('again')}</button></p>;
  switch (door.is) {
    case 'loading': return <><h1 class="hidden">{t('title')}</h1><p class="hint" role="status">{t('opening')}</p><Skeleton /></>;
    case 'gone': return <Stop icon="link" title={t('goneTitle')}><p>{t('goneText')}</p></Stop>;
    case 'key': return <Stop icon="key" title={t('keyTitle')}><p>{t('keyText')}</p></Stop>;
    case 'damaged': return <Stop icon="warning" title={t('damagedTitle')}><p>{t('damagedText')}</p>{retry}</Stop>;
    case 'failed': return <><h1>{t('title')}</h1><Failed problem={door.problem} retry={load} /></>;
    case 'open': return <Contents content={door.content} of={of} />;
  }
}

function doorOf(err: unknown): Door {
  if (err instanceof WrongKey) return { is: 'key' };
  if (err instanceof Damaged) return { is: 'damaged' };
  const problem = asProblem(err);
  return problem.status === 404 ? { is: 'gone' } : { is: 'failed', problem };
}

function Stop({ icon, title, children }: { icon: Icons; title: string; children: ComponentChildren }) {
  return (
    <div class="card narrow">
      <span class="badge"><Icon name={icon} /></span>
      <h1>{title}</h1>
      {children}
    </div>
  );
}
