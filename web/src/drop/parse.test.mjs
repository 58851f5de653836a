// What comes from outside: frames, streams, messages, names, folders, links.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { browser, loadText, web } from '../../test/load.mjs';
import { unzipped } from '../../test/unzip.mjs';

browser();
const drop = await loadText(`
  export * from './drop/wire'; export * from './drop/bytes'; export * from './drop/names'; export * from './drop/bundle'; export * from './drop/zip'; export { crc32 } from './shell/zip';
  export * from './drop/message'; export * from './drop/pick'; export { device } from './drop/port';`);
const { b64, unb64, lv, Malformed, StreamReader, Unsafe } = drop;
const hex = (b) => Buffer.from(b).toString('hex');
const rid = 'AAAAAAAAAAAAAAAAAAAAAA';
const other = 'AAAAAAAAAAAAAAAAAAAAAQ';

test('base64url has one spelling, and lv states each length', () => {
  for (let n = 0; n < 70; n++) {
    const b = crypto.getRandomValues(new Uint8Array(n));
    assert.equal(b64(b), Buffer.from(b).toString('base64url'));
    assert.deepEqual(unb64(b64(b)), b);
  }
  for (const bad of ['AB', 'A', 'AA==', 'A+', 'A/', ' AA', 'AA\n', 7, null, undefined]) assert.throws(() => unb64(bad), Malformed, String(bad));
  assert.throws(() => unb64('AAAA', 2), Malformed);
  assert.equal(hex(lv('a', new Uint8Array(0), new Uint8Array(128))), '0161' + '00' + '8001' + '00'.repeat(128));
});

test('a request counts once, in whatever order it comes; one below the last 256 is refused', () => {
  const once = new drop.Once();
  for (const n of [5, 3, 4]) assert.equal(once.take(n), true, String(n));
  for (const n of [3, 4, 5]) assert.equal(once.take(n), false, String(n));
  for (let n = 1000; n < 1300; n++) assert.equal(once.take(n), true, String(n));
  for (const n of [3, 7, 1000, 1043, 1044, 1299]) assert.equal(once.take(n), false, String(n));
  assert.equal(once.take(1300), true);
});

test('frames are read strictly; unknown ones are left alone', () => {
  assert.deepEqual(drop.frameOf(`{"t":"credit","n":3,"chunks":8}`), { t: 'credit', n: 3, chunks: 8 });
  assert.equal(drop.frameOf('{"t":"new thing","x":1}'), undefined);
  assert.equal(drop.frameOf('{"t":"constructor"}'), undefined);
  const bad = [
    '', '[]', 'null', '7', '{}', '{"t":7}', '{"t":"credit","n":-1,"chunks":1}', '{"t":"credit","n":1.5,"chunks":1}', '{"t":"credit","n":4294967296,"chunks":1}',
    '{"t":"msg","from":"x","body":{}}', `{"t":"msg","from":"${rid}","body":[]}`, `{"t":"member","rid":"${rid}","host":1,"here":true}`,
    `{"t":"welcome","rid":"${rid}","host":true}`, `{"t":"request","n":1,"transfer":"x","from":"${rid}","file_id":"","public_key":{},"sealed":""}`,
  ];
  for (const text of bad) assert.throws(() => drop.frameOf(text), Malformed, text);
});

const frame = (type, payload = new Uint8Array(0)) => {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
};
const jwk = { kty: 'EC', crv: 'P-521', x: 'a', y: 'b' };
const start = frame(1, Buffer.from(JSON.stringify({ public_key: jwk, sealed: 's', chunk: 65536 })));

test('a stream is the same however it is cut', () => {
  const chunk = new Uint8Array(crypto.randomBytes(65552));
  const bytes = Buffer.concat([frame(0), start, frame(2, chunk), frame(0), frame(2), frame(3), frame(4, Buffer.from('{"code":"busy"}'))]);
  for (let round = 0; round < 60; round++) {
    const reader = new StreamReader();
    const parts = [];
    for (let at = 0; at < bytes.length;) {
      const n = round === 0 ? bytes.length : 1 + Math.floor(Math.random() ** 4 * (round < 30 ? 40 : 70_000));
      reader.push(bytes.subarray(at, at + n), (part) => parts.push(part));
      at += n;
    }
    assert.deepEqual(parts.map((p) => p.is), ['start', 'chunk', 'chunk', 'end', 'error']);
    assert.deepEqual(parts[1].sealed, chunk);
    assert.equal(parts[4].code, 'busy');
    assert.ok(reader.clean);
  }
});

test('a stream that promises too much or is no stream is refused before its bytes come', () => {
  const head = (type, length) => frame(type, Buffer.alloc(0)).fill(0) && Buffer.from([type, length >>> 24, length >>> 16, length >>> 8, length]);
  for (const bytes of [head(2, 1_048_593), head(1, 65_537), head(4, 65_537), head(0, 1), head(3, 1), head(5, 0), head(255, 0), frame(1, Buffer.from('{}')), frame(1, Buffer.from('x')), frame(4, Buffer.from('[]'))]) {
    assert.throws(() => new StreamReader().push(bytes, () => {}), Malformed, hex(bytes));
  }
});

test('random bytes are refused or read, and never break a parser', () => {
  for (let round = 0; round < 4000; round++) {
    const bytes = crypto.randomBytes(Math.floor(Math.random() * 60));
    bytes[0] = round % 7;
    if (round % 2 && bytes.length > 4) bytes.fill(0, 1, 4);
    for (const parse of [() => new StreamReader().push(bytes, () => {}), () => drop.frameOf(bytes.toString('latin1')), () => drop.contents(bytes, 100, false), () => drop.parseLink(bytes.toString('latin1'))]) {
      try {
        parse();
      } catch (err) {
        assert.ok(err instanceof Malformed || err instanceof Unsafe, String(err));
      }
    }
  }
});

test('an offer holds only what its sender may offer', () => {
  const item = { id: `${rid}.${other}`, name: 'a', kind: 'file', size: 1, type: '', files: 1, chunk: 65536 };
  const items = (changed, from = rid) => drop.saidOf({ k: 'offer', items: [{ ...item, ...changed }] }, from).items.length;
  assert.equal(items({}), 1);
  assert.equal(items({}, other), 0, 'of another sender');
  for (const bad of [
    { id: rid }, { id: `${rid}.x` }, { id: `${rid}.${other}.${other}` }, { name: '' }, { name: 7 }, { kind: 'link' }, { size: -1 }, { size: 1.5 }, { size: 2 ** 53 }, { chunk: 65537 }, { chunk: 32768 },
    { chunk: 2097152 }, { size: 2 ** 49 }, { name: 'x'.repeat(1025) },
  ]) assert.equal(items(bad), 0, JSON.stringify(bad));
  assert.equal(drop.saidOf({ k: 'offer', items: 'x' }, rid).items.length, 0);
  assert.equal(drop.saidOf({ k: 'offer', items: [{ ...item, type: 'x'.repeat(256) }] }, rid).items[0].type, '', 'a long type fills memory');
  assert.equal(drop.saidOf({ k: 'something' }, rid), undefined);
  assert.equal(drop.saidOf({ k: 'hello', device: '\u202Eevil\u001b[31m' + 'x'.repeat(99) }, rid).device.length, 60);
  const many = Array.from({ length: 500 }, (_, i) => ({ ...item, name: 'ü'.repeat(100) + i }));
  const split = drop.offersOf(many);
  assert.equal(split.flatMap(({ items }) => items).length, 500);
  for (const offer of split) assert.ok(Buffer.byteLength(JSON.stringify(offer)) < 32 << 10);
});

const names = JSON.parse(fs.readFileSync(path.join(web, '../testdata/vectors/drop-names.json'), 'utf8'));

test('names follow the vectors that the command line follows', () => {
  const of = (make) => {
    try {
      return make();
    } catch (err) {
      assert.ok(err instanceof Unsafe);
      return null;
    }
  };
  for (const { name, safe, windows } of names.parts) {
    assert.equal(of(() => drop.safeName(name)), safe, JSON.stringify(name));
    assert.equal(of(() => drop.safeName(name, true)), windows === undefined ? safe : windows, JSON.stringify(name) + ' on Windows');
  }
  for (const { name, n, numbered } of names.numbered) assert.equal(drop.numbered(name, n), numbered);
  for (const { files, dirs, placed } of names.folders) {
    const header = Buffer.from(JSON.stringify({ files: files.map((file) => [file, 0, 0]), dirs }));
    const got = of(() => drop.contents(header, 4 + header.length, false));
    assert.deepEqual(got && [...got.files.map(({ path }) => path), ...got.dirs], placed, JSON.stringify(files));
  }
});

test('a list that does not fit its stream is refused', () => {
  const read = (list, extra = 0) => {
    const header = Buffer.from(typeof list === 'string' ? list : JSON.stringify(list));
    return drop.contents(header, 4 + header.length + extra, false);
  };
  assert.deepEqual(read({ files: [['a/b', 3, 9], ['c', 0, 0]], dirs: ['d'] }, 3).files.map(({ path, size }) => [path, size]), [['a/b', 3], ['c', 0]]);
  for (const [list, extra] of [
    [{ files: [['a', 3, 0]] }, 2], [{ files: [['a', 3, 0]] }, 4], [{ files: [['a', -3, 0]] }, -3], [{ files: [['a', 1.5, 0]] }, 1], [{ files: [['a', 2 ** 53, 0]] }, 0], [{ files: [['a', 0]] }, 0],
    [{ files: [['a', 0, 'x']] }, 0], [{ files: ['a'] }, 0], [{ files: {} }, 0], [{ files: [], dirs: {} }, 0], [{ files: [], dirs: [7] }, 0], ['[]', 0], ['null', 0], ['x', 0],
    [{ files: Array.from({ length: 100_001 }, (_, i) => [String(i), 0, 0]) }, 0],
  ]) assert.throws(() => read(list, extra), Malformed, JSON.stringify(list).slice(0, 80));
});

test('a list of deep paths fills no memory', () => {
  const deep = (n) => Buffer.from(JSON.stringify({ files: Array.from({ length: n }, (_, i) => [i + '/a'.repeat(2000), 0, 0]) }));
  assert.equal(drop.contents(deep(5), 4 + deep(5).length, false).files.length, 5);
  assert.throws(() => drop.contents(deep(60), 4 + deep(60).length, false));
});

test('a zip is one that others unpack', async (t) => {
  for (const bytes of [new Uint8Array(0), Buffer.from('123456789'), crypto.randomBytes(1001)]) {
    assert.equal(drop.crc32(bytes), zlib.crc32 ? zlib.crc32(bytes) : drop.crc32(bytes.subarray(500), drop.crc32(bytes.subarray(0, 500))));
  }
  assert.equal(drop.crc32(Buffer.from('123456789')), 0xcbf43926);
  assert.equal(drop.crc32(Buffer.from('6789'), drop.crc32(Buffer.from('12345'))), 0xcbf43926);
  const content = { 'a.txt': 'hello', 'ü/ö.bin': 'x'.repeat(70_000), 'leer': '' };
  const entries = Object.entries(content).map(([name, text]) => ({ path: name, content: new Blob([text]), crc: drop.crc32(Buffer.from(text)), modified: Date.UTC(2026, 1, 3, 4, 5, 6) }));
  entries.push({ path: 'dir/', content: new Blob(), crc: 0, modified: 0 });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-zip-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  fs.writeFileSync(path.join(dir, 'a.zip'), Buffer.from(await drop.zip(entries).arrayBuffer()));
  const read = Object.fromEntries(Object.entries(unzipped(path.join(dir, 'a.zip'))).map(([name, bytes]) => [name, bytes.toString()]));
  assert.deepEqual(read, { ...content, 'dir/': '' });
});

test('a zip beyond 4 GiB and beyond 65,535 files says so in its zip64 fields', async () => {
  // A Blob of five GiB that holds nothing: what the writer reads of it is its size.
  const large = { size: 5 * 2 ** 30 };
  const parts = [];
  const Real = globalThis.Blob;
  globalThis.Blob = class { constructor(given) { parts.push(...given); } };
  try {
    drop.zip([{ path: 'large', content: large, crc: 1, modified: 0 }, { path: 'after', content: { size: 1 }, crc: 2, modified: 0 }]);
  } finally {
    globalThis.Blob = Real;
  }
  const all = Buffer.concat(parts.filter((p) => p instanceof Uint8Array));
  const end = all.lastIndexOf(Buffer.from('504b0606', 'hex'));
  assert.ok(end > 0, 'the zip64 end is there');
  assert.equal(all.readBigUInt64LE(end + 32), 2n);
  const first = all.indexOf(Buffer.from('504b0102', 'hex'));
  assert.equal(all.readUInt32LE(first + 24), 0xffffffff);
  assert.equal(all.readBigUInt64LE(first + 46 + 5 + 4), BigInt(large.size));
  const second = all.indexOf(Buffer.from('504b0102', 'hex'), first + 4);
  assert.equal(all.readUInt32LE(second + 42), 0xffffffff);
  assert.ok(all.readBigUInt64LE(second + 46 + 5 + 4) > BigInt(large.size), 'the place of the second file');
});

test('links, names and codes are read as people give them', () => {
  const key = 'v1.AAAAAAAAAAAAAAAAAAAAAA';
  for (const [text, want] of [
    ['red-fox', { name: 'red-fox' }], [' Red Fox ', { name: 'red-fox' }], ['red_fox', { name: 'red-fox' }], ['red fox 123456', { name: 'red-fox', secret: '123456' }], ['red-fox, 123 456', { name: 'red-fox', secret: '123456' }],
    [`https://coffer.example/d/red-fox#${key}`, { name: 'red-fox', secret: key }], [`/d/red-fox#${key}`, { name: 'red-fox', secret: key }], ['https://coffer.example/d/red-fox', { name: 'red-fox' }],
    [`https://coffer.example/d/red-fox#v2.AAAA`, undefined], ['', undefined], ['a', undefined], ['../x', undefined], ['https://coffer.example/files', undefined], ['x'.repeat(41), undefined], ['https://coffer.example/d/%zz', undefined],
  ]) assert.deepEqual(drop.parseLink(text), want, text);
});

test('a device says what it is, without a version', () => {
  for (const [agent, want] of [
    ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36', 'Chrome, Android'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari, iPhone'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox, Windows'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0', 'Edge, Mac'], ['', 'Browser'],
  ]) assert.equal(drop.device(agent), want);
});

test('an item never changes under its id', async () => {
  const item = (id, size, name = 'a.txt') => ({ id: rid + '.' + id, owner: rid, name, kind: 'file', size, type: '', files: 1, chunk: 65536 });
  const items = new Map();
  const none = () => undefined;
  drop.known(items, rid, [item(rid, 1), item(rid, 2)], none);
  drop.known(items, rid, [item(rid, 3), item(other, 4)], none);
  assert.deepEqual([...items.values()].map(({ size }) => size), [1, 4]);
  // Withdrawn, and offered again as another: what was taken under the id does not become that.
  items.clear();
  const taken = (id) => (id === rid + '.' + rid ? item(rid, 1) : undefined);
  drop.known(items, rid, [item(rid, 3), item(other, 4)], taken);
  drop.known(items, rid, [item(rid, 1, 'b.exe')], taken);
  assert.deepEqual([...items.values()].map(({ size }) => size), [4]);
  drop.known(items, rid, [item(rid, 1)], taken);
  assert.equal(items.size, 2);
  // 500 of one sender, whatever others offer.
  const many = Array.from({ length: 600 }, (_, i) => ({ ...item(rid, i), id: `${other}.${i}`, owner: other }));
  drop.known(items, other, many, none);
  drop.known(items, other, many, none);
  assert.equal(items.size, 502);
});

test('a stamp tells files that changed from those that did not', async () => {
  const file = (path, size, lastModified) => ({ path, file: { size, lastModified } });
  const of = (files, dirs) => drop.stamp({ name: 'x', kind: 'folder', files, dirs });
  const first = await of([file('a', 1, 5)], []);
  assert.equal(await of([file('a', 1, 5)]), first);
  for (const changed of [[file('a', 1, 6)], [file('a', 2, 5)], [file('b', 1, 5)], [file('a', 1, 5), file('c', 0, 5)]]) assert.notEqual(await of(changed, []), first);
  assert.notEqual(await of([file('a', 1, 5)], ['d']), first);
});
