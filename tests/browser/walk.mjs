// What every walk through the pages shares: the browser, looking at a page with axe, counting.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let passed = 0;
const failures = [];

/// Counts what holds, and says what does not.
export const check = (ok, what) => { if (ok) passed += 1; else { failures.push(what); console.error(`failed: ${what}`); } };

export const browser = await chromium.launch({
  executablePath: process.env.STEAD_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/// A page of somebody's own, which complains of errors and of requests to anywhere else.
export async function person(base, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const trouble = [];
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 4(03|04|09|22)/.test(message.text())) trouble.push(message.text()); });
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('request', (request) => { if (!request.url().startsWith(base)) trouble.push(`asked a third party: ${request.url()}`); });
  return { context, page, trouble };
}

/// Looks at a page wide and narrow, light and dark, with axe; keeps pictures where a folder is given.
export async function look(page, base, name, address, { shots, keep = false } = {}) {
  if (shots) mkdirSync(shots, { recursive: true });
  for (const [width, theme] of [[1440, 'light'], [1440, 'dark'], [360, 'light'], [360, 'dark']]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    if (address) await page.goto(base + address);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    const said = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join('; ')}`).join(' | ');
    check(violations.length === 0, `${name} ${width} ${theme}: axe ${said}`);
    if (shots && (keep || width === 360)) await page.screenshot({ path: `${shots}/${name}-${width}-${theme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 320, height: 700 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(wide <= 320, `${name}: scrolls sideways at 320 px (${wide})`);
  check((await page.title()).endsWith('· Stead'), `${name}: has a title`);
  check(!(await page.locator('body').innerText()).includes('Unknown localization'), `${name}: everything has words`);
  check(await page.locator('h1').count() === 1, `${name}: has one heading of the first rank`);
  await page.setViewportSize({ width: 1440, height: 900 });
}

/// Says how it went and ends.
export async function end() {
  await browser.close();
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exit(failures.length === 0 ? 0 : 1);
}
