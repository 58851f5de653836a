// The security page: how well the account is protected and what to do next, the password, then
// each room's section, with the status of all layers read once.
import { useState } from 'preact/hooks';
import { get } from '../shell/api';
import { Icon } from '../shell/icon';
import { leadToStep } from '../shell/layer';
import { collect, layerStep, stepsOf, type SecurityProps } from '../shell/room';
import { Failed, useLoad } from '../shell/ui';
import { about, rate, type Advice } from './advice';
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

// Glance says what protects the account, how strong that is, what lets its owner back in, and
// what helps most next, with the button that begins it.
function Glance({ lines }: { lines: NonNullable<SecurityProps['status']['data']> }) {
  const { strength, advice, codes } = rate(lines);
  const on = stepsOf(lines, true);
  const bare = lines.password?.enabled === false;
  const waysIn = collect((room) => room.wayIn);
  const all = collect((room) => room.security).flatMap(({ ways }) => Object.entries(ways ?? {})).filter(([line]) => lines[line]);
  const ways = all.filter(([line]) => lines[line]!.enabled);
  return (
    <section class={`glance ${strength}`} aria-labelledby="glance">
      <span class="glance-icon"><Icon name={icons[strength]} /></span>
      <div>
        <h2 id="glance">{bare && (strength === 'weak' || strength === 'fair') ? t(`bare_${strength}`) : t(`strength_${strength}`)}</h2>
        <p>{bare && (advice === 'addApp' || advice === 'addAnyStep' || advice === 'lookNow') ? t(`bare_${advice}`) : t(`advice_${advice}`, { count: codes ?? 0 })}</p>
        <Next advice={advice} lines={lines} />
        <ul class="glance-on" aria-label={t('asked')}>
          {!bare && <li><Icon name="check" /> {t('passwordHead')}</li>}
          {waysIn.filter(({ alone }) => !alone).map(({ Names, order }) => <Names key={order} lines={lines} />)}
          {on.map((step) => layerStep(step)!.title()).map((name) => <li key={name}><Icon name="check" /> {name}</li>)}
          {waysIn.filter(({ alone }) => alone).map(({ Names, order }) => <Names key={order} lines={lines} />)}
        </ul>
        {on.length > 0 && all.length > 0 && (
          <ul class="glance-on" aria-label={t('ways')}>
            {ways.map(([line, say]) => <li key={line}><Icon name="check" /> {say(lines[line]!)}</li>)}
            {ways.length === 0 && <li class="glance-none"><Icon name="warning" /> {t('noWays')}</li>}
          </ul>
        )}
      </div>
    </section>
  );
}

// Next is the button that does what the advice says.
function Next({ advice, lines }: { advice: Advice; lines: NonNullable<SecurityProps['status']['data']> }) {
  const line = about[advice];
  const step = stepsOf(lines, false)[0];
  const begin = line && collect((room) => room.security).find(({ advised }) => advised?.line === line)?.advised;
  if (begin) return <div><button type="button" class="button primary" onClick={begin.run}>{begin.label(lines[line]!.enabled)}</button></div>;
  if ((advice !== 'addSecond' && advice !== 'addAnyStep') || !step) return null;
  return <div><button type="button" class="button primary" onClick={() => leadToStep(step)}>{t('chooseStep')}</button></div>;
}
