// The page of all that the person published.
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../shell/api';
import { focusMain } from '../shell/app';
import { usePages } from '../shell/pages';
import { PublishedTabs } from '../shell/published';
import { folders } from '../shell/room';
import { Empty, Failed, Skeleton } from '../shell/ui';
import { PinRow } from './pin-row';
import { targets, useChanges, type Pin } from './pins';
import { t } from './words';

export function Pins() {
  const list = usePages<Pin>((cursor, signal) => get('/pins', { query: { cursor, limit: 50 }, signal }), useChanges());
  const { items } = list;
  const tree = folders();
  const had = useRef(false);
  useEffect(() => {
    // A pin that went took its buttons along.
    if (had.current && document.activeElement === document.body && !document.querySelector('dialog[open]')) focusMain();
    had.current = items !== undefined;
  }, [items]);
  return (
    <>
      <div class="card-head">
        <div>
          <h1>{t('published')}</h1>
          <p class="hint">{t('publishedText')}</p>
        </div>
      </div>
      <PublishedTabs label={t('parts')} />
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {!items ? !list.problem && <Skeleton rows={4} /> : items.length === 0 ? (
        <Empty icon="globe" title={t('none')}>
          <p>{t(targets.value.length > 0 ? 'noneText' : 'noTargetText')}</p>
          {tree && <p><a class="button primary" href={tree.href('')}>{t('toFiles')}</a></p>}
        </Empty>
      ) : (
        <section class="card" aria-label={t('pins')}>
          <ul class="pin-rows">{items.map((pin) => <PinRow key={pin.id} pin={pin} named />)}</ul>
        </section>
      )}
      {list.more && <div class="pin-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
    </>
  );
}
