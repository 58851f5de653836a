// What others offer: to receive, to watch, to save.
import { useState } from 'preact/hooks';
import { Icon } from '../shell/icon';
import { Menu, toastProblem, type MenuItem } from '../shell/ui';
import { savesIntoFiles, savesIntoFolders, targetFile, targetFolder } from './choose';
import type { Drop, State } from './drop';
import { useKeptFocus } from './focus';
import { coming, groups, type Coming, type Group } from './groups';
import { called } from './people';
import { Progress, Row, sizeOf } from './row';
import { clean } from './names';
import { t } from './words';

async function save(drop: Drop, id: string, to?: () => Promise<FileSystemFileHandle | FileSystemDirectoryHandle | undefined>): Promise<void> {
  try {
    const target = await to?.();
    if (to && !target) return;
    await drop.save(id, target);
  } catch (err) {
    toastProblem(err);
  }
}

export function Theirs({ drop, state, over }: { drop: Drop; state: State; over?: boolean }) {
  const sorted = coming(state);
  const kept = useKeptFocus();
  if (over) {
    sorted.open = [];
    sorted.running = [];
    sorted.failed = [];
  }
  const shownGroups = groups.filter((g) => sorted[g].length > 0);
  return (
    <section {...kept} class="card drop-offers" aria-labelledby="drop-theirs">
      <div class="drop-head">
        <h2 id="drop-theirs" tabIndex={-1}>{t('theirs')}</h2>
      </div>
      {shownGroups.length === 0 && <div class="drop-none"><Icon name="download" /><p><strong>{t('theirsEmptyTitle')}</strong></p><p class="hint">{t('theirsEmptyText')}</p></div>}
      {shownGroups.map((group) => <Part key={group} group={group} rows={sorted[group]} drop={drop} state={state} titled={shownGroups.length > 1} />)}
      <Main drop={drop} open={sorted.open} verified={sorted.verified} />
    </section>
  );
}

// Main is the one button for all: in reach of a thumb on a phone.
function Main({ drop, open, verified }: { drop: Drop; open: Coming[]; verified: Coming[] }) {
  if (open.length < 2 && verified.length < 2) return null;
  return (
    <div class="drop-main">
      {open.length > 1 && <button type="button" class="button primary big" onClick={() => open.forEach(({ item }) => drop.take(item.id))}><Icon name="download" /> {t('receiveAll', { count: open.length })}</button>}
      {verified.length > 1 && (
        <button type="button" class={open.length > 1 ? 'button big' : 'button primary big'} onClick={async () => {
          for (const { item } of verified) await save(drop, item.id);
        }}><Icon name="download" /> {t('saveAll', { count: verified.length })}</button>
      )}
    </div>
  );
}

const titles: Record<Group, (count: number) => string> = {
  failed: () => t('groupFailed'),
  running: () => t('groupRunning'),
  verified: () => t('groupVerified'),
  open: () => t('groupOpen'),
  saved: (count) => t('groupSaved', { count }),
};

function Part({ group, rows, drop, state, titled }: { group: Group; rows: Coming[]; drop: Drop; state: State; titled: boolean }) {
  const fold = group === 'saved' && titled;
  const [open, setOpen] = useState(false);
  const title = titles[group](rows.length);
  return (
    <div class="drop-group">
      {titled && <h3>{fold ? (
        <button type="button" class="drop-fold" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="chevron" class={open ? 'down' : undefined} /> {title}</button>
      ) : title}</h3>}
      {(!fold || open) && <ul class="drop-rows">{rows.map((row) => <Offered key={row.item.id} row={row} drop={drop} state={state} only={group === 'open' && rows.length === 1} />)}</ul>}
    </div>
  );
}

function Offered({ row: { item, incoming }, drop, state, only }: { row: Coming; drop: Drop; state: State; only: boolean }) {
  const name = clean(item.name);
  const from = t('from', { device: called(state.people.find((p) => p.rid === item.owner)) });
  const about = state.people.length > 2 ? `${sizeOf(item)} · ${from}` : sizeOf(item);
  const label = t('progressOf', { name });
  if (!incoming || (incoming.state === 'broken' && incoming.why === 'cancelled')) {
    return <Row item={item} hint={about} actions={<button type="button" class={only ? 'button primary' : 'button brief'} aria-label={t('receiveOf', { name })} onClick={() => drop.take(item.id)}><Icon name="download" /> <span>{t('receive')}</span></button>} />;
  }
  const cancel = <button type="button" class="icon-button" aria-label={t('cancelOf', { name })} title={t('cancel')} onClick={() => drop.cancel(item.id)}><Icon name="close" /></button>;
  const { done, total, why } = incoming;
  switch (incoming.state) {
    case 'waiting':
      return <Row item={item} hint={about} actions={cancel}><p class="hint">{t('state_waiting')}</p></Row>;
    case 'checking':
      return <Row item={item} hint={about} actions={cancel}><progress aria-label={label} /><p class="hint">{t('state_checking')}</p></Row>;
    case 'running':
      return <Row item={item} hint={about} actions={cancel}><Progress label={label} done={done} total={total} /></Row>;
    case 'retrying':
      return <Row item={item} hint={about} actions={cancel}><Progress label={label} done={done} total={total} moving={false} /><p class="hint">{t('state_retrying')}</p></Row>;
    case 'broken':
      return (
        <Row item={item} hint={about} class="broken" actions={(
          <button type="button" class="button brief" aria-label={t('retryOf', { name })} onClick={() => void retry()}><Icon name="retry" /> <span>{t('retry')}</span></button>
        )}><p class="error"><Icon name="warning" /> {t('state_broken')} {why && t(`why_${why}`)}</p></Row>
      );
    default:
      return (
        <Row item={item} hint={about} class="drop-row-whole" actions={<Save drop={drop} row={{ item, incoming }} />}>
          <p class="drop-good"><Icon name="check" class="good" /> <span>{incoming.state === 'saved' ? t('state_saved') + ' · ' : ''}{t('state_verified')}</span></p>
        </Row>
      );
  }

  // Where the browser's own storage is too small, a file that the person picks takes the bytes.
  async function retry() {
    if (why !== 'no_space' || !savesIntoFiles()) return drop.take(item.id);
    const to = await targetFile(item.kind === 'folder' ? name + '.zip' : name).catch(toastProblem);
    if (to) drop.take(item.id, to);
  }
}

function Save({ drop, row: { item, incoming } }: { drop: Drop; row: Coming }) {
  const name = clean(item.name);
  const again = incoming!.state === 'saved';
  const more: MenuItem[] = savesIntoFolders() ? [{ icon: 'folder', label: t('saveFolder'), run: () => void save(drop, item.id, targetFolder) }] : [];
  return (
    <>
      <button type="button" class={again ? 'button' : 'button primary'} aria-label={again ? t('saveAgainOf', { name }) : item.kind === 'folder' ? t('saveZipOf', { name }) : t('saveOf', { name })} onClick={() => void save(drop, item.id)}>
        {!again && <Icon name="download" />} <span>{again ? t('saveAgain') : item.kind === 'folder' ? t('saveZip') : t('save')}</span>
      </button>
      {more.length > 0 && <Menu label={t('saveMore', { name })} items={more}><Icon name="more" /></Menu>}
    </>
  );
}
