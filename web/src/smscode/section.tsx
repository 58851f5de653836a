// The section of the security page that sets a telephone up, changes it and turns it off.
import { useState } from 'preact/hooks';
import { del, get } from '../shell/api';
import { LayerCard } from '../shell/layer';
import { collect, type SecurityProps } from '../shell/room';
import { TurnOff } from '../shell/turn-off';
import { Dialog, toast, useLoad } from '../shell/ui';
import { unbroken } from './phone';
import { SetUp } from './set-up';
import { Unsent } from './unsent';
import { t } from './words';

export function Section({ status }: SecurityProps) {
  const { data, reload } = status;
  const [setting, setSetting] = useState(false);
  const [disabling, setDisabling] = useState(false);
  const on = data?.sms?.enabled ?? false;
  const better = collect((room) => room.security).find(({ first }) => first && data && !data[first.layer]?.enabled)?.first;

  return (
    <LayerCard layer="sms" title={t('title')} status={status} text={(_, line) => (!on ? t('offText') : line?.hint ? t('onText', { number: unbroken(line.hint) }) : t('numberGone'))}
      buttons={() => (on
        ? (
          <>
            <button type="button" class="button" onClick={() => setSetting(true)}>{t('change')}</button>
            <button type="button" class="button" onClick={() => setDisabling(true)}>{t('disable')}</button>
          </>
        )
        : <button type="button" class="button" onClick={() => setSetting(true)}>{t('enable')}</button>)}>
      {data && <Unsent />}
      {setting && (
        <Dialog title={on ? t('changeTitle') : t('enrol')} onClose={() => setSetting(false)}>
          <SetUp change={on} better={on ? undefined : better && { ...better, run: () => {
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
    </LayerCard>
  );
}

// StepGoes is what the page that deletes the account says of the telephone, when it is set up.
export function StepGoes() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  return data?.sms?.enabled ? <li>{t('goStep')}</li> : null;
}
