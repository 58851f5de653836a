// The security page: the password, then each room's section, with the status of all layers read
// once.
import { useState } from 'preact/hooks';
import { get } from '../shell/api';
import { collect } from '../shell/room';
import { Failed, useLoad } from '../shell/ui';
import { Password } from './password';
import { t } from './words';

export function Security() {
  const status = useLoad((signal) => get('/account/security', { signal }), []);
  const [round, setRound] = useState(0); // a new password signs devices out
  const layers = Object.values(status.data ?? {});
  return (
    <>
      <h1>{t('security')}</h1>
      {layers.length > 0 && <p>{layers.some((l) => l.enabled) ? t('adviceOn') : t('adviceOff')}</p>}
      {status.problem && <Failed problem={status.problem} retry={status.reload} />}
      <Password onChanged={() => setRound(round + 1)} />
      {collect((room) => room.security).map(({ Section, order }) => <Section key={`${order} ${round}`} status={status} />)}
    </>
  );
}
