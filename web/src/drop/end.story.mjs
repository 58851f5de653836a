// The protocol between two browsers, through the built server: sizes, folders, cuts, reloads, a
// server that lies, wrong codes.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { stage, tree } from '../../test/browser.mjs';
import { begin, comes, endPage, item, joined, offer, opened, saved, sha256, state, take } from '../../test/drop-end.mjs';

const limits = { COFFER_LIMIT_DROP_OPEN: '1000/1h', COFFER_LIMIT_DROP_JOIN: '1000/1m', COFFER_LIMIT_DROP_READ: '1000/1m' };
const site = stage(limits);

const chunk = 65_536;

test('files of every size arrive as they were, and both sides say so', async (t) => {
  const host = await opened(t, site);
  assert.match(host.code, /^\d{6}$/);
  const guest = await joined(t, site, host);
  const sizes = { 'empty': 0, 'one': 1, 'below': chunk - 1, 'chunk': chunk, 'above': chunk + 1, 'large.bin': 64 << 20 };
  const dir = tree(t, Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, crypto.randomBytes(size)])));
  await offer(host.page, Object.keys(sizes).map((name) => path.join(dir, name)));
  for (const [name, size] of Object.entries(sizes)) {
    const id = await take(guest, name);
    const got = await saved(guest, id);
    assert.equal(got.name, name);
    assert.equal(fs.statSync(got.path).size, size);
    assert.equal(await sha256(got.path), await sha256(path.join(dir, name)));
    const { outgoing } = await comes(host.page, (s, id) => s.outgoing.some((o) => o.item === id && o.state === 'verified'), id);
    assert.equal(outgoing.find((o) => o.item === id).confirmed, size);
    assert.equal((await state(guest)).incoming.find((i) => i.item === id).state, 'saved');
  }
});
