// The section of the security page that sets a telephone up, changes it and turns it off.
import { useState } from 'preact/hooks';
import { del, get } from '../shell/api';
import { Icon } from '../shell/icon';
import { collect, type SecurityProps } from '../shell/room';
import { Used, TurnOff } from '../shell/turn-off';
import { Dialog, Skeleton, toast, useLoad } from '../shell/ui';
import { SetUp } from './set-up';
import { Unsent } from './unsent';
import { t } from './words';

export function Section({ status }: SecurityProps) {
  const { data, problem, reload } = status;
  const [setting, setSetting] = useState(false);
  const [disabling, setDisabling] = useState(false);
  const line = data?.sms;
  const on = line?.enabled ?? false;
  const better = collect((room) => room.security).find(({ first }) => first && data && !data[first.layer]?.enabled)?.first;

  return (
    <section class="card" aria-labelledby="sms">
      <div class="card-head">
        <div>
          <h2 id="sms">{t('title')} {data && <span class={on ? 'tag good' : 'tag'}>{on ? t('on') : t('off')}</span>}</h2>
          <p class="hint">{on ? t('onText') : t('offText')}</p>
        </div>
        {data && !on && <button type="button" class="button" onClick={() => setSetting(true)}>{t('enable')}</button>}
      </div>
      {!data && !problem && <Skeleton rows={1} />}
      {on && (
        <>
          <div class="telephone">
            <Icon name="phone" />
            <div>
              <p class="telephone-number">{line!.hint ?? t('numberGone')}</p>
              <Used line={line} />
            </div>
          </div>
          <div class="form-actions">
            <button type="button" class="button" onClick={() => setSetting(true)}>{t('change')}</button>
            <button type="button" class="button" onClick={() => setDisabling(true)}>{t('disable')}</button>
          </div>
        </>
      )}
      {data && <Unsent />}
      {setting && (
        <Dialog title={on ? t('changeTitle') : t('enrol')} onClose={() => setSetting(false)}>
          <SetUp change={on} better={better && { ...better, run: () => {
            setSetting(false);
            better.run();
          } }} onClose={() => setSetting(false)} onDone={async () => {
            setSetting(false);
            toast(on ? t('changed') : t('enabled'));
            await reload();
          }} />
        </Dialog>
      )}
      {disabling && (
        <TurnOff title={t('disableTitle')} onClose={() => setDisabling(false)} off={(recovery) => del('/account/sms', { query: { recovery } })} onOff={async () => {
          toast(t('disabled'));
          await reload();
        }}>
          <p>{t('disableText')}</p>
        </TurnOff>
      )}
    </section>
  );
}

// StepGoes is what the page that deletes the account says of the telephone, when it is set up.
export function StepGoes() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  return data?.sms?.enabled ? <li>{t('goStep')}</li> : null;
}
