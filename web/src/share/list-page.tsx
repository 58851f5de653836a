// The pages of the person's links, and of the links that take files.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../shell/api';
import { focusMain } from '../shell/app';
import { Icon, type Icon as IconName } from '../shell/icon';
import { folders } from '../shell/room';
import { Empty, Failed, Skeleton } from '../shell/ui';
import { LinkRow } from './link-row';
import { useChanges, type Kind, type Link } from './links';
import { usePages } from '../shell/pages';
import { askRequest } from './request';
import { askSharing } from './sharing';
import { t } from './words';

export function Links() {
  const tree = folders();
  return (
    <Page kind="read" title={t('shared')} text={t('sharedText')} icon="share" empty={t('sharedEmpty')} emptyText={t('sharedEmptyText')}>
      {tree && <a class="button primary" href={tree.href('')}>{t('toFiles')}</a>}
    </Page>
  );
}

export function Requests() {
  const button = <button type="button" class="button primary" onClick={() => void askRequest()}><Icon name="inbox" /> {t('request')}</button>;
  return (
    <Page kind="request" title={t('requests')} text={t('requestsText')} icon="inbox" empty={t('requestsEmpty')} emptyText={t('requestsEmptyText')} main={button}>
      {button}
    </Page>
  );
}

interface PageProps {
  kind: Kind;
  title: string;
  text: string;
  icon: IconName;
  empty: string;
  emptyText: string;
  main?: ComponentChildren; // what the page is for, beside its title while it has something
  children: ComponentChildren; // what an empty page offers
}

function Page({ kind, title, text, icon, empty, emptyText, main, children }: PageProps) {
  const list = usePages<Link>((cursor, signal) => get('/shares', { query: { kind, cursor, limit: 50 }, signal }), useChanges());
  const { items } = list;
  const had = useRef(false);
  useEffect(() => {
    // A link that was stopped took its buttons along.
    if (had.current && document.activeElement === document.body && !document.querySelector('dialog[open]')) focusMain();
    had.current = items !== undefined;
  }, [items]);
  return (
    <>
      <div class="card-head">
        <div>
          <h1>{title}</h1>
          {items && items.length > 0 && <p class="hint">{text}</p>}
        </div>
        {items && items.length > 0 && main}
      </div>
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {!items ? !list.problem && <Skeleton rows={4} /> : items.length === 0 ? (
        <Empty icon={icon} title={empty}>
          <p>{emptyText}</p>
          <p>{children}</p>
        </Empty>
      ) : (
        <section class="card share-all" aria-label={title}>
          <ul class="share-links">{items.map((link) => <LinkRow key={link.id} link={link} onOpen={askSharing} />)}</ul>
        </section>
      )}
      {list.more && <div class="share-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
    </>
  );
}
