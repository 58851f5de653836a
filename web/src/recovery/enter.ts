// The last step of a link that opens a session.
import { keeper, type Opened, type Opening } from '../shell/auth';
import type { OneTime } from '../shell/link';
import { Problem, say } from '../shell/problem';
import { signInPath } from '../shell/room';
import { go } from '../shell/router';
import { toast } from '../shell/ui';

// enterBy uses the link up by a call that opens a session, and goes on with that. A change
// that stands without a session leads to the sign-in, because the link works no more.
export async function enterBy(link: OneTime, send: (token: string, opening: Opening) => Promise<Opened>, done?: string): Promise<void> {
  const opening = await keeper().opening();
  await link.use(async (token) => {
    let opened: Opened;
    try {
      opened = await send(token, opening);
    } catch (err) {
      if (!(err instanceof Problem) || err.code !== 'not_signed_in') throw err;
      go(signInPath(), { replace: true });
      return toast(say(err), true);
    }
    await keeper().enter(opened);
    if (done) toast(done);
  });
}
