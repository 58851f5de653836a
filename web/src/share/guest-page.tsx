// The page of a link, as people without an account see it: what is shared, or what stands before it.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { Form, Password } from '../shell/form';
import { Icon, type Icon as Icons } from '../shell/icon';
import { place, type Params } from '../shell/router';
import { Empty, Failed, Skeleton } from '../shell/ui';
import { page, unlock, useWay } from './guest';
import { Folder, Single } from './guest-read';
import { HandIn } from './guest-request';
import { t } from './guest-words';

// The name of the shared file or folder. Nothing else of its link stands in the page's title.
const called = signal('');

export const titleOfShared = (): string => called.value || t('sharedTitle');

export const Shared = ({ params }: { params: Params }) => <Page key={params.token} token={params.token!} />;

function Page({ token }: { token: string }) {
  const path = new URLSearchParams(place.value.search).get('path') ?? '';
  const way = useWay(token, path);
  const { door } = way;
  const read = door.is === 'open' && door.link.kind === 'read' ? door.link.entry.name : '';
  useEffect(() => {
    called.value = read;
    return () => {
      called.value = '';
    };
  }, [read]);
  // The view that replaces the page takes the focus too.
  const was = useRef(door.is);
  useEffect(() => {
    if (was.current !== 'loading' && was.current !== door.is && door.is !== 'locked') focusMain();
    was.current = door.is;
  }, [door.is]);

  switch (door.is) {
    case 'loading': return <Skeleton />;
    case 'failed': return <><h1>{t('sharedTitle')}</h1><Failed problem={door.problem} retry={way.load} /></>;
    case 'gone': return <Stop icon="link" title={t('goneTitle')}><p>{t('goneText')}</p></Stop>;
    case 'locked': return <Locked token={token} then={way.load} />;
    case 'astray': return (
      <Empty icon="folder" title={t('astrayTitle')} page>
        <p>{t('astrayText')}</p>
        <p><a class="button primary" href={page(token, '')}>{t('toTop', { name: door.name })}</a></p>
      </Empty>
    );
    case 'open':
      if (door.link.kind === 'request') return <HandIn token={token} link={door.link} way={way} />;
      return door.link.entry.kind === 'folder' ? <Folder token={token} at={{ ...door, link: door.link }} way={way} /> : <Single token={token} at={{ ...door, link: door.link }} way={way} />;
  }
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

function Locked({ token, then }: { token: string; then: () => Promise<void> }) {
  return (
    <Stop icon="key" title={t('lockedTitle')}>
      <p>{t('lockedText')}</p>
      <Form submit={t('continue')} onSubmit={async ({ password = '' }) => {
        await unlock(token, password);
        await then();
      }}>
        <Password name="password" label={t('password')} autoComplete="current-password" required autoFocus />
      </Form>
    </Stop>
  );
}
