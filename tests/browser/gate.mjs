// An application behind the gate, on a machine with a real agent: let in unnoticed, refused with why, let in again.
//   node gate.mjs BASE APPLICATION SIGN_IN_LINK COMMANDS DOOR [SHOTS]
// COMMANDS: an address that changes the device when it is asked for /bad or /good, and the agent for /agent-off.
import { check, end, look, person } from './walk.mjs';

const [base, application, link, commands, door, shots] = process.argv.slice(2);
const { page, context } = await person(base);
const command = async (name) => { const answer = await fetch(`${commands}/${name}`); if (!answer.ok) throw new Error(name); };
const heading = () => page.locator('h1').innerText();

// Signing in, by the invitation.
await page.goto(link);
await page.locator('main form button').first().click();
await page.waitForURL(/\/me\/ways/);

// The application opens; nothing was asked on the way.
await page.goto(`${application}/pay`);
check((await page.locator('body').innerText()).includes('GET /pay'), `let in: ${await page.locator('body').innerText()}`);
check(page.url() === `${application}/pay`, `where one wanted: ${page.url()}`);

// A script of another site learns nothing from the agent.
const other = await context.newPage();
await other.goto(`${application}/other`);
const stolen = await other.evaluate(async (door) => {
  try { const answer = await fetch(`http://127.0.0.1:${door}/device?question=a`, { redirect: 'manual' }); return `${answer.type} ${answer.status}`; } catch (error) { return 'refused'; }
}, door);
check(stolen === 'refused' || stolen.startsWith('opaque'), `a page that asks the agent gets nothing: ${stolen}`);
await other.close();

// Not good any more: the page says why.
await command('bad');
await page.goto(`${application}/pay`);
check((await heading()).includes('until this is done'), `refused: ${await heading()}`);
check(page.url().startsWith(`${base}/gate/refused/records`), page.url());
const refused = page.url().slice(base.length);
await look(page, base, 'gate-refused', refused, { shots, keep: true });

// By keyboard, without waiting: looking again asks the computer, and leads on.
await page.goto(base + refused);
const again = page.getByRole('link', { name: 'Look again' });
await again.focus();
await command('good');
await page.keyboard.press('Enter');
await page.waitForURL(`${application}/pay`);
check((await page.locator('body').innerText()).includes('GET /pay'), 'let in again');

// No agent: the page says so, and what to do.
await command('agent-off');
await context.clearCookies({ name: '__Host-stead-device' });
await context.clearCookies({ name: '__Host-stead-pass' });
await page.goto(`${application}/pay`).catch(() => {});
await page.waitForTimeout(1000);
await page.goto(`${application}/pay`);
check((await heading()).includes('did not answer'), `no agent: ${await heading()}`);
await look(page, base, 'gate-no-answer', page.url().slice(base.length), { shots, keep: true });
await end();
