// The fresh proof that sensitive changes want: a dialog over the page.
import { useRef, useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { me, type Begun, type Opened } from '../shell/auth';
import { Others } from '../shell/entries';
import { Form, Password } from '../shell/form';
import { duration } from '../shell/i18n';
import { Problem } from '../shell/problem';
import { collect, type Lines, type ProveProps } from '../shell/room';
import { useSettings } from '../shell/settings';
import { ask, Dialog, Failed } from '../shell/ui';
import { isChallenge, signedIn } from './session';
import { Steps } from './steps';
import { t } from './words';

let proving: Promise<boolean> | undefined;

// askForProof opens one dialog however many calls want a proof at once. It opens with what the
// account has, so that a person can type at once; a password is likely while the server does not say.
export function askForProof(begun?: Begun): Promise<boolean> {
  proving ??= (async () => {
    let proven = false;
    const lines = await get('/account/security', { quiet: true }).catch((): Lines => ({}));
    await ask((close) => <Proof lines={lines} begun={begun} onClose={close} onProven={() => {
      proven = true;
      close();
    }} />);
    return proven;
  })().finally(() => {
    proving = undefined;
  });
  return proving;
}

function Proof({ lines, begun, onClose, onProven }: { lines: Lines; begun?: Begun; onClose: () => void; onProven: () => void }) {
  const [{ challenge, by }, setBegun] = useState<Partial<Begun>>(begun ?? {});
  const [over, setOver] = useState<Problem>();
  const typed = useRef<Record<string, string>>({});
  const lasts = useSettings()?.step_up_seconds;
  const [main, ...others] = collect((room) => room.prove).filter(({ on }) => on(lines));
  async function opened(s: Opened | undefined, by?: string) {
    setOver(undefined);
    if (isChallenge(s)) return setBegun({ challenge: s, by });
    if (s?.access_token) await signedIn(s);
    onProven();
  }
  // Beside several ways the dialog's own button closes.
  const props = { onOpened: opened, onCancel: others.length > 0 ? undefined : onClose, typed: typed.current };
  return (
    <Dialog title={t('proofTitle')} onClose={onClose}>
      {challenge ? (
        <Steps inside challenge={challenge} by={by} identifier={me()?.username ?? ''} onLeave={onClose} onSession={(s) => opened(s)} onOver={() => {
          setOver(new Problem({ status: 410, code: 'proof_over' }));
          setBegun({});
        }} />
      ) : !main ? <p>{t('proofNone')}</p> : (
        <div class={others.length > 0 ? 'proof several' : 'proof'}>
          <p>{others.length === 0 && main.Way === ByPassword ? t('proofText') : t('proofAny')} {lasts && t('proofLasts', { time: duration(lasts) })}</p>
          {over && <Failed problem={over} />}
          <main.Way {...props} main />
          {others.length > 0 && <Others>{others.map(({ Way, order }) => <Way key={order} {...props} main={false} />)}</Others>}
        </div>
      )}
    </Dialog>
  );
}

// ByPassword is the proof that most accounts have.
export function ByPassword({ main, onOpened, onCancel, typed }: ProveProps) {
  return (
    <Form submit={main ? t('proofDo') : t('proofPassword')} quiet={!main} onCancel={onCancel} onSubmit={async (v) => {
      typed.password = v.password!;
      const opened = await post('/account/reauthenticate', { body: { password: v.password! } }).catch((err) => {
        // The server's words are those of a sign-in, which asks for a name too.
        throw err instanceof Problem && err.code === 'invalid_credentials' ? new Problem({ status: 401, code: 'wrong_password' }) : err;
      });
      await onOpened(opened);
    }}>
      {/* Password managers need the name beside the password. */}
      <input class="hidden" type="text" name="username" autoComplete="username" readOnly tabIndex={-1} aria-hidden="true"
        value={me()?.username ?? ''} />
      <Password name="password" label={t('password')} value={typed.password} autoComplete="current-password" required autoFocus={main} />
    </Form>
  );
}
