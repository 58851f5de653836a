// What this page asks of the browser's passkeys, one thing at a time, and what can go wrong with it.
import {
  browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, startAuthentication, startRegistration, WebAuthnAbortService,
  type PublicKeyCredentialCreationOptionsJSON as Creation, type PublicKeyCredentialRequestOptionsJSON as Request,
} from '@simplewebauthn/browser';
import type { Answer } from '../shell/api';
import { cancelled, Problem } from '../shell/problem';
import { useSettings } from '../shell/settings';

// An Obstacle is why there can be no passkeys here: the page is not on https, the browser has none,
// or the server's address has no name, which they belong to.
export type Obstacle = 'insecure' | 'browser' | 'address';

export function obstacle(served: boolean | undefined, host = location.hostname): Obstacle | undefined {
  if (served === false || /^[\d.]+$|^\[/.test(host)) return 'address';
  if (browserSupportsWebAuthn()) return undefined;
  return globalThis.isSecureContext ? 'browser' : 'insecure';
}

// useObstacle expects none from the server until it has answered.
export const useObstacle = () => obstacle(useSettings()?.passkeys);

export const canOffer = browserSupportsWebAuthnAutofill;

let running: { end: () => void; over: Promise<unknown> } | undefined;

// alone starts what asks the browser, and ends what asked before. The signal ends it too.
async function alone<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  while (running) {
    running.end();
    await running.over;
  }
  if (signal.aborted) throw cancelled();
  const work = start();
  const mine = (running = {
    // The library may not be ready to be cancelled yet: once is not enough.
    end: () => {
      if (running !== mine) return;
      WebAuthnAbortService.cancelCeremony();
      setTimeout(mine.end, 20);
    },
    over: work.catch(() => undefined),
  });
  signal.addEventListener('abort', mine.end);
  try {
    return await work;
  } catch (err) {
    throw problemOf(err);
  } finally {
    running = undefined;
    signal.removeEventListener('abort', mine.end);
  }
}

type Made = Answer<'post', '/account/passkeys/options'>;
type Asked = Answer<'post', '/auth/passkey/options'>;

// make makes a passkey; use has one sign; offer waits until the person picks one among the names
// that the browser proposes.
export const make = (optionsJSON: Made, signal: AbortSignal) => alone(signal, async () => ({ ...(await startRegistration({ optionsJSON: optionsJSON as Creation })) }));
export const use = (optionsJSON: Asked, signal: AbortSignal) => alone(signal, async () => ({ ...(await startAuthentication({ optionsJSON: optionsJSON as Request })) }));
export const offer = (optionsJSON: Asked, signal: AbortSignal) =>
  alone(signal, async () => ({ ...(await startAuthentication({ optionsJSON: optionsJSON as Request, useBrowserAutofill: true })) }));

// unused: the person closed the browser's question, let it wait too long, or has no passkey here.
// The browser does not say which.
export const unused = (err: unknown): boolean => err instanceof Problem && err.code === 'passkey_unused';

// problemOf reads an error of the browser. Its own text is English and for programmers.
export function problemOf(err: unknown): Problem {
  const { name, code, cause } = err as { name?: string; code?: unknown; cause?: { name?: string } };
  const problem = (is: string) => new Problem({ status: 0, code: is });
  switch (code) {
    case 'ERROR_CEREMONY_ABORTED': return cancelled();
    case 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED': return problem('passkey_exists');
  }
  switch (cause?.name ?? name) {
    case 'AbortError': return cancelled();
    case 'NotAllowedError': return problem('passkey_unused');
    case 'SecurityError': return problem('passkey_address');
    case 'ConstraintError': case 'NotSupportedError': return problem('passkey_unfit');
  }
  console.warn(err);
  return problem('passkey_failed');
}
