// The history of the account: on the security page its newest lines, on a page of its own all.
import { useState } from 'preact/hooks';
import { del, get, stream } from '../shell/api';
import { Time } from '../shell/form';
import { ago, clock, date } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { usePages } from '../shell/pages';
import { securityPage } from '../shell/room';
import { go } from '../shell/router';
import { saveStream } from '../shell/save';
import { ask, Confirm, Empty, Failed, Skeleton, toast, useLoad } from '../shell/ui';
import { byDay, consequences, doubtful, how, iconOf, reasons, told, type Happening } from './happening';
import { t } from './words';

const filters = ['all', 'ok', 'failed', 'held', 'noticed'] as const;
type Filter = (typeof filters)[number];

const outcomeOf = (filter: Filter) => (filter === 'all' ? undefined : filter);

export function History() {
  const [filter, setFilter] = useState<Filter>('all');
  return (
    <>
      <div class="card-head">
        <div>
          <h1>{t('history')}</h1>
          <p class="hint">{t('historyText')}</p>
        </div>
        <button type="button" class="button" onClick={() => saveStream({
          name: () => t('historyFile'), file: () => t('historyFile'), open: (signal) => stream('/account/sign-ins/export', { query: { outcome: outcomeOf(filter) }, signal }),
        })}><Icon name="download" /> {t('save')}</button>
      </div>
      <div class="field guard-filter">
        <label for="guard-filter">{t('show')}</label>
        <select id="guard-filter" value={filter} onChange={(event) => setFilter(event.currentTarget.value as Filter)}>
          {filters.map((f) => <option key={f} value={f}>{t(`show_${f}`)}</option>)}
        </select>
      </div>
      <List key={filter} filter={filter} />
    </>
  );
}

function List({ filter }: { filter: Filter }) {
  const list = usePages<Happening>((cursor, signal) => get('/account/sign-ins', { query: { outcome: outcomeOf(filter), cursor, limit: 50 }, signal }), 0);
  return (
    <>
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {!list.items ? !list.problem && <Skeleton rows={5} /> : list.items.length === 0 ? (
        <Empty icon="history" title={t('none')}><p>{t(`none_${filter}`)}</p></Empty>
      ) : byDay(list.items).map((day) => (
        <section class="card guard-day" key={day[0]!.at} aria-label={date(day[0]!.at)}>
          <h2>{date(day[0]!.at)}</h2>
          <ul>{day.map((item) => <Line key={item.id} item={item} />)}</ul>
        </section>
      ))}
      {list.more && <div class="guard-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
      {list.items && list.items.length > 0 && !list.more && <p class="hint">{t('kept')}</p>}
    </>
  );
}

// Latest is the section of the security page. The list of devices above it says which is this one.
export function Latest() {
  const { data, problem, reload } = useLoad((signal) => get('/account/sign-ins', { query: { limit: 3 }, signal }), []);
  return (
    <section class="card guard-day" aria-labelledby="history">
      <div class="card-head">
        <div>
          <h2 id="history">{t('history')}</h2>
          <p class="hint">{t('historyText')}</p>
        </div>
      </div>
      {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={3} /> : (
        <>
          <ul>{data.items.map((item) => <Line key={item.id} item={item} dated />)}</ul>
          <p><a href="/security/history">{t('all')}</a></p>
        </>
      )}
    </section>
  );
}

function Line({ item, dated }: { item: Happening; dated?: boolean }) {
  const why = [...reasons(item), ...consequences(item)];
  const traits = [item.device, how(item), item.place, item.address].filter(Boolean);
  return (
    <li class={item.outcome === 'failed' || item.outcome === 'held' || item.flags.length > 0 ? 'guard-line odd' : 'guard-line'}>
      <Icon name={iconOf(item)} />
      <div>
        <p class="guard-told"><strong>{told(item)}</strong> {item.here && !dated && <span class="tag">{t('here')}</span>}</p>
        {why.length > 0 && <p class="guard-why">{why.join(' ')}</p>}
        <p class="hint">{traits.map((trait) => `${trait}\u00a0· `)}<Time at={item.at}>{dated ? ago(item.at) : clock(item.at)}</Time></p>
      </div>
      {doubtful(item) && <button type="button" class="button" aria-label={t('notMineLabel', { device: item.device || t('unknown'), when: ago(item.at) })} onClick={() => void disown(item)}>{t('notMine')}</button>}
    </li>
  );
}

// disown signs every other device out, and leads to the password: a stranger who signed in may
// know it.
function disown(item: Happening): Promise<void> {
  return ask((close) => (
    <Confirm title={t('notMineTitle')} action={t('notMineDo')} onClose={close} onConfirm={async () => {
      await del('/sessions');
      go(securityPage()?.href ?? '/');
      toast(t('notMineDone'));
    }}>
      <p>{told(item)}: {[item.device || t('unknown'), item.place, item.address].filter(Boolean).join(', ')}.</p>
      <p>{t('notMineText')}</p>
    </Confirm>
  ));
}
