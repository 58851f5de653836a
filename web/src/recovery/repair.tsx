// The page of a session that a way back opened. It may repair the account; with a new password, or
// a sign-in step that is on again, it becomes an ordinary one.
import { useEffect, useState } from 'preact/hooks';
import { get, put } from '../shell/api';
import { focusMain } from '../shell/app';
import { auth, keeper, type Account, type Recovered } from '../shell/auth';
import { Form } from '../shell/form';
import { clock, dateTime } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { NewPassword } from '../shell/new-password';
import { collect, firstPlace } from '../shell/room';
import { go } from '../shell/router';
import { Failed, Skeleton, toast, useLoad } from '../shell/ui';
import { t } from './words';

export function Repair() {
  const state = auth.value;
  const recovered = 'recovered' in state ? state.recovered : undefined;
  // Others who are signed in have nothing to repair here.
  const strange = state.is === 'in' && !recovered?.steps;
  useEffect(() => {
    if (strange) go(firstPlace(), { replace: true });
  }, [strange]);
  if (strange || !recovered || !('account' in state)) return <Skeleton />;
  const view = { account: state.account, recovered, whole: state.is === 'in' };
  return recovered.steps ? <Strong {...view} /> : <Weak {...view} />;
}

interface View {
  account: Account;
  recovered: Recovered;
  whole: boolean; // the session is an ordinary one by now
}

const methods = ['pwd', 'email', 'backup_code', 'trusted_email', 'delay'] as const;

// Head says what was proved and what to do first.
function Head({ recovered, lead, whole }: { recovered: Recovered; lead: string; whole?: boolean }) {
  return (
    <div class="repair-head">
      <h1>{t('repair')}</h1>
      <p>{lead}</p>
      <ul class="proved" aria-label={t('proved')}>
        {methods.filter((by) => recovered.by.includes(by)).map((by) => <li key={by}><Icon name="check" /> {t(`by_${by}`)}</li>)}
      </ul>
      <p class="hint">{!whole && t('repairUntil', { time: clock(recovered.until) })} {t('allToldNow')}</p>
    </div>
  );
}

function Strong({ account, recovered, whole }: View) {
  const status = useLoad((signal) => get('/account/security', { signal }), []);
  const [set, setSet] = useState(false);
  const first = !recovered.by.includes('pwd'); // the password is lost
  // A step that was turned on makes this an ordinary session, whose token says so.
  const reload = async () => {
    if (auth.value.is === 'repair') await keeper().level();
    await status.reload();
  };

  const password = (
    <section class="card" aria-labelledby="repair-password">
      <div>
        <h2 id="repair-password">{t('password')}</h2>
        <p class="hint">{set ? t('repairPasswordDone') : first ? t('repairPasswordFirst') : t('repairPasswordToo')}</p>
      </div>
      {!set && <Change account={account} quiet={!first} onSet={() => {
        setSet(true);
        focusMain();
      }} />}
    </section>
  );
  const steps = (
    <div class="repair-steps" role="group" aria-labelledby="repair-steps">
      <div>
        <h2 id="repair-steps">{t('repairSteps')}</h2>
        <p class="hint">{t('repairStepsText')}</p>
      </div>
      {status.problem && <Failed problem={status.problem} retry={status.reload} />}
      {collect((room) => room.layers && room.security).map(({ Section, order }) => <Section key={order} status={{ ...status, reload }} />)}
    </div>
  );
  return (
    <>
      <Head recovered={recovered} whole={whole} lead={whole ? t('repairWhole') : first ? t('repairPasswordLead') : t('repairStepsLead')} />
      {first ? <>{password}{steps}</> : <>{steps}{password}</>}
      {collect((room) => (room.security?.repairs ? room.security : undefined)).map(({ Section, order }) => <Section key={order} status={{ ...status, reload }} />)}
      <section class="card repair-end" aria-labelledby="repair-end">
        <div>
          <h2 id="repair-end">{whole ? t('repairReady') : t('repairNot')}</h2>
          <p class="hint">{whole ? t('repairReadyText', { time: clock(recovered.until) }) : t('repairNotText')}</p>
        </div>
        {whole && <button type="button" class="button primary" onClick={() => go(firstPlace(), { replace: true })}>{t('repairDone')}</button>}
      </section>
    </>
  );
}

function Weak({ account, recovered }: View) {
  return (
    <>
      <Head recovered={recovered} lead={t('repairWeakLead')} />
      <section class="card" aria-labelledby="repair-password">
        <div>
          <h2 id="repair-password">{t('password')}</h2>
          <p class="hint">{t('repairPasswordWeak')}</p>
        </div>
        <Change account={account} />
      </section>
      <section class="card" aria-labelledby="repair-lost">
        <div>
          <h2 id="repair-lost">{t('repairLost')}</h2>
          <p class="hint">{recovered.from ? t('repairLostFrom', { time: dateTime(recovered.from) }) : t('repairLostText')}</p>
        </div>
      </section>
    </>
  );
}

function Change({ account, quiet, onSet }: { account: Account; quiet?: boolean; onSet?: () => void }) {
  return (
    <Form submit={t('resetDo')} quiet={quiet} onSubmit={async (v) => {
      const opened = await put('/account/password', { body: { new_password: v.new_password! } });
      if ('access_token' in opened && onSet) {
        await keeper().take(opened);
        onSet();
      } else {
        await keeper().enter(opened);
      }
      toast(t('resetDone'));
    }}>
      {/* Password managers need the name beside the password. */}
      <input class="hidden" type="text" name="username" autoComplete="username" readOnly tabIndex={-1} aria-hidden="true" value={account.username} />
      <NewPassword name="new_password" label={t('newPassword')} about={[account.first_name, account.last_name, account.username, account.email.split('@')[0]!]} />
    </Form>
  );
}
