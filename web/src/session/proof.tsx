// The fresh proof that sensitive changes want: a dialog over the page.
import { useRef, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { me } from '../shell/auth';
import { Form, Password } from '../shell/form';
import { duration } from '../shell/i18n';
import { Problem } from '../shell/problem';
import type { Challenge } from '../shell/room';
import { useSettings } from '../shell/settings';
import { ask, Dialog, Failed } from '../shell/ui';
import { isChallenge, signedIn, type Session } from './session';
import { Steps } from './steps';
import { t } from './words';

let proving: Promise<boolean> | undefined;

// askForProof opens one dialog however many calls want a proof at once.
export function askForProof(): Promise<boolean> {
  proving ??= (async () => {
    let proven = false;
    await ask((close) => <Proof onClose={close} onProven={() => {
      proven = true;
      close();
    }} />);
    return proven;
  })().finally(() => {
    proving = undefined;
  });
  return proving;
}

function Proof({ onClose, onProven }: { onClose: () => void; onProven: () => void }) {
  const [challenge, setChallenge] = useState<Challenge>();
  const [over, setOver] = useState<Problem>();
  const typed = useRef(''); // an attempt that is over begins again with it
  const lasts = useSettings()?.step_up_seconds;
  async function done(s: Session | undefined) {
    if (s?.access_token) await signedIn(s);
    onProven();
  }
  return (
    <Dialog title={t('proofTitle')} onClose={onClose}>
      {challenge ? (
        <Steps inside challenge={challenge} identifier={me()?.username ?? ''} onLeave={onClose} onSession={done} onOver={() => {
          setOver(new Problem({ status: 410, code: 'proof_over' }));
          setChallenge(undefined);
        }} />
      ) : (
        <>
          <p>{t('proofText')} {lasts && t('proofLasts', { time: duration(lasts) })}</p>
          {over && <Failed problem={over} />}
          <Form submit={t('proofDo')} onCancel={onClose} onSubmit={async (v) => {
            setOver(undefined);
            typed.current = v.password!;
            const opened = await post('/account/reauthenticate', { body: { password: v.password! } }).catch((err) => {
              // The server's words are those of a sign-in, which asks for a name too.
              throw err instanceof Problem && err.code === 'invalid_credentials' ? new Problem({ status: 401, code: 'wrong_password' }) : err;
            });
            if (isChallenge(opened)) setChallenge(opened);
            else await done(opened);
          }}>
            {/* Password managers need the name beside the password. */}
            <input class="hidden" type="text" name="username" autoComplete="username" readOnly tabIndex={-1} aria-hidden="true"
              value={me()?.username ?? ''} />
            <Password name="password" label={t('password')} value={typed.current} autoComplete="current-password" required autoFocus />
          </Form>
        </>
      )}
    </Dialog>
  );
}
