// The pages of the ways back as they look: accessible by axe's rules, nothing cut.
import path from 'node:path';
import { test } from 'node:test';
import { check, lightAndDark } from '../../test/axe.mjs';
import { as, earlyInStep, mail, member, open, post, stage, totp, visit } from '../../test/browser.mjs';

const site = stage({ COFFER_TRUSTED_COOLDOWN: '0s' });
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

async function mailed(to, part) {
  for (const seen = new Set(); ;) {
    const { link } = await mail(site.server, to, 'recovery', seen);
    if (link.includes(part)) return link;
  }
}

const token = (link) => new URLSearchParams(new URL(link).hash.slice(1)).get('token');

for (const [name, options] of [
  ['a desk', {}],
  ['a phone, in German', { ...phone, locale: 'de-DE' }],
]) {
  test(`the ways back on ${name}`, async (t) => {
    const who = await member(site.server);
    const act = await as(site.server, who);
    await act('/account/email-otp');
    await act('/account/security-question', { question: 'Which boat?', answer: 'The red one' }, 'PUT');
    const { codes } = await act('/account/backup-codes');
    await act('/account/backup-codes/confirm');
    const trusted = `${who.username}.trusted@example.net`;
    await act('/account/trusted-email', { email: trusted }, 'PUT');
    await post(site.server, '/auth/trusted-email/verify', { token: token((await mail(site.server, trusted, 'trusted-email')).link) });
    const { secret } = await act('/account/totp');
    await earlyInStep();
    await act('/account/totp/confirm', { code: totp(secret, 1) });

    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const submit = page.locator('main [type=submit]').first();
    const seen = async (what) => {
      await page.waitForTimeout(50);
      await lightAndDark(page, async (scheme) => {
        await check(page, `${what}, ${scheme}`);
        if (process.env.COFFER_SHOTS) await page.screenshot({ fullPage: true, path: path.join(process.env.COFFER_SHOTS, `${what} on ${name}, ${scheme}.png`) });
      });
    };
    const repair = async () => {
      await page.locator('main .proved').waitFor();
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    };

    await page.goto('/sign-in');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await submit.click();
    await page.locator('main .layers').waitFor();
    await seen('the steps');
    await page.locator('main .aside a').click();
    await page.locator('[name=code]').waitFor();
    await seen('recover, with a code');
    await page.locator('[name=code]').fill('1234');
    await page.locator('[name=password]').fill(who.password);
    await submit.click();
    await page.getByRole('alert').waitFor();
    await seen('recover, refused');
    await page.getByRole('checkbox').check();
    await seen('recover, with a code alone');
    await page.locator('[name=code]').fill(codes[0]);
    await submit.click();
    await page.locator('main .badge').waitFor();
    await seen('recover, sent');
    await page.locator('main .aside .link').click();
    await page.locator('[value=trusted-email]').check();
    await seen('recover, trusted address');
    await submit.click();
    await page.locator('main .badge').waitFor();
    await seen('recover, sent to the trusted address');

    const byCode = await mailed(who.email, '/recover#');
    const byTrusted = await mailed(trusted, '/recover#');
    await visit(page, byTrusted);
    await submit.waitFor();
    await seen('the link to the trusted address');
    await submit.click();
    await repair();
    await seen('repair, with the password alone');
    await visit(page, byCode);
    await submit.waitFor();
    await seen('the link of a code');
    await submit.click();
    await repair();
    await seen('repair, the password first');
    await page.locator('.top .avatar').click();
    await page.getByRole('menu').waitFor();
    await lightAndDark(page, (scheme) => check(page, `the menu of a repair, ${scheme}`));
    await page.keyboard.press('Escape');
    await page.locator('[name=new_password]').fill('passwordpassword');
    await submit.click();
    await page.getByRole('alert').waitFor();
    await seen('repair, refused');
    await page.locator('[name=new_password]').fill('a lantern in the long grass');
    await submit.click();
    await page.locator('.repair-end button').waitFor();
    await seen('repair, over');

    await page.goto('/recover');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=code]').fill(codes[1]);
    await page.locator('[name=password]').fill('a lantern in the long grass');
    await submit.click();
    await repair();
    await seen('repair, the steps first');
    await page.locator('[aria-labelledby=totp] button').click();
    await page.getByRole('dialog').waitFor();
    await lightAndDark(page, (scheme) => check(page, `the question before the app goes, ${scheme}`));
    await visit(page, await mailed(who.email, '/stop-recovery#'));
    await submit.waitFor();
    await seen('stop-recovery');
    await submit.click();
    await page.locator('main form').waitFor({ state: 'detached' });
    await seen('stop-recovery, done');
    for (const at of ['recover', 'stop-recovery']) {
      for (const secret of ['x', 'x'.repeat(43)]) {
        await visit(page, `/${at}#token=${secret}`);
        await page.locator('main .badge').waitFor();
        await page.locator('main form').waitFor({ state: 'detached' });
        await seen(`${at}, ${secret === 'x' ? 'damaged' : 'gone'}`);
      }
    }
  });
}
