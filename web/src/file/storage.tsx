// The page that says what takes up the room, and leads to where some can be made; and the small
// meter of the sidebar.
import { useEffect } from 'preact/hooks';
import { get, type Answer } from '../shell/api';
import { ago, date, size } from '../shell/i18n';
import { percent } from '../shell/pace';
import { path as here } from '../shell/router';
import { Failed, Skeleton, useLoad } from '../shell/ui';
import { Name } from '../shell/name';
import { changes } from './refresh';
import { uploads } from './upload-model';
import { end, giveUp } from './upload-tus';
import { askDiscard } from './unfinished';
import { usage, type Usage } from './usage';
import { t } from './words';

type Unfinished = Answer<'get', '/uploads'>['items'][number];

const nearlyFull = .9;

const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0);

export function SideMeter() {
  const now = usage.value;
  if (!now) return null;
  const quota = now.quota_bytes ?? 0;
  const used = now.bytes + now.reserved;
  return (
    <a class="meter" href="/storage" aria-current={here.value === '/storage' ? 'page' : undefined}>
      <span>{t('storage')}</span>
      {quota > 0 && <progress class={share(used, quota) >= nearlyFull ? 'full' : undefined} value={Math.min(used, quota)} max={quota} aria-label={t('storageUsed')} />}
      <span class="hint">{quota > 0 ? t('usedOf', { used: size(used), whole: size(quota) }) : t('used', { used: size(used) })}</span>
    </a>
  );
}

export function Storage() {
  const all = useLoad(async (signal) => {
    const [now, open] = await Promise.all([get('/files/usage', { signal }), get('/uploads', { signal })]);
    usage.value = now;
    return { now, open: open.items };
  }, []);
  const seen = changes.value;
  const ended = uploads.value.map((u) => u.state.value).join();
  useEffect(() => void all.reload(), [seen, ended]);
  return (
    <>
      <div class="storage-head">
        <h1>{t('storage')}</h1>
        <p class="hint">{t('storageText')}</p>
      </div>
      {all.problem ? <Failed problem={all.problem} retry={all.reload} /> : !all.data ? <Skeleton rows={5} /> : (
        <>
          <Whole now={all.data.now} open={all.data.open} />
          {all.data.open.length > 0 && <Open list={all.data.open} reload={all.reload} />}
          {all.data.now.largest.length > 0 && <Largest list={all.data.now.largest} />}
        </>
      )}
    </>
  );
}

// Whole is all that counts, against what there may be.
function Whole({ now, open }: { now: Usage; open: readonly Unfinished[] }) {
  const quota = now.quota_bytes ?? 0;
  const used = now.bytes + now.reserved;
  const files = Math.max(0, now.bytes - now.trash.bytes - now.versions.bytes);
  const full = share(used, quota) >= nearlyFull;
  const parts = [
    { kind: 'files', name: t('storageFiles'), bytes: files, count: now.files, text: t('storageFilesText', { count: Math.max(0, now.files - now.trash.files - now.versions.files - open.length) }), href: '/files' },
    { kind: 'versions', name: t('storageVersions'), bytes: now.versions.bytes, count: now.versions.files, text: t('storageVersionsText', { count: now.versions.files }) },
    { kind: 'trash', name: t('storageTrash'), bytes: now.trash.bytes, count: now.trash.files, text: t('storageTrashText', { count: now.trash.files }), href: '/trash' },
    { kind: 'open', name: t('storageOpen'), bytes: now.reserved, count: open.length, text: t('storageOpenText', { count: open.length }) },
  ];
  const shown = parts.filter((part) => part.kind === 'files' || part.bytes > 0 || part.count > 0);
  const sum = parts.reduce((n, part) => n + part.bytes, 0);
  const whole = Math.max(quota, sum, 1);
  let at = 0;
  return (
    <section class="card" aria-labelledby="storage-used">
      <h2 id="storage-used">{quota > 0 ? t('usedOf', { used: size(used), whole: size(quota) }) : t('used', { used: size(used) })}{quota > 0 && <span class="hint"> · {percent(used, quota)}</span>}</h2>
      {full && <p class="error">{used >= quota ? t('storageFull') : t('storageNearlyFull')}</p>}
      {quota === 0 && <p class="hint">{t('storageNoLimit')}</p>}
      <svg class="storage-bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {parts.map((part) => {
          const x = at;
          at += (100 * part.bytes) / whole;
          return part.bytes > 0 && <rect key={part.kind} class={'part-' + part.kind} x={x} y="0" width={(100 * part.bytes) / whole} height="1" />;
        })}
      </svg>
      <ul class="storage-parts">
        {shown.map((part) => (
          <li key={part.kind}>
            <span class={'dot part-' + part.kind} aria-hidden="true" />
            <div>
              <p>{part.href ? <a href={part.href}>{part.name}</a> : part.name}</p>
              <p class="hint">{part.text}</p>
            </div>
            <span class="number">{size(part.bytes)}</span>
          </li>
        ))}
      </ul>
      {now.quota_files != null && now.quota_files > 0 && <p class="hint">{t('filesOf', { count: now.files, whole: now.quota_files })}</p>}
      <p class="hint">{t('storageShared')}</p>
    </section>
  );
}

function Open({ list, reload }: { list: readonly Unfinished[]; reload: () => Promise<void> }) {
  const mine = (id: string) => uploads.value.find((u) => u.key === id);
  async function discard(id: string) {
    const u = mine(id);
    if (u) uploads.value = uploads.peek().filter((o) => o !== u);
    await (u ? giveUp(u) : end(id));
    await reload();
  }
  return (
    <section class="card" aria-labelledby="storage-open">
      <h2 id="storage-open">{t('storageOpen')}</h2>
      <p class="hint">{t('storageOpenHow')}</p>
      <ul class="storage-list">
        {list.map((one) => ({ ...one, name: one.name || t('damaged') })).map((one) => (
          <li key={one.id}>
            <div>
              <p class="upload-name"><Name name={one.name} read /></p>
              <p class="hint">{[
                one.size == null ? size(one.offset) : t('sentOf', { sent: size(one.offset), size: size(one.size) }),
                ['sending', 'waiting'].includes(mine(one.id)?.state.value ?? '') ? t('state_sending') : t('goesOn', { time: date(one.expires_at) }),
              ].join(' · ')}</p>
            </div>
            {!['sending', 'waiting'].includes(mine(one.id)?.state.value ?? '') && (
              <button type="button" class="button" aria-label={t('discardOf', { name: one.name })} onClick={() => void askDiscard(one.name, () => discard(one.id))}>{t('discard')}</button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Largest({ list }: { list: Usage['largest'] }) {
  return (
    <section class="card" aria-labelledby="storage-largest">
      <h2 id="storage-largest">{t('largest')}</h2>
      <ul class="storage-list">
        {list.map((file) => (
          <li key={file.id}>
            <div>
              <a class="upload-name" href={'/files' + (file.parent ? '/' + file.parent : '')} aria-label={t('showIn', { name: file.name, folder: file.path.at(-1)?.name ?? t('files') })}><Name name={file.name} /></a>
              <p class="hint ellipsis">{[t('files'), ...file.path.map((step) => step.name)].join(' / ')} · {ago(file.modified_at)}</p>
            </div>
            <span class="number">{size(file.size)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
