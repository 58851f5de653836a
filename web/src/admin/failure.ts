// The classes of the server's errors that have words of their own.
export type Cause = 'connect' | 'login' | 'rcpt' | 'later' | 'refused' | 'unavailable' | 'timeout' | 'panic';

// causeOf reads the class of a job's last error, such as "mail rcpt 550". What it does not know is
// shown as the server names it.
export function causeOf(failure: string): Cause | undefined {
  const mail = /^mail (\w+)(?: (\d{3}))?$/.exec(failure);
  if (mail) {
    const code = Number(mail[2] ?? 0);
    if (mail[1] === 'connect') return 'connect';
    if ([530, 534, 535, 538].includes(code)) return 'login';
    if (code >= 500) return mail[1] === 'rcpt' ? 'rcpt' : 'refused';
    return code >= 400 ? 'later' : undefined;
  }
  return (['unavailable', 'timeout', 'panic'] as const).find((cause) => cause === failure);
}
