// A look at files: pictures, PDF, text, sound and video, one after the other; and that nothing of
// a file ever runs here.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { drop, focused, follows, member, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const evil = "top.hacked = true; parent.document.title = 'hacked'; document.title = 'hacked'";

// wav is a second of a tone.
function wav() {
  const rate = 8000;
  const sound = Buffer.alloc(44 + rate);
  sound.write('RIFF').toString();
  sound.writeUInt32LE(36 + rate, 4);
  sound.write('WAVEfmt ', 8);
  sound.writeUInt32LE(16, 16);
  sound.writeUInt16LE(1, 20);
  sound.writeUInt16LE(1, 22);
  sound.writeUInt32LE(rate, 24);
  sound.writeUInt32LE(rate, 28);
  sound.writeUInt16LE(1, 32);
  sound.writeUInt16LE(8, 34);
  sound.write('data', 36);
  sound.writeUInt32LE(rate, 40);
  for (let i = 0; i < rate; i++) sound[44 + i] = 128 + 60 * Math.sin(i / 3);
  return sound;
}

function pdf() {
  const text = 'BT /F1 24 Tf 60 700 Td (Coffer shows this page.) Tj ET';
  const objects = ['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>', '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>', `<</Length ${text.length}>>stream\n${text}\nendstream`, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>'];
  let out = '%PDF-1.4\n';
  const at = objects.map((body, i) => {
    const here = out.length;
    out += `${i + 1} 0 obj${body}endobj\n`;
    return here;
  });
  const xref = out.length;
  out += `xref\n0 6\n0000000000 65535 f \n${at.map((n) => String(n).padStart(10, '0') + ' 00000 n \n').join('')}trailer<</Size 6/Root 1 0 R>>\nstartxref\n${xref}\n%%EOF`;
  return out;
}

// video records a moment of a canvas: a real file of this browser.
const video = (page) => page.evaluate(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const draw = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm' });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const over = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  for (let i = 0; i < 8; i++) {
    draw.fillStyle = `hsl(${i * 40} 60% 50%)`;
    draw.fillRect(0, 0, 320, 180);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  recorder.stop();
  await over;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
});

const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });

for (const [name, options] of [['a desk', {}], ['a phone, in the dark and in German', { ...phone, colorScheme: 'dark' }]]) {
  test(`files are shown one after the other on ${name}`, async (t) => {
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    await signIn(page, await member(site.server));
    const german = Boolean(options.isMobile);
    const files = { 'a.png': png, 'b.pdf': pdf(), 'c.txt': 'grün\n'.repeat(400), 'd.html': `<h1>Page</h1><script>${evil}</script>`, 'e.svg': `<svg xmlns="http://www.w3.org/2000/svg" onload="${evil}"><script>${evil}</script></svg>`, 'f.wav': wav(), 'g.webm': Buffer.from(await video(page)), 'h.pdf': `<script>${evil}</script>`, 'i.png': 'no picture', 'j.bin': Buffer.from([1, 0, 2]), 'Folder/x.txt': 'x' };
    const dir = tree(t, files);
    await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
    await page.getByRole('heading', { name: '11 files uploaded' }).waitFor();
    await page.getByRole('button', { name: 'Close the list of uploads' }).click();
    if (german) {
      await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
      await page.reload();
    }
    const word = (en, de) => (german ? de : en);
    const dialog = page.getByRole('dialog');
    const next = async (file) => {
      await page.keyboard.press('ArrowRight');
      await dialog.getByRole('heading', { name: file }).waitFor();
    };
    const loaded = (what) => page.waitForFunction((what) => {
      const e = document.querySelector(`dialog ${what}`);
      return e && (e.naturalWidth > 0 || e.readyState >= 1);
    }, what);

    await row(page, 'a.png').getByRole('button', { name: word('Open a.png', 'a.png öffnen') }).click();
    await loaded('img');
    assert.match(await dialog.locator('img').getAttribute('src'), /^blob:/);
    await dialog.getByText(word('1 of 10', '1 von 10'), { exact: false }).waitFor();
    await check(page, 'a picture');
    await shot(page, `preview of a picture on ${name}`);

    await next('b.pdf');
    if (await page.evaluate(() => navigator.pdfViewerEnabled)) {
      const frame = dialog.locator('iframe');
      await frame.waitFor();
      assert.match(await frame.getAttribute('src'), /^blob:/);
      await page.waitForTimeout(500);
    } else {
      await dialog.getByRole('button', { name: word('Download', 'Herunterladen'), exact: true }).waitFor();
    }
    await shot(page, `preview of a PDF on ${name}`);
    await dialog.getByRole('button', { name: word('Next file', 'Nächste Datei') }).click();
    await dialog.getByRole('region', { name: word('Text of c.txt', 'Text von c.txt') }).getByText('grün').waitFor();
    await check(page, 'a text');
    await shot(page, `preview of a text on ${name}`);

    // What could run stands there as it is written.
    await next('d.html');
    await dialog.getByText('<h1>Page</h1>').waitFor();
    await next('e.svg');
    await dialog.getByText('onload=').waitFor();
    assert.equal(await dialog.locator('svg:not(.icon), iframe, img, object, embed').count(), 0);
    await next('f.wav');
    await loaded('audio');
    await check(page, 'a sound');
    await shot(page, `preview of a sound on ${name}`);
    await next('g.webm');
    await loaded('video');
    await page.waitForFunction(() => document.querySelector('dialog video').videoWidth === 320);
    await shot(page, `preview of a video on ${name}`);

    // What is not what it says, and what nobody knows, can be downloaded.
    const download = dialog.getByRole('button', { name: word('Download', 'Herunterladen'), exact: true });
    for (const file of ['h.pdf', 'i.png', 'j.bin']) {
      await next(file);
      await dialog.getByText(word('This file cannot be shown here.', 'Diese Datei lässt sich hier nicht anzeigen.')).waitFor();
      assert.equal(await dialog.locator('iframe').count(), 0);
    }
    await check(page, 'a file that cannot be shown');
    await shot(page, `no preview on ${name}`);
    const saved = await follows(page, 'download', () => download.click());
    assert.equal(saved.suggestedFilename(), 'j.bin');

    // At the end the arrow stays; Escape leads back to the row of the file that was shown last.
    await page.keyboard.press('ArrowRight');
    await dialog.getByRole('heading', { name: 'j.bin' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement.closest('tr')?.querySelector('bdi').textContent === 'j.bin');
    assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
    assert.doesNotMatch(await page.title(), /hacked/);

    // Too large is not read at all.
    const asked = [];
    page.on('request', (r) => /\/content$/.test(r.url()) && asked.push(r.url()));
    await page.route(/\/v1\/files\?/, async (route) => {
      const response = await route.fetch();
      const list = await response.json();
      if (list.items) for (const e of list.items) if (e.name === 'c.txt') e.size = 3_000_000;
      await route.fulfill({ response, json: list });
    });
    await page.reload();
    await row(page, 'c.txt').focus();
    await page.keyboard.press('Enter');
    await dialog.getByText(word('With 3 MB this file is too large', 'Mit 3 MB ist diese Datei zu groß')).waitFor();
    assert.deepEqual(asked, []);
    await page.keyboard.press('Escape');
    assert.equal(await focused(page).then((text) => text.includes('c.txt')), true);
  });
}

test('the address of a shown file runs nothing, even as a page of its own', async (t) => {
  const page = await open(t, site, { breaks: /^Executing inline script violates/ });
  await signIn(page, await member(site.server));
  // The app never makes such an address; if one were made, the policy of the page binds it.
  const url = await page.evaluate((evil) => URL.createObjectURL(new Blob([`<title>quiet</title><script>${evil}</script>`], { type: 'text/html' })), evil);
  const frame = await page.evaluate((url) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.onload = () => resolve(frame.contentDocument?.title);
    frame.src = url;
    document.body.append(frame);
  }), url);
  assert.equal(frame, 'quiet');
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
});

test('a broken PDF leaves the focus and the keys with the dialog', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'a.pdf': '%PDF-1.4\nno page', 'b.txt': 'text' });
  await drop(page, ['a.pdf', 'b.txt'].map((f) => path.join(dir, f)));
  await page.getByRole('heading', { name: '2 files uploaded' }).waitFor();
  if (!(await page.evaluate(() => navigator.pdfViewerEnabled))) {
    assert.notEqual(process.env.COFFER_TEST_REQUIRE, '1', 'the browser of CI has a viewer of PDFs');
    return t.skip('this browser has no viewer of PDFs');
  }
  // Counts how often the viewer takes the focus: it does so when it has found that it can show nothing.
  await page.evaluate(() => {
    globalThis.taken = 0;
    addEventListener('blur', () => document.activeElement.matches('iframe') && globalThis.taken++);
  });
  const dialog = page.getByRole('dialog');
  await row(page, 'a.pdf').getByRole('button', { name: 'Open a.pdf' }).click();
  await page.waitForFunction(() => globalThis.taken > 0 && document.activeElement.closest('dialog') && !document.activeElement.matches('iframe'));
  await page.keyboard.press('ArrowRight');
  await dialog.getByRole('region', { name: 'Text of b.txt' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(() => globalThis.taken > 1 && document.activeElement.closest('dialog') && !document.activeElement.matches('iframe'));
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});
