// Walks every page in a real browser: wide and narrow, light and dark, by keyboard, with axe.
// Usage: node pages.mjs BASE_URL SIGN_IN_LINK [FOLDER FOR SCREENSHOTS]
import { browser, check, end, look as lookAt, person } from './walk.mjs';

const [base, link, shots] = process.argv.slice(2);
const { context, page, trouble } = await person(base);
const look = (name, address, keep) => lookAt(page, base, name, address, { shots, keep });

// Without a session every page leads to signing in.
for (const address of ['/overview', '/devices', '/rules', '/proof', '/ledger']) {
  await page.goto(base + address);
  check(page.url().startsWith(`${base}/sign-in`), `${address} without a session leads to signing in`);
}
await look('sign-in', '/sign-in', true);

// The link is a button first: looking at it does not use it up.
await page.goto(link);
await page.goto(link);
await page.getByRole('button', { name: 'Sign in' }).press('Enter');
check(page.url() === `${base}/overview`, 'the link signs in');
const cookie = (await context.cookies()).find((c) => c.name === '__Host-stead');
check(cookie?.secure && cookie?.httpOnly && cookie?.sameSite === 'Lax', 'the session is a __Host- cookie');
const other = await browser.newContext();
const again = await (await other.newPage()).goto(link);
check(again.status() === 404, `the link works once (${again.status()})`);
await other.close();

// Another person's device opens to a purpose alone; asked once per visit.
await page.goto(`${base}/devices`);
await page.locator('tbody th a').first().click();
check(page.url().includes('/look?'), 'another person\'s device asks what for');
await look('look', new URL(page.url()).pathname + new URL(page.url()).search, true);
await page.getByLabel('For a review or an audit').check();
await page.getByRole('button', { name: 'Open the record' }).press('Enter');
check(page.url().includes('/devices/'), 'a purpose opens it');
await page.goto(`${base}/devices`);
await page.locator('tbody th a').nth(1).click();
if (page.url().includes('/look?')) {
  await page.getByLabel('For a review or an audit').check();
  await page.getByRole('button', { name: 'Open the record' }).click();
}
await page.goto(`${base}/devices`);
const device = await page.locator('tbody th a').first().getAttribute('href');
await page.goto(`${base}/ledger`);
const entry = await page.locator('a[href^="/ledger/entries/"]').first().getAttribute('href');
for (const [name, address, keep] of [
  ['overview', '/overview', true],
  ['devices', '/devices', true],
  ['devices-none', '/devices?q=nobody-has-this-name', false],
  ['device', device, true],
  ['device-failing', `${device}?show=failing`, false],
  ['rules', '/rules', true],
  ['rule', '/rules/disk-encrypted', true],
  ['proof', '/proof', true],
  ['ledger', '/ledger', true],
  ['entry', entry, true],
  ['problem', '/problems/clock-skew', false],
]) await look(name, address, keep);
check(trouble.length === 0, `the browser had nothing to complain of: ${trouble.join(' | ')}`);
trouble.length = 0;

// By keyboard: the first stop skips to the page, the menu opens and closes, a finding opens.
await page.setViewportSize({ width: 1440, height: 900 });
await page.goto(`${base}/overview`);
await page.keyboard.press('Tab');
check(await page.evaluate(() => document.activeElement.classList.contains('skip')), 'the first stop skips to the page');
await page.keyboard.press('Enter');
await page.keyboard.press('Tab');
check(await page.evaluate(() => document.querySelector('main').contains(document.activeElement)), 'skipping lands in the page');
await page.setViewportSize({ width: 360, height: 700 });
await page.goto(`${base}/overview`);
await page.getByRole('button', { name: 'Menu' }).focus();
await page.keyboard.press('Enter');
check(await page.locator('#nav').isVisible(), 'the menu opens by keyboard');
await page.keyboard.press('Escape');
check(!(await page.locator('#nav').isVisible()), 'the menu closes by Escape');
await page.setViewportSize({ width: 1440, height: 900 });
await page.goto(base + device);
const summary = page.locator('details.fix > summary').first();
if (await summary.count()) {
  await summary.focus();
  await page.keyboard.press('Enter');
  check(await page.locator('details.fix[open] ol').first().isVisible(), 'a fix opens by keyboard');
}

// The same without a script.
const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
const still = await plain.newPage();
for (const address of ['/overview', device, '/rules/disk-encrypted']) {
  await still.goto(base + address);
  check((await still.locator('main').innerText()).length > 300, `${address} reads without a script`);
}
await plain.close();

// The overview follows what arrives, and keeps the focus where it was.
await page.goto(`${base}/overview`);
await page.locator('#all-devices').focus();
const asked = await page.waitForResponse((response) => response.url().includes('/overview/live'), { timeout: 15000 });
check([200, 204].includes(asked.status()), 'the overview asks for news');
await page.waitForTimeout(300);
check(await page.evaluate(() => document.activeElement.id === 'all-devices'), 'news leave the focus alone');

// A request that changes something and comes from another site is refused.
const foreign = await context.request.post(`${base}/sign-out`, { headers: { 'sec-fetch-site': 'cross-site' } });
check(foreign.status() === 403, 'another site cannot sign anybody out');
await page.getByRole('button', { name: 'Sign out' }).click();
check(page.url() === `${base}/sign-in`, 'signing out leads to signing in');
await page.goto(`${base}/overview`);
check(page.url().startsWith(`${base}/sign-in`), 'a session that was ended is ended');
check(trouble.length === 0, `no trouble at the end either: ${trouble.join(' | ')}`);

await end();
