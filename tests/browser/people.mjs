// Walks what people see: signing in by passkey and password, each home page, one's own record; in both
// languages, wide and narrow, light and dark, by keyboard, with axe.
// Usage: node people.mjs BASE_URL LINKS_AS_JSON [FOLDER FOR SCREENSHOTS]
import { check, end, look, person } from './walk.mjs';

const [base, given, shots] = process.argv.slice(2);
const links = JSON.parse(given);
const local = (link) => base + new URL(link).pathname;

/// Takes up a one-time link.
async function join(page, link) {
  await page.goto(local(link));
  await page.locator('main form button').press('Enter');
}

/// Chooses a language on the page for it, as a person does.
async function speak(page, tag) {
  await page.goto(`${base}/me/ways`);
  await page.locator('#language').selectOption(tag);
  await page.locator('#language-section button').click();
  check(await page.locator('html').getAttribute('lang') === tag, `pages speak ${tag}`);
}

// A teleworker joins: a passkey first, by a virtual authenticator.
const sam = await person(base);
await join(sam.page, links.sam);
check(sam.page.url().includes('/me/ways?welcome=1'), 'an invitation leads to choosing how one signs in');
await look(sam.page, base, 'ways-welcome', '/me/ways?welcome=1', { shots, keep: true });
const devtools = await sam.context.newCDPSession(sam.page);
await devtools.send('WebAuthn.enable');
await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
await sam.page.goto(`${base}/me/ways`);
await sam.page.locator('#passkey-name').fill('Work laptop');
await sam.page.locator('#passkey-name').press('Enter');
await sam.page.locator('#passkeys li').waitFor({ timeout: 10000 }).catch(() => {});
check(await sam.page.locator('#passkeys li').count() === 1, 'a passkey is added');

// A password as well; what is too weak is said beside the field and above.
await sam.page.locator('#password').fill('Summer2026');
await sam.page.locator('#password').press('Enter');
check(await sam.page.locator('#password').getAttribute('aria-invalid') === 'true', 'the field says that it is wrong');
check((await sam.page.locator('#wrong').innerText()).includes('fewer than 15'), 'and so does the summary');
await look(sam.page, base, 'ways-wrong', null, { shots });
await sam.page.goto(`${base}/me/ways`);
await sam.page.locator('#password').fill('four wet otters hum at noon');
await sam.page.locator('#password').press('Enter');
await sam.page.waitForURL(`${base}/me/ways`);
await look(sam.page, base, 'ways', '/me/ways', { shots, keep: true });
await sam.page.locator('#code-section button').click();
await look(sam.page, base, 'authenticator', null, { shots });

// Out, and in again by the passkey, then by the password.
await sam.page.goto(`${base}/home`);
await sam.page.locator('footer form button').click();
check(sam.page.url() === `${base}/sign-in`, 'signing out leads to signing in');
await look(sam.page, base, 'sign-in', '/sign-in', { shots, keep: true });
await sam.page.goto(`${base}/sign-in?to=/me`);
await sam.page.locator('form[data-passkey] button').press('Enter');
await sam.page.waitForURL(`${base}/me`, { timeout: 10000 }).catch(() => {});
check(sam.page.url() === `${base}/me`, `a passkey signs in (${sam.page.url()})`);
await sam.page.locator('footer form button').click();
await sam.page.locator('#email').fill('sam@stead.example');
await sam.page.locator('#password').fill('wrong');
await sam.page.locator('#password').press('Enter');
check((await sam.page.locator('#wrong').innerText()).includes('do not go together'), 'a wrong password is said');
check(await sam.page.locator('#email').inputValue() === 'sam@stead.example', 'what was typed is kept');
await sam.page.locator('#password').fill('four wet otters hum at noon');
await sam.page.locator('#password').press('Enter');
check(sam.page.url() === `${base}/home`, `a password signs in (${sam.page.url()})`);

await look(sam.page, base, 'styleguide', '/styleguide', { shots, keep: true });

// Each home page, in both languages.
const roles = { sam };
for (const name of ['new', 'manager', 'security', 'auditor', 'operator', 'records']) {
  roles[name] = await person(base);
  await join(roles[name].page, links[name]);
}
// What a system hears and a program may do is set up on the page, and told once.
const { page: op } = roles.operator;
await op.goto(`${base}/system/messages`);
await op.locator('summary').click();
await op.getByRole('button', { name: 'Connect a system' }).click();
await op.waitForLoadState();
check(await op.locator('#wrong a').count() >= 3, 'a connection without a word is sent back, with why');
await look(op, base, 'messages-wrong', null, { shots, keep: true });
await op.getByRole('textbox', { name: 'Name' }).fill('Security room');
await op.getByRole('textbox', { name: 'Address' }).fill('https://chat.sample.example/hooks/one');
await op.getByLabel('How devices stand').check();
await op.getByRole('button', { name: 'Connect a system' }).click();
await op.getByText('whsec_').waitFor();
check(!(await op.locator('main').innerText()).includes('hooks/one'), 'the address is not shown again');
await sam.page.goto(`${base}/me/tokens`);
await sam.page.getByLabel('What it is for').fill('Monthly report');
await sam.page.getByLabel('Reading what you may read').check();
await sam.page.getByRole('button', { name: 'Make a token' }).click();
const token = (await sam.page.locator('main code').innerText()).trim();
const asked = await fetch(`${base}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
check(asked.status === 200 && (await asked.json()).person.id !== undefined, 'a program signs in with it');
await sam.page.goto(`${base}/me/notices`);
await sam.page.getByLabel('Your record').selectOption('weekly');
await sam.page.getByRole('button', { name: 'Save' }).click();
await sam.page.waitForURL(/notices/);
check(await sam.page.getByLabel('Your record').inputValue() === 'weekly', 'how somebody is told is theirs to choose');
await sam.page.getByRole('button', { name: 'Make an address' }).click();
const feed = await fetch((await sam.page.locator('main code').innerText()).trim().replace(/^https?:\/\/[^/]*/, base));
check(feed.status === 200 && (await feed.text()).startsWith('BEGIN:VCALENDAR'), 'a calendar finds the due dates');

const homes = {
  sam: [['home', '/home'], ['record', '/me'], ['rules-own', '/rules'], ['rule-own', '/rules/disk-encrypted'], ['device-own', links.device], ['search', '/search?q=disk'], ['policy-own', '/policy'], ['notices', '/me/notices'], ['tokens', '/me/tokens']],
  new: [['home-empty', '/home'], ['record-empty', '/me']],
  manager: [['team', '/team'], ['attest', '/team/attest'], ['people-manager', '/people']],
  security: [['overview', '/overview'], ['people', '/people']],
  auditor: [['overview-auditor', '/overview'], ['system-auditor', '/system'], ['then', '/then']],
  operator: [['system', '/system'], ['units', '/units'], ['messages', '/system/messages']],
  records: [['people-records', '/people']],
};
for (const tag of ['en', 'pt-BR']) {
  for (const [name, pages] of Object.entries(homes)) {
    await speak(roles[name].page, tag);
    for (const [shot, address] of pages) await look(roles[name].page, base, `${shot}-${tag}`, address, { shots, keep: tag === 'en' || shot === 'home' });
  }
}
for (const name of Object.keys(homes)) await speak(roles[name].page, 'en');

// Where each is led first.
for (const [name, to] of [['sam', '/home'], ['manager', '/team'], ['security', '/overview'], ['auditor', '/overview'], ['operator', '/system'], ['records', '/people']]) {
  await roles[name].page.goto(`${base}/`);
  check(roles[name].page.url() === base + to, `${name} begins at ${to} (${roles[name].page.url()})`);
}

// The one next thing is one press away, and the fix opens by keyboard.
await sam.page.goto(`${base}/home`);
await sam.page.locator('.step a.button').focus();
await sam.page.keyboard.press('Enter');
await sam.page.waitForURL(/devices/).catch(() => {});
check(sam.page.url().includes('/devices/') && sam.page.url().includes('#disk-encrypted'), 'the next thing leads to how');
await sam.page.locator('#disk-encrypted summary').focus();
await sam.page.keyboard.press('Enter');
check(await sam.page.locator('#disk-encrypted details[open] ol').first().isVisible(), 'the fix opens');

// A manager looks once a month, by keyboard alone.
const { page } = roles.manager;
await page.goto(`${base}/team/attest`);
for (const group of await page.locator('fieldset').all()) {
  await group.locator('input').first().focus();
  await page.keyboard.press('Space');
}
await page.locator('main form button').focus();
await page.keyboard.press('Enter');
await page.waitForURL(/team.unit/).catch(() => {});
check(page.url().includes('/team?unit=') && (await page.locator('main').innerText()).includes('You looked at your team'), 'the monthly look is done');

// Without a script the password still signs in, and every page reads.
const plain = await person(base, { javaScriptEnabled: false, storageState: await sam.context.storageState() });
for (const address of ['/home', '/me', '/rules/disk-encrypted']) {
  await plain.page.goto(base + address);
  check((await plain.page.locator('main').innerText()).length > 300, `${address} reads without a script`);
}
for (const [name, { trouble }] of Object.entries(roles)) check(trouble.length === 0, `${name}: no trouble: ${trouble.join(' | ')}`);
await end();
