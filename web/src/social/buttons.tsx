// The buttons that lead to a provider, on the pages that sign in and sign up.
import type { EnterProps } from '../shell/room';
import { useSettings } from '../shell/settings';
import { begin, start } from './trip';
import { t } from './words';

export interface Provider {
  id: string;
  label: string;
}

export const useProviders = (): readonly Provider[] => useSettings()?.providers ?? [];

// useLabel names a provider as its button does.
export function useLabel(provider: string | undefined): string {
  return useProviders().find(({ id }) => id === provider)?.label ?? t('provider');
}

// Buttons are links: the server sends the browser on to the provider, by navigation alone.
export function Buttons({ own, remember }: Pick<EnterProps, 'own' | 'remember'>) {
  const to = new URLSearchParams(location.search).get('next') ?? undefined;
  const providers = useProviders();
  if (own) return null;
  return (
    <>
      {providers.map(({ id, label }) => (
        <a key={id} class="button provider" href={start(id)} data-leave onClick={() => begin({ purpose: 'sign_in', provider: id, to, remember: remember?.() })}>
          {t('continueWith', { name: label })}
        </a>
      ))}
    </>
  );
}

// Again leads to the sign-in at a provider, which comes back to the page that activates.
export const Again = () => <Buttons />;
