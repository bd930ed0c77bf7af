// Coming in while it is not known whether one may, with a record; and what the operator sees of the gate.
//   node glass.mjs BASE APPLICATION LINK_OF_SAM LINK_OF_OPERATOR [SHOTS]
import { check, end, look, person } from './walk.mjs';

const [base, application, link, operator, shots] = process.argv.slice(2);
const joined = async (page, link) => {
  await page.goto(link);
  await page.locator('main form button').first().click();
  await page.waitForURL(/\/me\/ways/);
};

const { page } = await person(base);
await joined(page, link);
await page.goto(`${application}/pay`);
check(page.url().startsWith(`${base}/gate/glass/records`), `what is not known is said: ${page.url()}`);
const glass = page.url().slice(base.length);
await look(page, base, 'gate-glass', glass, { shots, keep: true });

// Without a reason the form goes nowhere; with one, by keyboard, straight on to the application.
await page.goto(base + glass);
await page.getByRole('button', { name: 'Write it down and come in' }).click();
check(page.url() === base + glass, 'a reason is wanted');
await page.getByRole('radio').first().focus();
await page.keyboard.press('Space');
await page.getByRole('button', { name: 'Write it down and come in' }).focus();
await page.keyboard.press('Enter');
await page.waitForURL(`${application}/pay`);
check((await page.locator('body').innerText()).includes('GET /pay'), 'let in');

// The operator sees what stands behind the gate.
const { page: other } = await person(base);
await joined(other, operator);
await look(other, base, 'system-gate', '/system', { shots, keep: true });
check((await other.locator('#gate').count()) === 1, 'what stands behind the gate');
check((await other.getByText('has not asked this server').count()) > 0, 'a gate that is silent is said');
await end();
