// What every page keeps: axe's rules, one heading, no scrolling sideways.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// look runs in the page. Only what is wrong leaves it: all that axe tells of a page is as much work as its rules.
async function look() {
  // A colour that changes has no contrast of its own.
  await Promise.all(document.getAnimations().filter((a) => Number.isFinite(a.effect.getComputedTiming().endTime)).map((a) => a.finished.catch(() => {})));
  const { violations } = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
  return {
    told: violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary.replace(/\s+/g, ' ')}`)),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    headings: document.querySelectorAll('h1').length,
    title: document.title,
  };
}

export async function check(page, what) {
  // A document keeps its copy of axe, which is half a megabyte to read. Past the content security policy,
  // which would refuse a script of ours in the page.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { told, wide, headings, title } = await page.evaluate(look);
  assert.deepEqual(told.map((one) => `${what}: ${one}`), []);
  assert.equal(wide, 0, `${what} scrolls sideways by ${wide} pixels`);
  assert.equal(headings, 1, `${what} has one h1`);
  assert.match(title, /Coffer/);
}

// lightAndDark looks at one state of a page in both: the colours alone differ, so nothing is walked twice.
export async function lightAndDark(page, look) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await look(colorScheme);
  }
}
