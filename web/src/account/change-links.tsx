// The pages of the two links of a changed address: the one that confirms the new address, and
// the one that keeps the old one, before the change or after it. Opening them does nothing: a person presses the button.
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { focusMain } from '../shell/app';
import { auth, keeper } from '../shell/auth';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { useOneTime } from '../shell/link';
import { DeadLink, NewPasswordLink, SignInLink } from '../shell/link-page';
import { go } from '../shell/router';
import { toast } from '../shell/ui';
import { t } from './words';

// ConfirmEmail wants the session of the account that changes its address.
export function ConfirmEmail() {
  const link = useOneTime('/account/email/confirm/check', false);
  const me = auth.value.is === 'in' ? auth.value.account : undefined;
  if (link.dead || !link.token) {
    return (
      <DeadLink dead={link.dead ?? 'damaged'} gone={t('confirmGone', { name: me?.username ?? '' })}>
        <div class="form-actions"><a class="button primary" href="/account">{t('toAccount')}</a></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow centre">
      <span class="badge"><Icon name="mail" /></span>
      <h1>{t('confirmEmail')}</h1>
      <p>{me?.pending_email ? t('confirmEmailText', { email: me.pending_email }) : t('confirmEmailBare')}</p>
      <Form submit={t('confirmEmailDo')} onSubmit={async () => {
        await link.use(async (token) => {
          keeper().changed(await post('/account/email/confirm', { body: { token } }));
          go('/account', { replace: true });
          toast(t('confirmEmailDone'));
        });
      }}>{null}</Form>
    </div>
  );
}

// UndoEmail needs no session: whoever changed the address may have taken the account.
export function UndoEmail() {
  const link = useOneTime('/account/email/undo/check');
  const [done, setDone] = useState(false);
  const signedIn = auth.value.is === 'in';
  useEffect(() => {
    if (done) focusMain();
  }, [done]);
  // The frame goes at once when this browser's session has ended too, which the page may still
  // be starting with.
  useEffect(() => {
    if (done && signedIn) void get('/account').catch(() => undefined);
  }, [done, signedIn]);
  const ways = <div class="form-actions"><NewPasswordLink class="button primary" /><SignInLink class="button" /></div>;
  if (done) {
    return (
      <div class="card narrow">
        <span class="badge"><Icon name="shield" /></span>
        <h1>{t('undoDone')}</h1>
        <p>{t('undoAdvice')}</p>
        {ways}
      </div>
    );
  }
  if (link.dead === 'gone') return <DeadLink dead="gone" gone={t('undoGone')}>{ways}</DeadLink>;
  if (link.dead || !link.token) return <DeadLink dead="damaged" gone=""><div class="form-actions"><SignInLink class="button primary" /></div></DeadLink>;
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="mail" /></span>
      <h1>{t('undo')}</h1>
      <p>{t('undoText')}</p>
      <ul class="effects">
        <li>{t('undoOld')}</li>
        <li>{t('undoOut')}</li>
      </ul>
      <Form submit={t('undoDo')} onSubmit={async () => {
        if (await link.use((token) => post('/account/email/undo', { open: true, body: { token } }))) setDone(true);
      }}>{null}</Form>
    </div>
  );
}
