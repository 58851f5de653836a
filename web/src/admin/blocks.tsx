// Blocks: addresses and networks that the server answers nothing.
import { useState } from 'preact/hooks';
import { del, get, post, serverNow } from '../shell/api';
import { Field, Form, Select, Time } from '../shell/form';
import { ago, dateTime } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { usePages } from '../shell/pages';
import { place } from '../shell/router';
import { Dialog, Empty, Failed, Skeleton, toast, toastProblem } from '../shell/ui';
import { act, Desk, keepFocus, useAgain, useLeave } from './desk';
import type { Block } from './types';
import { t } from './words';

const hour = 3_600_000;
const lasts = { h1: hour, h24: 24 * hour, h168: 7 * 24 * hour, h720: 30 * 24 * hour } as const;

// plain leaves out the length of a network of one address.
export const plain = (network: string): string => network.replace(/^([\d.]+)\/32$|^([\da-f:]+)\/128$/i, '$1$2');

type Added = { network: string; reason: string; expires_at?: string };

const sorts = ['all', 'automatic', 'hand'] as const;
type Sort = (typeof sorts)[number];

export function Blocks() {
  const asked = new URLSearchParams(place.value.search).get('by');
  const sort: Sort = sorts.find((s) => s === asked) ?? 'all';
  const [changes, setChanges] = useState(0);
  const [adding, setAdding] = useState(false);
  const list = usePages<Block>((cursor, signal) => get('/admin/blocks', { query: { automatic: sort === 'all' ? undefined : sort === 'automatic' ? 'true' : 'false', cursor, limit: 50 }, signal }), changes * sorts.length + sorts.indexOf(sort));
  const { items } = list;
  useLeave(list.problem);
  const changed = () => setChanges((n) => n + 1);
  useAgain(changed);
  const add = (body: Added) => act(post('/admin/blocks', { body }));

  async function remove(block: Block) {
    try {
      await act(del('/admin/blocks/{id}', { path: { id: block.id } }));
      keepFocus();
      changed();
      toast(t('blockRemoved', { network: plain(block.network) }), false, { label: t('undo'), run: async () => {
        try {
          await add({ network: block.network, reason: block.reason, ...(block.expires_at && { expires_at: block.expires_at }) });
          changed();
        } catch (err) {
          toastProblem(err);
        }
      } });
    } catch (err) {
      toastProblem(err);
    }
  }

  const button = <button type="button" class="button primary" onClick={() => setAdding(true)}><Icon name="plus" /> {t('blockAdd')}</button>;
  return (
    <Desk title={t('blocks')} text={t('blocksText')} main={items && (items.length > 0 || sort !== 'all') && button}>
      {items && (items.length > 0 || sort !== 'all') && (
        <nav class="admin-tabs" aria-label={t('blocksWhich')}>
          {sorts.map((s) => <a key={s} href={s === 'all' ? '/admin/blocks' : '/admin/blocks?by=' + s} aria-current={s === sort ? 'true' : undefined}>{t(`blocks_${s}`)}</a>)}
        </nav>
      )}
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {!items ? !list.problem && <Skeleton rows={4} /> : items.length === 0 ? (
        <Empty icon="shield" title={t('blocksNone')}>
          <p>{t('blocksNoneText')}</p>
          {sort === 'all' && <p>{button}</p>}
        </Empty>
      ) : (
        <section class="card" aria-label={t('blocks')}>
          <ul class="admin-rows">
            {items.map((block) => (
              <li key={block.id} class="admin-row admin-deed">
                <div>
                  <p class="admin-name"><span class="admin-mono admin-long">{plain(block.network)}</span> {block.automatic && <span class="tag">{t('blockAutomatic')}</span>}</p>
                  <p class="admin-long">{(block.automatic && t.find(`why_${block.reason.replace(/\W/g, '_')}`)) || block.reason}</p>
                  <p class="hint">
                    {t('blockSince')} <Time at={block.created_at}>{ago(block.created_at)}</Time>{'\u00a0· '}
                    {block.expires_at ? t('blockUntil', { time: dateTime(block.expires_at) }) : t('blockForever')}
                  </p>
                </div>
                <button type="button" class="button" aria-label={t('blockRemoveOf', { network: plain(block.network) })} onClick={() => void remove(block)}>{t('blockRemove')}</button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {list.more && <div class="admin-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
      {adding && (
        <Dialog title={t('blockAdd')} onClose={() => setAdding(false)}>
          <Form submit={t('blockDo')} onCancel={() => setAdding(false)} onSubmit={async (v) => {
            const after = lasts[v.lasts as keyof typeof lasts];
            await add({ network: v.network!.trim(), reason: v.reason!.trim(), ...(after && { expires_at: new Date(serverNow() + after).toISOString() }) });
            changed();
            setAdding(false);
            toast(t('blockAdded', { network: v.network!.trim() }));
          }}>
            <p>{t('blockAddText')}</p>
            <Field name="network" label={t('network')} hint={t('networkHint')} required autoFocus autoComplete="off" spellcheck={false} maxLength={64} />
            <Field name="reason" label={t('reason')} hint={t('reasonHint')} required autoComplete="off" maxLength={200} />
            <Select name="lasts" label={t('lasts')} value="h24" options={{ h1: t('lastsHour'), h24: t('lastsDay'), h168: t('lastsWeek'), h720: t('lastsMonth'), ever: t('lastsEver') }} />
          </Form>
        </Dialog>
      )}
    </Desk>
  );
}
