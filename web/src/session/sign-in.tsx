// The page that signs in.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { focusMain, useLeaveWhenIn } from '../shell/app';
import { auth, type Opened } from '../shell/auth';
import { Entries } from '../shell/entries';
import { Check, Field, Form, Password } from '../shell/form';
import { Icon } from '../shell/icon';
import { Problem } from '../shell/problem';
import { doors, wayBack, type SignInFormProps } from '../shell/room';
import { go } from '../shell/router';
import { handedOver, isChallenge, openSession, signedIn } from './session';
import { Steps } from './steps';
import { problems, t } from './words';

export function SignIn() {
  useLeaveWhenIn();
  return <SignInForm title={t('welcome')}>{null}</SignInForm>;
}

// SignInForm is the whole sign-in. Other pages give it their own words, and say why they ask.
export function SignInForm({ title, submit = t('signIn'), children }: SignInFormProps) {
  const [begun, setBegun] = useState(handedOver);
  const card = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(false);
  const [held, setHeld] = useState(false);
  // An attempt that is over begins again with what was typed.
  const typed = useRef({ identifier: '', password: '', remember: false });
  const why = auth.value.is === 'out' ? auth.value.why : undefined;
  const ways = (['password', 'recover'] as const).flatMap((to) => wayBack(to) ?? []);
  const own = children !== null; // the page asks for the proof of an account
  const others = own ? [] : doors().filter((door) => !door.signsIn);
  async function opened(s: Opened) {
    if (!isChallenge(s)) return signedIn(s);
    setBegun({ challenge: s });
    setSending(false);
  }
  useEffect(() => {
    if (held) focusMain();
  }, [held]);
  if (held) {
    return (
      <div class="card narrow">
        <span class="badge"><Icon name="mail" /></span>
        <h1>{t('held')}</h1>
        <p>{t('heldText')}</p>
        <p class="hint">{t('heldHint')}</p>
        <div class="form-actions"><button type="button" class="button" onClick={() => setHeld(false)}>{t('startAgain')}</button></div>
      </div>
    );
  }
  if (begun) {
    return (
      <div class="card narrow">
        <Steps challenge={begun.challenge} by={begun.by} identifier={typed.current.identifier} onSession={signedIn} onOver={() => {
          setOver(true);
          setBegun(undefined);
        }}>
          <p><button type="button" class="link" onClick={() => setBegun(undefined)}>{t('startAgain')}</button></p>
        </Steps>
      </div>
    );
  }
  return (
    <div class="card narrow" ref={card}>
      <h1>{title}</h1>
      {children}
      {why && !over && <div class="notice" role="status"><Icon name="device" /><p>{t(`why_${why}`)}</p></div>}
      {over && <div class="notice bad" role="alert"><Icon name="warning" /><p>{problems('attempt_over')}</p></div>}
      <Form submit={submit} onSubmit={async (v) => {
        setOver(false);
        typed.current = { identifier: v.identifier!, password: v.password!, remember: v.remember_device === 'on' };
        const body = { identifier: v.identifier, password: v.password, remember_device: v.remember_device === 'on', ...(await openSession()) };
        setSending(true);
        try {
          const answer = await post('/auth/sign-in', { open: true, body }).catch((err: unknown) => {
            const activate = wayBack('activate');
            if (!(err instanceof Problem) || err.code !== 'account_deactivated' || !activate) throw err;
            activate.take({ identifier: v.identifier!, password: v.password });
            go(activate.href);
          });
          if (answer) await opened(answer);
        } catch (err) {
          setSending(false);
          if (err instanceof Problem && err.code === 'sign_in_held') return setHeld(true);
          throw err;
        }
      }}>
        <Field name="identifier" label={t('identifier')} value={typed.current.identifier} autoComplete="username webauthn" required spellcheck={false} autoFocus onInput={(value) => (typed.current.identifier = value)} />
        <Password name="password" label={t('password')} value={typed.current.password} autoComplete="current-password" required />
        <Check name="remember_device" label={t('remember')} hint={t('rememberHint')} checked={typed.current.remember} />
      </Form>
      <Entries paused={sending} onOpened={opened} own={own} remember={() => card.current!.querySelector<HTMLInputElement>('[name=remember_device]')!.checked} />
      {(ways.length > 0 || others.length > 0) && (
        <div class="aside ways">
          {ways.map(({ href, label, take }) => <p key={href}><a href={href} onClick={() => take({ identifier: typed.current.identifier })}>{label()}</a></p>)}
          {others.map(({ href, label }) => <p key={href}>{t('noAccount')} <a href={href}>{label()}</a></p>)}
        </div>
      )}
    </div>
  );
}
