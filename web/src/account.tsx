// The room of who one is: sign-up, the proof of the address, the first admin, the profile.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Account } from './api';
import { accountChanged, auth, call, get, patch } from './shell/auth';
import { Code, digits, Field, Form, Password, Select, TextArea, Time, useWait, type Values } from './shell/form';
import { ago, catalog, date, languages, lang, setLang, isLang } from './shell/i18n';
import { Icon } from './shell/icon';
import { useLeaveWhenIn } from './shell/app';
import { Problem } from './shell/problem';
import type { Room } from './shell/room';
import { fragment, go } from './shell/router';
import { Failed, Skeleton, toast, toastProblem, useLoad } from './shell/ui';

export const account: Room = {
  routes: [
    { path: '/sign-up', page: SignUp, title: () => t('signUp'), open: true },
    { path: '/verify-email', page: Verify, title: () => t('verify'), open: true },
    { path: '/first-admin', page: FirstAdmin, title: () => t('firstAdmin'), open: true },
    { path: '/account', page: Profile, title: () => t('account') },
  ],
  nav: { href: '/account', icon: 'user', label: () => t('account'), order: 3 },
};

// The address that was just signed up: in memory, so that the next page can name it.
const awaited = signal('');

// The least length is the server's setting; its refusal names the real one.
const passwordMin = 12;

function Names({ value }: { value?: Account }) {
  return (
    <div class="pair">
      <Field name="first_name" label={t('firstName')} autoComplete="given-name" required maxLength={100} value={value?.first_name} />
      <Field name="last_name" label={t('lastName')} autoComplete="family-name" required maxLength={100} value={value?.last_name} />
    </div>
  );
}

function Username({ value }: { value?: string }) {
  return <Field name="username" label={t('username')} hint={t('usernameHint')} autoComplete="username" required maxLength={32} spellcheck={false} value={value} />;
}

function NewPassword() {
  const [length, setLength] = useState(0);
  const enough = length >= passwordMin;
  const rules = (
    <ul class="rules">
      <li class={enough ? 'met' : undefined}>
        <Icon name={enough ? 'check' : 'chevron'} /> {t('ruleLength', { count: passwordMin })}
        <span class="hidden">{length > 0 && enough ? t('ruleMet') : ''}</span>
      </li>
      <li><Icon name="chevron" /> {t('ruleWords')}</li>
      <li><Icon name="chevron" /> {t('ruleCommon')}</li>
    </ul>
  );
  return <Password name="password" label={t('password')} autoComplete="new-password" required hint={rules} onInput={(value) => setLength([...value].length)} />;
}

function newAccount(v: Values) {
  return { first_name: v.first_name, last_name: v.last_name, username: v.username, email: v.email, password: v.password };
}

function SignUp() {
  useLeaveWhenIn();
  return (
    <div class="card narrow">
      <h1>{t('signUp')}</h1>
      <Form submit={t('signUp')} onSubmit={async (v) => {
        await call('POST', '/auth/sign-up', { open: true, body: newAccount(v) });
        awaited.value = v.email!;
        go('/verify-email');
      }}>
        <Names />
        <Username />
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} hint={t('emailHint')} />
        <NewPassword />
      </Form>
      <p class="aside">{t('haveAccount')} <a href="/sign-in">{t('signIn')}</a></p>
    </div>
  );
}

// The tabs of this browser tell each other that the address is proven.
const proven = new BroadcastChannel('coffer.sign-up');

// Verify proves the address, by the link's token or by the code. The link alone does
// nothing: mail scanners open links, people press buttons. In the browser that signed up
// its cookie says whose sign-up it is; elsewhere the password says so.
function Verify() {
  const [token] = useState(() => fragment('token'));
  const [taken, setTaken] = useState(false);
  const [elsewhere, setElsewhere] = useState(false);

  // The page that waits goes on when the link was opened in another tab.
  useEffect(() => {
    if (token) return;
    proven.onmessage = () => done();
    return () => {
      proven.onmessage = null;
    };
  }, []);

  function done() {
    awaited.value = '';
    toast(t('verified'));
    go('/sign-in');
  }

  async function prove(proof: { token: string } | { email: string; code: string }, v: Values) {
    try {
      await call('POST', '/auth/verify-email', { open: true, body: { ...proof, ...(v.username && { username: v.username }), ...(v.password && { password: v.password }) } });
    } catch (err) {
      if (err instanceof Problem && err.code === 'username_taken') setTaken(true);
      if (err instanceof Problem && err.code === 'sign_up_proof_required') {
        if (!v.password) return setElsewhere(true);
        throw new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/password', code: 'wrong_password', detail: t('elsewhereWrong') }] });
      }
      throw err;
    }
    proven.postMessage('');
    done();
  }

  const password = elsewhere && <Password name="password" label={t('elsewherePassword')} autoComplete="current-password" required autoFocus />;
  const others = elsewhere && <p class="aside">{t('elsewhereOthers')} <a href="/sign-up">{t('signUpAgain')}</a></p>;

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
      <p class="aside">{t('noMail')}</p>
    </div>
  );
}

function Resend({ email }: { email: string }) {
  const [wait, setWait] = useWait();
  return (
    <button type="button" class="button" disabled={wait > 0} onClick={async (event) => {
      const typed = (event.currentTarget as HTMLButtonElement).form?.elements.namedItem('email') as HTMLInputElement | null;
      if (typed && !typed.reportValidity()) return;
      try {
        await call('POST', '/auth/verify-email/resend', { open: true, body: { email: email || typed!.value } });
        toast(t('resent'));
        setWait(30);
      } catch (err) {
        if (err instanceof Problem && err.retryAfter) setWait(err.retryAfter);
        toastProblem(err);
      }
    }}>
      {wait > 0 ? t('resendWait', { seconds: wait }) : t('resend')}
    </button>
  );
}

function FirstAdmin() {
  const [token] = useState(() => fragment('token'));
  if (!token) {
    return (
      <div class="card narrow">
        <h1>{t('firstAdmin')}</h1>
        <p>{t('firstAdminNoToken')}</p>
        <p><a class="button" href="/sign-in">{t('signIn')}</a></p>
      </div>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="shield" /></span>
      <h1>{t('firstAdmin')}</h1>
      <p>{t('firstAdminText')}</p>
      <Form submit={t('firstAdminDo')} onSubmit={async (v) => {
        await call('POST', '/auth/first-admin', { open: true, body: { token, ...newAccount(v) } });
        toast(t('firstAdminDone'));
        go('/sign-in');
      }}>
        <Names />
        <Username />
        <Field name="email" label={t('email')} type="email" inputMode="email" autoComplete="email" required spellcheck={false} />
        <NewPassword />
      </Form>
    </div>
  );
}

function Profile() {
  const { data, problem, reload } = useLoad((signal) => get<Account>('/account', {}, signal), []);
  const [saved, setSaved] = useState(0);
  useEffect(() => {
    if (data) accountChanged(data);
  }, [data]);
  const me = saved > 0 && auth.value.is === 'in' ? auth.value.account : data;
  if (problem) return <><h1>{t('account')}</h1><Failed problem={problem} retry={reload} /></>;
  if (!me) return <><h1>{t('account')}</h1><Skeleton rows={5} /></>;
  return (
    <>
      <h1>{t('account')}</h1>
      <section class="card" aria-labelledby="profile">
        <h2 id="profile">{t('profile')}</h2>
        <Form wide key={saved} submit={t('save')} onSubmit={async (v) => {
          const changed: Values = {};
          for (const name of ['first_name', 'last_name', 'username', 'bio', 'language'] as const) if (v[name] !== me[name]) changed[name] = v[name]!;
          const fresh = Object.keys(changed).length ? await patch<Account>('/account', changed) : me;
          accountChanged(fresh);
          if (changed.language && isLang(changed.language)) setLang(changed.language);
          setSaved(saved + 1);
          toast(t('saved'));
        }}>
          <Names value={me} />
          <Username value={me.username} />
          <TextArea name="bio" label={t('bio')} hint={t('bioHint')} value={me.bio} maxLength={500} />
          <Select name="language" label={t('language')} hint={t('languageHint')} value={me.language || lang.value} options={languages} />
        </Form>
      </section>
      <section class="card" aria-labelledby="facts">
        <h2 id="facts">{t('facts')}</h2>
        <dl class="facts">
          <div><dt>{t('email')}</dt><dd>{me.email}</dd></div>
          <div><dt>{t('since')}</dt><dd><Time at={me.created_at}>{date(me.created_at)}</Time></dd></div>
          {me.sign_in_summary?.previous_at && (
            <div><dt>{t('previous')}</dt><dd><Time at={me.sign_in_summary.previous_at}>{ago(me.sign_in_summary.previous_at)}</Time></dd></div>
          )}
          {me.role === 'admin' && <div><dt>{t('role')}</dt><dd><span class="tag">{t('admin')}</span></dd></div>}
        </dl>
      </section>
    </>
  );
}

const t = catalog({
  en: {
    signUp: 'Create an account',
    signIn: 'Sign in',
    haveAccount: 'You have an account?',
    firstName: 'First name',
    lastName: 'Last name',
    username: 'Username',
    usernameHint: '3 to 32 letters, digits, dots, hyphens or underscores; a letter first.',
    email: 'E-mail',
    emailHint: 'We send one message to confirm it is yours.',
    password: 'Password',
    ruleLength: 'At least {count} characters',
    ruleMet: '(met)',
    ruleWords: 'Anything goes: a few words in a row are good',
    ruleCommon: 'Not a common password, not your name or address',
    verify: 'Confirm your e-mail',
    checkMail: 'Check your mail',
    checkMailText: 'If {email} can have an account here, a message with a code and a link is on its way. Enter the code, or open the link.',
    checkMailBare: 'Enter your address and the code from the message, or open the link in it.',
    code: 'Code from the message',
    codeHint: 'Six digits.',
    confirm: 'Confirm my e-mail',
    confirmTitle: 'Confirm your e-mail',
    confirmText: 'One press, and your account is ready.',
    elsewhereText: 'This message belongs to a sign-up that was made in another browser. Enter the password that you chose there.',
    elsewherePassword: 'Password of your sign-up',
    elsewhereWrong: 'That is not the password of the sign-up that this message belongs to.',
    elsewhereOthers: 'Did several messages come? Then somebody else may have typed your address too. Only the message of your own sign-up takes your password: try the others, or start over.',
    signUpAgain: 'Sign up again',
    verified: 'Your address is confirmed. Sign in to begin.',
    resend: 'Send again',
    resent: 'If the address waits for a message, a new one is on its way.',
    resendWait: 'Send again in {seconds} s',
    noMail: 'No message? Look into your spam folder, or send it again: only the newest code counts.',
    firstAdmin: 'The first administrator',
    firstAdminText: 'This link works once. The account you make now runs this server.',
    firstAdminNoToken: 'Open the one-time link that the server printed when it started. It carries a secret that this address is missing.',
    firstAdminDo: 'Create the administrator',
    firstAdminDone: 'The administrator is ready. Sign in to begin.',
    account: 'Account',
    profile: 'Profile',
    bio: 'About you',
    bioHint: 'Up to 500 characters. You can leave it empty.',
    language: 'Language',
    languageHint: 'For this app and for the messages we send you.',
    save: 'Save changes',
    saved: 'Saved.',
    facts: 'At a glance',
    since: 'Member since',
    previous: 'Sign-in before this one',
    role: 'Role',
    admin: 'Administrator',
  },
  de: {
    signUp: 'Konto anlegen',
    signIn: 'Anmelden',
    haveAccount: 'Sie haben schon ein Konto?',
    firstName: 'Vorname',
    lastName: 'Nachname',
    username: 'Benutzername',
    usernameHint: '3 bis 32 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche; ein Buchstabe zuerst.',
    email: 'E-Mail',
    emailHint: 'Wir senden eine Nachricht, um zu bestätigen, dass sie Ihnen gehört.',
    password: 'Passwort',
    ruleLength: 'Mindestens {count} Zeichen',
    ruleMet: '(erfüllt)',
    ruleWords: 'Alles ist erlaubt: ein paar Wörter hintereinander sind gut',
    ruleCommon: 'Kein häufiges Passwort, nicht Ihr Name oder Ihre Adresse',
    verify: 'E-Mail bestätigen',
    checkMail: 'Sehen Sie in Ihre Mails',
    checkMailText: 'Wenn {email} hier ein Konto haben kann, ist eine Nachricht mit Code und Link unterwegs. Geben Sie den Code ein oder öffnen Sie den Link.',
    checkMailBare: 'Geben Sie Ihre Adresse und den Code aus der Nachricht ein oder öffnen Sie den Link darin.',
    code: 'Code aus der Nachricht',
    codeHint: 'Sechs Ziffern.',
    confirm: 'Meine E-Mail bestätigen',
    confirmTitle: 'Bestätigen Sie Ihre E-Mail',
    confirmText: 'Ein Druck auf den Knopf, und Ihr Konto ist bereit.',
    elsewhereText: 'Diese Nachricht gehört zu einem Konto, das in einem anderen Browser angelegt wurde. Geben Sie das Passwort ein, das Sie dort gewählt haben.',
    elsewherePassword: 'Passwort, das Sie dort gewählt haben',
    elsewhereWrong: 'Das ist nicht das Passwort, das zu dieser Nachricht gehört.',
    elsewhereOthers: 'Kamen mehrere Nachrichten? Dann hat vielleicht auch jemand anders Ihre Adresse eingegeben. Nur die Nachricht zu Ihrem eigenen Konto nimmt Ihr Passwort an: Versuchen Sie die anderen oder beginnen Sie von vorn.',
    signUpAgain: 'Noch einmal anlegen',
    verified: 'Ihre Adresse ist bestätigt. Melden Sie sich an.',
    resend: 'Noch einmal senden',
    resent: 'Wenn die Adresse auf eine Nachricht wartet, ist eine neue unterwegs.',
    resendWait: 'Noch einmal in {seconds} s',
    noMail: 'Keine Nachricht? Sehen Sie im Spam-Ordner nach oder lassen Sie sie noch einmal senden: Nur der neueste Code gilt.',
    firstAdmin: 'Die erste Administratorin, der erste Administrator',
    firstAdminText: 'Dieser Link gilt einmal. Das Konto, das Sie jetzt anlegen, verwaltet diesen Server.',
    firstAdminNoToken: 'Öffnen Sie den einmaligen Link, den der Server beim Start ausgegeben hat. Er trägt ein Geheimnis, das dieser Adresse fehlt.',
    firstAdminDo: 'Verwaltungskonto anlegen',
    firstAdminDone: 'Das Verwaltungskonto ist bereit. Melden Sie sich an.',
    account: 'Konto',
    profile: 'Profil',
    bio: 'Über Sie',
    bioHint: 'Bis zu 500 Zeichen. Kann leer bleiben.',
    language: 'Sprache',
    languageHint: 'Für diese App und für Nachrichten, die wir Ihnen senden.',
    save: 'Änderungen speichern',
    saved: 'Gespeichert.',
    facts: 'Auf einen Blick',
    since: 'Mitglied seit',
    previous: 'Anmeldung vor dieser',
    role: 'Rolle',
    admin: 'Verwaltung',
  },
});
