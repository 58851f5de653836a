// The switch of the security page that lets sign-in ask for every step on every device.
import { useState } from 'preact/hooks';
import { get, put } from '../shell/api';
import { auth, keeper, type Account } from '../shell/auth';
import type { SecurityProps } from '../shell/room';
import { toast, toastProblem, useLoad } from '../shell/ui';
import { t } from './words';

// AlwaysAsk shows when there is a step to ask for.
export function AlwaysAsk({ status }: SecurityProps) {
  const me = auth.value.is === 'in' ? auth.value.account : undefined;
  return me && (me.always_ask || steps(status.data).length > 0) ? <Choice known={me} /> : null;
}

function Choice({ known }: { known: Account }) {
  // Another device may have changed it since the session began.
  const { data, set } = useLoad((signal) => get('/account', { signal }), []);
  const [busy, setBusy] = useState(false);
  const me = data ?? known;
  const on = me.always_ask;

  async function change() {
    if (busy) return;
    setBusy(true);
    try {
      await put('/account/always-ask', { body: { always_ask: !on } });
      const fresh = { ...me, always_ask: !on };
      set(fresh);
      keeper().changed(fresh);
      toast(on ? t('alwaysIsOff') : t('alwaysIsOn'));
    } catch (err) {
      toastProblem(err);
    } finally {
      setBusy(false);
    }
  }

  return (
    <section class="card" aria-labelledby="always">
      <div class="card-head">
        <div>
          <h2><label id="always" for="always-ask">{t('always')}</label></h2>
          <p class="hint" id="always-hint">{on ? t('alwaysOn') : t('alwaysOff')}</p>
        </div>
        <input class="switch" type="checkbox" role="switch" id="always-ask" checked={on} aria-describedby="always-hint" aria-busy={busy}
          onChange={() => void change()} />
      </div>
    </section>
  );
}

// The layers of sign-in among the lines of the security page.
const layers = ['totp', 'email_otp', 'sms', 'security_question'];

// steps names the sign-in steps that are on.
export function steps(lines: SecurityProps['status']['data']): string[] {
  return layers.filter((name) => lines?.[name]?.enabled);
}
