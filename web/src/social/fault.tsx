// The pages of a trip to a provider that did not end well, each with the button that helps.
import { useEffect } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { me } from '../shell/auth';
import { Icon } from '../shell/icon';
import { say, type Problem } from '../shell/problem';
import { doors, firstPlace, signInPath } from '../shell/room';
import { safeNext } from '../shell/router';
import { useLabel } from './buttons';
import { begin, start, trip } from './trip';
import { t } from './words';

const pages = {
  provider_unavailable: { title: 'away', text: 'awayText', icon: 'warning' },
  provider_refused: { title: 'refused', text: 'refusedText', icon: 'user' },
  invalid_state: { title: 'stale', text: 'staleText', icon: 'retry' },
  link_gone: { title: 'stale', text: 'staleText', icon: 'retry' },
  invalid_id_token: { title: 'wrong', text: 'wrongText', icon: 'warning' },
  email_unverified: { title: 'unverified', text: 'unverifiedText', icon: 'mail' },
} as const;

// Fault says what happened. Who set out from a page of the account goes back there.
export function Fault({ problem, provider, retry }: { problem: Problem; provider: string | undefined; retry: () => void }) {
  const label = useLabel(provider);
  const { purpose = 'sign_in', to } = trip() ?? {};
  const inside = me() !== undefined && purpose !== 'sign_in';
  const page = Object.hasOwn(pages, problem.code) ? pages[problem.code as keyof typeof pages] : undefined;
  const signUp = problem.code === 'email_unverified' && !me() ? doors().find((door) => !door.signsIn) : undefined;
  const back = safeNext(to ?? null, location.origin, firstPlace());
  useEffect(focusMain, []);
  return (
    <div class="card narrow">
      <span class="badge"><Icon name={page?.icon ?? 'warning'} /></span>
      <h1 class="identity">{page ? t(page.title, { name: label }) : t('failed')}</h1>
      <p>{page ? t(page.text, { name: label }) : say(problem)}</p>
      <div class="form-actions">
        {inside ? <a class="button primary" href={back}>{t('back')}</a>
          : !page && problem.temporary ? <button type="button" class="button primary" onClick={retry}>{t('retry')}</button>
          : provider && problem.code !== 'account_deactivated' && <a class="button primary provider" href={start(provider)} data-leave onClick={() => begin({ ...trip(), purpose: 'sign_in', provider })}>{page?.title === 'away' || page?.title === 'wrong' ? t('retry') : t('continueWith', { name: label })}</a>}
        {signUp && <a class="button" href={signUp.href}>{signUp.label()}</a>}
        {!me() && <a class={provider ? 'button' : 'button primary'} href={signInPath() + (to ? '?next=' + encodeURIComponent(to) : '')}>{t('elsewhere')}</a>}
      </div>
    </div>
  );
}

// Close is the page of a window that has done its part.
export function Close() {
  useEffect(focusMain, []);
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="check" /></span>
      <h1>{t('close')}</h1>
      <p>{t('closeText')}</p>
      <div class="form-actions"><button type="button" class="button primary" onClick={() => window.close()}>{t('closeDo')}</button></div>
    </div>
  );
}
