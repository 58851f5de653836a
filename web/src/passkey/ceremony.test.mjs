// What the app asks of the browser's passkeys: one thing at a time, and its errors in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

const asked = [];
const credentials = {
  get: (options) => new Promise((resolve, reject) => {
    const one = { options, resolve };
    options.signal.addEventListener('abort', () => {
      one.aborted = true;
      reject(options.signal.reason);
    });
    asked.push(one);
  }),
};
class PublicKeyCredential {
  static async isConditionalMediationAvailable() {
    await new Promise((resolve) => setTimeout(resolve, 40));
    return true;
  }
}
browser({ navigator: { credentials }, PublicKeyCredential, isSecureContext: true });
document.querySelectorAll = () => [{}]; // the field
location.hostname = 'coffer.test';

const { obstacle, offer, problemOf, use } = await load('passkey/ceremony');

const options = { challenge: 'AAAA', rpId: 'coffer.test' };
const settled = (work) => work.then(() => 'answered', (err) => err.code);
const comes = async (count) => {
  for (let i = 0; asked.length < count && i < 200; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(asked.length, count);
};

test('a press of the button ends the offer among the names, even while that is still starting', async () => {
  for (const wait of [0, 100]) {
    asked.length = 0;
    const offered = settled(offer(options, new AbortController().signal));
    await new Promise((resolve) => setTimeout(resolve, wait));
    const used = use(options, new AbortController().signal);
    assert.equal(await offered, 'cancelled');
    await comes(2);
    assert.equal(asked[0].options.mediation, 'conditional');
    assert.equal(asked[1].aborted, undefined, 'the press is not cancelled');
    asked[1].resolve({ id: 'a', rawId: new ArrayBuffer(1), type: 'public-key', response: { authenticatorData: new ArrayBuffer(1), clientDataJSON: new ArrayBuffer(1), signature: new ArrayBuffer(1) }, getClientExtensionResults: () => ({}) });
    assert.equal((await used).id, 'a');
  }
});

test('a page that is left ends what it asked, and asks nothing more', async () => {
  asked.length = 0;
  for (const wait of [0, 100]) {
    const page = new AbortController();
    const offered = settled(offer(options, page.signal));
    await new Promise((resolve) => setTimeout(resolve, wait));
    page.abort();
    assert.equal(await offered, 'cancelled');
    assert.ok(asked.every((one) => one.aborted));
  }
  const gone = new AbortController();
  gone.abort();
  const before = asked.length;
  assert.equal(await settled(use(options, gone.signal)), 'cancelled');
  assert.equal(asked.length, before);
});

test('the browser\'s errors have words of their own', () => {
  console.warn = () => {};
  for (const [err, code] of [
    [{ name: 'AbortError' }, 'cancelled'],
    [{ code: 'ERROR_CEREMONY_ABORTED' }, 'cancelled'],
    [{ name: 'NotAllowedError' }, 'passkey_unused'],
    [{ code: 'ERROR_PASSTHROUGH_SEE_CAUSE_PROPERTY', cause: { name: 'NotAllowedError' } }, 'passkey_unused'],
    [{ code: 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED', cause: { name: 'InvalidStateError' } }, 'passkey_exists'],
    [{ code: 'ERROR_INVALID_RP_ID', cause: { name: 'SecurityError' } }, 'passkey_address'],
    [{ name: 'SecurityError' }, 'passkey_address'],
    [{ code: 'ERROR_AUTHENTICATOR_MISSING_USER_VERIFICATION_SUPPORT', cause: { name: 'ConstraintError' } }, 'passkey_unfit'],
    [{ name: 'NotSupportedError' }, 'passkey_unfit'],
    [{ name: 'UnknownError' }, 'passkey_failed'],
    [new Error('Authentication was not completed'), 'passkey_failed'],
  ]) assert.equal(problemOf(err).code, code, JSON.stringify(err));
});

test('where passkeys cannot work, the reason is known', () => {
  assert.equal(obstacle(true), undefined);
  assert.equal(obstacle(undefined), undefined, 'the server has not answered yet');
  assert.equal(obstacle(false), 'address');
  assert.equal(obstacle(undefined, '127.0.0.1'), 'address');
  assert.equal(obstacle(undefined, '[::1]'), 'address');
  assert.equal(obstacle(undefined, '1.example.org'), undefined);
  browser({ PublicKeyCredential: undefined, isSecureContext: true });
  assert.equal(obstacle(true, 'coffer.test'), 'browser');
  browser({ PublicKeyCredential: undefined, isSecureContext: false });
  assert.equal(obstacle(true, 'coffer.test'), 'insecure');
});
