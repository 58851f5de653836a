// The section of the account page with the accounts elsewhere that sign in here.
import { useState } from 'preact/hooks';
import { del, get, post, type Answer } from '../shell/api';
import { Time } from '../shell/form';
import { Icon } from '../shell/icon';
import { ago, date } from '../shell/i18n';
import { Problem } from '../shell/problem';
import { securityPage, type Lines } from '../shell/room';
import { keepTyped } from '../shell/typed';
import { Confirm, Failed, Skeleton, toast, toastProblem, useLoad } from '../shell/ui';
import { useProviders, type Provider } from './buttons';
import { begin, here } from './trip';
import { t } from './words';

type Identity = Answer<'get', '/account/identities'>['items'][number];

export function Connected() {
  const { data, problem, reload } = useLoad(async (signal) => {
    const [{ items }, lines] = await Promise.all([get('/account/identities', { signal }), get('/account/security', { signal })]);
    // What else lets the person in.
    return { items, others: (lines.password?.enabled ?? true ? 1 : 0) + (lines.passkeys?.left ?? 0) };
  }, []);
  const configured = useProviders();
  const [going, setGoing] = useState<Identity>();
  const [busy, setBusy] = useState(false);
  if (configured.length === 0 && !data?.items.length && !problem) return null;
  const rows: (Provider & { identity?: Identity })[] = configured.map(({ id, label }) => ({ id, label, identity: data?.items.find(({ provider }) => provider === id) }));
  // What is connected stays here when the server no longer offers its provider.
  for (const identity of data?.items ?? []) if (!configured.some(({ id }) => id === identity.provider)) rows.push({ id: identity.provider, label: identity.label, identity });
  const only = data !== undefined && data.others === 0 && data.items.length === 1;

  async function connect(provider: string): Promise<void> {
    if (busy) return;
    setBusy(true);
    try {
      const { url } = await post('/account/identities/{provider}', { path: { provider } });
      keepTyped();
      begin({ purpose: 'link', provider, to: here() });
      location.assign(url);
    } catch (err) {
      toastProblem(err);
      setBusy(false);
    }
  }

  return (
    <section class="card" aria-labelledby="connected">
      <div>
        <h2 id="connected">{t('section')}</h2>
        <p class="hint">{t('sectionText')}</p>
      </div>
      {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={2} /> : (
        <ul class="connected">
          {rows.map(({ id, label, identity }) => (
            <li key={id}>
              <div>
                <h3>{label}</h3>
                {identity ? (
                  <>
                    <p class="identity">{identity.email}</p>
                    <p class="hint">
                      {t('since')} <Time at={identity.created_at}>{date(identity.created_at)}</Time>
                      {'\u00a0· '}{identity.last_used_at ? <>{t('lastUsed')} <Time at={identity.last_used_at}>{ago(identity.last_used_at)}</Time></> : t('neverUsed')}
                    </p>
                    {only && <p class="hint">{t('onlyWay')} {securityPage() && <a href={securityPage()!.href}>{securityPage()!.label()}</a>}</p>}
                  </>
                ) : <p class="hint">{t('notConnected')}</p>}
              </div>
              {identity
                ? !only && <button type="button" class="button" aria-label={t('disconnectLabel', { name: label })} onClick={() => setGoing(identity)}>{t('disconnect')}</button>
                : <button type="button" class="button" aria-label={t('connectLabel', { name: label })} aria-disabled={busy} onClick={() => void connect(id)}>{t('connect')}</button>}
            </li>
          ))}
        </ul>
      )}
      {going && (
        <Confirm title={t('disconnectTitle', { name: going.label })} action={t('disconnect')} onClose={() => setGoing(undefined)} onConfirm={async () => {
          await del('/account/identities/{provider}', { path: { provider: going.provider } }).catch((err: unknown) => {
            // It went in another tab.
            if (!(err instanceof Problem) || err.status !== 404) throw err;
          });
          toast(t('disconnected', { name: going.label }));
          await reload();
        }}>
          <p>{t('disconnectText', { name: going.label })}</p>
        </Confirm>
      )}
    </section>
  );
}

// ConnectionsGo is what the page that deletes the account says of them.
export function ConnectionsGo() {
  const { data } = useLoad((signal) => get('/account/identities', { signal }), []);
  if (!data?.items.length) return null;
  return <li>{t('goes', { count: data.items.length, names: data.items.map(({ label }) => label).join(', ') })}</li>;
}

// Names are those of the connected accounts, for the summary of the security page.
export function Names({ lines }: { lines: Lines }) {
  return <>{useProviders().filter(({ id }) => lines['identity_' + id]?.enabled).map(({ id, label }) => <li key={id}><Icon name="check" /> {label}</li>)}</>;
}
