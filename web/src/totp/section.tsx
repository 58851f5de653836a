// The section of the security page that turns the authenticator app on and off.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { del, get, post, type Answer } from '../shell/api';
import { CodeForm } from '../shell/code';
import type { SecurityProps } from '../shell/room';
import { TurnOff } from '../shell/turn-off';
import { Copy, Dialog, Skeleton, toast, toastProblem, useLoad } from '../shell/ui';
import { t } from './words';
import { sendCode } from './wrong';

type Enrolment = Answer<'post', '/account/totp'>;

// setUp opens the set-up from another section of the page.
const wanted = signal(false);
export const setUp = () => void (wanted.value = true);

export function Section({ status }: SecurityProps) {
  const { data, problem, reload } = status;
  const [enrolment, setEnrolment] = useState<Enrolment>();
  const [disabling, setDisabling] = useState(false);
  const [busy, setBusy] = useState(false);
  const on = data?.totp?.enabled ?? false;

  async function begin() {
    setBusy(true);
    try {
      setEnrolment(await post('/account/totp'));
    } catch (err) {
      toastProblem(err);
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (!wanted.value) return;
    wanted.value = false;
    void begin();
  }, [wanted.value]);

  return (
    <section class="card" aria-labelledby="totp">
      <div class="card-head">
        <div>
          <h2 id="totp">{t('title')} {data && <span class={on ? 'tag good' : 'tag'}>{on ? t('on') : t('off')}</span>}</h2>
          <p class="hint">{on ? t('onText') : t('offText')}</p>
        </div>
        {data && (on
          ? <button type="button" class="button" onClick={() => setDisabling(true)}>{t('disable')}</button>
          : <button type="button" class="button" disabled={busy} onClick={begin}>{t('enable')}</button>)}
      </div>
      {!data && !problem && <Skeleton rows={1} />}
      {enrolment && (
        <Dialog title={t('enrol')} onClose={() => setEnrolment(undefined)}>
          <Enrol enrolment={enrolment} onClose={() => setEnrolment(undefined)} onDone={async () => {
            setEnrolment(undefined);
            toast(t('enabled'));
            await reload();
          }} />
        </Dialog>
      )}
      {disabling && (
        <TurnOff title={t('disableTitle')} onClose={() => setDisabling(false)} off={(recovery) => del('/account/totp', { query: { recovery } })} onOff={async () => {
          toast(t('disabled'));
          await reload();
        }}>
          <p>{t('disableText')}</p>
        </TurnOff>
      )}
    </section>
  );
}

// StepGoes is what the page that deletes the account says of the app, when it is on.
export function StepGoes() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  return data?.totp?.enabled ? <li>{t('goStep')}</li> : null;
}

function Enrol({ enrolment, onClose, onDone }: { enrolment: Enrolment; onClose: () => void; onDone: () => Promise<void> }) {
  return (
    <>
      <ol class="numbered">
        <li>
          <p>{t('scan')}</p>
          <img class="qr" src={'data:image/png;base64,' + enrolment.qr_png} width={200} height={200} alt={t('qr')} />
          <p class="hint">{t('orType')}</p>
          <div class="secret">
            <code>{enrolment.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
            <Copy text={enrolment.secret} />
          </div>
        </li>
        <li>
          <p>{t('type')}</p>
        </li>
      </ol>
      <CodeForm submit={t('enable')} label={t('code')} onCancel={onClose} onCode={async (code) => {
        await sendCode(post('/account/totp/confirm', { body: { code } }));
        await onDone();
      }} />
    </>
  );
}
