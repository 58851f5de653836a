// The section of the security page that turns mailed codes on and off.
import { useState } from 'preact/hooks';
import { del, get, post } from '../shell/api';
import { me } from '../shell/auth';
import { LayerCard } from '../shell/layer';
import type { SecurityProps } from '../shell/room';
import { TurnOff } from '../shell/turn-off';
import { toast, toastProblem, useLoad } from '../shell/ui';
import { t } from './words';

export function Section({ status }: SecurityProps) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const mine = me()?.email ?? '';

  async function turnOn() {
    setBusy(true);
    try {
      await post('/account/email-otp');
      toast(t('enabled'));
      await status.reload();
    } catch (err) {
      toastProblem(err);
    } finally {
      setBusy(false);
    }
  }

  return (
    <LayerCard layer="email_otp" title={t('title')} status={status}
      text={(on, line) => t(on ? 'onText' : 'offText', { address: whole(line?.hint || masked(mine)) })}
      buttons={(on) => (on
        ? <button type="button" class="button" onClick={() => setAsking(true)}>{t('disable')}</button>
        : <button type="button" class="button" disabled={busy} onClick={turnOn}>{t('enable')}</button>)}>
      {asking && (
        <TurnOff title={t('disableTitle')} onClose={() => setAsking(false)}
          off={(recovery) => del('/account/email-otp', { query: { recovery } })}
          onOff={async () => {
            toast(t('disabled'));
            await status.reload();
          }}>
          <p>{t('disableText')}</p>
        </TurnOff>
      )}
    </LayerCard>
  );
}

// StepGoes is what the page that deletes the account says of mailed codes, when they are on.
export function StepGoes() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  return data?.email_otp?.enabled ? <li>{t('goStep')}</li> : null;
}

// masked writes an address as the server does: it is shown where others may look on.
function masked(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : [...address.slice(0, at)].slice(0, 1).join('') + '…' + address.slice(at);
}

// whole keeps a line from breaking behind the ellipsis.
const whole = (address: string) => address.replace('…', '…\u2060');
