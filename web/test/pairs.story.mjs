// Every directed pair of ends: a browser, a command line, and a command line that has reached
// another node. Files of the lengths at which chunks begin and end, a folder of a thousand
// files, and a large file. With PostgreSQL, Redis and S3 there are two nodes; without, one.
// COFFER_TEST_REQUIRE=1 insists on the two, and on 1 GiB.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { binary, drop, follows, openAtHome, start } from './browser.mjs';
import { unzipped } from './unzip.mjs';

const require = process.env.COFFER_TEST_REQUIRE === '1';
const { COFFER_TEST_POSTGRES_URL: postgres, COFFER_TEST_REDIS_URL: redis, COFFER_TEST_S3_URL: s3 } = process.env;
const large = require ? 1 << 30 : 32 << 20;
const chunk = 64 << 10;
const limits = { COFFER_LIMIT_DROP_OPEN: '1000/1h', COFFER_LIMIT_DROP_JOIN: '1000/1h' };

let dir, nodes;
const sums = {}; // of what is sent, by path from the folder it is sent from

before(async () => {
  if (require) assert.ok(postgres && redis && s3, 'the services are missing');
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-pairs-'));
  const stores = postgres && redis && s3
    ? { COFFER_DATABASE_URL: postgres, COFFER_REDIS_URL: redis, COFFER_BLOBS: s3, COFFER_ROOT_KEY: Buffer.alloc(32, 'pairs').toString('base64') } // the same in a second run
    : undefined;
  const first = await start({ ...limits, ...stores });
  nodes = [first, stores ? await start({ ...limits, ...stores }) : first];
  fs.mkdirSync(path.join(dir, 'sent/folder/deep/er'), { recursive: true });
  for (const [name, size] of Object.entries({ 'empty.bin': 0, 'one.bin': 1, 'less.bin': chunk - 1, 'chunk.bin': chunk, 'more.bin': chunk + 1 })) write(name, crypto.randomBytes(size));
  for (let i = 0; i < 1000; i++) write(`folder/${i % 2 ? 'deep/er/' : ''}${i}.txt`, Buffer.from('file ' + i));
  const file = fs.openSync(path.join(dir, 'sent/large.bin'), 'w');
  const piece = Buffer.alloc(32 << 20);
  for (let written = 0; written < large; written += piece.length) fs.writeSync(file, crypto.randomFillSync(piece));
  fs.closeSync(file);
  sums['large.bin'] = await sumOf(path.join(dir, 'sent/large.bin'));
});

after(async () => {
  for (const node of new Set(nodes)) await node.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

function write(name, bytes) {
  fs.writeFileSync(path.join(dir, 'sent', name), bytes);
  sums[name] = crypto.createHash('sha256').update(bytes).digest('hex');
}

async function sumOf(file) {
  const hash = crypto.createHash('sha256');
  for await (const piece of fs.createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest('hex');
}

const items = () => fs.readdirSync(path.join(dir, 'sent')).map((name) => path.join(dir, 'sent', name));

// coffer runs a command. `line` waits for a line that it prints, `ended` for its success.
function coffer(t, ...args) {
  const child = spawn(binary(), args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: dir } });
  let printed = '';
  child.stdout.on('data', (b) => (printed += b));
  child.stderr.on('data', (b) => (printed += b));
  const exit = new Promise((resolve) => child.on('exit', resolve));
  t.after(() => child.kill('SIGKILL'));
  return {
    child,
    printed: () => printed,
    async line(begin) {
      for (let tries = 0; tries < 600; tries++) {
        const found = printed.split('\n').slice(0, -1).find((l) => l.startsWith(begin));
        if (found) return found.slice(begin.length);
        assert.equal(child.exitCode, null, printed);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error('no line ' + begin + ' in:\n' + printed);
    },
    // A test that runs out of time would not tell what the command printed.
    async ended() {
      let timer;
      const late = new Promise((resolve) => { timer = setTimeout(resolve, 300_000, 'nothing after five minutes'); });
      const code = await Promise.race([exit, late]);
      clearTimeout(timer);
      assert.equal(code, 0, `${args[0]}: ${printed}`);
      return printed;
    },
  };
}

// A sender answers name and code, and says when everything is verified.
const senders = {
  async browser(t, node) {
    const page = await openAtHome(t, { server: node });
    await page.goto('/send');
    await page.locator('.drop-choices').waitFor();
    await drop(page, items());
    await page.locator('.drop-code').waitFor();
    return {
      name: await page.locator('.drop-name').textContent(),
      code: (await page.locator('.drop-code .hidden').textContent()).replace(/\D/g, ''),
      async verified() {
        for (const item of items()) {
          await page.locator('.drop-row').filter({ hasText: path.basename(item) }).getByText('Verified: complete on').waitFor({ timeout: 300_000 });
        }
      },
    };
  },
  async cli(t, node) {
    const send = coffer(t, 'send', '--server', node.url, ...items());
    return {
      name: await send.line('name: '),
      code: await send.line('code: '),
      async verified() {
        const printed = await send.ended();
        for (const item of items()) assert.match(printed, new RegExp(`^sent ${path.basename(item)} \\d+ verified$`, 'm'));
      },
    };
  },
};

// A receiver brings everything into a folder.
const receivers = {
  async browser(t, node, { name, code }, out) {
    const page = await openAtHome(t, { server: node });
    await page.goto('/d/' + name);
    await page.locator('input[name=code]').fill(code);
    await page.getByRole('button', { name: `Receive all ${items().length}`, exact: true }).click();
    for (const item of items()) {
      const base = path.basename(item);
      const folder = base === 'folder';
      await page.locator('.drop-row').filter({ hasText: base }).getByText('Verified: complete and unchanged').waitFor({ timeout: 300_000 })
        .catch(async (err) => assert.fail([`${base}: ${err.message}`, await page.locator('main').innerText(), ...nodes.map((n) => n.printed().slice(-4000))].join('\n')));
      const download = await follows(page, 'download', () => page.getByRole('button', { name: folder ? 'Save as zip: folder' : 'Save ' + base, exact: true }).click());
      // Moved, not copied: a second gigabyte may be more than the disk has.
      fs.renameSync(await download.path(), path.join(out, folder ? 'folder.zip' : base));
    }
    for (const [inside, bytes] of Object.entries(unzipped(path.join(out, 'folder.zip')))) {
      if (inside.endsWith('/')) continue;
      const file = path.join(out, inside.startsWith('folder/') ? inside : 'folder/' + inside);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, bytes);
    }
  },
  async cli(t, node, { name, code }, out) {
    const receive = coffer(t, 'receive', name, '--server', node.url, '--out', out);
    receive.child.stdin.end(code + '\n');
    await receive.ended();
  },
};

const ends = { 'a browser': ['browser', 0], 'a command line': ['cli', 0], 'a command line on another node': ['cli', 1] };

for (const [from, [sender, here]] of Object.entries(ends)) {
  for (const [to, [receiver, there]] of Object.entries(ends)) {
    test(`from ${from} to ${to}`, { timeout: 600_000 }, async (t) => {
      const out = fs.mkdtempSync(path.join(dir, 'received-'));
      t.after(() => fs.rmSync(out, { recursive: true, force: true }));
      const host = await senders[sender](t, nodes[here]);
      await receivers[receiver](t, nodes[there], host, out);
      await host.verified();
      for (const [name, sum] of Object.entries(sums)) assert.equal(await sumOf(path.join(out, name)), sum, name);
    });
  }
}
