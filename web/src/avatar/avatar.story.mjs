// The person's picture: chosen or dropped, cut with the mouse, fingers and keys, shown in the top
// bar, refused when it is none, and removed.
import assert from 'node:assert/strict';
import path from 'node:path';
import fs from 'node:fs';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { drop, focusComes, follows, member, mine, open, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const small = stage({ COFFER_AVATAR_MAX: '60000', COFFER_PICTURE_PIXELS: '300000' });
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });

// quarters draws a picture of four colours: red, green, blue and white, line by line.
const quarters = async (page, width, height, type = 'image/jpeg') => Buffer.from(await page.evaluate(async ([width, height, type]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const draw = canvas.getContext('2d');
  for (const [i, colour] of ['#f00', '#0f0', '#00f', '#fff'].entries()) {
    draw.fillStyle = colour;
    draw.fillRect((i % 2) * width / 2, Math.floor(i / 2) * height / 2, width / 2, height / 2);
  }
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type));
  return [...new Uint8Array(await blob.arrayBuffer())];
}, [width, height, type]));

// turned adds an EXIF block to a JPEG that says that it lies on its side.
function turned(jpeg) {
  const exif = Buffer.from('ffe1002245786966000049492a00080000000100120103000100000006000000000000000000', 'hex');
  exif.writeUInt16BE(exif.length - 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
}

// colours answers the colour of the four quarters of the picture that the server made.
const colours = (page, size) => page.evaluate(async (size) => {
  const account = document.querySelector('.portrait-face img');
  const img = Object.assign(new Image(), { src: account.src.replace(/\/\d+\.webp$/, `/${size}.webp`) });
  await img.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: img.naturalWidth, height: img.naturalHeight });
  const draw = canvas.getContext('2d');
  draw.drawImage(img, 0, 0);
  const name = (x, y) => {
    const [r, g, b] = draw.getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
    return r > 200 && g > 200 && b > 200 ? 'white' : r > 150 ? 'red' : g > 150 ? 'green' : b > 150 ? 'blue' : 'none';
  };
  return [canvas.width, canvas.height, name(.25, .25), name(.75, .25), name(.25, .75), name(.75, .75)];
}, size);

async function account(page) {
  await mine(page, 'Account');
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  await page.getByRole('group', { name: 'Picture' }).waitFor();
}

const part = (page) => page.getByRole('group', { name: 'Picture' });
const dialog = (page) => page.getByRole('dialog');
const area = (page) => dialog(page).getByRole('application', { name: 'The part of the picture that is shown' });

async function choose(page, file, button = /^(Choose a|Change) picture$/) {
  const chooser = await follows(page, 'filechooser', () => part(page).getByRole('button', { name: button }).click());
  await chooser.setFiles(file);
}

const ready = (page) => page.waitForFunction(() => document.querySelector('.crop-frame img')?.style.width);

test('a picture is chosen and cut with the mouse and with keys, shown everywhere, changed and removed', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const other = await page.context().newPage();
  await other.goto('/files');
  await other.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  await account(page);
  assert.equal(await part(page).locator('.initials').getAttribute('data-initials'), 'AL');
  await shot(page, 'account without a picture');
  const upright = await quarters(page, 900, 600);
  const dir = tree(t, { 'me.jpg': turned(upright) });

  // The browser shows the picture upright, and so does the server: turned right, blue is first.
  await choose(page, path.join(dir, 'me.jpg'));
  await ready(page);
  await focusComes(page, 'The part of the picture that is shown');
  await check(page, 'the square of a picture');
  await shot(page, 'crop at a desk');
  await dialog(page).getByRole('button', { name: 'Use this picture' }).click();
  await page.getByText('Your picture is saved.').waitFor();
  assert.deepEqual(await colours(page, 512), [512, 512, 'blue', 'red', 'white', 'green']);
  assert.equal((await colours(page, 64))[0], 64);

  // The top bar has it, in every tab and after a reload.
  const top = (at) => at.getByRole('button', { name: /^Account menu/ }).locator('img');
  for (const at of [page, other]) await top(at).waitFor();
  await page.reload();
  await top(page).waitFor();
  await part(page).locator('img').waitFor();
  assert.equal(await page.evaluate(() => document.querySelector('.avatar img').naturalWidth > 0), true);
  await check(page, 'the account with a picture');
  await shot(page, 'account with a picture');

  // Keys: zoom to a quarter, then move to the corner. A square of the green corner is all green.
  await choose(page, path.join(dir, 'me.jpg'));
  await ready(page);
  for (let i = 0; i < 14; i++) await page.keyboard.press('+');
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
  }
  await page.keyboard.press('Enter'); // in the area it does nothing
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'range');
  await page.keyboard.press('Tab');
  await focusComes(page, 'Use this picture');
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.querySelector('.portrait-face img').complete);
  assert.deepEqual((await colours(page, 128)).slice(2), ['green', 'green', 'green', 'green']);

  // The mouse: the wheel zooms at the pointer, and the picture is dragged to its upper left corner.
  fs.writeFileSync(path.join(dir, 'plain.png'), await quarters(page, 800, 800, 'image/png'));
  await drop(page, [path.join(dir, 'plain.png')]);
  await ready(page);
  const box = await area(page).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -200);
  await page.waitForFunction(() => Number(document.querySelector('.crop-zoom input').value) > .4);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 1500, box.y + box.height / 2 + 1500, { steps: 4 });
  await page.mouse.up();
  await dialog(page).getByRole('button', { name: 'Use this picture' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  assert.deepEqual((await colours(page, 256)).slice(2), ['red', 'red', 'red', 'red']);

  // Removing asks once; the initials are back in every tab.
  await part(page).getByRole('button', { name: 'Remove picture' }).click();
  await check(page, 'the question before a picture is removed');
  await dialog(page).getByRole('button', { name: 'Remove picture' }).click();
  await page.getByText('Your picture is removed.').waitFor();
  for (const at of [page, other]) await at.getByRole('button', { name: /^Account menu/ }).locator('.initials').waitFor();
  assert.equal(await part(page).getByRole('button', { name: 'Remove picture' }).count(), 0);
});

test('on a phone two fingers size the picture and one moves it, in the dark and in German', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark' });
  await signIn(page, await member(site.server));
  await account(page);
  const dir = tree(t, { 'me.png': await quarters(page, 600, 600, 'image/png') });
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
  const chooser = await follows(page, 'filechooser', () => page.getByRole('group', { name: 'Bild' }).getByRole('button', { name: 'Bild wählen' }).tap());
  await chooser.setFiles(path.join(dir, 'me.png'));
  await ready(page);
  await check(page, 'the square on a phone');
  await shot(page, 'crop on a phone');
  const box = await page.locator('.crop-frame').boundingBox();
  const touch = await page.context().newCDPSession(page);
  const at = (...points) => points.map(([x, y], id) => ({ x: box.x + x * box.width, y: box.y + y * box.height, id }));
  const send = (type, ...points) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: at(...points) });
  await send('touchStart', [.45, .45], [.55, .55]);
  for (let i = 1; i <= 5; i++) await send('touchMove', [.45 - .07 * i, .45 - .07 * i], [.55 + .07 * i, .55 + .07 * i]);
  await send('touchEnd');
  await page.waitForFunction(() => Number(document.querySelector('.crop-zoom input').value) > .5);
  await send('touchStart', [.9, .1]);
  for (let i = 1; i <= 8; i++) await send('touchMove', [.9 - .1 * i, .1 + .1 * i]);
  await send('touchEnd');
  await send('touchStart', [.9, .1]);
  for (let i = 1; i <= 8; i++) await send('touchMove', [.9 - .1 * i, .1 + .1 * i]);
  await send('touchEnd');
  await page.getByRole('button', { name: 'Dieses Bild verwenden' }).click();
  await page.getByText('Ihr Bild ist gespeichert.').waitFor();
  assert.deepEqual((await colours(page, 128)).slice(2), ['green', 'green', 'green', 'green']);
  await check(page, 'the account on a phone');
  await shot(page, 'account with a picture on a phone');
  const low = await page.getByRole('group', { name: 'Bild' }).locator('button').evaluateAll((all) => all.filter((b) => b.getBoundingClientRect().height < 44).length);
  assert.equal(low, 0);
});

test('what is no picture, damaged, or too large is refused with words, and nothing changes', async (t) => {
  const page = await open(t, small);
  await signIn(page, await member(small.server));
  await account(page);
  const jpeg = await quarters(page, 300, 300);
  const png = await quarters(page, 300, 300, 'image/png');
  const dir = tree(t, {
    'text.jpg': 'no picture',
    'drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90"/></svg>',
    'half.png': png.subarray(0, png.length - Math.floor(png.length / 3)),
    'many pixels.png': await quarters(page, 1000, 1000, 'image/png'),
    'large.jpg': Buffer.concat([jpeg, Buffer.alloc(90_000)]),
    'good.jpg': jpeg,
  });
  const file = (name) => path.join(dir, name);
  const use = () => dialog(page).getByRole('button', { name: 'Use this picture' }).click();

  await choose(page, file('text.jpg'));
  await dialog(page).getByText('This cannot be shown as a picture.').waitFor();
  await check(page, 'no picture');
  await shot(page, 'no picture');
  const chooser = await follows(page, 'filechooser', () => dialog(page).getByRole('button', { name: 'Choose another' }).click());
  await chooser.setFiles(file('drawing.svg'));
  for (const [name, words] of [
    ['drawing.svg', 'This is no picture that can be used.'],
    ['half.png', 'This picture is damaged.'],
    ['many pixels.png', 'This picture has too many pixels.'],
    ['large.jpg', 'This is larger than the server takes.'],
  ]) {
    if (name !== 'drawing.svg') await choose(page, file(name));
    await ready(page);
    await use();
    await dialog(page).getByRole('alert').getByText(words).waitFor();
    if (name === 'half.png') await check(page, 'a damaged picture');
    if (name === 'half.png') await shot(page, 'a damaged picture');
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    assert.equal(await part(page).locator('img').count(), 0, name);
  }
  await choose(page, file('good.jpg'));
  await ready(page);
  await use();
  await part(page).locator('img').waitFor();

  // A picture that cannot be had gives way to the initials.
  await page.route('**/v1/avatars/**', (route) => route.fulfill({ status: 404 }));
  await page.reload();
  await part(page).locator('.initials').waitFor();
  await page.getByRole('button', { name: /^Account menu/ }).locator('.initials').waitFor();
});
