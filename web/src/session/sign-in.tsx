// The page that signs in.
import { useState } from 'preact/hooks';
import { post } from '../shell/api';
import { useLeaveWhenIn } from '../shell/app';
import { Check, Field, Form, Password } from '../shell/form';
import { Icon } from '../shell/icon';
import { say, type Problem } from '../shell/problem';
import { doors, type Challenge } from '../shell/room';
import { isChallenge, openSession, signedIn } from './session';
import { Steps } from './steps';
import { t } from './words';

export function SignIn() {
  useLeaveWhenIn();
  const [challenge, setChallenge] = useState<Challenge>();
  const [over, setOver] = useState<Problem>();
  const others = doors().filter((door) => !door.signsIn);
  if (challenge) {
    return (
      <div class="card narrow">
        <Steps challenge={challenge} onSession={signedIn} onOver={(problem) => {
          setOver(problem);
          setChallenge(undefined);
        }} />
        <p class="aside"><button type="button" class="link" onClick={() => setChallenge(undefined)}>{t('startAgain')}</button></p>
      </div>
    );
  }
  return (
    <div class="card narrow">
      <h1>{t('welcome')}</h1>
      {over && <div class="notice bad" role="alert"><Icon name="warning" /><p>{t('attemptOver')} {say(over)}</p></div>}
      <Form submit={t('signIn')} onSubmit={async (v) => {
        setOver(undefined);
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
