// The fresh proof by a provider. It is given in a window of its own, so that the page stays as it
// is; where the browser opens none, in this one, and the page keeps what was typed.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post } from '../shell/api';
import { asProblem, Problem } from '../shell/problem';
import type { ProveProps } from '../shell/room';
import { keepTyped } from '../shell/typed';
import { Failed, useLoad } from '../shell/ui';
import { useProviders, type Provider } from './buttons';
import { begin, here, listen, type Back, type Wait } from './trip';
import { t } from './words';

export function Prove({ main, onOpened }: ProveProps) {
  const { data } = useLoad((signal) => get('/account/identities', { quiet: true, signal }), []);
  const providers = useProviders();
  const [away, setAway] = useState<Provider>();
  const [problem, setProblem] = useState<Problem>();
  const first = useRef<HTMLButtonElement>(null);
  const wait = useRef<Wait | undefined>(undefined);
  const mine = providers.filter(({ id }) => data?.items.some(({ provider }) => provider === id));
  useEffect(() => () => wait.current?.close(), []);
  useEffect(() => {
    if (main && !away) first.current?.focus();
  }, [main, mine.length, away]);

  async function came(from: Provider, { code, error }: Back): Promise<void> {
    wait.current?.close();
    setAway(undefined);
    try {
      if (!code) throw new Problem({ status: 0, code: error ?? 'link_gone' });
      await onOpened(await post('/account/reauthenticate/social/{provider}/confirm', { path: { provider: from.id }, body: { code } }), from.label);
    } catch (err) {
      setProblem(asProblem(err));
    }
  }

  async function leave(to: Provider): Promise<void> {
    setProblem(undefined);
    wait.current?.close();
    wait.current = listen((back) => void came(to, back));
    // A browser opens a window only in answer to the press itself, before the server is asked.
    const other = window.open('', '', 'popup,width=520,height=720');
    if (other) wait.current.mark(other);
    try {
      const { url } = await post('/account/reauthenticate/social/{provider}', { path: { provider: to.id } });
      if (other) {
        setAway(to);
        other.location.replace(url);
        return;
      }
      keepTyped();
      begin({ purpose: 'renew', provider: to.id, to: here() });
      location.assign(url);
    } catch (err) {
      other?.close();
      wait.current.close();
      setProblem(asProblem(err));
    }
  }

  if (mine.length === 0) return null;
  return (
    <>
      {problem && <Failed problem={problem} />}
      {away ? (
        <div class="notice" role="status">
          <div>
            <p>{t('proveWait', { name: away.label })}</p>
            <div class="card-buttons">
              <button type="button" class="button" onClick={() => void leave(away)}>{t('proveAgain')}</button>
              <button type="button" class="button" onClick={() => {
                wait.current?.close();
                setAway(undefined);
              }}>{t('proveOther')}</button>
            </div>
          </div>
        </div>
      ) : mine.map((provider, i) => (
        <button key={provider.id} ref={i === 0 ? first : undefined} type="button" class={main && i === 0 ? 'button primary provider' : 'button provider'} onClick={() => void leave(provider)}>
          {t('prove', { name: provider.label })}
        </button>
      ))}
    </>
  );
}
