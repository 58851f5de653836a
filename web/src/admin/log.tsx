// Log: each deed of an admin and each finding, the newest first. No deed of the app erases it.
import { useState } from 'preact/hooks';
import { get } from '../shell/api';
import { Time } from '../shell/form';
import { dateTime, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { usePages } from '../shell/pages';
import { place } from '../shell/router';
import { Empty, Failed, Skeleton } from '../shell/ui';
import { Desk, useAgain, useLeave } from './desk';
import { kindOf } from './jobs';
import { nameOf } from './keys';
import type { Entry } from './types';
import { t } from './words';

const kinds = ['all', 'deeds', 'findings'] as const;
type Kind = (typeof kinds)[number];

interface Filter {
  kind: Kind;
  account: string; // "" for every account
}

const address = ({ kind, account }: Filter): string => '/admin/log' + String(new URLSearchParams({ ...(kind !== 'all' && { kind }), ...(account && { account }) })).replace(/^(?=.)/, '?');

export function Log() {
  const search = new URLSearchParams(place.value.search);
  const filter: Filter = { kind: kinds.find((k) => k === search.get('kind')) ?? 'all', account: search.get('account') ?? '' };
  return (
    <Desk title={t('log')} text={t('logText')}>
      <nav class="admin-tabs" aria-label={t('logWhich')}>
        {kinds.map((kind) => <a key={kind} href={address({ ...filter, kind })} aria-current={kind === filter.kind ? 'true' : undefined}>{t(`log_${kind}`)}</a>)}
        {filter.account && <a href={address({ ...filter, account: '' })}><Icon name="close" /> {t('logEveryone')}</a>}
      </nav>
      <List key={address(filter)} filter={filter} />
    </Desk>
  );
}

// wanted tells the entries of a filter. The server's log is sealed, so it cannot search in it.
function wanted(entry: Entry, { kind, account }: Filter): boolean {
  const finding = entry.actor.kind === 'server';
  return (kind === 'all' || finding === (kind === 'findings')) && (!account || entry.account?.id === account || entry.actor.account?.id === account);
}

function List({ filter }: { filter: Filter }) {
  const [changes, setChanges] = useState(0);
  const whole = filter.kind === 'all' && !filter.account;
  const list = usePages<Entry>(async (cursor, signal) => {
    const { items, next_cursor } = await get('/admin/events', { query: { cursor, limit: whole ? 50 : 200 }, signal });
    return { items: items.filter((entry) => wanted(entry, filter)), next_cursor };
  }, changes);
  const { items } = list;
  useLeave(list.problem);
  useAgain(() => setChanges((n) => n + 1), 30);
  if (!items) return list.problem ? <Failed problem={list.problem} retry={list.reload} /> : <Skeleton rows={5} />;
  return (
    <>
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {items.length === 0 ? <Empty icon="history" title={t('logNone')}><p>{t('logNoneText')}</p></Empty> : (
        <section class="card" aria-label={t('log')}>
          <ul class="admin-rows">
            {items.map((entry) => <Line key={entry.id} entry={entry} />)}
          </ul>
        </section>
      )}
      {list.more && <div class="admin-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
      <p class="hint">{t('logVerify')} <code>coffer admin log verify</code></p>
    </>
  );
}

function Line({ entry }: { entry: Entry }) {
  const { actor } = entry;
  const bad = entry.action === 'damaged' || entry.action === 'log.damaged';
  const more = detail(entry);
  return (
    <li class="admin-row">
      <Icon name={bad ? 'warning' : actor.kind === 'server' ? 'shield' : actor.kind === 'console' ? 'device' : 'user'} class={bad ? 'admin-bad' : undefined} />
      <div>
        <p class="admin-name">{t.find(`event_${entry.action.replace(/\W/g, '_')}`) ?? entry.action}{entry.account && <> · <Who who={entry.account} /></>}</p>
        {more && <p class="small admin-long">{more}</p>}
        <p class="hint admin-long">
          {actor.account ? <>{t('logBy')} <Who who={actor.account} />{actor.address && ` (${actor.address})`}</> : actor.console ? t('logConsole', { user: actor.console }) : t('logServer')}
          {'\u00a0· '}<Time at={entry.at}>{dateTime(entry.at)}</Time>
        </p>
      </div>
    </li>
  );
}

function Who({ who }: { who: NonNullable<Entry['account']> }) {
  return who.username ? <a href={'/admin/people/' + encodeURIComponent(who.id)}>{who.username}</a> : <>{t('gone')}</>;
}

// detail says what the words of the action leave open.
function detail({ action, target, data }: Entry): string {
  switch (action) {
    case 'account.role': return t(data.to === 'admin' ? 'nowAdmin' : 'nowUser');
    case 'account.quota': return [quota('quotaBytes', data.bytes, size), quota('quotaFiles', data.files, (n) => t('number', { count: n }))].filter(Boolean).join(' · ');
    case 'job.retry': return kindOf(data.kind ?? '');
    case 'key.rotate': return nameOf(target);
    case 'key.destroy': return target.replace(/^(\w+) /, (_, purpose: string) => `${nameOf(purpose)} · `);
    case 'block.add': return [data.network, data.reason, data.expires_at && t('blockUntil', { time: dateTime(data.expires_at) })].filter(Boolean).join(' · ');
    case 'block.remove': return data.network ?? '';
    case 'client.add':
    case 'client.remove': return data.name ?? '';
    case 'drop.end': return target;
    case 'found.recovery-used': return t.find(`way_${data.method}`) ?? data.method ?? '';
    case 'found.security-alert': return (data.rules ?? '').split(' ').map((rule) => t.find(`rule_${rule}`) ?? rule).join(', ');
  }
  return [target, ...Object.entries(data).map(([name, value]) => `${name}: ${value}`)].filter(Boolean).join(' · ');
}

function quota(label: 'quotaBytes' | 'quotaFiles', value: string | undefined, say: (n: number) => string): string {
  if (value === undefined) return '';
  return `${t(label)}: ${value === 'setting' ? t('quotaDefault') : value === '0' ? t('quotaNone') : say(Number(value))}`;
}
