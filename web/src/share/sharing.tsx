// The dialog "Sharing" of an entry: its links, and the one form that makes another.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, serverNow, type Answer } from '../shell/api';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import type { Entry } from '../shell/room';
import { ask, Dialog, Failed, Skeleton, useLoad } from '../shell/ui';
import { Fields } from './fields';
import { LinkRow } from './link-row';
import { made, read } from './limits';
import { changed, useChanges, type Link } from './links';
import { t } from './words';

// The members of an entry that its dialog needs.
export type Shared = Pick<Entry, 'id' | 'kind' | 'name'>;

// fresh is a link that was made a moment ago: its button to copy takes the focus.
export const askSharing = (entry: Shared, fresh?: string): Promise<void> => ask((close) => <Sharing entry={entry} fresh={fresh} onClose={close} />);

function Sharing({ entry, fresh: first, onClose }: { entry: Shared; fresh?: string; onClose: () => void }) {
  const [fresh, setFresh] = useState(first);
  const [making, setMaking] = useState(false);
  const { data, problem, reload } = useLoad((signal) => every(entry.id, signal), [entry.id]);
  const box = useRef<HTMLDivElement>(null);
  const count = useChanges();
  const seen = useRef(count);
  useEffect(() => {
    if (seen.current === count) return;
    seen.current = count;
    void reload();
  }, [count]);
  useEffect(() => {
    const copy = fresh && box.current?.querySelector<HTMLElement>(`[data-link="${fresh}"] .share-url button`);
    if (copy) {
      copy.focus();
      setFresh(undefined);
    } else if (data && document.activeElement === document.body) {
      box.current!.closest('dialog')!.querySelector('h2')!.focus(); // what had the focus is gone
    }
  }, [data, fresh]);

  const show = async (link: Link) => {
    setMaking(false);
    await reload();
    setFresh(link.id);
    changed();
  };
  const folder = entry.kind === 'folder';
  const reads = (data ?? []).filter((link) => link.kind === 'read');
  const requests = (data ?? []).filter((link) => link.kind === 'request');
  const label = t(reads.length > 0 ? 'another' : 'shareFolder');
  const more = <div><button type="button" class="button" onClick={() => setMaking(true)}><Icon name={reads.length > 0 ? 'plus' : 'share'} /> {label}</button></div>;
  return (
    <Dialog title={t('sharing')} class="share-dialog" onClose={onClose}>
      <p class="long-name">{entry.name}</p>
      <div ref={box} class="share-parts">
        {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={2} /> : (
          <>
            {data.length === 0 && (
              <>
                <p>{t(folder ? 'makeFolder' : 'makeFile')}</p>
                <Make entry={entry} onMade={show} />
              </>
            )}
            {reads.length > 0 && <ul class="share-links">{reads.map((link) => <LinkRow key={link.id} link={link} />)}</ul>}
            {reads.length > 0 && more}
            {requests.length > 0 && (
              <section class="share-part" aria-labelledby="share-requests">
                <h3 id="share-requests">{t('requests')}</h3>
                <ul class="share-links">{requests.map((link) => <LinkRow key={link.id} link={link} />)}</ul>
              </section>
            )}
            {requests.length > 0 && reads.length === 0 && more}
          </>
        )}
      </div>
      {making && (
        <Dialog title={label} class="share-dialog" onClose={() => setMaking(false)}>
          {reads.length === 0 && <p>{t('makeFolder')}</p>}
          <Make entry={entry} onMade={show} onCancel={() => setMaking(false)} />
        </Dialog>
      )}
    </Dialog>
  );
}

function Make({ entry, onMade, onCancel }: { entry: Shared; onMade: (link: Link) => Promise<void>; onCancel?: () => void }) {
  return (
    <Form submit={t('make')} icon="link" onCancel={onCancel} onSubmit={async (values) => {
      await onMade(await post('/files/{id}/shares', { path: { id: entry.id }, body: { kind: 'read', ...made(read(values, undefined, serverNow())) } }));
    }}>
      <Fields kind="read" />
    </Form>
  );
}

async function every(id: string, signal: AbortSignal): Promise<Link[]> {
  const all: Link[] = [];
  let cursor: string | undefined;
  do {
    const page: Answer<'get', '/files/{id}/shares'> = await get('/files/{id}/shares', { path: { id }, query: { cursor, limit: 200 }, signal });
    all.push(...page.items);
    cursor = page.next_cursor || undefined;
  } while (cursor);
  return all;
}
