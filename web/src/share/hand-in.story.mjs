// People without an account hand in files by a link.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { drop, focusComes, follows, open, stage, tree } from '../../test/browser.mjs';
import { owner } from './owner.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png'), fullPage: true });
const file = (name, bytes) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.alloc(bytes, 'x') });
const row = (page, name) => page.locator(`.guest-row[data-name="${name}"]`);

async function pick(page, name, files) {
  const chooser = await follows(page, 'filechooser', () => page.getByRole('button', { name, exact: true }).click());
  await chooser.setFiles(files);
}

for (const [name, options] of [['a desk', {}], ['a phone, in the dark and in German', { ...phone, colorScheme: 'dark', locale: 'de-DE' }]]) {
  test(`files are handed in on ${name}`, async (t) => {
    const word = (en, de) => (options.locale ? de : en);
    const ada = await owner(site.server);
    const folder = await ada.folder('Essays');
    await ada.upload('grades.txt', Buffer.from('secret'), folder);
    const link = await ada.share(folder, { kind: 'request', note: 'Until Friday, please.', expires_at: '2030-12-24T18:00:00Z', max_files: 4, max_file_bytes: 2_000_000, accept: ['.pdf', '.txt'] });
    assert.match(link.url, /\/r\//);
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const referers = [];
    page.on('request', (r) => referers.push(r.allHeaders().then(({ referer }) => referer, () => undefined)));
    await page.goto(link.url);
    await page.getByRole('heading', { level: 1, name: 'Essays' }).waitFor();
    await page.getByText(word('Ada asks you for files', 'Ada bittet Sie um Dateien')).waitFor();
    await page.getByText('Until Friday, please.').waitFor();
    const limits = page.getByRole('list', { name: word('What can be handed in', 'Was Sie abgeben können') });
    for (const rule of [word('Each file at most 2 MB', 'Höchstens 2 MB je Datei'), word('At most 4 more files', 'Höchstens noch 4 Dateien'), word('Only .pdf, .txt', 'Nur .pdf, .txt')]) await limits.getByText(rule).waitFor();
    assert.equal(await page.getByRole('navigation').count(), 0);
    assert.ok(!(await page.locator('body').textContent()).includes('grades'), 'nothing of the folder is shown');
    await check(page, 'a request');
    await shot(page, `a request on ${name}`);

    // The page refuses a file that the link does not take before it sends anything.
    const sent = [];
    page.on('request', (r) => r.method() === 'POST' && r.url().endsWith('/files') && sent.push(r.url()));
    await page.getByLabel(word('Your name', 'Ihr Name'), { exact: false }).fill('Grace Hopper');
    const long = 'An essay with a name that is longer than any phone is wide, and longer.pdf';
    await pick(page, word('Choose files', 'Dateien auswählen'), [file('one.pdf', 400_000), file('picture.png', 10), file(long, 20), file('huge.pdf', 2_000_001)]);
    await row(page, 'picture.png').getByText(word('Only .pdf, .txt can be handed in here.', 'Hier lassen sich nur .pdf, .txt abgeben.')).waitFor();
    await row(page, 'huge.pdf').getByText(word('Too large: at most 2 MB a file.', 'Zu groß: höchstens 2 MB je Datei.')).waitFor();
    const dir = tree(t, { 'two.txt': 'two', 'three.txt': 'three', 'four.txt': 'four', 'Folder/x.txt': 'x' });
    await drop(page, fs.readdirSync(dir).sort().map((f) => path.join(dir, f)));
    await page.getByText(word('“Folder” is a folder.', '„Folder“ ist ein Ordner.'), { exact: false }).waitFor();
    await page.getByText(word('Too many: this link takes 4 more files.', 'Zu viele: Dieser Link nimmt noch 4 Dateien an.')).waitFor();
    assert.equal(await page.getByText(word('Too many', 'Zu viele'), { exact: false }).count(), 1);
    assert.deepEqual(sent, []);
    await check(page, 'a request with files');
    await shot(page, `a request with files on ${name}`);
    for (const gone of ['picture.png', 'huge.pdf', 'two.txt']) await page.getByRole('button', { name: word(`Remove ${gone}`, `${gone} entfernen`) }).click();

    // One is cancelled while it is on its way, one is refused and sent again.
    const go = new Set();
    let refuse = true;
    await page.route('**/v1/public/shares/*/files', async (route) => {
      const body = route.request().postDataBuffer().toString('latin1');
      if (body.includes('filename="three.txt"') && refuse) {
        refuse = false;
        return route.fulfill({ status: 413, contentType: 'application/problem+json', json: { status: 413, code: 'quota_exceeded' } });
      }
      if (body.includes('filename="one.pdf"')) await new Promise((resolve) => go.add(resolve));
      await route.continue().catch(() => undefined);
    });
    await page.getByRole('button', { name: word('Hand in 4 files', '4 Dateien abgeben') }).click();
    await row(page, 'one.pdf').getByRole('progressbar').waitFor();
    await row(page, 'three.txt').getByText(word('There is no room for this file where it goes. Please tell Ada.', 'Für diese Datei ist am Ziel kein Platz. Bitte sagen Sie Ada Bescheid.')).waitFor();
    await row(page, 'four.txt').getByText(word('Handed in', 'Abgegeben')).waitFor();
    await page.getByText(word('2 of 3 handed in', '2 von 3 abgegeben')).waitFor();
    await check(page, 'files on their way');
    await shot(page, `files on their way on ${name}`);
    await page.getByRole('button', { name: word('Cancel one.pdf', 'one.pdf abbrechen') }).click();
    await row(page, 'one.pdf').waitFor({ state: 'detached' });
    go.forEach((resolve) => resolve());
    await page.getByRole('button', { name: word('Try three.txt again', 'three.txt noch einmal versuchen') }).click();
    await page.getByRole('heading', { level: 1, name: word('Thank you', 'Vielen Dank') }).waitFor();
    await page.getByText(word('Ada has your 3 files.', 'Ada hat Ihre 3 Dateien.'), { exact: false }).waitFor();
    await focusComes(page, word('Thank you', 'Vielen Dank'));
    await check(page, 'thanks');
    await shot(page, `thanks on ${name}`);
    assert.deepEqual(await ada.names(folder), [long, 'four.txt', 'grades.txt', 'three.txt'].sort());
    const { items: uses } = await ada.act(`/shares/${link.id}/uses`, undefined, 'GET');
    assert.deepEqual([...new Set(uses.map((u) => u.from))], ['Grace Hopper']);

    // One more is left, and the name is still there.
    await page.unroute('**/v1/public/shares/*/files');
    await page.getByRole('button', { name: word('Hand in more files', 'Weitere Dateien abgeben') }).click();
    await limits.getByText(word('At most 1 more file', 'Höchstens noch 1 Datei')).waitFor();
    assert.equal(await page.getByLabel(word('Your name', 'Ihr Name'), { exact: false }).inputValue(), 'Grace Hopper');
    await pick(page, word('Choose files', 'Dateien auswählen'), [file('last.txt', 5)]);
    await page.getByRole('button', { name: word('Hand in 1 file', '1 Datei abgeben') }).click();
    await page.getByText(word('Ada has your file.', 'Ada hat Ihre Datei.'), { exact: false }).waitFor();
    assert.equal(await page.getByRole('button', { name: word('Hand in more files', 'Weitere Dateien abgeben') }).count(), 0);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: word('This link does not work', 'Dieser Link funktioniert nicht') }).waitFor();
    assert.ok(!site.server.printed().includes(link.token), 'the log names the link');
    for (const referer of await Promise.all(referers)) assert.ok(!(referer ?? '').includes(link.token), 'a Referer names the link');
  });
}

test('a link that is stopped meanwhile says what arrived; its password is asked for once', async (t) => {
  const ada = await owner(site.server);
  const folder = await ada.folder('Inbox');
  const link = await ada.share(folder, { kind: 'request', password: 'open sesame' });
  const page = await open(t, site);
  await page.goto(link.url);
  await page.getByRole('heading', { name: 'This link has a password' }).waitFor();
  await page.getByLabel('Password', { exact: true }).fill('open sesame');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Inbox' }).waitFor();
  await pick(page, 'Choose files', [file('first.txt', 10)]);
  await page.getByRole('button', { name: 'Hand in 1 file' }).click();
  await page.getByRole('heading', { name: 'Thank you' }).waitFor();
  await page.getByRole('button', { name: 'Hand in more files' }).click();
  await page.getByRole('heading', { level: 1, name: 'Inbox' }).waitFor();
  await pick(page, 'Choose files', [file('second.txt', 10), file('third.txt', 10)]);

  // A lost server fails a file, which can be sent again.
  await page.route('**/v1/public/shares/*/files', (route) => route.abort());
  await page.getByRole('button', { name: 'Hand in 2 files' }).click();
  await row(page, 'third.txt').getByText('The server cannot be reached', { exact: false }).waitFor();
  await page.unroute('**/v1/public/shares/*/files');

  await ada.stop(link);
  await page.getByRole('button', { name: 'Try again what failed' }).click();
  await page.getByText('This link no longer works. None of these files was handed in.').waitFor();
  await row(page, 'second.txt').getByText('This link no longer works.').waitFor();
  await row(page, 'third.txt').getByText('This link no longer works.').waitFor();
  await check(page, 'a request that was stopped');
  await shot(page, 'a request that was stopped');
  assert.deepEqual(await ada.names(folder), ['first.txt']);
});
