// A passkey in place of other proofs: it signs in, passes all steps of a sign-in, confirms a
// sensitive change, and has a deactivated account activated.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post, type Answer } from '../shell/api';
import { keeper } from '../shell/auth';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { asProblem, Problem } from '../shell/problem';
import { wayBack, type ActivateProps, type EnterProps, type PassProps, type ProveProps } from '../shell/room';
import { go } from '../shell/router';
import { Failed, useEnd } from '../shell/ui';
import { Calm } from './calm';
import { canOffer, obstacle, offer, unused, use, useObstacle } from './ceremony';
import { t } from './words';

type Credential = Awaited<ReturnType<typeof use>>;

interface AskProps {
  label: string;
  otherwise: string; // what to do without a passkey
  main?: boolean;
  focus?: boolean;
  onCancel?: () => void;
  onAsk: () => Promise<void>;
}

// Ask is the button. A person who closed the browser's question reads no error, and is told what
// else there is.
function Ask({ label, otherwise, main, focus = main, onCancel, onAsk }: AskProps) {
  const [none, setNone] = useState(false);
  return (
    <Form submit={label} icon="key" quiet={!main} focus={focus} onCancel={onCancel} onSubmit={async () => {
      setNone(false);
      await onAsk().catch((err: unknown) => {
        if (!unused(err)) throw err;
        setNone(true);
      });
    }}>
      <Calm>{none && otherwise}</Calm>
    </Form>
  );
}

// An offer to the browser is made anew before the server forgets what it asked.
const fresh = 4 * 60_000;

// Enter signs in: by the button, or by a name that the browser proposes in the field above.
export function Enter({ onOpened, paused }: EnterProps) {
  const end = useEnd();
  const can = useObstacle() === undefined;
  const [asking, setAsking] = useState(false);
  const [round, setRound] = useState(0);
  const [problem, setProblem] = useState<Problem>();
  const refused = useRef(0);

  async function enter(credential: Credential) {
    const opened = await post('/auth/passkey', { open: true, body: { credential, ...(await keeper().opening()) } }).catch((err: unknown) => {
      const activate = wayBack('activate');
      if (!(err instanceof Problem) || err.code !== 'account_deactivated' || !activate) throw err;
      activate.take({ identifier: '', way: Activate });
      go(activate.href);
    });
    if (opened) await onOpened(opened);
  }

  useEffect(() => {
    if (!can || paused || asking || refused.current > 2) return;
    const over = new AbortController();
    let chosen = false;
    const again = () => {
      if (document.hidden) document.addEventListener('visibilitychange', again, { once: true, signal: over.signal });
      else if (!chosen) setRound((n) => n + 1);
    };
    const timer = setTimeout(again, fresh);
    void (async () => {
      if (!(await canOffer())) return;
      let credential: Credential;
      try {
        credential = await offer(await post('/auth/passkey/options', { open: true, signal: over.signal }), over.signal);
        chosen = true;
      } catch {
        return; // the button is there, and says what is wrong
      }
      setProblem(undefined);
      await enter(credential).catch((err: unknown) => {
        setProblem(asProblem(err));
        refused.current++;
        setRound((n) => n + 1);
      });
    })();
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  }, [can, paused, asking, round]);

  if (!can) return null;
  return (
    <>
      {problem && <Failed problem={problem} />}
      <Ask key={refused.current} label={t('enter')} otherwise={t('noneEnter')} onAsk={async () => {
        setProblem(undefined);
        setAsking(true);
        try {
          await enter(await use(await post('/auth/passkey/options', { open: true }), end));
        } catch (err) {
          setAsking(false);
          throw err;
        }
      }} />
    </>
  );
}

// Pass passes all steps of a sign-in at once.
export function Pass({ challenge, guard, onOpened }: PassProps) {
  const end = useEnd();
  if (useObstacle()) return null;
  const attempt = { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token };
  return (
    <Ask label={t('pass')} otherwise={t('nonePass')} onAsk={async () => {
      const options = await guard(post('/auth/attempts/{id}/passkey/options', attempt));
      if (!options) return;
      const credential = await use(options, end);
      const opened = await guard(post('/auth/attempts/{id}/passkey', { ...attempt, body: { credential } }));
      if (opened) await onOpened(opened);
    }} />
  );
}

// Activate asks the browser anew for each mail, because a passkey's answer is good once.
export function Activate({ main, onSend }: ActivateProps) {
  if (useObstacle()) return null;
  return (
    <Ask label={t('pass')} otherwise={t('noneProve')} main={main} focus={false} onAsk={() => onSend(async (end) => {
      const credential = await use(await post('/auth/passkey/options', { open: true }), end);
      await post('/auth/activate/passkey', { open: true, body: { credential } });
    })} />
  );
}

// proves tells whether the dialog of the fresh proof has this way: also where a passkey is all that
// the account has and this browser cannot use it, which is said.
export const proves = ({ passkeys, password }: Answer<'get', '/account/security'>): boolean =>
  (passkeys?.enabled ?? false) && (obstacle(undefined) === undefined || password?.enabled === false);

export function Prove({ main, onOpened, onCancel }: ProveProps) {
  const end = useEnd();
  const blocked = useObstacle();
  if (blocked) return main ? <p class="notice"><Icon name="key" /> <span>{t(`cannot_${blocked}`)}</span></p> : null;
  return (
    <Ask label={t('prove')} otherwise={t('noneProve')} main={main} onCancel={onCancel} onAsk={async () => {
      const credential = await use(await post('/account/reauthenticate/passkey/options'), end);
      await onOpened(await post('/account/reauthenticate/passkey', { body: { credential } }));
    }} />
  );
}
