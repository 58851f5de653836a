// This end on vectors: those of the Go end, and its own, which the Go end checks.
// COFFER_WRITE_DOCS=1 writes testdata/vectors/drop-web.json.
import assert from 'node:assert/strict';
import nodeCrypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadText, web } from '../../test/load.mjs';

const drop = await loadText(`
  export * from './drop/cpace'; export * from './drop/keys'; export * from './drop/chunk'; export * from './drop/bytes'; export { Channel } from './drop/message';
  export { HostDoor } from './drop/host'; export { GuestDoor } from './drop/guest';`);
const { b64, unb64 } = drop;
const file = (name) => path.join(web, '../testdata/vectors', name);
const read = (name) => JSON.parse(fs.readFileSync(file(name), 'utf8'));

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (b) => Buffer.from(b).toString('hex');
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), nodeCrypto.createHash('sha256')).digest();

// content is what the vectors send: byte i is 7·i + (i >> 8), modulo 256.
const content = (at, n) => Uint8Array.from({ length: n }, (_, i) => 7 * (at + i) + ((at + i) >> 8));

// fixed are n bytes that depend on the label alone.
function fixed(label, n) {
  const all = [];
  for (let i = 0; all.length * 32 < n; i++) all.push(sha256(label, drop.u32(i)));
  return hex(Buffer.concat(all).subarray(0, n));
}

// pair is a P-521 pair of a scalar. WebCrypto reads private keys as JWK alone.
async function pair(scalar) {
  const ecdh = nodeCrypto.createECDH('secp521r1');
  ecdh.setPrivateKey(Buffer.from(scalar, 'hex'));
  const point = ecdh.getPublicKey();
  const jwk = { kty: 'EC', crv: 'P-521', x: b64(point.subarray(1, 67)), y: b64(point.subarray(67)) };
  const privateKey = await crypto.subtle.importKey('jwk', { ...jwk, d: b64(bytes(scalar)) }, { name: 'ECDH', namedCurve: 'P-521' }, false, ['deriveBits']);
  return { jwk, privateKey, publicKey: await drop.publicKey(jwk) };
}

async function join({ mode, name, secret, guest, scalar_a, scalar_b, group }) {
  const sid = bytes(guest);
  const ci = drop.context(mode, name);
  const g = await drop.generator(bytes(secret), ci, sid);
  const [Ya, Yb] = [drop.multiplied(bytes(scalar_a), g), drop.multiplied(bytes(scalar_b), g)];
  const isk = await drop.sharedKey(sid, drop.multiplied(bytes(scalar_a), Yb), Ya, 'guest', Yb, 'host');
  assert.deepEqual(await drop.sharedKey(sid, drop.multiplied(bytes(scalar_b), Ya), Ya, 'guest', Yb, 'host'), isk);
  const keys = await drop.joinKeys(isk, sid, mode, name, Ya, Yb);
  const sealed = await drop.sealGroupKey(keys, bytes(group));
  assert.equal(hex(await drop.openGroupKey(keys, sealed)), group);
  return {
    mode, name, secret, guest, scalar_a, scalar_b, group, ci: hex(ci), generator: hex(g), ya: hex(Ya), yb: hex(Yb), isk: hex(isk),
    th: hex(keys.th), tag_guest: hex(keys.tagGuest), tag_host: hex(keys.tagHost), sealed_group: hex(sealed),
  };
}

const rid = (b) => b64(bytes(b));

async function message({ group, from, to, n, nonce, plain }) {
  const channel = new drop.Channel(bytes(group), rid(from), rid(to));
  const sealed = await channel.sealWith(bytes(nonce), 'message', n, JSON.parse(plain));
  assert.deepEqual(await channel.open('message', sealed), { n, said: JSON.parse(plain) });
  return { group, from, to, n, nonce, plain, sealed };
}

async function transfer(v) {
  const { size, chunk, from, group } = v;
  const [r, s] = [await pair(v.secret_r), await pair(v.secret_s)];
  const [pkR, pkS] = [await drop.pointOf(r.publicKey), await drop.pointOf(s.publicKey)];
  const z = await drop.agreed(r.privateKey, s.publicKey);
  assert.deepEqual(await drop.agreed(s.privateKey, r.publicKey), z);
  const keys = await drop.transferKeys(z, bytes(group), {
    transfer: bytes(v.transfer), file: v.file_id, receiver: bytes(v.receiver), sender: bytes(v.sender), pkR, pkS, size, chunk, from,
  });
  const count = drop.chunksOf(size, chunk);
  let digest = await drop.firstDigest(chunk);
  const digests = [hex(digest)];
  const chunks = [];
  let small;
  for (let i = 0; i < count; i++) {
    const plain = content(i * chunk, drop.lengthOf(i, size, chunk));
    digest = await drop.nextDigest(digest, plain);
    digests.push(hex(digest));
    if (i < from) continue;
    const sealed = new Uint8Array(await drop.sealChunk(keys, i, i === count - 1, size, plain));
    assert.deepEqual(new Uint8Array(await drop.openChunk(keys, i, i === count - 1, size, sealed)), plain);
    chunks.push(hex(sha256(sealed)));
    if (sealed.length < 64) small = hex(sealed);
  }
  const proof = from > 0 ? { digest: b64(bytes(digests[from])) } : {};
  const [wants, agrees] = [{ from, ...proof }, { size, chunk, from, ...proof }];
  const seal = (a, b, purpose, n, nonce, said, ...bound) => new drop.Channel(bytes(group), rid(a), rid(b)).sealWith(bytes(nonce), purpose, n, said, ...bound);
  return {
    transfer: v.transfer, file_id: v.file_id, receiver: v.receiver, sender: v.sender, group, secret_r: v.secret_r, secret_s: v.secret_s, jwk_r: r.jwk, jwk_s: s.jwk,
    z: hex(z), size, chunk, from,
    request_n: v.request_n, request_nonce: v.request_nonce, request_plain: JSON.stringify(wants),
    request_sealed: await seal(v.receiver, v.sender, 'request', v.request_n, v.request_nonce, wants, v.file_id, pkR),
    accept_n: v.accept_n, accept_nonce: v.accept_nonce, accept_plain: JSON.stringify(agrees),
    accept_sealed: await seal(v.sender, v.receiver, 'accept', v.accept_n, v.accept_nonce, agrees, bytes(v.transfer), pkR, pkS),
    t: hex(keys.T), prefix: hex(keys.prefix), chunks_sha256: chunks, ...(small && { small }), digests, acked: count,
    ack: hex(await drop.ackTag(keys.ack, count)), done: hex(await drop.doneTag(keys.ack, v.file_id, size, digest)), verified: hex(await drop.verifiedTag(keys.ack, digest)),
  };
}

// The keys that WebCrypto does not show are compared by what they seal.
const hidden = ['k_admit', 'key', 'file_key', 'ack_key'];
const visible = (v) => Object.fromEntries(Object.entries(v).filter(([name]) => !hidden.includes(name)));

test('this end computes what the Go end computed', async () => {
  const { joins, messages, transfers } = read('drop.json');
  assert.ok(joins.length && messages.length && transfers.length);
  for (const v of joins) assert.deepEqual(await join(v), visible(v));
  for (const v of messages) assert.deepEqual(await message(v), visible(v));
  for (const v of transfers) assert.deepEqual(await transfer(v), { ...visible(v), chunks_sha256: v.chunks_sha256 ?? [] });
});

test('drop-web.json is what this end computes', async () => {
  const group = fixed('web group', 32);
  const [sender, receiver] = [fixed('web sender', 16), fixed('web receiver', 16)];
  const common = {
    group, sender, receiver, transfer: fixed('web transfer', 16), file_id: `${rid(sender)}.${rid(fixed('web item', 16))}`,
    secret_r: '0001' + fixed('web r', 64), secret_s: '0001' + fixed('web s', 64),
    request_n: 1796000000000017, request_nonce: fixed('web request', 12), accept_n: 1796000000000019, accept_nonce: fixed('web accept', 12),
  };
  const made = { about: 'Vectors of docs/drop-protocol.md, made by the web end. Content: byte i is 7*i + (i >> 8), modulo 256.', joins: [], messages: [], transfers: [] };
  for (const [mode, name, secret] of [['code', 'blue-owl', hex(Buffer.from('907310'))], ['key', 'tall-tree', fixed('web key', 16)]]) {
    made.joins.push(await join({ mode, name, secret, guest: fixed('web guest', 16), scalar_a: fixed('web a', 32), scalar_b: fixed('web b', 32), group }));
  }
  for (const [i, said] of [{ k: 'hello', device: 'Grüße, 🦊' }, { k: 'withdraw', ids: ['x'.repeat(200)] }].entries()) {
    made.messages.push(await message({ group, from: sender, to: receiver, n: 1796000000000100 + i, nonce: fixed('web nonce ' + i, 12), plain: JSON.stringify(said) }));
  }
  for (const [size, chunk, from] of [[0, 65536, 1], [65535, 65536, 0], [65537, 65536, 1], [700_001, 262144, 0]]) made.transfers.push(await transfer({ ...common, size, chunk, from }));
  const text = JSON.stringify(made, null, '\t') + '\n';
  if (process.env.COFFER_WRITE_DOCS === '1') fs.writeFileSync(file('drop-web.json'), text);
  assert.ok(fs.readFileSync(file('drop-web.json'), 'utf8') === text, 'run COFFER_WRITE_DOCS=1 node --test src/drop/vectors.test.mjs');
});

test('a chunk of another place, end, size or attempt does not open', async () => {
  const v = read('drop.json').transfers.find((t) => t.size > t.chunk * 2 && t.from === 0);
  const keys = async (change = {}) => {
    const [r, s] = [await pair(v.secret_r), await pair(v.secret_s)];
    return drop.transferKeys(await drop.agreed(r.privateKey, s.publicKey), bytes(v.group), {
      transfer: bytes(v.transfer), file: v.file_id, receiver: bytes(v.receiver), sender: bytes(v.sender),
      pkR: await drop.pointOf(r.publicKey), pkS: await drop.pointOf(s.publicKey), size: v.size, chunk: v.chunk, from: v.from, ...change,
    });
  };
  const own = await keys();
  const sealed = await drop.sealChunk(own, 1, false, v.size, content(v.chunk, v.chunk));
  const opens = (...args) => drop.openChunk(...args).then(() => true, () => false);
  assert.equal(await opens(own, 1, false, v.size, sealed), true);
  assert.equal(await opens(own, 0, false, v.size, sealed), false, 'place');
  assert.equal(await opens(own, 1, true, v.size, sealed), false, 'last');
  assert.equal(await opens(own, 1, false, v.size + 1, sealed), false, 'size');
  const bad = new Uint8Array(sealed.slice(0));
  bad[77] ^= 1;
  assert.equal(await opens(own, 1, false, v.size, bad), false, 'a bit');
  for (const change of [
    { transfer: bytes(fixed('x', 16)) }, { file: v.file_id + 'x' }, { receiver: bytes(v.sender) }, { sender: bytes(v.receiver) }, { size: v.size + 1 }, { chunk: v.chunk * 2 }, { from: 1 },
    { pkR: bytes(fixed('x', 133)) }, { pkS: bytes(fixed('x', 133)) },
  ]) assert.equal(await opens(await keys(change), 1, false, v.size, sealed), false, Object.keys(change)[0]);
});

test('a message opens between its two members, for its purpose and its values alone', async () => {
  const group = bytes(fixed('g', 32));
  const [a, b, c] = ['a', 'b', 'c'].map((label) => rid(fixed(label, 16)));
  const sealed = await new drop.Channel(group, a, b).seal('request', 5, { from: 0 }, 'file', bytes('01'));
  const opens = (channel, ...args) => channel.open(...args).then(() => true, () => false);
  assert.equal(await opens(new drop.Channel(group, a, b), 'request', sealed, 'file', bytes('01')), true);
  assert.equal(await opens(new drop.Channel(group, b, a), 'request', sealed, 'file', bytes('01')), false, 'reflected');
  assert.equal(await opens(new drop.Channel(group, a, c), 'request', sealed, 'file', bytes('01')), false, 'another member');
  assert.equal(await opens(new drop.Channel(group, a, b), 'accept', sealed, 'file', bytes('01')), false, 'purpose');
  assert.equal(await opens(new drop.Channel(group, a, b), 'request', sealed, 'other', bytes('01')), false, 'value');
  const later = unb64(sealed);
  later[7]++;
  assert.equal(await opens(new drop.Channel(group, a, b), 'request', b64(later), 'file', bytes('01')), false, 'number');
});

// The two doors, with a wire between them that may be altered.
async function doors(secrets, attempts, wire = (_, body) => body) {
  const heard = [];
  const guests = new Map();
  const queue = [];
  const host = new drop.HostDoor(secrets, {
    say: (to, body) => queue.push(() => guests.get(to).hear(wire('host', structuredClone(body))).then((group) => group && heard.push(['in', hex(group)]), (err) => heard.push(['refused', err.constructor.name]))),
    admit: () => heard.push(['admitted']),
    reject: (_, code) => heard.push(['rejected', code]),
    guessed: async () => {},
  });
  for (const [i, secret] of attempts.entries()) {
    const id = rid(fixed('guest ' + i, 16));
    const guest = new drop.GuestDoor(secrets.name, secret, id, (body) => queue.push(() => host.hear(id, wire('guest', structuredClone(body)))));
    guests.set(id, guest);
    await guest.begin();
    if (!attempts.together) while (queue.length) await queue.shift()();
  }
  while (queue.length) await queue.shift()();
  return heard;
}

const secrets = (more) => ({ name: 'red-fox', code: '123456', key: bytes(fixed('key', 16)), group: bytes(fixed('group', 32)), wrong: 0, ...more });

test('the right code and the right link let a guest in', async () => {
  const group = fixed('group', 32);
  assert.deepEqual(await doors(secrets(), ['123456', 'v1.' + b64(bytes(fixed('key', 16)))]), [['admitted'], ['in', group], ['admitted'], ['in', group]]);
});

test('three wrong codes burn the code, and nothing burns the link', async () => {
  const own = secrets();
  const wrong = ['rejected', 'wrong'];
  assert.deepEqual(await doors(own, ['000000', '000001', '000002', '123456', 'v1.' + b64(bytes(fixed('key', 16)))]),
    [wrong, wrong, wrong, ['rejected', 'burnt'], ['admitted'], ['in', fixed('group', 32)]]);
  assert.equal(own.wrong, 3);
  const other = secrets();
  assert.deepEqual(await doors(other, ['v1.' + b64(bytes(fixed('x', 16)))]), [wrong]);
  assert.equal(other.wrong, 0);
});

test('guests that run side by side get no guess more', async () => {
  const own = secrets();
  const attempts = Object.assign(['000000', '000001', '000002', '000003', '000004', '123456'], { together: true });
  const heard = await doors(own, attempts);
  assert.equal(heard.filter(([what]) => what === 'admitted').length, 0, 'the right guess was the fourth after three wrong ones');
  assert.equal(own.wrong, 3);
});

test('a wire that is altered admits nobody', async () => {
  const flip = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  for (const [from, field] of [['guest', 'y'], ['host', 'y'], ['guest', 'tag']]) {
    const heard = await doors(secrets(), ['123456'], (who, body) => (who === from && body[field] ? { ...body, [field]: flip(body[field]) } : body));
    assert.ok(!heard.some(([what]) => what === 'admitted' || what === 'in'), `${from} ${field}: ${JSON.stringify(heard)}`);
  }
  for (const field of ['tag', 'sealed']) {
    const heard = await doors(secrets(), ['123456'], (who, body) => (body.k === 'admit' ? { ...body, [field]: flip(body[field]) } : body));
    assert.deepEqual(heard, [['admitted'], ['refused', 'NotTheHost']], field);
  }
  const zero = b64(new Uint8Array(32));
  assert.deepEqual(await doors(secrets(), ['123456'], (who, body) => (body.k === 'pake1' ? { ...body, y: zero } : body)), [['rejected', 'wrong']]);
  assert.deepEqual(await doors(secrets(), ['123456'], (who, body) => (body.k === 'pake2' ? { ...body, y: zero } : body)), [['refused', 'NotTheHost']]);
});
