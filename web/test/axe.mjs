// What every page keeps: axe's rules, one heading, no scrolling sideways.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function check(page, what) {
  // Past the content security policy, which would refuse a script of ours in the page.
  await page.evaluate(axe);
  // A colour that changes has no contrast of its own.
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => Number.isFinite(a.effect.getComputedTiming().endTime)).map((a) => a.finished.catch(() => {}))));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const told = violations.flatMap((v) => v.nodes.map((n) => `${what}: ${v.id}: ${n.target} ${n.failureSummary.replace(/\s+/g, ' ')}`));
  assert.deepEqual(told, []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${what} scrolls sideways by ${wide} pixels`);
  assert.equal(await page.evaluate(() => document.querySelectorAll('h1').length), 1, `${what} has one h1`);
  assert.match(await page.title(), /Coffer/);
}
