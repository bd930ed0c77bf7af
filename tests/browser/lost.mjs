// A loss, in a real browser.
//   node lost.mjs tell BASE CODE WHAT [SHOTS]            on a phone, with the code of a wallet card, by touch alone
//   node lost.mjs undo BASE LINK LOSS [SHOTS]            on a phone, signed in: it was never gone
//   node lost.mjs pages BASE LINKS_AS_JSON [SHOTS]       the desk as its people see it
import { check, end, look, person } from './walk.mjs';

const [mode, base, ...rest] = process.argv.slice(2);
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const heading = (page) => page.locator('h1').innerText();
const local = (link) => base + new URL(link).pathname;

async function join(page, link) {
  await page.goto(local(link));
  await page.locator('main form button').first().click();
}

if (mode === 'tell') {
  const [code, what, shots] = rest;
  const { page, context } = await person(base, phone);
  const began = Date.now();
  await page.goto(`${base}/sign-in`);
  await page.locator('header').getByText('Report a loss').tap();
  check(await heading(page) === 'Report a loss', `from any page, in one press: ${await heading(page)}`);
  await page.locator('#code').fill(code.toLowerCase());
  await page.locator('main form button').tap();
  await page.locator('#what').waitFor({ timeout: 10000 }).catch(() => {});
  await page.getByLabel(what, { exact: true }).check();
  await page.locator('#words').fill('On the 8:12 train to work');
  await page.getByRole('button', { name: 'Shut it off now' }).tap();
  await page.waitForURL(/\/lost\/card\/tell/, { timeout: 10000 }).catch(() => {});
  check(await heading(page) === `${what} is shut out`, `shut out: ${await heading(page)}`);
  console.log(`told after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  check((await context.cookies()).length === 0, 'nothing is left on the phone');
  await look(page, base, 'lost-receipt', null, { shots, keep: true });
}

if (mode === 'undo') {
  const [link, loss, shots] = rest;
  const { page } = await person(base, phone);
  await join(page, link);
  await page.goto(`${base}/losses/${loss}`);
  check((await page.locator('main').innerText()).includes('On the 8:12 train to work'), 'what was said is there');
  await look(page, base, 'loss-own', `/losses/${loss}`, { shots, keep: true });
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Certificate and timeline').click()]);
  check(download.suggestedFilename() === `loss-${loss}.pdf`, `certificate: ${download.suggestedFilename()}`);
  await page.locator('#back').fill('It was in the other bag');
  await page.getByRole('button', { name: 'It was never gone' }).click();
  await page.getByText('False alarm').first().waitFor({ timeout: 10000 }).catch(() => {});
  check((await page.locator('.head').innerText()).includes('False alarm'), 'undone');
}

if (mode === 'pages') {
  const [given, shots] = rest;
  const links = JSON.parse(given);
  const sam = await person(base);
  await join(sam.page, links.sam);
  await look(sam.page, base, 'lost-practice', '/lost?practice=1', { shots });
  // By keyboard alone.
  await sam.page.goto(`${base}/lost?practice=1`);
  await sam.page.getByLabel('work-laptop', { exact: true }).focus();
  await sam.page.keyboard.press('Space');
  await sam.page.locator('#words').focus();
  await sam.page.keyboard.press('Tab');
  await sam.page.keyboard.press('Enter');
  await sam.page.waitForURL(/\/losses\//, { timeout: 10000 }).catch(() => {});
  check((await sam.page.locator('main').innerText()).includes('This was practice'), 'practised');
  await look(sam.page, base, 'loss-practised', null, { shots });
  await look(sam.page, base, 'lost', '/lost', { shots, keep: true });
  await sam.page.goto(`${base}/lost`);
  await sam.page.getByLabel('Papers').check();
  await sam.page.getByRole('button', { name: 'Shut it off now' }).click();
  check((await sam.page.locator('#wrong').innerText()).includes('say which'), 'which papers is asked');
  await look(sam.page, base, 'lost-wrong', null, { shots });
  await look(sam.page, base, 'card-none', '/me/card', { shots });
  await sam.page.goto(`${base}/me/card`);
  await sam.page.locator('main form button').first().click();
  const code = await sam.page.locator('#code').innerText();
  check(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/.test(code), `a code: ${code}`);
  await look(sam.page, base, 'card', null, { shots, keep: true });
  const away = await person(base, phone);
  await away.page.goto(`${base}/lost/card#c=${code}`);
  check((await away.page.inputValue('#code')) === code, 'the code came with the picture');
  check(!away.page.url().includes(code), 'and is kept out of the address');
  await look(away.page, base, 'lost-code', '/lost/card', { shots, keep: true });
  await away.page.goto(`${base}/home`);
  await away.page.goto(`${base}/lost/card#c=00000-00000`);
  await away.page.locator('main form button').click();
  check((await away.page.locator('#wrong').innerText()).includes('No card has this code'), 'a wrong code is said');
  await sam.page.goto(`${base}/lost`);
  await sam.page.getByLabel('work-laptop', { exact: true }).check();
  await sam.page.getByLabel('Somebody took it').check();
  await sam.page.getByRole('button', { name: 'Shut it off now' }).click();
  check((await heading(sam.page)).includes('was taken'), `told: ${await heading(sam.page)}`);
  const loss = new URL(sam.page.url()).pathname;
  await look(sam.page, base, 'loss-told', loss, { shots, keep: true });
  await look(sam.page, base, 'home-lost', '/home', { shots, keep: true });

  const security = await person(base);
  await join(security.page, links.security);
  await look(security.page, base, 'losses', '/losses', { shots, keep: true });
  await security.page.goto(base + loss);
  if (security.page.url().includes('/look')) {
    await security.page.getByLabel('An incident', { exact: false }).first().check().catch(() => security.page.locator('input[name=purpose][value=incident]').check());
    await security.page.locator('main form button').click();
  }
  check((await security.page.locator('main').innerText()).includes('5 of 6 shut'), 'every door but the device itself is shut');
  await look(security.page, base, 'loss-desk', loss, { shots, keep: true });
  // The triage asks how likely it is and why.
  await security.page.goto(base + loss);
  const triage = security.page.locator('#steps li', { hasText: 'data is at risk' });
  await triage.locator('summary').click();
  await triage.getByLabel('Unlikely').check();
  await triage.locator('textarea').fill('too short');
  await triage.getByRole('button').click();
  check((await security.page.locator('main').innerText()).includes('Write at least a sentence'), 'reasons are asked for');
  await look(security.page, base, 'loss-wrong', null, { shots });
  await triage.getByLabel('Unlikely').check();
  await triage.locator('textarea').fill('Every disk was encrypted and the lid was closed.');
  await triage.getByRole('button').click();
  check((await security.page.locator('main').innerText()).includes('Every disk was encrypted and the lid'), 'decided');
  // Their wallet is gone too.
  await security.page.getByRole('button', { name: 'Take it back' }).click();
  check(!(await security.page.locator('main').innerText()).includes('Take it back'), 'the card was taken back');
  await away.page.goto(`${base}/home`);
  await away.page.goto(`${base}/lost/card#c=${code}`);
  await away.page.locator('main form button').click();
  check((await away.page.locator('#wrong').innerText()).includes('No card has this code'), 'it is no good any more');
  // In Portuguese as well.
  await sam.page.goto(`${base}/me/ways`);
  await sam.page.locator('#language').selectOption('pt-BR');
  await sam.page.locator('#language-section button').click();
  await look(sam.page, base, 'loss-pt-BR', loss, { shots });
  await look(sam.page, base, 'lost-pt-BR', '/lost', { shots });
  for (const one of [sam, security, away]) check(one.trouble.length === 0, one.trouble.join('; '));
}
await end();
