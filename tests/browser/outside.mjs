// Walks signing in with an account elsewhere, at a real issuer.
// Usage: node outside.mjs BASE_URL
import { check, end, person } from './walk.mjs';

const [base] = process.argv.slice(2);

/// Signs in at the issuer with an address; the page that it ends on.
async function signIn(address, to = '') {
  const { page, context } = await person(base);
  await page.goto(`${base}/sign-in${to}`);
  await page.getByRole('link', { name: 'Sign in with Sample ID' }).click();
  await page.locator('[name=login]').fill(address);
  await page.locator('[name=password]').fill('any');
  await page.locator('[type=submit]').click();
  // The issuer asks whether its account may be used here.
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL((url) => url.href.startsWith(base));
  return { page, context };
}

const known = await signIn('dana@stead.example', '?to=/me');
check(known.page.url() === `${base}/me`, `a known address signs in and goes on (${known.page.url()})`);
check((await known.page.locator('main').innerText()).includes('Dana Demo'), 'as the person of that address');
const stranger = await signIn('stranger@stead.example');
check((await stranger.page.locator('#wrong').innerText()).includes('not in the directory'), 'a stranger is told so');
const unverified = await signIn('unverified@stead.example');
check((await unverified.page.locator('#wrong').innerText()).includes('does not vouch'), 'an address that is not vouched for counts for nothing');

// What comes back without having been sent, or twice, is refused.
const { page, context } = await person(base);
let returned = '';
page.on('request', (request) => { if (request.url().includes('/sign-in/outside/back?')) returned = request.url(); });
await page.goto(`${base}/sign-in`);
await page.getByRole('link', { name: 'Sign in with Sample ID' }).click();
await page.locator('[name=login]').fill('dana@stead.example');
await page.locator('[name=password]').fill('any');
await page.locator('[type=submit]').click();
await page.getByRole('button', { name: 'Continue' }).click();
await page.waitForURL(`${base}/home`);
check(returned.startsWith(base), 'the code comes back');
await context.clearCookies();
await page.goto(returned);
check((await page.locator('#wrong').innerText()).includes('Begin again'), 'the same answer is taken once');
const thief = await person(base);
await thief.page.goto(returned);
check((await thief.page.locator('#wrong').innerText()).includes('Begin again'), 'and by the browser that asked');
await thief.page.goto(`${base}/sign-in/outside/back?code=x&state=y`);
check((await thief.page.locator('#wrong').innerText()).includes('Begin again'), 'nothing is taken that was not asked for');
await end();
