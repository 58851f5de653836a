// The security page: each room's section, with the status of all layers read once.
import { get } from '../shell/api';
import { collect } from '../shell/room';
import { Failed, useLoad } from '../shell/ui';
import { t } from './words';

export function Security() {
  const status = useLoad((signal) => get('/account/security', { signal }), []);
  return (
    <>
      <h1>{t('security')}</h1>
      {status.problem && <Failed problem={status.problem} retry={status.reload} />}
      {collect((room) => room.security).map(({ Section, order }) => <Section key={order} status={status} />)}
    </>
  );
}
