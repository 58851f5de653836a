// The page that signs in.
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import { useLeaveWhenIn } from '../shell/app';
import { auth } from '../shell/auth';
import { Check, Field, Form, Password } from '../shell/form';
import { Icon } from '../shell/icon';
import { doors, type Challenge } from '../shell/room';
import { isChallenge, openSession, signedIn } from './session';
import { Steps } from './steps';
import { problems, t } from './words';

export function SignIn() {
  useLeaveWhenIn();
  const [challenge, setChallenge] = useState<Challenge>();
  const [over, setOver] = useState(false);
  const why = auth.value.is === 'out' ? auth.value.why : undefined;
  const others = doors().filter((door) => !door.signsIn);
  if (challenge) {
    return (
      <div class="card narrow">
        <Steps challenge={challenge} onSession={signedIn} onOver={() => {
          setOver(true);
          setChallenge(undefined);
        }} />
        <p class="aside"><button type="button" class="link" onClick={() => setChallenge(undefined)}>{t('startAgain')}</button></p>
      </div>
    );
  }
  return (
    <div class="card narrow">
      <h1>{t('welcome')}</h1>
      {why && !over && <div class="notice" role="status"><Icon name="device" /><p>{t(`why_${why}`)}</p></div>}
      {over && <div class="notice bad" role="alert"><Icon name="warning" /><p>{problems('attempt_over')}</p></div>}
      <Form submit={t('signIn')} onSubmit={async (v) => {
        setOver(false);
        const body = { identifier: v.identifier, password: v.password, remember_device: v.remember_device === 'on', ...(await openSession()) };
        const opened = await post('/auth/sign-in', { open: true, body });
        if (isChallenge(opened)) setChallenge(opened);
        else await signedIn(opened);
      }}>
        <Field name="identifier" label={t('identifier')} autoComplete="username" required spellcheck={false} autoFocus />
        <Password name="password" label={t('password')} autoComplete="current-password" required />
        <Check name="remember_device" label={t('remember')} hint={t('rememberHint')} />
      </Form>
      {others.length > 0 && <p class="aside">{t('noAccount')} {others.map(({ href, label }) => <a key={href} href={href}>{label()}</a>)}</p>}
    </div>
  );
}
