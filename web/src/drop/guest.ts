// The guest's side of the door: docs/drop-protocol.md, section 5.
import { b64, equal, unb64, type Bytes } from './bytes';
import { context, generator, multiplied, prs, roleGuest, roleHost, secretScalar, sharedKey, type Mode } from './cpace';
import { joinKeys, openGroupKey, type JoinKeys } from './keys';
import { ridBytes } from './wire';

// NotTheHost: the other end did not show that it knows the secret.
export class NotTheHost extends Error {}

export class GuestDoor {
  private readonly mode: Mode;
  private readonly secret: string | Bytes;
  private scalar: Bytes | undefined;
  private Ya: Bytes | undefined;
  private keys: JoinKeys | undefined;

  // secret: six digits, or "v1." and the link's key.
  constructor(private readonly name: string, secret: string, private readonly rid: string, private readonly say: (body: object) => void) {
    this.mode = secret.startsWith('v1.') ? 'key' : 'code';
    this.secret = this.mode === 'key' ? unb64(secret.slice(3), 16) : secret;
  }

  async begin(): Promise<void> {
    this.scalar = secretScalar();
    this.Ya = multiplied(this.scalar, await generator(prs(this.secret), context(this.mode, this.name), ridBytes(this.rid)));
    this.say({ k: 'pake1', mode: this.mode, y: b64(this.Ya) });
  }

  // hear takes a body of the host. It answers the group key when the host let this guest in, and
  // throws NotTheHost for anything that the host would not say now.
  async hear(body: Record<string, unknown>): Promise<Bytes | undefined> {
    try {
      if (body.k === 'pake2' && this.scalar && this.Ya) {
        const sid = ridBytes(this.rid);
        const Yb = unb64(body.y, 32);
        const isk = await sharedKey(sid, multiplied(this.scalar, Yb), this.Ya, roleGuest, Yb, roleHost);
        this.keys = await joinKeys(isk, sid, this.mode, this.name, this.Ya, Yb);
        this.scalar = undefined;
        this.say({ k: 'confirm', tag: b64(this.keys.tagGuest) });
        return undefined;
      }
      if (body.k === 'admit' && this.keys) {
        const keys = this.keys;
        this.keys = undefined;
        if (!equal(unb64(body.tag, 32), keys.tagHost)) throw new Error('another secret');
        return await openGroupKey(keys, unb64(body.sealed, 48));
      }
    } catch {
      throw new NotTheHost();
    }
    if (body.k === 'pake2' || body.k === 'admit') throw new NotTheHost();
    return undefined;
  }
}
