import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';
import { unzipped } from '../../test/unzip.mjs';

const { zip } = await load('pin/zip.ts');

test('a program that is not ours reads the zip, and its sums', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-zip-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const files = { 'Holiday/ä.txt': 'hello', 'Holiday/deep/empty': '', 'Holiday/deep/large': 'x'.repeat(300_000) };
  const bytes = (text) => async function* () {
    for (let at = 0; at < text.length; at += 65_000) yield new TextEncoder().encode(text.slice(at, at + 65_000));
  };
  const entries = [{ path: 'Holiday/nothing/', size: 0, modified: '' }, ...Object.entries(files).map(([name, text]) => ({ path: name, size: text.length, modified: '2026-01-02T03:04:05Z', bytes: bytes(text) }))];
  const parts = [];
  for await (const part of zip(entries)) parts.push(part);
  const file = path.join(dir, 'all.zip');
  fs.writeFileSync(file, Buffer.concat(parts));
  const read = unzipped(file);
  assert.deepEqual(Object.keys(read).sort(), ['Holiday/nothing/', ...Object.keys(files)].sort());
  for (const [name, text] of Object.entries(files)) assert.equal(read[name].toString(), text, name);
});
