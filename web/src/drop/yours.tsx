// What this device offers, and how far each receiver is.
import { Icon } from '../shell/icon';
import { toast, toastProblem } from '../shell/ui';
import { choose, choosesFolders } from './choose';
import { opening, send } from './current';
import { type Drop, type Missing, type Outgoing, type State } from './drop';
import { useKeptFocus } from './focus';
import { going, type Going } from './groups';
import { called } from './people';
import { Progress, Row, sizeOf } from './row';
import { clean } from './names';
import { t } from './words';

export async function pick(folder: boolean): Promise<void> {
  const chosen = choose(folder);
  try {
    if (await chosen) await send(chosen as Promise<NonNullable<Awaited<typeof chosen>>>);
  } catch (err) {
    toastProblem(err);
  }
}

export function Yours({ drop, state }: { drop: Drop; state: State }) {
  const rows = going(state);
  const kept = useKeptFocus();
  return (
    <section {...kept} class="card drop-offers" aria-labelledby="drop-yours">
      <div class="drop-head">
        <h2 id="drop-yours" tabIndex={-1}>{t('yours')}</h2>
      </div>
      {rows.length === 0 && state.missing.length === 0 && <p class="hint">{state.host ? t('yoursEmptyHost') : t('yoursEmpty')}</p>}
      <ul class="drop-rows">
        {state.missing.map((missing) => <Lost key={missing.item.id} drop={drop} missing={missing} />)}
        {rows.map((row) => <Offer key={row.item.id} drop={drop} state={state} row={row} />)}
      </ul>
      <div class="card-buttons">
        <button type="button" class="button" aria-disabled={opening.value} onClick={() => void pick(false)}><Icon name="plus" /> {t('addFiles')}</button>
        {choosesFolders() && <button type="button" class="button" aria-disabled={opening.value} onClick={() => void pick(true)}><Icon name="folderPlus" /> {t('addFolder')}</button>}
      </div>
    </section>
  );
}

function Offer({ drop, state, row: { item, to, verified } }: { drop: Drop; state: State; row: Going }) {
  const name = clean(item.name);
  const device = (rid: string) => called(state.people.find((p) => p.rid === rid));
  return (
    <Row item={item} hint={to.length + verified.length === 0 ? `${sizeOf(item)} · ${t('waitingFor')}` : undefined} actions={(
      <button type="button" class="icon-button" aria-label={t('withdraw', { name })} title={t('withdrawShort')} onClick={() => {
        drop.withdraw(item.id);
        toast(t('withdrawn', { name }));
      }}><Icon name="close" /></button>
    )}>
      {to.map((o) => <To key={o.to} out={o} name={name} device={device(o.to)} />)}
      {verified.length > 0 && <p class="drop-good"><Icon name="check" class="good" /> <span>{t('verifiedBy', { devices: verified.map((o) => device(o.to)).join(', ') })}</span></p>}
    </Row>
  );
}

function To({ out, name, device }: { out: Outgoing; name: string; device: string }) {
  if (out.state === 'failed') return <p class="error"><Icon name="warning" /> {t('outFailed', { device })} {out.why && t(`why_${out.why}`)}</p>;
  if (out.state === 'waiting') return <p class="hint">{t('outWaiting', { device })}</p>;
  return <div class="drop-out"><Progress label={t('progressTo', { name, device })} done={out.confirmed} total={out.total} to={t('outRunning', { device })} /></div>;
}

// Lost is an item whose files the browser no longer has since the page was loaded anew.
function Lost({ drop, missing: { item, ask } }: { drop: Drop; missing: Missing }) {
  async function again() {
    try {
      if (ask) {
        await drop.again(item.id);
        return;
      }
      const [found] = (await choose(item.kind === 'folder')) ?? [];
      if (found && !(await drop.again(item.id, found))) toast(t('otherFile', { name: clean(item.name) }), true);
    } catch (err) {
      toastProblem(err);
    }
  }
  return (
    <Row item={item} hint={ask ? t('lostAsk') : t('lostChoose')} class="lost" actions={
      <button type="button" class="button" onClick={() => void again()}>{ask ? t('allow') : t('chooseAgain')}</button>
    } />
  );
}

