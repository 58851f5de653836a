// The pages that bring a deactivated account back: the one that sends the link, and the link's.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shell/api';
import { focusMain } from '../shell/app';
import { Others } from '../shell/entries';
import { Field, Form, Password } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, SignInLink } from '../shell/link-page';
import { collect, type SendLink } from '../shell/room';
import { useEnd } from '../shell/ui';
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

// Ask takes a proof of who the person is, so that nobody else has mails sent to them.
function Ask({ moved }: { moved: boolean }) {
  const [{ identifier, password, shown, way: First }] = useState(takeTyped);
  const [sent, setSent] = useState<SendLink>();
  const end = useEnd();
  useEffect(() => {
    if (moved) focusMain();
  }, []);
  async function onSend(send: SendLink): Promise<void> {
    await send(end);
    setSent(() => send);
  }
  if (sent) {
    return <Sent text={t('activateSent')} next={t('activateNext')} send={() => sent(end)} again={t('activateAgain')}>{null}</Sent>;
  }
  if (shown) {
    return (
      <div class="card narrow">
        <h1>{t('activate')}</h1>
        <p class="address-line">{t('activateShown', { name: shown.by })}</p>
        <Form submit={t('send')} onSubmit={() => onSend(shown.send)}>{null}</Form>
        <p class="aside">{t('notDeactivated')} <SignInLink /></p>
      </div>
    );
  }
  const form = (
    <Form submit={t('send')} quiet={First !== undefined} onSubmit={(v) => onSend(() => post('/auth/activate', { open: true, body: { identifier: v.identifier!, password: v.password! } }))}>
      <Field name="identifier" label={t('identifier')} autoComplete="username" required spellcheck={false} value={identifier} autoFocus={!identifier && !moved && !First} />
      <Password name="password" label={t('password')} autoComplete="current-password" required value={password} />
    </Form>
  );
  const others = collect((room) => room.activate).filter(({ Way }) => Way !== First).map(({ Way, order }) => <Way key={order} onSend={onSend} />);
  return (
    <div class="card narrow">
      <h1>{t('activate')}</h1>
      <p>{t(First ? 'activateOnce' : password ? 'activateLed' : 'activateAsk')}</p>
      {First ? <First main onSend={onSend} /> : form}
      {!password && <Others>{First && form}{others}</Others>}
      <div class="aside ways">
        {!password && <p>{t('activateNone')} <a href="/forgot">{t('activateNoneDo')}</a></p>}
        <p>{t('notDeactivated')} <SignInLink /></p>
      </div>
    </div>
  );
}
