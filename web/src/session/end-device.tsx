// The page of the link in the mail about a new device: signs the device out without a sign-in.
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { focusMain } from '../shell/app';
import { auth } from '../shell/auth';
import { Form, Time } from '../shell/form';
import { dateTime } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { useLink, whole } from '../shell/link';
import { DeadLink, NewPasswordLink, SignInLink } from '../shell/link-page';
import { Problem } from '../shell/problem';
import { Failed, Skeleton, useLoad } from '../shell/ui';
import { t } from './words';

// EndDevice shows what the link would sign out. Asking uses nothing up.
export function EndDevice() {
  const link = useLink();
  const [over, setOver] = useState<'gone' | 'out' | 'mine'>();
  const { data, problem, reload } = useLoad(async (signal) => (whole(link.secret) ? post('/auth/end-device/check', { open: true, body: { token: link.secret }, signal }) : undefined), []);
  useEffect(() => {
    if (over === 'out' || over === 'mine') focusMain();
  }, [over]);

  if (over === 'mine') {
    return (
      <div class="card narrow">
        <span class="badge"><Icon name="check" /></span>
        <h1>{t('strangeMine')}</h1>
        <p>{t('strangeMineText')}</p>
        <div class="form-actions"><SignInLink class="button primary" /></div>
      </div>
    );
  }

  if (over === 'out') {
    return (
      <div class="card narrow">
        <span class="badge"><Icon name="shield" /></span>
        <h1>{t('strangeOut')}</h1>
        <p>{t('strangeAdvice')}</p>
        <div class="form-actions"><NewPasswordLink class="button primary" /><SignInLink class="button" /></div>
      </div>
    );
  }
  const gone = over === 'gone' || problem?.code === 'link_gone';
  if (gone || !whole(link.secret)) {
    return (
      <DeadLink dead={gone ? 'gone' : 'damaged'} gone={t('strangeGone')} damaged={t('strangeDamaged')}>
        <div class="form-actions">{gone && <NewPasswordLink class="button primary" />}<SignInLink class={gone ? 'button' : 'button primary'} /></div>
      </DeadLink>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="device" /></span>
      <h1>{t('strangeTitle')}</h1>
      {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={2} /> : (
        <>
          <p>{t('strangeText')}</p>
          <div class="device strange">
            <span class="device-icon"><Icon name={/iPhone|iPad|Android/.test(data.device) ? 'phone' : 'device'} /></span>
            <div class="device-text">
              <p><strong>{data.device || t('unknownDevice')}</strong></p>
              {data.place && <p class="hint">{data.place}</p>}
              <p class="hint">{t('strangeSince')} <Time at={data.signed_in_at}>{dateTime(data.signed_in_at)}</Time></p>
            </div>
          </div>
          <Form submit={t('strangeDo')} danger onSubmit={async () => {
            try {
              await post('/auth/end-device', { open: true, body: { token: link.secret } });
            } catch (err) {
              if (!(err instanceof Problem) || err.code !== 'link_gone') throw err;
              link.used();
              return setOver('gone');
            }
            link.used();
            setOver('out');
            // It may be this device: the frame goes at once when its session has ended.
            if (auth.value.is === 'in') void get('/account').catch(() => undefined);
          }}>{null}</Form>
          <Form submit={t('strangeYes')} quiet onSubmit={async () => {
            await post('/auth/end-device/confirm', { open: true, body: { token: link.secret } });
            setOver('mine');
          }}>{null}</Form>
        </>
      )}
    </div>
  );
}
