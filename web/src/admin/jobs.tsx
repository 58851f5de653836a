// Jobs and mail: what the server gave up, and what it is about to do.
import { useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { Time } from '../shell/form';
import { ago, dateTime } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { usePages } from '../shell/pages';
import { place } from '../shell/router';
import { Empty, Failed, Skeleton, toast, toastProblem } from '../shell/ui';
import { act, Desk, keepFocus, useAgain, useLeave } from './desk';
import { causeOf } from './failure';
import type { Job } from './types';
import { t } from './words';

const states = ['dead', 'waiting', 'running'] as const;
type State = (typeof states)[number];

export function Jobs() {
  const asked = new URLSearchParams(place.value.search).get('state');
  const state = states.find((s) => s === asked) ?? 'dead';
  return (
    <Desk title={t('jobs')} text={t('jobsText')}>
      <nav class="admin-tabs" aria-label={t('jobsWhich')}>
        {states.map((s) => <a key={s} href={s === 'dead' ? '/admin/jobs' : '/admin/jobs?state=' + s} aria-current={s === state ? 'true' : undefined}>{t(`jobs_${s}`)}</a>)}
      </nav>
      <List key={state} state={state} />
    </Desk>
  );
}

function List({ state }: { state: State }) {
  const [changes, setChanges] = useState(0);
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const list = usePages<Job>((cursor, signal) => get('/admin/jobs', { query: { state, cursor, limit: 50 }, signal }), changes);
  const { items } = list;
  useLeave(list.problem);
  useAgain(() => setChanges((n) => n + 1));

  async function retry(jobs: readonly Job[]) {
    setBusy(new Set(jobs.map((job) => job.id)));
    let done = 0;
    try {
      for (const job of jobs) {
        await act(post('/admin/jobs/{id}/retry', { path: { id: job.id } }));
        done++;
      }
      keepFocus();
      toast(t('retried', { count: done }));
    } catch (err) {
      toastProblem(err);
    } finally {
      setBusy(new Set());
      setChanges((n) => n + 1);
    }
  }

  if (!items) return list.problem ? <Failed problem={list.problem} retry={list.reload} /> : <Skeleton rows={4} />;
  return (
    <>
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {items.length === 0 ? (
        <Empty icon={state === 'dead' ? 'check' : 'inbox'} title={t(`none_${state}`)}>
          <p>{t(`noneText_${state}`)}</p>
        </Empty>
      ) : (
        <section class="card" aria-labelledby="admin-jobs">
          <div class="card-head">
            <div>
              <h2 id="admin-jobs">{t(`jobs_${state}`)}</h2>
              <p class="hint">{t(`jobsText_${state}`)}</p>
            </div>
            {state === 'dead' && items.length > 1 && <button type="button" class="button" aria-disabled={busy.size > 0} onClick={() => busy.size === 0 && void retry(items)}>{t('retryAll')}</button>}
          </div>
          <ul class="admin-rows">
            {items.map((job) => (
              <li key={job.id} class="admin-row admin-deed">
                <div>
                  <p class="admin-name">{kindOf(job.kind)}</p>
                  {job.failure && <p class="admin-why"><Icon name="warning" /> {whyOf(job.failure)}</p>}
                  <p class="hint">
                    {t('attempts', { count: job.attempts })}{'\u00a0· '}{t('jobMade')} <Time at={job.created_at}>{ago(job.created_at)}</Time>{'\u00a0· '}
                    {job.dead_at ? <>{t('jobDead')} <Time at={job.dead_at}>{ago(job.dead_at)}</Time></> : job.run_at ? t('jobNext', { time: dateTime(job.run_at) }) : t('jobRuns')}
                  </p>
                </div>
                {state === 'dead' && <button type="button" class="button" aria-label={t('retryOf', { kind: kindOf(job.kind) })} aria-disabled={busy.size > 0} onClick={() => busy.size === 0 && void retry([job])}><Icon name="retry" /> {t('retry')}</button>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {list.more && <div class="admin-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
    </>
  );
}

// whyOf says what went wrong the last time, with the server's own words for those who look for them.
function whyOf(failure: string): string {
  const cause = causeOf(failure);
  return cause ? `${t(`cause_${cause}`)} (${failure})` : t('lastError', { error: failure });
}

// kindOf says what a job does; a kind without words is shown as the server names it.
export const kindOf = (kind: string): string => t.find(`kind_${kind.replace(/\W/g, '_')}`) ?? kind;
