// The trusted address on the security page: set, changed, turned off; it waits for its link, and
// rests before it counts.
import { useEffect, useState } from 'preact/hooks';
import { del, get, put, serverNow, type Answer } from '../shell/api';
import { Field, Form } from '../shell/form';
import { dateTime, duration } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Problem } from '../shell/problem';
import type { SecurityProps } from '../shell/room';
import { SendAgain } from '../shell/send-again';
import { useSettings } from '../shell/settings';
import { Used } from '../shell/turn-off';
import { Confirm, Dialog, toast, toastProblem, useLoad } from '../shell/ui';
import { Way } from './ways-back';
import { t } from './words';

type Known = Answer<'get', '/account/trusted-email'>;

export function TrustedAddress({ status, may }: SecurityProps & { may: boolean }) {
  const line = status.data!.trusted_email!;
  // Without a fresh proof the page knows its line alone, whose address is masked.
  const { data: known, reload, set } = useLoad<Known | undefined>((signal) => get('/account/trusted-email', { quiet: true, signal }).catch((err: unknown) => {
    if (err instanceof Problem && err.code === 'step_up_required') return undefined;
    throw err;
  }), []);
  const [wish, setWish] = useState<'set' | 'off'>();
  const [busy, setBusy] = useState(false);
  const close = () => setWish(undefined);
  const pending = known?.pending_email;
  const resting = known?.usable_from && Date.parse(known.usable_from) > serverNow() ? known.usable_from : undefined;
  const on = line.enabled || known?.email !== undefined;

  // The link may be opened in another browser.
  useEffect(() => {
    if (!pending) return;
    const seen = () => {
      if (document.visibilityState !== 'visible') return;
      void reload();
      void status.reload();
    };
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [pending]);

  // read asks for a fresh proof where one is needed.
  async function read(then?: 'set') {
    if (busy) return;
    setBusy(true);
    try {
      set(await get('/account/trusted-email'));
      setWish(then);
    } catch (err) {
      toastProblem(err);
    } finally {
      setBusy(false);
    }
  }

  async function changed(said: string) {
    toast(said);
    await Promise.all([reload(), status.reload()]);
  }

  async function ask(email: string) {
    await put('/account/trusted-email', { body: { email } });
  }

  return (
    <Way id="trusted-email" title={t('trusted')} good={on && !resting} tag={resting ? t('trustedRests') : on ? t('waysOn') : pending ? t('trustedWaits') : t('waysOff')}
      text={(
        <>
          <p class="hint address-line">{!on ? t('trustedOff') : t('trustedOn', { address: known?.email ?? whole(line.hint ?? '') })}</p>
          {resting ? <p class="hint">{t('trustedFrom', { time: dateTime(resting) })}</p> : <Used line={line} />}
        </>
      )}
      buttons={(on || may) && (
        <>
          {on && !known && <button type="button" class="button" aria-disabled={busy} onClick={() => read()}>{t('trustedShow')}</button>}
          {may && <button type="button" class="button" aria-disabled={busy} onClick={() => read('set')}>{on ? t('trustedChange') : pending ? t('trustedOther') : t('trustedSet')}</button>}
          {on && <button type="button" class="button" onClick={() => setWish('off')}>{t('trustedTurnOff')}</button>}
        </>
      )}>
      {pending && (
        <div class="notice" role="status">
          <Icon name="mail" />
          <div>
            <p class="address-line">{known?.email ? t('trustedPendingNext', { pending, email: known.email }) : t('trustedPending', { pending })}</p>
            <div class="card-buttons">
              <SendAgain key={pending} send={async () => {
                await ask(pending);
                return t('trustedSentAgain');
              }} />
              {!known?.email && (
                <button type="button" class="button" onClick={async () => {
                  try {
                    await del('/account/trusted-email');
                    await changed(t('trustedTakenBack'));
                  } catch (err) {
                    toastProblem(err);
                  }
                }}>{t('trustedTakeBack')}</button>
              )}
            </div>
          </div>
        </div>
      )}
      {wish === 'set' && (
        <Dialog title={on ? t('trustedChangeTitle') : t('trustedSetTitle')} onClose={close}>
          <Ask present={known?.email} onClose={close} onAsk={async (email) => {
            await ask(email);
            close();
            await changed(t('trustedSent'));
          }} />
        </Dialog>
      )}
      {wish === 'off' && (
        <Confirm title={t('trustedOffTitle')} action={t('trustedOffDo')} onClose={close} onConfirm={async () => {
          await del('/account/trusted-email');
          close();
          await changed(t('trustedIsOff'));
        }}>
          <p class="address-line">{t('trustedOffText', { address: known?.email ?? whole(line.hint ?? '') })}</p>
        </Confirm>
      )}
    </Way>
  );
}

function Ask({ present, onAsk, onClose }: { present: string | undefined; onAsk: (email: string) => Promise<void>; onClose: () => void }) {
  const rest = useSettings()?.trusted_rest_seconds;
  return (
    <Form submit={t('trustedSend')} onCancel={onClose} onSubmit={(v) => onAsk(v.email!)}>
      <Field name="email" label={t('trustedEmail')} type="email" inputMode="email" autoComplete="email" required autoFocus spellcheck={false} hint={t('trustedEmailHint')} />
      <ul class="next-steps hint">
        <li>{t('trustedNextLink')}</li>
        {rest !== 0 && <li>{rest ? t('trustedNextRest', { time: duration(rest) }) : t('trustedNextRestBare')}</li>}
        {present && <li class="address-line">{t('trustedNextOld', { email: present })}</li>}
      </ul>
    </Form>
  );
}

// whole keeps a line from breaking behind the ellipsis.
const whole = (address: string) => address.replace('…', '…\u2060');
