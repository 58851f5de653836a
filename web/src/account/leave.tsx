// The ways to leave: deactivating the account, deleting it, and the pages that say it is done.
import { useState } from 'preact/hooks';
import { del, post } from '../shell/api';
import { useLeaveWhenIn } from '../shell/app';
import { auth, keeper, type Account } from '../shell/auth';
import { Field, Form } from '../shell/form';
import { useParent } from '../shell/frame';
import { Icon } from '../shell/icon';
import { keepLook } from '../shell/look';
import { Problem } from '../shell/problem';
import { collect, wayBack } from '../shell/room';
import { go } from '../shell/router';
import { Confirm } from '../shell/ui';
import { ExportButton } from './export';
import { t } from './words';

// Leave is the end of the account page.
export function Leave({ me }: { me: Account }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <section class="card" aria-labelledby="deactivate">
        <div class="card-head">
          <div>
            <h2 id="deactivate">{t('deactivate')}</h2>
            <p class="hint">{t('deactivateHint')}</p>
          </div>
          <button type="button" class="button" onClick={() => setAsking(true)}>{t('deactivateDo')} …</button>
        </div>
      </section>
      <section class="card" aria-labelledby="delete">
        <div class="card-head">
          <div>
            <h2 id="delete">{t('delete')}</h2>
            <p class="hint">{t('deleteHint')}</p>
          </div>
          <a class="button danger-text" href="/account/delete">{t('deleteOpen')} …</a>
        </div>
      </section>
      {asking && (
        <Confirm title={t('deactivateTitle')} action={t('deactivateDo')} onClose={() => setAsking(false)} onConfirm={async () => {
          await post('/account/deactivate');
          leave('/account/deactivated');
        }}>
          <ul class="effects">
            <li>{t('deactivateOut')}</li>
            <li>{t('deactivateKept')}</li>
          </ul>
          <p class="address">{t(me.has_password ? 'deactivateBack' : 'deactivateBackBare', { email: me.email })}</p>
        </Confirm>
      )}
    </>
  );
}

// leave forgets the session that the server has ended with the account.
function leave(to: string): void {
  keeper().ended(() => go(to, { replace: true }));
  keepLook();
}

// Delete is the page that says what goes, and takes the decision.
export function Delete() {
  useParent('/account', t('account'));
  const me = auth.value.is === 'in' ? auth.value.account : undefined;
  if (!me) return null;
  return (
    <>
      <h1>{t('delete')}</h1>
      <p class="notice bad"><Icon name="warning" /> <span>{t('deleteLead')}</span></p>
      <section class="card" aria-labelledby="goes">
        <h2 id="goes">{t('goes')}</h2>
        <ul class="effects address">
          <li>{t('goesAccount', { email: me.email, username: me.username })}</li>
          {collect((room) => room.loss).map(({ Line, order }) => <Line key={order} />)}
        </ul>
        <p>{t('goesFree')}</p>
      </section>
      <section class="card" aria-labelledby="first">
        <div class="card-head">
          <div>
            <h2 id="first">{t('deleteFirst')}</h2>
            <p class="hint">{t('dataText')}</p>
          </div>
          <ExportButton />
        </div>
      </section>
      <section class="card" aria-labelledby="sure">
        <h2 id="sure">{t('deleteSure')}</h2>
        <Form danger wide submit={t('deleteDo')} onCancel={() => go('/account')} onSubmit={async (v) => {
          if (v.username!.trim().toLowerCase() !== me.username.toLowerCase()) throw new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/username', code: 'other_username' }] });
          await del('/account');
          leave('/account/deleted');
        }}>
          <p>{t('deleteType', { username: me.username })}</p>
          <Field name="username" label={t('deleteName')} autoComplete="off" required spellcheck={false} />
        </Form>
      </section>
    </>
  );
}

// Deactivated says that the account sleeps, and how to come back.
export function Deactivated() {
  useLeaveWhenIn();
  const back = wayBack('activate');
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="user" /></span>
      <h1>{t('deactivated')}</h1>
      <p>{t('deactivatedText')}</p>
      <p>{t('deactivatedBack')}</p>
      <div class="form-actions">
        {back && <a class="button primary" href={back.href}>{back.label()}</a>}
        <a class="button" href="/">{t('toHome')}</a>
      </div>
    </div>
  );
}

// Deleted says farewell.
export function Deleted() {
  useLeaveWhenIn();
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="check" /></span>
      <h1>{t('deleted')}</h1>
      <p>{t('deletedText')}</p>
      <p>{t('deletedAgain')}</p>
      <div class="form-actions"><a class="button" href="/">{t('toHome')}</a></div>
    </div>
  );
}
