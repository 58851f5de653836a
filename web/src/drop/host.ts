// The host's door: it proves that a guest knows the code or the link's key, and lets it in.
// docs/drop-protocol.md, section 5.
import { b64, equal, unb64, type Bytes } from './bytes';
import { context, generator, multiplied, prs, roleGuest, roleHost, secretScalar, sharedKey, type Mode } from './cpace';
import { joinKeys, sealGroupKey, type JoinKeys } from './keys';
import { ridBytes } from './wire';

// A code bears so many wrong guesses; the last of them burns it.
export const mostWrong = 3;

// Secrets are what the host holds while it runs.
export interface Secrets {
  name: string;
  code?: string;
  key?: Bytes;
  group: Bytes;
  wrong: number;
}

interface Run { mode: Mode; code?: string; keys: Promise<JoinKeys> }

export interface Outside {
  say(to: string, body: object): void;
  admit(rid: string): void;
  reject(rid: string, code: 'wrong' | 'burnt'): void;
  // guessed: a wrong code was tried. What the host knows of it is kept before the guest hears.
  guessed(): Promise<void>;
}

export class HostDoor {
  private readonly runs = new Map<string, Run>();
  private readonly used = new Set<string>(); // a rid is good for one run

  constructor(private readonly secrets: Secrets, private readonly outside: Outside) {}

  private get burnt(): boolean {
    return this.secrets.wrong >= mostWrong;
  }

  async hear(from: string, body: Record<string, unknown>): Promise<void> {
    try {
      if (body.k === 'pake1') await this.answer(from, body);
      else if (body.k === 'confirm') await this.confirmed(from, body);
    } catch {
      this.runs.delete(from);
      this.outside.reject(from, 'wrong'); // a value that cannot be, or out of order
    }
  }

  private async answer(from: string, { mode, y }: Record<string, unknown>): Promise<void> {
    const { code, key, name } = this.secrets;
    const secret = mode === 'code' ? code : mode === 'key' ? key : undefined;
    if (this.used.has(from) || !secret) throw new Error('out of order');
    this.used.add(from);
    if (mode === 'code' && this.burnt) return this.outside.reject(from, 'burnt');
    const sid = ridBytes(from);
    const Ya = unb64(y, 32);
    const scalar = secretScalar();
    const Yb = multiplied(scalar, await generator(prs(secret), context(mode as Mode, name), sid));
    const keys = sharedKey(sid, multiplied(scalar, Ya), Ya, roleGuest, Yb, roleHost).then((isk) => joinKeys(isk, sid, mode as Mode, name, Ya, Yb));
    this.runs.set(from, { mode: mode as Mode, code: mode === 'code' ? code : undefined, keys });
    this.outside.say(from, { k: 'pake2', y: b64(Yb) });
  }

  private async confirmed(from: string, { tag }: Record<string, unknown>): Promise<void> {
    const run = this.runs.get(from);
    if (!run) throw new Error('out of order');
    this.runs.delete(from);
    const shown = unb64(tag, 32);
    const keys = await run.keys;
    // From here to the count nothing waits: guests that run side by side get no guess more.
    if (run.mode === 'code') {
      if (this.burnt) return this.outside.reject(from, 'burnt');
      if (run.code !== this.secrets.code) return this.outside.reject(from, 'wrong'); // of an earlier code
    }
    if (!equal(shown, keys.tagGuest)) {
      if (run.mode === 'code') {
        this.secrets.wrong++;
        await this.outside.guessed();
      }
      return this.outside.reject(from, 'wrong');
    }
    const sealed = await sealGroupKey(keys, this.secrets.group);
    this.outside.say(from, { k: 'admit', tag: b64(keys.tagHost), sealed: b64(sealed) });
    this.outside.admit(from);
  }
}
