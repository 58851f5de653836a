// The page of the ledger: the person's entries, and the check of them in this browser.
import { useState } from 'preact/hooks';
import { get } from '../shell/api';
import { Time } from '../shell/form';
import { dateTime, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { usePages } from '../shell/pages';
import { asProblem, type Problem } from '../shell/problem';
import { PublishedTabs } from '../shell/published';
import { Copy, Empty, Failed, Skeleton, useEnd } from '../shell/ui';
import { all, changed, changes, keep, kept, served, type Own } from './own';
import { verify, type Finding, type Wrong } from './verify';
import { t } from './words';

export function Ledger() {
  const list = usePages<Own>((cursor, signal) => get('/account/ledger', { query: { cursor, limit: 50 }, signal }), changes.value);
  const { items } = list;
  return (
    <>
      <div class="card-head">
        <div>
          <h1>{t('ledger')}</h1>
          <p class="hint">{t('ledgerText')}</p>
        </div>
      </div>
      <PublishedTabs label={t('parts')} />
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      {!items ? !list.problem && <Skeleton rows={4} /> : items.length === 0 ? <Empty icon="history" title={t('none')}><p>{t('noneText')}</p></Empty> : (
        <>
          <Check />
          <section class="card" aria-label={t('entries')}>
            <ul class="ledger-rows">{items.map((entry) => <Row key={entry.n} entry={entry} />)}</ul>
          </section>
        </>
      )}
      {list.more && <div class="ledger-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
    </>
  );
}

const icons = { pin: 'globe', unpin: 'trash', fail: 'warning' } as const;

function Row({ entry }: { entry: Own }) {
  const { n, kind, cid, time, size: bytes, in_checkpoint: inside } = entry;
  return (
    <li class="ledger-row">
      <Icon name={icons[kind] ?? 'file'} class={kind === 'fail' ? 'ledger-bad' : undefined} />
      <div>
        <p><strong>{t(`kind_${kind}`)}</strong> <span class={inside ? 'tag good' : 'tag'}>{inside ? t('inside') : t('waits')}</span></p>
        <p class="hint">{t('nth', { n })}{'\u00a0· '}{size(bytes)}{'\u00a0· '}<Time at={time}>{dateTime(time)}</Time></p>
        {cid && <p class="ledger-cid">{cid}</p>}
      </div>
    </li>
  );
}

type State = { is: 'idle' } | { is: 'running'; done: number; of: number } | { is: 'over'; finding: Finding; since?: string } | { is: 'failed'; problem: Problem };

// Check runs the check in this browser, and says what it found.
function Check() {
  const [state, set] = useState<State>({ is: 'idle' });
  const end = useEnd();

  async function run(): Promise<void> {
    if (state.is === 'running') return;
    set({ is: 'running', done: 0, of: 0 });
    try {
      const entries = await all(end);
      set({ is: 'running', done: 0, of: entries.length });
      const before = kept();
      const finding = await verify(served(end), entries, before?.note, (done) => !end.aborted && set({ is: 'running', done, of: entries.length }));
      if (end.aborted) return;
      if (finding.is === 'sound') keep(finding.note, new Date());
      changed(); // what waited may be signed by now
      set({ is: 'over', finding, since: before?.at });
    } catch (err) {
      if (!end.aborted) set({ is: 'failed', problem: asProblem(err) });
    }
  }

  return (
    <section class="card" aria-labelledby="ledger-check">
      <div class="card-head">
        <div>
          <h2 id="ledger-check">{t('check')}</h2>
          <p class="hint">{t('checkText')}</p>
        </div>
        <button type="button" class="button primary" aria-disabled={state.is === 'running'} onClick={() => void run()}><Icon name="shield" /> {t('checkDo')}</button>
      </div>
      <div class="ledger-found" role="status">
        {state.is === 'running' && <><p>{t('running')}</p><progress value={state.done} max={Math.max(1, state.of)} aria-label={t('running')} /></>}
        {state.is === 'over' && <Found finding={state.finding} since={state.since} />}
      </div>
      {state.is === 'failed' && <Failed problem={state.problem} retry={run} />}
    </section>
  );
}

function Found({ finding, since }: { finding: Finding; since: string | undefined }) {
  if (finding.is === 'none') return <p class="notice">{t('noCheckpoint')}</p>;
  if (finding.is === 'broken') {
    return (
      <div class="notice bad">
        <Icon name="warning" />
        <div>
          <p><strong>{t('broken')}</strong></p>
          <p>{words(finding.wrong, finding.n, since)}</p>
          <p class="small">{t('brokenDo')}</p>
        </div>
      </div>
    );
  }
  return (
    <div class="notice ledger-sound">
      <Icon name="check" />
      <div>
        <p><strong>{t('sound', { count: finding.checked })}</strong></p>
        <ul>
          <li>{t('soundSigned', { count: finding.size })}</li>
          <li>{since ? t('soundSince', { time: dateTime(since) }) : t('soundFirst')}</li>
          {finding.waiting > 0 && <li>{t('soundWaiting', { count: finding.waiting })}</li>}
        </ul>
        <Copy text={finding.note} label={t('copyNote')} />
      </div>
    </div>
  );
}

const words = (wrong: Wrong, n: number | undefined, since: string | undefined): string => t(`wrong_${wrong}`, { n: n ?? 0, time: since ? dateTime(since) : '' });
