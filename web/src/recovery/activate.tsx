// The pages that bring a deactivated account back: the one that sends the link, and the link's.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { focusMain } from '../shell/app';
import { Field, Form, Password } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { enterBy } from './enter';
import { Sent } from './sent';
import { takeTyped } from './typed';
import { t } from './words';

export function Activate() {
  const link = useOneTime('/auth/activate/check');
  const [anew, setAnew] = useState(false);
  if (anew || !(link.token || link.dead)) return <Ask moved={anew} />;
  if (link.dead) {
    return (
      <DeadLink dead={link.dead} gone={t('activateGone')} damaged={t('activateDamaged')}>
        <div class="form-actions"><button type="button" class="button primary" onClick={() => setAnew(true)}>{t('newLink')}</button><SignInLink class="button" /></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow centre">
      <span class="badge"><Icon name="user" /></span>
      <h1>{t('activate')}</h1>
      <p>{t('activateText')}</p>
      <Form submit={t('activateDo')} onSubmit={() => (
        enterBy(link, (token, opening) => post('/auth/activate/confirm', { open: true, body: { token, ...opening } }), t('activateDone'))
      )}>{null}</Form>
    </div>
  );
}

// Ask takes the person's password, so that nobody else has mails sent to them.
function Ask({ moved }: { moved: boolean }) {
  const [was] = useState(takeTyped);
  const [typed, setTyped] = useState<{ identifier: string; password: string }>();
  const send = (body: { identifier: string; password: string }) => post('/auth/activate', { open: true, body });
  useEffect(() => {
    if (moved) focusMain();
  }, []);
  if (typed) {
    return <Sent text={t('activateSent')} next={t('activateNext')} send={() => send(typed)} again={t('activateAgain')}>{null}</Sent>;
  }
  return (
    <div class="card narrow">
      <h1>{t('activate')}</h1>
      <p>{was.password ? t('activateLed') : t('activateAsk')}</p>
      <Form submit={t('send')} onSubmit={async (v) => {
        const body = { identifier: v.identifier!, password: v.password! };
        await send(body);
        setTyped(body);
      }}>
        <Field name="identifier" label={t('identifier')} autoComplete="username" required spellcheck={false} value={was.identifier} autoFocus={!was.identifier && !moved} />
        <Password name="password" label={t('password')} autoComplete="current-password" required value={was.password} />
      </Form>
      <div class="aside ways">
        {!was.password && <p>{t('activateNone')} <a href="/forgot">{t('activateNoneDo')}</a></p>}
        <p>{t('notDeactivated')} <SignInLink /></p>
      </div>
    </div>
  );
}
