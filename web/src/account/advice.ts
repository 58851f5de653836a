// How strong an account's protection is, and what to do next: one step, the one that helps most.
import type { SecurityProps } from '../shell/room';

type Lines = NonNullable<SecurityProps['status']['data']>;

export type Strength = 'weak' | 'fair' | 'good' | 'strong';

// The line of the page that an advice is about. The other advice is to turn on any step that is off.
export const about: Partial<Record<Advice, string>> = {
  addApp: 'totp', mailOnly: 'totp', questionOnly: 'totp', mailAndQuestion: 'totp', smsOnly: 'totp',
  addPasskey: 'passkeys',
  makeCodes: 'backup_codes', fewCodes: 'backup_codes', noCodes: 'backup_codes',
};

export type Advice = 'addApp' | 'addAnyStep' | 'mailOnly' | 'questionOnly' | 'mailAndQuestion' | 'smsOnly' | 'addSecond' | 'makeCodes' | 'fewCodes' | 'noCodes' | 'lookNow' | 'addPasskey' | 'lookPasskeys';

// rate reads the lines of the security page. A server without a layer has no line of it, and
// the advice never names what the server cannot do.
export function rate(lines: Lines): { strength: Strength; advice: Advice; codes?: number } {
  const on = (name: string) => lines[name]?.enabled ?? false;
  const has = (name: string) => Object.hasOwn(lines, name);
  // Nothing but passkeys signs in: there is nothing to guess, and nothing to give to a false site.
  const linked = Object.keys(lines).some((name) => name.startsWith('identity_') && on(name));
  if (lines.password?.enabled === false && !linked && on('passkeys')) return { strength: 'strong', advice: lines.passkeys!.left === 1 ? 'addPasskey' : 'lookPasskeys' };
  const steps = ['totp', 'sms', 'email_otp', 'security_question'].filter(on).length;
  if (steps === 0) return { strength: 'weak', advice: has('totp') ? 'addApp' : 'addAnyStep' };
  if (!on('totp') && !on('sms')) {
    // The mailbox also resets the password, and an answer can be guessed.
    const advice = !has('totp') ? 'lookNow' : !on('security_question') ? 'mailOnly' : !on('email_otp') ? 'questionOnly' : 'mailAndQuestion';
    return { strength: 'fair', advice };
  }
  const strength = on('totp') ? 'strong' : 'good';
  if (!on('totp') && has('totp')) return { strength, advice: 'smsOnly' };
  if (has('backup_codes')) {
    const codes = lines.backup_codes!.left;
    if (steps < 2) return { strength, advice: 'addSecond' };
    if (!on('backup_codes')) return { strength, advice: 'makeCodes' };
    if (codes === 0) return { strength, advice: 'noCodes' };
    if (codes !== undefined && codes <= 3) return { strength, advice: 'fewCodes', codes };
  }
  return { strength, advice: 'lookNow' };
}
