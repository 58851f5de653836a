// The page that proves an address.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { Code, digits, Field, Form, Password, type Values } from '../shell/form';
import { Icon } from '../shell/icon';
import { useLink, whenGone, type Dead } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { Problem } from '../shell/problem';
import { signInPath } from '../shell/room';
import { go } from '../shell/router';
import { SendAgain } from '../shell/send-again';
import { toast } from '../shell/ui';
import { awaited, setAwaited } from './awaited';
import { Username } from './fields';
import { t } from './words';

// The tabs of this browser tell each other that the address is proven.
const proven = new BroadcastChannel('coffer.sign-up');

// Verify proves the address by the link's token or by the code. Opening the link does
// nothing, because mail scanners open links: a person presses the button. The browser that
// signed up proves the sign-up by its cookie, another browser by the password. The server says
// at once when the link is used or expired; asking uses nothing up.
export function Verify() {
  const link = useLink();
  const [token, setToken] = useState(link.secret);
  const [dead, setDead] = useState<Dead | undefined>(link.damaged ? 'damaged' : undefined);
  const [taken, setTaken] = useState(false);
  const [elsewhere, setElsewhere] = useState(false);

  useEffect(() => whenGone(token, '/auth/verify-email/check', () => {
    link.used();
    setDead('gone');
  }), [token]);

  // The page that waits goes on when the link was opened in another tab.
  useEffect(() => {
    if (token) return;
    proven.onmessage = () => done();
    return () => {
      proven.onmessage = null;
    };
  }, [token]);

  function done() {
    link.used();
    setAwaited('');
    go(signInPath());
    toast(t('verified'));
  }

  async function prove(proof: { token: string } | { email: string; code: string }, v: Values) {
    try {
      await post('/auth/verify-email', { open: true, body: { ...proof, ...(v.username && { username: v.username }), ...(v.password && { password: v.password }) } });
    } catch (err) {
      if (err instanceof Problem && err.code === 'link_gone' && token) {
        link.used();
        return setDead('gone');
      }
      if (err instanceof Problem && err.code === 'username_taken') setTaken(true);
      if (err instanceof Problem && err.code === 'sign_up_proof_required') {
        if (!v.password) return setElsewhere(true);
        throw new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/password', code: 'wrong_sign_up' }] });
      }
      throw err;
    }
    proven.postMessage('');
    done();
  }

  const password = elsewhere && <Password name="password" label={t('elsewherePassword')} autoComplete="current-password" required autoFocus />;
  const others = elsewhere && <p class="aside">{t('elsewhereOthers')} <a href="/sign-up">{t('signUpAgain')}</a></p>;

  if (dead) {
    return (
      <DeadLink dead={dead} gone={t('linkGoneText')} damaged={t('linkDamagedText')}>
        <NewLink onSent={() => {
          link.used();
          setToken('');
          setDead(undefined);
        }} />
      </DeadLink>
    );
  }
  if (token) {
    return (
      <div class={elsewhere ? 'card narrow' : 'card narrow centre'}>
        <span class="badge"><Icon name="mail" /></span>
        <h1>{t('confirmTitle')}</h1>
        <p>{elsewhere ? t('elsewhereText') : t('confirmText')}</p>
        <Form submit={t('confirm')} onSubmit={(v) => prove({ token }, v)}>
          {password}
          {taken && <Username />}
        </Form>
        {others}
      </div>
    );
  }
  const email = awaited.value;
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="mail" /></span>
      <h1>{t('checkMail')}</h1>
      <p>{email ? t('checkMailText', { email }) : t('checkMailBare')}</p>
      <Form submit={t('confirm')} onSubmit={(v) => prove({ email: email || v.email!, code: digits(v.code) }, v)} extra={<Resend email={email} />}>
        {!email && <Field name="email" label={t('email')} type="email" autoComplete="email" required spellcheck={false} />}
        <Code label={t('code')} hint={t('codeHint')} autoFocus={!!email} />
        {elsewhere && <div class="notice" role="status"><Icon name="device" /><p>{t('elsewhereText')}</p></div>}
        {password}
        {taken && <Username />}
      </Form>
      {others}
      <p class="aside">{t('noMail')} {email && <button type="button" class="link" onClick={() => setAwaited('')}>{t('otherEmail')}</button>}</p>
    </div>
  );
}

// NewLink stands on the page of a link that does not work.
function NewLink({ onSent }: { onSent: () => void }) {
  return (
    <Form submit={t('newLink')} extra={<SignInLink class="button" />} onSubmit={async (v) => {
      await post('/auth/verify-email/resend', { open: true, body: { email: v.email! } });
      setAwaited(v.email!);
      onSent();
      toast(t('resent'));
    }}>
      <Field name="email" label={t('email')} type="email" autoComplete="email" required spellcheck={false} value={awaited.value} />
    </Form>
  );
}

// Resend asks for the address when the page does not know it.
function Resend({ email }: { email: string }) {
  return (
    <SendAgain send={async (form) => {
      const typed = form?.elements.namedItem('email') as HTMLInputElement | null | undefined;
      if (typed && !typed.reportValidity()) return;
      await post('/auth/verify-email/resend', { open: true, body: { email: email || typed!.value } });
      return t('resent');
    }} />
  );
}
