// Backup codes on the security page: made, shown again, renewed and turned off.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { del, get, post, type Answer } from '../shell/api';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import type { Line, SecurityProps } from '../shell/room';
import { Used } from '../shell/turn-off';
import { Confirm, Dialog, toast, toastProblem } from '../shell/ui';
import { Paper } from './paper';
import { Way } from './ways-back';
import { t } from './words';

type Known = Answer<'get', '/account/backup-codes'>;

// Made are codes that are not confirmed; renewed says that older ones are good meanwhile.
interface Made {
  codes: readonly string[];
  renewed: boolean;
}

// A Wish is the dialog that the person has opened.
type Wish = { is: 'fresh'; made: Made } | { is: 'known'; known: Known } | { is: 'off' };

// setUp begins from another section of the page: it makes codes, the first ones or new ones.
const wanted = signal(false);
export const setUp = () => void (wanted.value = true);

export function BackupCodes({ status, may }: SecurityProps & { may: boolean }) {
  const [wish, setWish] = useState<Wish>();
  const [waiting, setWaiting] = useState<Made>(); // closed without a confirmation
  const [busy, setBusy] = useState(false);
  const line = status.data!.backup_codes!;
  const on = line.enabled;

  async function open(work: () => Promise<Wish>) {
    if (busy) return;
    setBusy(true);
    try {
      setWish(await work());
    } catch (err) {
      toastProblem(err);
      void status.reload(); // what another browser did meanwhile
    } finally {
      setBusy(false);
    }
  }

  const make = () => open(async () => {
    const { codes } = await (on ? post('/account/backup-codes/regenerate') : post('/account/backup-codes'));
    setWaiting(undefined);
    return { is: 'fresh', made: { codes, renewed: on } };
  });
  const show = () => open(async () => ({ is: 'known', known: await get('/account/backup-codes') }));

  useEffect(() => {
    if (!wanted.value) return;
    wanted.value = false;
    void make();
  }, [wanted.value]);

  async function done(said: string) {
    setWish(undefined);
    setWaiting(undefined);
    toast(said);
    await status.reload();
  }

  return (
    <Way id="backup-codes" title={t('codes')} tag={on ? t('waysOn') : t('waysOff')} good={on}
      text={<><p class="hint">{on ? codesLeft(line) : t('codesOff')}</p><Used line={line} /></>}
      buttons={on ? (
        <>
          <button type="button" class="button" aria-disabled={busy} onClick={show}>{t('codesShow')}</button>
          <button type="button" class="button" onClick={() => setWish({ is: 'off' })}>{t('codesTurnOff')}</button>
        </>
      ) : may && <button type="button" class="button" aria-disabled={busy} onClick={make}>{t('codesMake')}</button>}>
      {waiting && (
        <div class="notice" role="status">
          <Icon name="warning" />
          <div>
            <p>{waiting.renewed ? t('codesNotNew') : t('codesNotOn')}</p>
            <button type="button" class="button" onClick={() => setWish({ is: 'fresh', made: waiting })}>{t('codesAgain')}</button>
          </div>
        </div>
      )}
      {wish?.is === 'fresh' && (
        <Fresh made={wish.made} onClose={() => {
          setWish(undefined);
          setWaiting(wish.made);
        }} onDone={() => done(wish.made.renewed ? t('codesRenewed') : t('codesAreOn'))} />
      )}
      {wish?.is === 'known' && (
        <Dialog title={t('codesYours')} onClose={() => setWish(undefined)}>
          <KnownCodes known={wish.known} make={may ? make : undefined} confirm={() => setWish({ is: 'fresh', made: { codes: wish.known.pending, renewed: true } })} />
        </Dialog>
      )}
      {wish?.is === 'off' && (
        <Confirm title={t('codesOffTitle')} action={t('codesOffDo')} onClose={() => setWish(undefined)} onConfirm={async () => {
          await del('/account/backup-codes');
          await done(t('codesAreOff'));
        }}>
          <p>{t('codesOffText')}</p>
        </Confirm>
      )}
    </Way>
  );
}

// codesLeft says how many codes are good.
function codesLeft({ left }: Line): string {
  if (left === undefined) return t('codesOn');
  return left === 0 ? t('codesNone') : t('codesLeft', { count: left });
}

// Fresh shows codes that work once the person says that they are saved.
function Fresh({ made: { codes, renewed }, onClose, onDone }: { made: Made; onClose: () => void; onDone: () => Promise<void> }) {
  return (
    <Dialog title={renewed ? t('codesSaveNew') : t('codesSave')} onClose={onClose}>
      <Form submit={t('codesSaved')} onCancel={onClose} onSubmit={async () => {
        await post('/account/backup-codes/confirm');
        await onDone();
      }}>
        <p>{t('codesKeep')}</p>
        <Paper codes={codes.map((code) => ({ code }))} />
        <p>{renewed ? t('codesOldGood') : t('codesNotYet')}</p>
      </Form>
    </Dialog>
  );
}

function KnownCodes({ known, make, confirm }: { known: Known; make: (() => void) | undefined; confirm: () => void }) {
  return (
    <div class="form">
      {known.pending.length > 0 && (
        <div class="notice">
          <div>
            <p>{t('codesPending')}</p>
            <button type="button" class="button" onClick={confirm}>{t('codesPendingDo')}</button>
          </div>
        </div>
      )}
      <p class="hint">{t('codesOnce')}</p>
      <Paper codes={known.codes} made={known.confirmed_at} />
      {make && <div class="form-actions"><button type="button" class="button" onClick={make}>{t('codesNew')}</button></div>}
    </div>
  );
}
