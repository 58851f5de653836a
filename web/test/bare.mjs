// Chromium as people run it, told what to do through a pipe. Playwright's page reports each frame
// of a socket with its bytes, which takes longer than the bytes themselves; this is for measuring.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { src } from './load.mjs';

let bundled;

const script = () => (bundled ??= execFileSync('go', ['tool', 'esbuild', '--bundle', '--format=iife', '--target=es2022', '--loader=ts', '--log-level=error'], {
  cwd: src, maxBuffer: 32 << 20, encoding: 'utf8', input: `import * as api from './drop/drop'; globalThis.drops = api;`,
}));

// bare opens the server's page, with the drop's API as `drops`, in a browser of its own.
export async function bare(url) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-bare-'));
  const browser = spawn(process.env.CHROMIUM || '/usr/bin/chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
    '--remote-debugging-pipe', '--user-data-dir=' + profile, 'about:blank',
  ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const [to, from] = [browser.stdio[3], browser.stdio[4]];
  const waiting = new Map();
  let calls = 0;
  let text = '';
  from.setEncoding('utf8');
  from.on('data', (piece) => {
    const parts = (text + piece).split('\0');
    text = parts.pop();
    for (const part of parts) {
      const { id, result, error } = JSON.parse(part);
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error) asked?.reject(new Error(error.message));
      else asked?.resolve(result);
    }
  });
  const send = (method, params = {}, sessionId) => new Promise((resolve, reject) => {
    waiting.set(++calls, { resolve, reject });
    to.write(JSON.stringify({ id: calls, method, params, sessionId }) + '\0');
  });
  const { targetInfos } = await send('Target.getTargets');
  const { sessionId } = await send('Target.attachToTarget', { targetId: targetInfos.find(({ type }) => type === 'page').targetId, flatten: true });
  const page = {
    pid: browser.pid,
    async evaluate(fn, ...args) {
      const expression = typeof fn === 'string' ? fn : `(${fn})(...${JSON.stringify(args)})`;
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    // comes waits until the function of the drop's state is true in the page, which tells the time.
    comes: (is) => page.evaluate(`new Promise((resolve) => {
      const look = () => { if (!(${is})(drop.state.value)) return false; stop?.(); resolve(performance.timeOrigin + performance.now()); return true; };
      let stop;
      if (!look()) stop = drop.state.subscribe(() => void look());
    })`),
    // offer offers a file that lies on the disk.
    async offer(file) {
      const { result } = await send('Runtime.evaluate', { expression: `document.body.appendChild(Object.assign(document.createElement('input'), { type: 'file' }))` }, sessionId);
      await send('DOM.setFileInputFiles', { files: [file], objectId: result.objectId }, sessionId);
      await page.evaluate(async () => drop.offer(await drops.offeredFrom([...document.querySelectorAll('input[type=file]')].at(-1).files)));
    },
    async close() {
      await Promise.race([send('Browser.close'), new Promise((resolve) => setTimeout(resolve, 3000))]);
      browser.kill('SIGKILL');
      await new Promise((resolve) => (browser.exitCode !== null || browser.signalCode !== null ? resolve() : browser.on('exit', resolve)));
      fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
  await send('Page.navigate', { url }, sessionId);
  for (let tries = 0; ; tries++) {
    if (await page.evaluate(`document.readyState === 'complete' && document.querySelector('meta[name="drop-worker"]') !== null`).catch(() => false)) break;
    if (tries > 200) throw new Error('the page did not come');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await page.evaluate(script());
  return page;
}
