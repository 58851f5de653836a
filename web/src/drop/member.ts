// One member of a drop: what it is told, whom it knows, what is offered.
import { b64, random, type Bytes } from './bytes';
import { bundle, stamp } from './bundle';
import { chunkFor } from './chunk';
import type { Item, Missing, Phase, Refusal, State } from './drop';
import { GuestDoor, NotTheHost } from './guest';
import { HostDoor, mostWrong } from './host';
import { Channel, Counter, known, offersOf, saidOf, type Described, type Said } from './message';
import { clean } from './names';
import type { Offered } from './pick';
import { Receiving, type ReceiveGround } from './receive';
import { Sending, Source } from './send';
import { api, Refused, Socket } from './socket';
import { forget, members, type Kept } from './store';
import type { Frame, MemberState } from './wire';

interface Known { rid: string; host: boolean; here: boolean; device: string }

export interface Around {
  device: string;
  windows: boolean;
  changed(at?: 'once'): void;
  // again: the connection ended before the host let this guest in; the run is spent.
  again(): void;
}

export class Member implements ReceiveGround {
  readonly socket: Socket;
  readonly counter = new Counter();
  readonly sending: Sending;
  readonly receiving: Receiving;
  readonly member: string;
  readonly token: string;
  readonly windows: boolean;
  phase: Phase = 'connecting';
  refusal: Refusal | undefined;
  private readonly people = new Map<string, Known>();
  private readonly left = new Set<string>(); // for good
  private readonly items = new Map<string, Described>();
  private readonly channels = new Map<string, Channel>();
  private readonly host: HostDoor | undefined;
  private guest: GuestDoor | undefined;
  private readonly missing = new Map<string, Missing>();
  private hearing: Promise<void> = Promise.resolve(); // frames are taken one after the other
  private saying: Promise<void> = Promise.resolve(); // sealed messages leave in their order
  private restored = false;
  private move!: () => void;
  private moving!: Promise<void>;

  // secret is what a guest joins with; none for a host, and none for a guest that is in already.
  constructor(readonly kept: Kept, private readonly around: Around, private readonly secret?: string) {
    this.member = kept.id;
    this.token = kept.token;
    this.windows = around.windows;
    this.sending = new Sending(this);
    this.receiving = new Receiving(this);
    if (kept.host) {
      this.host = new HostDoor(kept, {
        say: (to, body) => this.say(to, body),
        admit: (rid) => void this.socket.send({ t: 'admit', rid }),
        reject: (rid, code) => void this.socket.send({ t: 'reject', rid, code }),
        guessed: () => {
          this.changed();
          return this.keep();
        },
      });
    }
    this.moved_();
    this.socket = new Socket(() => kept.name, kept.token, {
      frame: (frame) => this.frame(frame),
      cut: () => this.cut(),
      over: () => this.end(Date.parse(kept.expiresAt) <= Date.now() ? 'expired' : 'host_gone'),
    });
  }

  start(): void {
    this.socket.start();
  }

  name = () => this.kept.name;
  group = (): Bytes => this.kept.group;
  rid = () => this.kept.rid;
  admitted = (rid: string) => this.people.has(rid) && rid !== this.kept.rid;
  here = (rid: string) => this.phase === 'in' && this.people.get(rid)?.here === true;
  moved = () => this.moving;

  incoming = (from: string) => this.channel(from, this.kept.rid);
  outgoing = (to: string) => this.channel(this.kept.rid, to);

  private channel(from: string, to: string): Channel {
    const id = from + to;
    let channel = this.channels.get(id);
    if (!channel) this.channels.set(id, (channel = new Channel(this.kept.group, from, to)));
    return channel;
  }

  say(to: string, body: object): void {
    this.socket.send({ t: 'msg', to, body });
  }

  changed(): void {
    this.around.changed();
  }

  // keep stores the membership, once the host let this member in.
  private async keep(): Promise<void> {
    if (this.kept.group.length === 0 || this.phase === 'closed') return;
    this.kept.used = Date.now();
    await members.put(this.kept);
  }

  private moved_(): void {
    this.move?.();
    this.moving = new Promise((resolve) => (this.move = resolve));
  }

  private frame(frame: Frame): void {
    switch (frame.t) {
      case 'credit':
        return this.sending.credit(frame.n, frame.chunks);
      case 'end':
        return this.sending.end(frame.n, frame.code);
      case 'replaced':
        return this.end('replaced');
      case 'request':
        void this.sending.request(frame);
        return;
      default:
        this.hearing = this.hearing.then(() => this.hear(frame)).catch((err) => {
          if (err instanceof NotTheHost) this.end('not_the_host', true);
          else console.warn('a frame was dropped: ' + (err as Error).name); // another member or the server erred
        });
    }
  }

  private async hear(frame: Frame): Promise<void> {
    if (this.phase === 'closed') return;
    switch (frame.t) {
      case 'welcome':
        return this.welcome(frame);
      case 'member':
        return this.person(frame);
      case 'name':
        this.kept.name = frame.name;
        this.kept.expiresAt = frame.expires_at;
        await this.keep();
        return this.changed();
      case 'msg':
        return this.message(frame.from, frame.body);
      case 'closed':
        return this.end(refusals[frame.code] ?? 'closed');
      default:
        return; // a guest's "join" says nothing before its first message does
    }
  }

  private async welcome(frame: Extract<Frame, { t: 'welcome' }>): Promise<void> {
    const { kept } = this;
    // A server that confuses drops or members gets no further: what the person typed counts.
    if (frame.host !== kept.host || (kept.rid && frame.rid !== kept.rid) || (kept.hostRid && frame.host_rid !== kept.hostRid)) throw new NotTheHost();
    if (kept.group.length === 0 && frame.name !== kept.name) return this.end('not_found', true);
    kept.rid = frame.rid;
    kept.hostRid = frame.host_rid;
    kept.name = frame.name;
    kept.expiresAt = frame.expires_at;
    if (kept.group.length === 0) {
      this.phase = 'proving';
      this.changed();
      this.guest = new GuestDoor(kept.name, this.secret!, kept.rid, (body) => this.say(kept.hostRid, body));
      return this.guest.begin();
    }
    const listed = new Set(frame.members.map(({ rid }) => rid));
    for (const rid of this.people.keys()) if (!listed.has(rid)) this.gone(rid);
    this.phase = 'in';
    for (const member of frame.members) this.person(member);
    this.person({ rid: kept.rid, host: kept.host, here: true });
    await this.keep();
    if (!this.restored) {
      this.restored = true;
      await this.receiving.restore();
    }
  }

  private person({ rid, host, here, gone }: MemberState): void {
    if (gone) return this.gone(rid);
    const before = this.people.get(rid);
    this.people.set(rid, { rid, host, here, device: before?.device ?? '' });
    if (here && rid !== this.kept.rid && this.kept.group.length > 0) {
      this.tell(rid, { k: 'hello', device: this.around.device });
      for (const offer of offersOf(this.own())) this.tell(rid, offer);
    }
    this.moved_();
    this.changed();
  }

  private gone(rid: string): void {
    this.left.add(rid);
    this.people.delete(rid);
    for (const [id, item] of this.items) if (item.owner === rid) this.items.delete(id);
    this.sending.gone(rid);
    this.receiving.gone(rid);
    this.moved_();
    this.changed();
  }

  private own = () => [...this.items.values()].filter(({ owner }) => owner === this.kept.rid);

  // tell seals a message for one member.
  private tell(to: string, said: Said): void {
    this.saying = this.saying.then(async () => {
      this.say(to, { k: 'sealed', d: await this.outgoing(to).seal('message', this.counter.next(), said) });
    }).catch((err) => console.error(err));
  }

  private tellAll(said: Said[]): void {
    for (const { rid, here } of this.people.values()) if (here && rid !== this.kept.rid) for (const one of said) this.tell(rid, one);
  }

  private async message(from: string, body: Record<string, unknown>): Promise<void> {
    switch (body.k) {
      case 'sealed':
        return this.sealed(from, body.d);
      case 'pake1':
      case 'confirm':
        return this.host?.hear(from, body);
      case 'pake2':
      case 'admit': {
        if (from !== this.kept.hostRid) return;
        const group = await this.guest?.hear(body);
        if (group) return this.letIn(group);
        return;
      }
      case 'ack':
      case 'done':
        void this.sending.hear(from, body).catch(() => undefined); // malformed: no word of a receiver
        return;
      case 'verified':
        return this.receiving.hear(body);
    }
  }

  private async letIn(group: Bytes): Promise<void> {
    const { kept } = this;
    kept.group = group;
    this.guest = undefined;
    this.phase = 'in';
    this.restored = true;
    const known = [...this.people.values()];
    for (const person of known) this.person(person);
    this.person({ rid: kept.rid, host: false, here: true });
    if (!this.people.has(kept.hostRid)) this.person({ rid: kept.hostRid, host: true, here: true });
    await this.keep();
    this.changed();
  }

  private async sealed(from: string, sealed: unknown): Promise<void> {
    if (this.kept.group.length === 0 || from === this.kept.rid) return;
    const { n, said } = await this.incoming(from).open('message', sealed);
    if (n <= (this.kept.heard[from] ?? 0)) return; // repeated, or out of order
    this.kept.heard[from] = n;
    const message = saidOf(said, from);
    if (!message || this.left.has(from)) return;
    // A guest's first words may come before the server's word that it is in.
    const person = this.people.get(from) ?? { rid: from, host: from === this.kept.hostRid, here: true, device: '' };
    this.people.set(from, person);
    if (message.k === 'hello') person.device = message.device;
    if (message.k === 'offer') {
      known(this.items, from, message.items, this.receiving.taken);
      this.moved_();
    }
    if (message.k === 'withdraw') for (const id of message.ids) if (this.items.get(id)?.owner === from) this.items.delete(id);
    this.changed();
    await this.keep();
  }

  private cut(): void {
    if (this.phase === 'closed') return;
    this.sending.cut();
    if (this.kept.group.length === 0 && this.phase === 'proving') {
      this.socket.stop();
      return this.around.again();
    }
    if (this.kept.group.length > 0) this.phase = 'reconnecting';
    this.moved_();
    this.changed();
  }

  // end: this member's part is over. Verified items stay until the page goes.
  end(refusal: Refusal | undefined, leave = false): void {
    if (this.phase === 'closed') return;
    if (leave) this.socket.send({ t: 'leave' });
    this.phase = 'closed';
    this.refusal = refusal;
    this.socket.stop();
    this.sending.cut();
    this.receiving.end();
    if (refusal !== 'replaced') void forget(this.kept.id, this.receiving.whole());
    this.moved_();
    this.around.changed('once');
  }

  // stop ends without leaving.
  stop(): void {
    this.socket.stop();
    this.receiving.stop();
  }

  async offer(offered: Offered, id = `${this.kept.rid}.${b64(random(16))}`): Promise<void> {
    const stamped = await stamp(offered);
    const blob = bundle(offered);
    const chunk = this.missing.get(id) ? this.kept.offered.find(({ item }) => item.id === id)!.item.chunk : chunkFor(blob.size);
    const item: Described = {
      id, owner: this.kept.rid, name: offered.name, kind: offered.kind, size: blob.size, chunk,
      files: offered.kind === 'folder' ? offered.files.length : 1, type: offered.kind === 'file' ? offered.files[0]!.file.type : '',
    };
    this.sending.sources.set(id, new Source(item, blob));
    this.items.set(id, item);
    this.missing.delete(id);
    this.kept.offered = [...this.kept.offered.filter((o) => o.item.id !== id), { item, stamp: stamped, ...(offered.handle && { handle: offered.handle }) }];
    this.tellAll([{ k: 'offer', items: [item] }]);
    this.changed();
    await this.keep();
  }

  withdraw(id: string): void {
    this.missing.delete(id);
    this.kept.offered = this.kept.offered.filter(({ item }) => item.id !== id);
    if (this.items.get(id)?.owner === this.kept.rid) {
      this.items.delete(id);
      this.sending.withdraw(id);
      this.tellAll([{ k: 'withdraw', ids: [id] }]);
    }
    this.changed();
    void this.keep();
  }

  // miss lists what was offered before the page was loaded anew.
  miss(item: Described, ask: boolean): void {
    this.missing.set(item.id, { item, ask });
    this.changed();
  }

  handle = (id: string) => this.kept.offered.find(({ item }) => item.id === id)?.handle;

  async again(id: string, files: Offered): Promise<boolean> {
    const before = this.missing.get(id)?.item;
    if (!before || files.kind !== before.kind || files.name !== before.name || bundle(files).size !== before.size) return false;
    // Files that changed meanwhile are another item: a receiver would take them for the one that it read of.
    const was = this.kept.offered.find(({ item }) => item.id === id)?.stamp;
    if (was !== undefined && was !== await stamp(files)) return false;
    await this.offer(files, id);
    return true;
  }

  take(id: string, to?: FileSystemFileHandle): void {
    const item = this.items.get(id);
    if (item && item.owner !== this.kept.rid) this.receiving.take(item, to);
  }

  newCode(): void {
    if (!this.kept.host) return;
    this.kept.code = drawCode();
    this.kept.wrong = 0;
    this.changed();
    void this.keep();
  }

  async change(to: { name?: string; expires_at?: string }): Promise<void> {
    const { name, expires_at } = await api<{ name: string; expires_at: string }>('PATCH', '/' + this.kept.name, this.kept.token, to);
    this.kept.name = name;
    this.kept.expiresAt = expires_at;
    this.changed();
    await this.keep();
  }

  async leave(): Promise<void> {
    if (this.phase === 'closed') return;
    if (!this.kept.host) return this.end(undefined, true);
    await api('DELETE', '/' + this.kept.name, this.kept.token).catch((err) => {
      if (!(err instanceof Refused) || err.status === 0 || err.status >= 500) throw err; // else it is closed already
    });
    this.end(undefined);
  }

  state(): State {
    const { kept } = this;
    const burnt = kept.wrong >= mostWrong;
    const people = [...this.people.values()].map((p) => ({ ...p, me: p.rid === kept.rid, ...(p.rid === kept.rid && { device: this.around.device }) }));
    return {
      phase: this.phase, name: kept.name, expiresAt: kept.expiresAt, host: kept.host,
      ...(this.refusal && { refusal: this.refusal }),
      ...(kept.host && {
        ...(burnt ? { burnt } : { code: kept.code }), tries: mostWrong - kept.wrong,
        link: `${location.origin}/d/${kept.name}#v1.${b64(kept.key!)}`,
      }),
      people: people.sort((a, b) => Number(b.me) - Number(a.me)),
      items: [...this.items.values()].map(shown),
      outgoing: [...this.sending.shown.values()].map((o) => ({ ...o })),
      incoming: this.receiving.shown,
      missing: [...this.missing.values()],
    };
  }
}

const shown = ({ id, owner, name, kind, size, files, type }: Described): Item => ({ id, owner, name: clean(name), kind, size, files, type });

const refusals: Record<string, Refusal> = { closed: 'closed', expired: 'expired', host_gone: 'host_gone', wrong: 'wrong_code', burnt: 'burnt', full: 'full', late: 'host_gone' };

// drawCode draws six digits, each code as likely as another.
export function drawCode(): string {
  for (;;) {
    const n = new DataView(random(4).buffer).getUint32(0);
    if (n < 4_294_000_000) return String(n % 1_000_000).padStart(6, '0');
  }
}
