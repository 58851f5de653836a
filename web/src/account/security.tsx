// The security page: how well the account is protected and what to do next, the password, then
// each room's section, with the status of all layers read once.
import { useState } from 'preact/hooks';
import { get } from '../shell/api';
import { Icon } from '../shell/icon';
import { collect, layerStep, type SecurityProps } from '../shell/room';
import { Failed, useLoad } from '../shell/ui';
import { rate } from './advice';
import { Password } from './password';
import { t } from './words';

export function Security() {
  const status = useLoad((signal) => get('/account/security', { signal }), []);
  const [round, setRound] = useState(0); // a new password signs devices out
  return (
    <>
      <h1>{t('security')}</h1>
      {status.data && Object.keys(status.data).length > 0 && <Glance lines={status.data} />}
      {status.problem && <Failed problem={status.problem} retry={status.reload} />}
      <Password onChanged={() => setRound(round + 1)} />
      {collect((room) => room.security).map(({ Section, order }) => <Section key={`${order} ${round}`} status={status} />)}
    </>
  );
}

const icons = { weak: 'warning', fair: 'shield', good: 'shield', strong: 'shield' } as const;

// Glance says what protects the account, how strong that is, and what helps most next.
function Glance({ lines }: { lines: NonNullable<SecurityProps['status']['data']> }) {
  const { strength, advice, codes } = rate(lines);
  const on = Object.keys(lines).filter((name) => lines[name]!.enabled).flatMap((name) => layerStep(name) ?? []).sort((a, b) => a.order - b.order);
  return (
    <section class={`glance ${strength}`} aria-labelledby="glance">
      <span class="glance-icon"><Icon name={icons[strength]} /></span>
      <div>
        <h2 id="glance">{t(`strength_${strength}`)}</h2>
        <p>{t(`advice_${advice}`, { count: codes ?? 0 })}</p>
        <ul class="glance-on" aria-label={t('asked')}>
          {[t('passwordHead'), ...on.map((step) => step.title())].map((name) => <li key={name}><Icon name="check" /> {name}</li>)}
        </ul>
      </div>
    </section>
  );
}
