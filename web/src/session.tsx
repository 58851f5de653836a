// The room of who is asking: sign-in with its layers, the fresh proof that sensitive
// changes want, and the list of devices.
import { useEffect, useState } from 'preact/hooks';
import type { Challenge, Device, Page, Session } from './api';
import { useLeaveWhenIn } from './shell/app';
import { answer, auth, call, del, get, isChallenge, onStepUp, openSession, patch, signedIn } from './shell/auth';
import { Check, Field, Form, Password, Time } from './shell/form';
import { ago, catalog, dateTime } from './shell/i18n';
import { Icon } from './shell/icon';
import { asProblem, Problem, say } from './shell/problem';
import { layerStep, rooms, type Room } from './shell/room';
import { ask, Confirm, Dialog, Failed, Menu, Skeleton, toast, useLoad } from './shell/ui';

export const session: Room = {
  routes: [
    { path: '/sign-in', page: SignIn, title: () => t('signIn'), open: true },
    { path: '/security', page: Security, title: () => t('security') },
  ],
  nav: { href: '/security', icon: 'shield', label: () => t('security'), order: 2 },
  security: { Section: Devices, order: 9 },
};

function SignIn() {
  useLeaveWhenIn();
  const [challenge, setChallenge] = useState<Challenge>();
  const [over, setOver] = useState<Problem>();
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
        const opened = await call<Session | Challenge>('POST', '/auth/sign-in', { open: true, body });
        if (isChallenge(opened)) setChallenge(opened);
        else await signedIn(opened);
      }}>
        <Field name="identifier" label={t('identifier')} autoComplete="username" required spellcheck={false} autoFocus />
        <Password name="password" label={t('password')} autoComplete="current-password" required />
        <Check name="remember_device" label={t('remember')} hint={t('rememberHint')} />
      </Form>
      <p class="aside">{t('noAccount')} <a href="/sign-up">{t('signUp')}</a></p>
    </div>
  );
}

interface StepsProps {
  challenge: Challenge;
  onSession: (s: Session) => Promise<void>;
  onOver: (problem: Problem) => void;
}

// Steps asks for one open layer after the other until the server opens the session.
function Steps({ challenge, onSession, onOver }: StepsProps) {
  const [layers, setLayers] = useState(challenge.layers);
  const next = layers.find((l) => !l.done && layerStep(l.layer));
  const step = next && layerStep(next.layer);

  async function send(path: string, body: unknown) {
    try {
      const opened = await call<Session | Challenge>('POST', `/auth/attempts/${challenge.attempt_id}/${path}`, { attempt: challenge.attempt_token, body });
      if (isChallenge(opened)) setLayers(opened.layers);
      else await onSession(opened);
    } catch (err) {
      // The attempt is over: too many wrong answers, or too late.
      if (err instanceof Problem && (err.status === 410 || err.status === 404 || err.code === 'attempt_over')) onOver(err);
      else throw err;
    }
  }

  return (
    <>
      <h1>{t('oneMore')}</h1>
      <ol class="layers" aria-label={t('steps')}>
        <li class="done"><Icon name="check" /> {t('password')}<span class="hidden">, {t('done')}</span></li>
        {layers.map((l) => (
          <li key={l.layer} class={l.done ? 'done' : l === next ? 'now' : undefined} aria-current={l === next ? 'step' : undefined}>
            <Icon name={l.done ? 'check' : 'shield'} /> {layerStep(l.layer)?.title() ?? l.layer}
            {l.done && <span class="hidden">, {t('done')}</span>}
          </li>
        ))}
      </ol>
      {next && step ? <step.Step key={next.layer} layer={next} answer={send} /> : <p>{t('noStep')}</p>}
    </>
  );
}

// ---- the fresh proof ---------------------------------------------------------------

let proving: Promise<boolean> | undefined;

// askForProof opens one dialog however many calls want a proof at once.
function askForProof(): Promise<boolean> {
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
onStepUp(askForProof);

function Proof({ onClose, onProven }: { onClose: () => void; onProven: () => void }) {
  const [challenge, setChallenge] = useState<Challenge>();
  const [over, setOver] = useState<Problem>();
  async function done(s: Session | undefined) {
    if (s?.access_token) await signedIn(s);
    onProven();
  }
  return (
    <Dialog title={t('proofTitle')} onClose={onClose}>
      {challenge ? (
        <Steps challenge={challenge} onSession={done} onOver={(problem) => {
          setOver(problem);
          setChallenge(undefined);
        }} />
      ) : (
        <>
          <p>{t('proofText')}</p>
          {over && <Failed problem={over} />}
          <Form submit={t('proofDo')} onCancel={onClose} onSubmit={async (v) => {
            const { body } = await answer<Session | Challenge | undefined>('POST', '/account/reauthenticate', { body: { password: v.password } });
            if (body && isChallenge(body)) setChallenge(body);
            else await done(body);
          }}>
            {/* Password managers need the name beside the password. */}
            <input class="hidden" type="text" name="username" autoComplete="username" readOnly tabIndex={-1} aria-hidden="true"
              value={auth.value.is === 'in' ? auth.value.account.username : ''} />
            <Password name="password" label={t('password')} autoComplete="current-password" required autoFocus />
          </Form>
        </>
      )}
    </Dialog>
  );
}

// ---- security ----------------------------------------------------------------------

function Security() {
  const sections = rooms().flatMap((room) => room.security ?? []).sort((a, b) => a.order - b.order);
  return (
    <>
      <h1>{t('security')}</h1>
      {sections.map(({ Section, order }) => <Section key={order} />)}
    </>
  );
}

type Wish = { kind: 'rename' | 'end'; device: Device } | { kind: 'endOthers' };

function Devices() {
  const { data, problem, reload } = useLoad((signal) => allDevices(signal), []);
  const [wish, setWish] = useState<Wish>();
  const close = () => setWish(undefined);
  useEffect(() => {
    const seen = () => document.visibilityState === 'visible' && void reload();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [reload]);
  const others = (data ?? []).filter((d) => !d.current).length;
  return (
    <section class="card" aria-labelledby="devices">
      <div class="card-head">
        <div>
          <h2 id="devices">{t('devices')}</h2>
          <p class="hint">{t('devicesText')}</p>
        </div>
        {others > 0 && <button type="button" class="button" onClick={() => setWish({ kind: 'endOthers' })}>{t('endOthers')}</button>}
      </div>
      {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={3} /> : (
        <ul class="devices">
          {data.map((d) => (
            <li key={d.id} class="device">
              <span class="device-icon"><Icon name={/iPhone|iPad|Android/.test(nameOf(d)) ? 'phone' : 'device'} /></span>
              <div class="device-text">
                <p class="device-name"><strong title={nameOf(d)}>{nameOf(d)}</strong> {d.current && <span class="tag">{t('this')}</span>}</p>
                <p class="hint">{[d.name && d.name !== d.device ? d.device : '', d.place, d.address].filter(Boolean).join(' · ')}</p>
                <p class="hint">
                  {t('lastUse')} <Time at={d.last_used_at}>{d.current ? t('now') : ago(d.last_used_at)}</Time>
                  {' · '}{t('firstUse')} <Time at={d.created_at}>{dateTime(d.created_at)}</Time>
                </p>
              </div>
              <Menu label={t('deviceMenu', { name: nameOf(d) })} items={[
                { icon: 'pencil', label: t('rename'), run: () => setWish({ kind: 'rename', device: d }) },
                ...(d.current ? [] : [{ icon: 'signOut' as const, label: t('end'), danger: true, run: () => setWish({ kind: 'end', device: d }) }]),
              ]}>
                <Icon name="more" />
              </Menu>
            </li>
          ))}
        </ul>
      )}
      {wish?.kind === 'rename' && (
        <Dialog title={t('renameTitle')} onClose={close}>
          <Form submit={t('save')} onCancel={close} onSubmit={async (v) => {
            await patch(`/sessions/${wish.device.id}`, { name: v.name });
            close();
            await reload();
          }}>
            <Field name="name" label={t('deviceName')} value={nameOf(wish.device)} required maxLength={100} autoFocus selectName />
          </Form>
        </Dialog>
      )}
      {wish?.kind === 'end' && (
        <Confirm title={t('endTitle')} action={t('end')} onClose={close} onConfirm={async () => {
          await del(`/sessions/${wish.device.id}`);
          toast(t('ended'));
          await reload();
        }}>
          <p>{t('endText', { name: nameOf(wish.device) })}</p>
        </Confirm>
      )}
      {wish?.kind === 'endOthers' && (
        <Confirm title={t('endOthers')} action={t('endOthers')} onClose={close} onConfirm={async () => {
          await del('/sessions');
          toast(t('endedOthers'));
          await reload();
        }}>
          <p>{t('endOthersText', { count: others })}</p>
        </Confirm>
      )}
    </section>
  );
}

async function allDevices(signal: AbortSignal): Promise<Device[]> {
  const all: Device[] = [];
  let cursor: string | undefined;
  do {
    const page = await get<Page<Device>>('/sessions', { limit: 200, cursor }, signal).catch((err) => {
      throw asProblem(err);
    });
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return all.sort((a, b) => Number(b.current) - Number(a.current));
}

function nameOf(d: Device): string {
  return d.name || d.device || t('unknownDevice');
}

const t = catalog({
  en: {
    signIn: 'Sign in',
    welcome: 'Sign in to Coffer',
    identifier: 'E-mail or username',
    password: 'Password',
    remember: 'Remember this device',
    rememberHint: 'The next sign-in here does not ask for the second step. Only on a device that is yours.',
    noAccount: 'New here?',
    signUp: 'Create an account',
    oneMore: 'One more step',
    steps: 'Steps of this sign-in',
    done: 'done',
    noStep: 'This app cannot ask for what is missing. Reload the page and try again.',
    startAgain: 'Start again',
    attemptOver: 'This sign-in is over; please start again.',
    proofTitle: 'Confirm it is you',
    proofText: 'This change is sensitive. Enter your password once more; it counts for ten minutes.',
    proofDo: 'Confirm',
    security: 'Security',
    devices: 'Devices',
    devicesText: 'Every place where you are signed in. End what you do not know.',
    endOthers: 'End all others',
    endOthersText: { one: 'The other device is signed out at once.', other: 'The {count} other devices are signed out at once.' },
    endedOthers: 'All other devices are signed out.',
    this: 'This device',
    lastUse: 'Last used',
    firstUse: 'since',
    now: 'now',
    deviceMenu: 'Actions for {name}',
    rename: 'Rename',
    renameTitle: 'Rename the device',
    deviceName: 'Name',
    save: 'Save',
    end: 'Sign out',
    endTitle: 'Sign out this device?',
    endText: '“{name}” is signed out at once.',
    ended: 'The device is signed out.',
    unknownDevice: 'Unknown device',
  },
  de: {
    signIn: 'Anmelden',
    welcome: 'Bei Coffer anmelden',
    identifier: 'E-Mail oder Benutzername',
    password: 'Passwort',
    remember: 'Dieses Gerät merken',
    rememberHint: 'Die nächste Anmeldung hier fragt nicht nach dem zweiten Schritt. Nur auf einem Gerät, das Ihnen gehört.',
    noAccount: 'Neu hier?',
    signUp: 'Konto anlegen',
    oneMore: 'Noch ein Schritt',
    steps: 'Schritte dieser Anmeldung',
    done: 'erledigt',
    noStep: 'Diese App kann nicht nach dem fragen, was fehlt. Laden Sie die Seite neu.',
    startAgain: 'Von vorn beginnen',
    attemptOver: 'Diese Anmeldung ist vorbei; bitte beginnen Sie von vorn.',
    proofTitle: 'Bestätigen Sie, dass Sie es sind',
    proofText: 'Diese Änderung ist heikel. Geben Sie Ihr Passwort noch einmal ein; es gilt zehn Minuten.',
    proofDo: 'Bestätigen',
    security: 'Sicherheit',
    devices: 'Geräte',
    devicesText: 'Überall, wo Sie angemeldet sind. Beenden Sie, was Sie nicht kennen.',
    endOthers: 'Alle anderen beenden',
    endOthersText: { one: 'Das andere Gerät wird sofort abgemeldet.', other: 'Die {count} anderen Geräte werden sofort abgemeldet.' },
    endedOthers: 'Alle anderen Geräte sind abgemeldet.',
    this: 'Dieses Gerät',
    lastUse: 'Zuletzt benutzt:',
    firstUse: 'seit',
    now: 'jetzt',
    deviceMenu: 'Aktionen für {name}',
    rename: 'Umbenennen',
    renameTitle: 'Gerät umbenennen',
    deviceName: 'Name',
    save: 'Speichern',
    end: 'Abmelden',
    endTitle: 'Dieses Gerät abmelden?',
    endText: '„{name}“ wird sofort abgemeldet.',
    ended: 'Das Gerät ist abgemeldet.',
    unknownDevice: 'Unbekanntes Gerät',
  },
});
