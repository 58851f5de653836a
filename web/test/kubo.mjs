// For stories of what is published: a node that speaks the part of Kubo's RPC that pins need, and keeps
// the blocks that it is sent.
import crypto from 'node:crypto';
import http from 'node:http';
import { after } from 'node:test';

const letters = 'abcdefghijklmnopqrstuvwxyz234567';

function base32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return 'b' + bits.match(/.{1,5}/g).map((five) => letters[parseInt(five.padEnd(5, '0'), 2)]).join('');
}

// varint reads a number of a CAR, and how many bytes it takes.
function varint(bytes, at) {
  let value = 0;
  for (let i = 0; ; i++) {
    value += (bytes[at + i] & 127) * 2 ** (7 * i);
    if (bytes[at + i] < 128) return [value, i + 1];
  }
}

// sections reads a CARv1: its header, then each block with its CID of 36 bytes.
function* sections(car) {
  for (let at = 0; at < car.length; ) {
    const [length, size] = varint(car, at);
    at += size;
    yield car.subarray(at, at += length);
  }
}

// kubo starts a node before the first story of a file, and ends it behind the last. `lies` makes it
// report another root, `down` answer nothing, `other` hand out other bytes.
export async function kubo() {
  const node = { blocks: new Map(), pins: new Set(), lies: false, down: false, other: false };
  const commands = {
    'dag/import'(query, body) {
      const start = body.indexOf('\r\n\r\n') + 4;
      const end = body.lastIndexOf('\r\n--', body.length - 4);
      const [header, ...all] = sections(body.subarray(start, end));
      for (const section of all) {
        const digest = crypto.createHash('sha256').update(section.subarray(36)).digest();
        if (!digest.equals(section.subarray(4, 36))) throw new Error('a block that is not what its CID says');
        node.blocks.set(base32(section.subarray(0, 36)), Buffer.from(section.subarray(36)));
      }
      const mark = header.indexOf(Buffer.from([0xd8, 0x2a, 0x58, 0x25, 0]));
      const root = base32(header.subarray(mark + 5, mark + 41));
      const lines = [{ Stats: { BlockCount: all.length, BlockBytesCount: 0 } }];
      if (query.get('pin-roots') === 'true') {
        node.pins.add(root);
        const said = node.lies ? base32(Buffer.concat([Buffer.from([1, 0x70, 0x12, 32]), Buffer.alloc(32, 7)])) : root;
        lines.unshift({ Root: { Cid: { '/': said }, PinErrorMsg: '' } });
      }
      return lines.map((line) => JSON.stringify(line)).join('\n');
    },
    'pin/ls'(query) {
      const root = query.get('arg');
      if (!node.pins.has(root)) throw new Error(`path '/ipfs/${root}' is not pinned`);
      return JSON.stringify({ Keys: { [root]: { Type: 'recursive', Name: '' } } });
    },
    'pin/rm'(query) {
      if (!node.pins.delete(query.get('arg'))) throw new Error('not pinned or pinned indirectly');
      return JSON.stringify({ Pins: [query.get('arg')] });
    },
    'block/get'(query) {
      const block = node.blocks.get(query.get('arg'));
      if (!block) throw new Error('block was not found locally (offline)');
      return node.other ? Buffer.from(block, 0).map((byte) => byte ^ 1) : block;
    },
  };
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x');
    const parts = [];
    for await (const part of request) parts.push(part);
    const command = commands[url.pathname.replace('/api/v0/', '')];
    try {
      if (node.down) return response.writeHead(503).end();
      const body = command(url.searchParams, Buffer.concat(parts));
      response.writeHead(200, { 'Content-Type': typeof body === 'string' ? 'application/json' : 'application/octet-stream' }).end(body);
    } catch (err) {
      response.writeHead(500, { 'Content-Type': 'application/json' }).end(JSON.stringify({ Message: err.message, Code: 0, Type: 'error' }));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  // The settings of a server that publishes there, and signs its ledger at once.
  node.env = {
    COFFER_IPFS_RPC: `http://127.0.0.1:${server.address().port}`, COFFER_PIN_CHECK: '200ms', COFFER_LEDGER_EVERY: '1', COFFER_LEDGER_INTERVAL: '1s',
  };
  return node;
}
