// The page of the ways back without a sign-in step: a backup code, the trusted address, and the
// page of the links that both of them mail.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { focusMain } from '../shell/app';
import { keeper, me } from '../shell/auth';
import { Field, Form, Password } from '../shell/form';
import { duration } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { Problem, say } from '../shell/problem';
import { go } from '../shell/router';
import { useSettings } from '../shell/settings';
import { toast } from '../shell/ui';
import { enterBy } from './enter';
import { Sent } from './sent';
import { setTyped, takeTyped } from './typed';
import { t } from './words';

type Way = 'backup-code' | 'trusted-email';

export function Recover() {
  const [way] = useState(wayOfLink);
  const [anew, setAnew] = useState(false);
  if (way && !anew) return <Linked way={way} onAnew={() => setAnew(true)} />;
  return <Ask moved={anew} />;
}

// wayOfLink reads which way mailed the link. It stays with the entry of the history, for a reload.
function wayOfLink(): Way | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const way = location.hash ? fragment.get('way') : entry().way;
  if (location.hash && !fragment.get('token')) return undefined;
  return way === 'backup-code' || way === 'trusted-email' ? way : location.hash ? 'backup-code' : undefined;
}

// What the page keeps in its entry of the history. Passwords and codes stay in memory.
interface Entry {
  way?: Way;
  recover?: Choice;
}

interface Choice {
  identifier: string;
  by: Way;
  forgot: boolean; // the password too
}

const entry = () => (history.state ?? {}) as Entry;

const keep = (part: Entry) => history.replaceState({ ...entry(), ...part }, '');

const calls = {
  'backup-code': { confirm: '/auth/recovery/backup-code/confirm', check: '/auth/recovery/backup-code/confirm/check' },
  'trusted-email': { confirm: '/auth/recovery/trusted-email/confirm', check: '/auth/recovery/trusted-email/confirm/check' },
} as const;

function Linked({ way, onAnew }: { way: Way; onAnew: () => void }) {
  const { confirm, check } = calls[way];
  const link = useOneTime(check);
  useEffect(() => keep({ way }), []);
  if (link.dead || !link.token) {
    return (
      <DeadLink dead={link.dead ?? 'damaged'} gone={t('recoverGone')} damaged={t('recoverDamaged')}>
        <div class="form-actions"><button type="button" class="button primary" onClick={onAnew}>{t('recoverAnew')}</button><SignInLink class="button" /></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="shield" /></span>
      <h1>{t('recover')}</h1>
      <p>{way === 'backup-code' ? t('linkCodeText') : t('linkTrustedText')}</p>
      <p class="hint">{t('allTold')}</p>
      <Form submit={t('linkDo')} onSubmit={async () => {
        await enterBy(link, (token, opening) => post(confirm, { open: true, body: { token, ...opening } })).catch(toActivation(''));
      }}>{null}</Form>
    </div>
  );
}

// toActivation leads on when the account must be activated first. The code or link still works.
function toActivation(identifier: string, password?: string) {
  return (err: unknown): void => {
    if (!(err instanceof Problem) || err.code !== 'account_deactivated') throw err;
    setTyped({ identifier, password });
    go('/activate');
    toast(say(err), true);
  };
}

// Ask takes what the person still has, and says what happens with it.
function Ask({ moved }: { moved: boolean }) {
  const [choice, setChoice] = useState(known);
  const [sent, setSent] = useState<() => Promise<unknown>>();
  const typed = useRef({ code: '', password: '' });
  const rests = useSettings()?.trusted_rest_seconds;
  const { by, forgot } = choice;
  useEffect(() => {
    if (moved) focusMain();
  }, []);

  function change(part: Partial<Choice>) {
    const next = { ...choice, ...part };
    setChoice(next);
    keep({ way: undefined, recover: next });
  }

  if (sent) {
    const trusted = by === 'trusted-email';
    return (
      <Sent text={trusted ? [t('sentTrusted'), rests && t('sentTrustedRest', { time: duration(rests) })].filter(Boolean).join(' ') : t('sentCode')} next={trusted ? t('sentTrustedNext') : t('sentCodeNext')} send={sent} again={t('sentRecoverAgain')}>
        <button type="button" class="link" onClick={() => setSent(undefined)}>{t('otherWay')}</button>
      </Sent>
    );
  }

  const mailed = by === 'trusted-email' || forgot;
  return (
    <div class="card narrow">
      <h1>{t('recover')}</h1>
      <p>{t('recoverText')}</p>
      <Form asks={`${by} ${forgot}`} submit={mailed ? t('send') : t('linkDo')} onSubmit={async (v) => {
        const identifier = v.identifier!;
        if (by === 'trusted-email') {
          const send = () => post('/auth/recovery/trusted-email', { open: true, body: { identifier } });
          await send();
          return setSent(() => send);
        }
        const code = v.code!.replace(/[\s\p{Dash}]/gu, '');
        if (forgot) {
          const send = () => post('/auth/recovery/backup-code', { open: true, body: { identifier, code } });
          await send();
          return setSent(() => send);
        }
        const body = { identifier, code, password: v.password!, ...(await keeper().opening()) };
        await post('/auth/recovery/backup-code', { open: true, body }).then(async (opened) => {
          if ('access_token' in opened) await keeper().enter(opened);
        }, toActivation(identifier, v.password));
      }}>
        <Field name="identifier" label={t('identifier')} autoComplete="username" required spellcheck={false} value={choice.identifier} autoFocus={!choice.identifier && !moved} onInput={(identifier) => change({ identifier })} />
        <fieldset class="choice">
          <legend>{t('recoverWay')}</legend>
          {(['backup-code', 'trusted-email'] as const).map((way) => (
            <label key={way}>
              <input type="radio" name="way" value={way} checked={by === way} onChange={() => change({ by: way })} />
              <span>{way === 'backup-code' ? t('wayCode') : t('wayTrusted')} <span class="hint">{way === 'backup-code' ? t('wayCodeHint') : t('wayTrustedHint')}</span></span>
            </label>
          ))}
        </fieldset>
        {by === 'backup-code' && (
          <>
            <Field name="code" label={t('backupCode')} secret class="code backup-code" inputMode="numeric" autoComplete="off" required maxLength={30} spellcheck={false} value={typed.current.code} hint={t('backupCodeHint')} onInput={(code) => (typed.current.code = code)} />
            {!forgot && <Password name="password" label={t('password')} autoComplete="current-password" required value={typed.current.password} onInput={(password) => (typed.current.password = password)} />}
            <label class="choice-check"><input type="checkbox" checked={forgot} onChange={() => change({ forgot: !forgot })} /> {t('noPassword')}</label>
          </>
        )}
        <div class="notice small" role="status">
          <p><strong>{t('whatNext')}</strong> {by === 'trusted-email' ? t('nextTrusted') : forgot ? t('nextCodeMail') : t('nextCode')}</p>
        </div>
      </Form>
      {!me() && <p class="aside">{t('recoverNot')} <SignInLink /></p>}
    </div>
  );
}

// known is what the page had before a reload, else what the person typed elsewhere.
function known(): Choice {
  const { identifier } = takeTyped();
  return entry().recover ?? { identifier: identifier || (me()?.username ?? ''), by: 'backup-code', forgot: false };
}
