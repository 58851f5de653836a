import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';
import { base32, cidBytes, field, link, Store, varint } from './dag.mjs';

const { block, content, Damaged, folder, nodeOf, parseCid } = await load('pin/blocks.ts');

const { signal } = new AbortController();
const cid = (bytes) => parseCid(base32(bytes));
const pattern = (n) => Buffer.from(Array.from({ length: n }, (_, i) => (7 * i + (i >> 8)) & 255));

async function whole({ bytes }) {
  const parts = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

test('a CID is CIDv1 with SHA-256 in base32, in one spelling', () => {
  // Addresses that Kubo gives "hello world" and the empty folder.
  const hello = parseCid('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e');
  assert.deepEqual([hello.codec, Buffer.from(hello.digest).toString('hex')], ['raw', 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9']);
  assert.equal(base32(cidBytes('dag-pb', Buffer.from('0a020801', 'hex'))), 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354');
  assert.equal(parseCid('bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354').codec, 'dag-pb');
  const { text } = hello;
  for (const wrong of ['', 'b', text.slice(0, -1), text + 'a', text.toUpperCase(), 'z' + text.slice(1), text.slice(0, -1) + 'f', text.replace('f', '1'), 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD', base32(Buffer.concat([Buffer.from([1, 0x71, 0x12, 32]), Buffer.alloc(32)])), base32(Buffer.concat([Buffer.from([1, 0x55, 0x11, 32]), Buffer.alloc(32)]))]) {
    assert.equal(parseCid(wrong), undefined, wrong);
  }
});

test('files of every height come back, and each leaf has the length that its node says', async () => {
  for (const [n, width] of [[0, 4], [1, 4], [9, 4], [10, 4], [11, 4], [40, 4], [41, 4], [400, 4], [301, 2]]) {
    const store = new Store();
    const bytes = pattern(n);
    const file = await content(store.get, cid(store.file(bytes, 10, width)), signal);
    assert.equal(file.size, n);
    assert.deepEqual(await whole(file), bytes);
  }
});

const damaged = async (what, work) => assert.rejects(work, Damaged, what);

test('a block that is not what its CID says is asked for once more, and then refused', async () => {
  const store = new Store();
  const bytes = pattern(100);
  const root = cid(store.file(bytes, 10, 4));
  for (const bad of store.blocks.keys()) {
    const asked = [];
    const lying = async (text, anew) => {
      if (text === bad) asked.push(anew);
      const good = await store.get(text);
      return text === bad ? Uint8Array.from(good, (byte, i) => (i === good.length - 1 ? byte ^ 1 : byte)) : good;
    };
    await damaged(bad, async () => whole(await content(lying, root, signal)));
    assert.deepEqual(asked, [false, true]);
    const mended = (text, anew) => (anew ? store.get(text) : lying(text));
    assert.deepEqual(await whole(await content(mended, root, signal)), bytes);
  }
  await damaged('an empty block', () => block(async () => new Uint8Array(), root, signal));
});

test('a file whose node lies about its parts is refused', async () => {
  const store = new Store();
  const leaf = store.put('raw', pattern(10));
  const file = (links, ...message) => store.node(links, field(1, 2), ...message);
  const inner = file([[leaf, '', 10], [leaf, '', 10]], field(3, 20), field(4, 10), field(4, 10));
  assert.equal((await whole(await content(store.get, cid(inner), signal))).length, 20);
  for (const [what, root] of Object.entries({
    'a leaf of another length': file([[leaf, '', 10]], field(3, 9), field(4, 9)),
    'a subtree of another length': file([[inner, '', 20]], field(3, 21), field(4, 21)),
    'a sum that is none': file([[leaf, '', 10]], field(3, 11), field(4, 10)),
    'fewer sizes than links': file([[leaf, '', 10], [leaf, '', 10]], field(3, 10), field(4, 10)),
    'a part of no bytes': file([[store.put('raw', Buffer.alloc(0)), '', 0]], field(3, 0), field(4, 0)),
    'data beside links': file([[leaf, '', 10]], field(2, Buffer.from('x')), field(3, 11), field(4, 10)),
    'a name': file([[leaf, 'x', 10]], field(3, 10), field(4, 10)),
    'a folder': store.folder({ a: leaf }),
    'a folder among its parts': file([[store.folder({ a: leaf }), '', 10]], field(3, 10), field(4, 10)),
    'too many links': file(Array.from({ length: 1025 }, () => [leaf, '', 10]), field(3, 10250), ...Array.from({ length: 1025 }, () => field(4, 10))),
    'another type': store.node([], field(1, 4), field(2, Buffer.from('/etc/passwd'))),
    'a fanout': file([[leaf, '', 10]], field(3, 10), field(4, 10), field(6, 256)),
  })) await damaged(what, async () => whole(await content(store.get, cid(root), signal)));
  // Nodes in nodes in nodes.
  let deep = leaf;
  for (let i = 0; i < 20; i++) deep = file([[deep, '', 10]], field(3, 10), field(4, 10));
  await damaged('too deep', async () => whole(await content(store.get, cid(deep), signal)));
});

test('a node is read in its one form', () => {
  const leaf = cidBytes('raw', Buffer.from('x'));
  const folderOf = field(1, field(1, 1));
  const good = Buffer.concat([link(leaf, 'a', 1), folderOf]);
  assert.equal(nodeOf(new Uint8Array(good)).links[0].name, 'a');
  for (const [what, bytes] of Object.entries({
    'nothing': Buffer.alloc(0), 'no message': link(leaf, 'a', 1), 'a link behind the message': Buffer.concat([folderOf, link(leaf, 'a', 1)]), 'two messages': Buffer.concat([folderOf, folderOf]),
    'another field': Buffer.concat([good, field(3, 1)]), 'a number for a link': Buffer.concat([field(2, 1), folderOf]), 'an end too soon': good.subarray(0, -1), 'a long varint': Buffer.concat([Buffer.from([0x92, 0x00]), good.subarray(1)]),
    'a varint without end': Buffer.alloc(20, 0xff), 'a huge length': Buffer.concat([Buffer.from([0x12]), varint(2 ** 52), Buffer.from('x')]), 'a link without a CID': Buffer.concat([field(2, field(2, Buffer.from('a'))), folderOf]),
    'fields of a link in another order': Buffer.concat([field(2, Buffer.concat([field(2, Buffer.from('a')), field(1, leaf)])), folderOf]), 'a link twice named': Buffer.concat([field(2, Buffer.concat([field(1, leaf), field(2, Buffer.from('a')), field(2, Buffer.from('b'))])), folderOf]),
    'a name that is no UTF-8': Buffer.concat([field(2, Buffer.concat([field(1, leaf), field(2, Buffer.from([0xff]))])), folderOf]), 'a CIDv0': Buffer.concat([field(2, field(1, leaf.subarray(2))), folderOf]),
    'a fixed field': Buffer.concat([Buffer.from([0x0d, 0, 0, 0, 0]), good]), 'a type twice': field(1, Buffer.concat([field(1, 1), field(1, 2)])), 'no type': field(1, Buffer.alloc(0)), 'a time': field(1, Buffer.concat([field(1, 1), field(8, Buffer.from([8, 1]))])),
    'a folder with data': field(1, Buffer.concat([field(1, 1), field(2, Buffer.from('x'))])), 'a folder with a size': field(1, Buffer.concat([field(1, 1), field(3, 1)])),
  })) assert.throws(() => nodeOf(new Uint8Array(bytes)), Damaged, what);
});

test('folders are listed, large ones by their shards', async () => {
  const store = new Store();
  const [a, b, c] = ['a', 'b', 'c'].map((text) => store.put('raw', Buffer.from(text)));
  const list = async (root) => Object.fromEntries([...await folder(store.get, cid(root), signal)].map(([name, { text }]) => [name, text]));
  assert.deepEqual(await list(store.folder({ a, 'ä b': b })), { a: base32(a), 'ä b': base32(b) });
  assert.deepEqual(await list(store.folder({})), {});
  const below = store.shard([[0, 'deep', b], [255, '00', c]]);
  assert.deepEqual(await list(store.shard([[3, 'a', a], [200, '', below]])), { a: base32(a), deep: base32(b), '00': base32(c) });

  const bits = (n) => field(2, Buffer.from([n]));
  const shard = (links, ...message) => store.node(links, field(1, 5), ...message);
  for (const [what, root] of Object.entries({
    'a file': store.file(pattern(30), 10), 'raw bytes': a, 'a name twice': store.node([[a, 'x', 1], [b, 'x', 1]], field(1, 1)), 'no name': store.node([[a, '', 1]], field(1, 1)),
    'another hash': shard([[a, '00x', 1]], bits(1), field(5, 0x12), field(6, 256)), 'another fanout': shard([[a, '0x', 1]], bits(1), field(5, 0x22), field(6, 16)),
    'a slot without its bit': shard([[a, '01x', 1]], bits(1), field(5, 0x22), field(6, 256)), 'a bit without its slot': shard([[a, '00x', 1]], bits(3), field(5, 0x22), field(6, 256)),
    'a slot twice': shard([[a, '00x', 1], [b, '00y', 1]], bits(3), field(5, 0x22), field(6, 256)), 'small letters': shard([[a, '0ax', 1]], field(2, Buffer.from([4, 0])), field(5, 0x22), field(6, 256)),
    'more bits than slots': shard([], field(2, Buffer.alloc(33)), field(5, 0x22), field(6, 256)), 'a file for a shard': store.shard([[0, '', store.file(pattern(30), 10)]]), 'a name in two shards': store.shard([[3, 'deep', a], [200, '', below]]),
  })) await damaged(what, () => list(root));
  let tower = below;
  for (let i = 0; i < 20; i++) tower = store.shard([[i, '', tower]]);
  await damaged('too deep', () => list(tower));
});

// counted counts the blocks that are asked for.
const counted = (store) => {
  const asked = { count: 0, get: (text) => (asked.count++, store.get(text)) };
  return asked;
};

test('a few blocks that lead through more than a reader can fetch are refused soon', async () => {
  const store = new Store();
  for (const [most, ...widths] of [[1_000, 90, 90, 90, 90], [1_000, 100, 100, 100, 100], [10_000, 1, 1, 1, 1, 1, 1, 50, 100]]) {
    let tower = store.folder({});
    for (const width of widths) tower = store.shard(Array.from({ length: width }, (_, slot) => [slot, '', tower]));
    const shards = counted(store);
    await damaged('shards', () => folder(shards.get, cid(tower), signal));
    assert.ok(shards.count <= most, `${shards.count} blocks of a folder`);
  }

  // Each part is true, and has one byte.
  for (const n of [60, 5_000]) {
    const parts = counted(store);
    const file = await content(parts.get, cid(store.file(Buffer.alloc(n), 1, 1000)), signal);
    if (n === 60) assert.equal((await whole(file)).length, n);
    else await damaged('parts of one byte', () => whole(file));
    assert.ok(parts.count <= 64 + n / 4096, `${parts.count} blocks of a file of ${n} bytes`);
  }
});
