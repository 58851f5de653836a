// For the tests of this folder: blocks as UnixFS writes them, and streams as package seal writes them,
// made with node's own cryptography.
import crypto from 'node:crypto';

const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest();
const codecs = { raw: 0x55, 'dag-pb': 0x70 };

export function base32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return 'b' + bits.match(/.{1,5}/g).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(five.padEnd(5, '0'), 2)]).join('');
}

export const cidBytes = (codec, bytes) => Buffer.concat([Buffer.from([1, codecs[codec], 0x12, 32]), sha256(bytes)]);

export function varint(n) {
  const out = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) | 128);
  return Buffer.from([...out, n]);
}

export const field = (number, value) => (typeof value === 'number' ? Buffer.concat([varint(number * 8), varint(value)]) : Buffer.concat([varint(number * 8 + 2), varint(value.length), value]));

export const link = (cid, name, size) => field(2, Buffer.concat([field(1, cid), field(2, Buffer.from(name)), field(3, size)]));

// Store keeps blocks by their CIDs.
export class Store {
  blocks = new Map();

  put(codec, bytes) {
    const cid = cidBytes(codec, bytes);
    this.blocks.set(base32(cid), Buffer.from(bytes));
    return cid;
  }

  // node puts a node of dag-pb: [cid, name, size]… and the fields of its UnixFS message.
  node(links, ...message) {
    return this.put('dag-pb', Buffer.concat([...links.map((l) => link(...l)), field(1, Buffer.concat(message))]));
  }

  // file cuts content into leaves of `chunk` bytes, `width` links a node.
  file(bytes, chunk = 1 << 20, width = 1024) {
    const leaves = [];
    for (let at = 0; at < bytes.length || at === 0; at += chunk) {
      const part = bytes.subarray(at, at + chunk);
      leaves.push({ cid: this.put('raw', part), size: part.length });
    }
    return this.over(leaves, width).cid;
  }

  over(nodes, width) {
    if (nodes.length === 1) return nodes[0];
    const above = [];
    for (let i = 0; i < nodes.length; i += width) {
      const some = nodes.slice(i, i + width);
      const size = some.reduce((sum, n) => sum + n.size, 0);
      above.push({ cid: this.node(some.map((n) => [n.cid, '', n.size]), field(1, 2), field(3, size), ...some.map((n) => field(4, n.size))), size });
    }
    return this.over(above, width);
  }

  folder(entries) {
    return this.node(Object.keys(entries).sort().map((name) => [entries[name], name, 1]), field(1, 1));
  }

  // shard puts a shard whose slots hold entries, [slot, name, cid], or shards, [slot, '', cid].
  shard(slots) {
    const bits = Buffer.alloc(32);
    for (const [slot] of slots) bits[31 - (slot >> 3)] |= 1 << (slot & 7);
    const first = bits.findIndex((byte) => byte !== 0);
    const links = [...slots].sort(([a], [b]) => a - b).map(([slot, name, cid]) => [cid, slot.toString(16).toUpperCase().padStart(2, '0') + name, 1]);
    return this.node(links, field(1, 5), field(2, bits.subarray(first)), field(5, 0x22), field(6, 256));
  }

  get = async (cid) => {
    const bytes = this.blocks.get(cid);
    if (!bytes) throw new Error('no block ' + cid);
    return new Uint8Array(bytes);
  };
}

const hkdf = (secret, salt, info) => Buffer.from(crypto.hkdfSync('sha256', secret, salt, info, 32));

// seal writes a stream under a key; header is the salt and the prefix.
export function seal(key, plain, header = crypto.randomBytes(39), aad = 'coffer/pin/v1') {
  const derived = hkdf(key, header.subarray(0, 32), aad);
  const out = [Buffer.from([40]), header];
  for (let i = 0, at = 0; ; i++) {
    const part = plain.subarray(at, at + 65536 - 16 - (i === 0 ? 40 : 0));
    at += part.length;
    const nonce = Buffer.alloc(12);
    header.copy(nonce, 0, 32);
    nonce.writeUInt32BE(i, 7);
    nonce[11] = at >= plain.length ? 1 : 0;
    const gcm = crypto.createCipheriv('aes-256-gcm', derived, nonce);
    out.push(gcm.update(part), gcm.final(), gcm.getAuthTag());
    if (at >= plain.length) return Buffer.concat(out);
  }
}

// pinned puts an encrypted pin of these files, and answers its CID and key.
export function pinned(store, name, files, { folders = [], change = (manifest) => manifest } = {}) {
  const key = crypto.randomBytes(32);
  const sub = (label) => hkdf(key, '', 'coffer/pin/v1 ' + label);
  const paths = Object.keys(files);
  const entries = Object.fromEntries(paths.map((path, ord) => [String(ord), store.file(seal(sub('file ' + ord), Buffer.from(files[path])))]));
  const manifest = {
    v: 1, name, folders,
    files: paths.map((path, ord) => ({ path, file: String(ord), size: Buffer.from(files[path]).length, sha256: sha256(Buffer.from(files[path])).toString('hex'), modified: '2026-01-02T03:04:05Z' })),
  };
  entries.manifest = store.file(seal(sub('manifest'), Buffer.from(JSON.stringify(change(manifest)))));
  const root = store.folder(entries);
  return { cid: base32(root), fragment: '#v1.' + key.toString('base64url'), entries, key };
}
