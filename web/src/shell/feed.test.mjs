import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { read } = await load('shell/feed.ts');

test('events are read wherever the stream is cut', async () => {
  const text = ': open\n\nevent: files\ndata: {"id":"f1"}\n\n: still here\n\nevent: anything\ndata: {"id":""}\n\n';
  for (let size = 1; size < 20; size++) {
    const bytes = new TextEncoder().encode(text);
    let at = 0;
    const body = new ReadableStream({
      pull(c) {
        if (at >= bytes.length) return c.close();
        c.enqueue(bytes.slice(at, (at += size)));
      },
    });
    const heard = [];
    await read(body, (e) => heard.push(e));
    assert.deepEqual(heard, [{ kind: 'files', id: 'f1' }, { kind: 'anything', id: '' }]);
  }
});
