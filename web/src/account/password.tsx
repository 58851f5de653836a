// The section of the security page that changes the password, or sets the first one of an account
// without.
import { useState } from 'preact/hooks';
import { get, put } from '../shell/api';
import { auth, keeper } from '../shell/auth';
import { Check, Form, Password as PasswordField } from '../shell/form';
import { NewPassword } from '../shell/new-password';
import { Problem } from '../shell/problem';
import { Dialog, toast } from '../shell/ui';
import { t } from './words';

export function Password({ onChanged }: { onChanged: () => void }) {
  const [open, setOpen] = useState(false);
  const has = auth.value.is !== 'in' || auth.value.account.has_password;
  return (
    <section class="card" aria-labelledby="password">
      <div class="card-head">
        <div>
          <h2 id="password">{t('passwordHead')} {!has && <span class="tag">{t('passwordNone')}</span>}</h2>
          <p class="hint">{has ? t('passwordText') : t('passwordNoneText')}</p>
        </div>
        <button type="button" class="button" onClick={() => setOpen(true)}>{has ? t('passwordChange') : t('passwordSet')}</button>
      </div>
      {open && <Change first={!has} onClose={() => setOpen(false)} onChanged={onChanged} />}
    </section>
  );
}

function Change({ first, onClose, onChanged }: { first: boolean; onClose: () => void; onChanged: () => void }) {
  const me = auth.value.is === 'in' ? auth.value.account : undefined;
  const title = first ? t('passwordSet') : t('passwordChange');
  return (
    <Dialog title={title} onClose={onClose}>
      <Form submit={title} onCancel={onClose} onSubmit={async (v) => {
        const others = v.revoke_others === 'on';
        const opened = await put('/account/password', { body: { ...(!first && { current_password: v.current_password! }), new_password: v.new_password!, revoke_others: others } }).catch((err: unknown) => {
          // The refusal is that of a sign-in, and here it is about one field.
          throw err instanceof Problem && err.code === 'invalid_credentials' && !first
            ? new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/current_password', code: 'wrong_password' }] }) : err;
        });
        if ('access_token' in opened) await keeper().take(opened);
        onClose();
        if (first) keeper().changed(await get('/account'));
        onChanged();
        toast(first ? (others ? t('passwordSetDoneOut') : t('passwordSetDone')) : others ? t('passwordChangedOut') : t('passwordChanged'));
      }}>
        {/* Password managers need the name beside the passwords. */}
        <input class="hidden" type="text" name="username" autoComplete="username" readOnly tabIndex={-1} aria-hidden="true" value={me?.username ?? ''} />
        {!first && <PasswordField name="current_password" label={t('passwordCurrent')} autoComplete="current-password" required autoFocus />}
        <NewPassword name="new_password" label={t('passwordNew')} autoFocus={first} about={me && [me.first_name, me.last_name, me.username, me.email.split('@')[0]!]} />
        <Check name="revoke_others" label={t('passwordOut')} hint={first ? t('passwordSetOutHint') : t('passwordOutHint')} checked />
      </Form>
    </Dialog>
  );
}
