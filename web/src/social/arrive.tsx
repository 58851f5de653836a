// The page that a provider's answer leads to. It goes on by itself where it can.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { post, type Answer } from '../shell/api';
import { focusMain } from '../shell/app';
import { auth, keeper, me } from '../shell/auth';
import { Field, Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { Problem, asProblem } from '../shell/problem';
import { firstPlace, signInForm, signInPath, wayBack } from '../shell/room';
import { go, safeNext } from '../shell/router';
import { settled } from '../shell/settings';
import { Skeleton, toast } from '../shell/ui';
import { Close, Fault } from './fault';
import { useLabel } from './buttons';
import { handOver, over, start, trip, type Back } from './trip';
import { t } from './words';

type Found = Answer<'post', '/auth/social/check'>;

// What the page keeps in its entry of the history, for a reload. The code works once, soon ends,
// and is of no use to another browser.
interface Entry {
  back?: Back & { provider?: string };
  typed?: Record<string, string>;
}

const entry = () => (history.state ?? {}) as Entry;

const keep = (part: Entry) => history.replaceState({ ...entry(), ...part }, '');

// arrive takes what the provider's answer came to out of the address.
function arrive(): NonNullable<Entry['back']> {
  if (location.hash) {
    const said = new URLSearchParams(location.hash.slice(1));
    const back = { code: said.get('code') ?? undefined, error: said.get('error') ?? undefined, provider: said.get('provider') ?? undefined };
    history.replaceState({ back } satisfies Entry, '', location.pathname);
  }
  return entry().back ?? {};
}

// leave ends the trip on a page of this app.
function leave(said?: string): void {
  const to = safeNext(trip()?.to ?? null, location.origin, firstPlace());
  over();
  go(to, { replace: true });
  if (said) toast(said);
}

type State = { is: 'looking' } | { is: 'handed' } | { is: 'fault'; problem: Problem } | { is: 'found'; found: Found };

export function Arrive() {
  const [{ code, error, provider }] = useState(arrive);
  const [state, setState] = useState<State>({ is: 'looking' });
  const fault = (err: unknown) => setState({ is: 'fault', problem: asProblem(err) });

  async function look(): Promise<void> {
    setState({ is: 'looking' });
    try {
      if ((code || error) && (await handOver({ code, error }))) {
        window.close();
        return setState({ is: 'handed' }); // browsers do not let every window close itself
      }
      await settled(); // the page names the provider from its first moment on
      if (!code) return fault(new Problem({ status: 0, code: error ?? 'link_gone' }));
      setState({ is: 'found', found: await post('/auth/social/check', { open: true, body: { code } }) });
    } catch (err) {
      fault(err);
    }
  }

  useEffect(() => void look(), []);

  switch (state.is) {
    case 'looking':
      return <Busy />;
    case 'handed':
      return <Close />;
    case 'fault':
      return <Fault problem={state.problem} provider={provider ?? trip()?.provider} retry={look} />;
    case 'found':
      return <Go code={code!} found={state.found} onFault={fault} />;
  }
}

function Busy() {
  return (
    <div class="card narrow">
      <h1>{t('comesBack')}</h1>
      <Skeleton rows={2} />
    </div>
  );
}

interface GoProps {
  code: string;
  found: Found;
  onFault: (err: unknown) => void;
}

// Go does what the person set out for.
function Go(props: GoProps) {
  const { purpose, known, link_needed } = props.found;
  if (purpose === 'link') return <Link {...props} />;
  if (purpose === 'renew') return <Renew {...props} />;
  return link_needed ? <Same {...props} /> : known ? <Enter {...props} /> : <Newcomer {...props} />;
}

// useOnce runs the work of a page that goes on by itself.
function useOnce(work: () => Promise<void>, onFault: (err: unknown) => void, ready = true): void {
  const begun = useRef(false);
  useEffect(() => {
    if (!ready || begun.current) return;
    begun.current = true;
    work().catch(onFault);
  }, [ready]);
}

// exchange opens the session, and makes the account of somebody new.
async function exchange(code: string, label: string, names: { username?: string; first_name?: string; last_name?: string } = {}): Promise<void> {
  const { to, remember } = trip() ?? {};
  const body = { code, ...names, ...(remember && { remember_device: true }), ...(await keeper().opening()) };
  let opened: Answer<'post', '/auth/social/exchange'>;
  try {
    opened = await post('/auth/social/exchange', { open: true, body });
  } catch (err) {
    const back = wayBack('activate');
    if (!(err instanceof Problem) || err.code !== 'account_deactivated' || !back) throw err;
    back.take({ identifier: '', shown: { by: label, send: () => sendLink(code) } });
    over();
    return go(back.href, { replace: true });
  }
  over();
  await keeper().enter(opened, { by: label, to });
}

// sendLink has the link of an activation mailed. The code stays good until it expires.
async function sendLink(code: string): Promise<void> {
  await post('/auth/social/activate', { open: true, body: { code } }).catch((err: unknown) => {
    throw err instanceof Problem && err.code === 'link_gone' ? new Problem({ status: 410, code: 'confirmation_over' }) : err;
  });
}

function Enter({ code, found, onFault }: GoProps) {
  const label = useLabel(found.provider);
  useOnce(() => exchange(code, label), onFault);
  return <Busy />;
}

// Newcomer lets somebody new choose their names.
function Newcomer({ code, found, onFault }: GoProps) {
  const label = useLabel(found.provider);
  const typed = { ...found, ...entry().typed };
  const field = (name: 'first_name' | 'last_name' | 'username') => ({
    name, required: true, value: typed[name], onInput: (value: string) => keep({ typed: { ...entry().typed, [name]: value } }),
  });
  useEffect(focusMain, []);
  return (
    <div class="card narrow">
      <div class="arrived">
        <h1>{t('newTitle')}</h1>
        <p class="identity">{t('newText', { name: label, email: found.email })}</p>
      </div>
      <Form submit={t('newDo')} onSubmit={async (v) => {
        try {
          await exchange(code, label, { username: v.username, first_name: v.first_name, last_name: v.last_name });
        } catch (err) {
          if (err instanceof Problem && err.code === 'username_taken') throw new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/username', code: 'username_taken' }] });
          if (!(err instanceof Problem) || !['link_gone', 'link_needed', 'email_unverified'].includes(err.code)) throw err;
          onFault(err);
        }
      }}>
        <div class="pair">
          <Field {...field('first_name')} label={t('firstName')} autoComplete="given-name" maxLength={100} />
          <Field {...field('last_name')} label={t('lastName')} autoComplete="family-name" maxLength={100} />
        </div>
        <Field {...field('username')} label={t('username')} hint={t('usernameHint')} autoComplete="username" maxLength={32} spellcheck={false} />
      </Form>
      <p class="aside">{t('newNot')} <a href={start(found.provider)} data-leave>{t('newOther')}</a></p>
    </div>
  );
}

// Same says that the address has an account, and asks for the proof of that account. A person who
// is signed in already decides by a button.
function Same({ code, found, onFault }: GoProps) {
  const label = useLabel(found.provider);
  const account = me();
  const asked = useRef(false); // this page has asked for the proof
  const SignIn = signInForm();
  async function connect(): Promise<void> {
    await post('/account/identities/{provider}/confirm', { path: { provider: found.provider }, body: { code } });
    leave(t('connected', { name: label }));
  }
  useOnce(connect, onFault, account !== undefined && asked.current);
  useEffect(focusMain, []);
  if (auth.value.is === 'starting' || (account && asked.current)) return <Busy />;
  const text = <p class="identity">{t('linkText', { email: found.email, name: label })}</p>;
  if (account) {
    return (
      <div class="card narrow">
        <div class="arrived">
          <h1>{t('linkTitle')}</h1>
          <p class="identity">{t('linkIn', { username: account.username, name: label })}</p>
        </div>
        <Form submit={t('connectDo', { name: label })} onCancel={() => leave()} onSubmit={connect}>{null}</Form>
      </div>
    );
  }
  asked.current = true;
  return SignIn ? <SignIn title={t('linkTitle')} submit={t('linkDo', { name: label })}><div class="arrived">{text}<p class="hint">{t('linkWhy')}</p></div></SignIn> : text;
}

// Link connects the provider to the account that set out for it.
function Link({ code, found, onFault }: GoProps) {
  const label = useLabel(found.provider);
  const state = auth.value;
  useOnce(async () => {
    await post('/account/identities/{provider}/confirm', { path: { provider: found.provider }, body: { code } });
    leave(t('connected', { name: label }));
  }, onFault, state.is === 'in');
  return state.is === 'out' ? <Out label={label} /> : <Busy />;
}

// Renew gives the fresh proof where no other window waits for it. The page that wanted it is
// shown again, with what was typed.
function Renew({ code, found, onFault }: GoProps) {
  const label = useLabel(found.provider);
  const state = auth.value;
  useOnce(async () => {
    const opened = await post('/account/reauthenticate/social/{provider}/confirm', { path: { provider: found.provider }, body: { code } });
    if ('attempt_id' in opened) {
      if (await keeper().prove({ challenge: opened, by: label })) leave(t('proved'));
      else leave();
      return;
    }
    if ('access_token' in opened) await keeper().take(opened);
    leave(t('proved'));
  }, onFault, 'account' in state);
  return state.is === 'out' ? <Out label={label} /> : <Busy />;
}

function Out({ label }: { label: string }): ComponentChildren {
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="user" /></span>
      <h1>{t('outTitle')}</h1>
      <p>{t('outText', { name: label })}</p>
      <div class="form-actions"><a class="button primary" href={signInPath()}>{t('title')}</a></div>
    </div>
  );
}
