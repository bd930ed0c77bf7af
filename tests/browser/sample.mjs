// Walks the sample organisation: pages must look right when they are full.
// Usage: node sample.mjs BASE_URL LINKS_AS_JSON [FOLDER FOR SCREENSHOTS]
import { check, end, look, person } from './walk.mjs';

const [base, given, shots] = process.argv.slice(2);
const links = JSON.parse(given);
const pages = {
  teleworker: [['sample-home', '/home'], ['sample-record', '/me'], ['sample-notices', '/me/notices'], ['sample-policy-own', '/policy'], ['sample-cases-own', '/cases']],
  manager: [['sample-team', '/team'], ['sample-attest', '/team/attest']],
  security: [['sample-overview', '/overview'], ['sample-people', '/people'], ['sample-devices', '/devices?standing=lapsed'], ['sample-rules', '/rules'], ['sample-policy', '/policy'], ['sample-reach', '/policy/reach'], ['sample-calendar', '/policy/calendar'], ['sample-rule-person', '/rules/strong-sign-in'], ['sample-rule', '/rules/updates-installed'], ['sample-search', '/search?q=ar'], ['sample-cases', '/cases'], ['sample-exceptions', '/exceptions'], ['sample-reports', '/reports'], ['sample-report-posture', '/reports/posture'], ['sample-report-cases', '/reports/cases'], ['sample-report-month', '/reports/month'], ['sample-report-confirmations', '/reports/confirmations'], ['sample-report-exceptions', '/reports/exceptions']],
  auditor: [['sample-proof', '/proof'], ['sample-evidence', '/proof/RC-2'], ['sample-evidence-policy', '/proof/RC-9'], ['sample-ledger', '/ledger'], ['sample-then', '/then']],
  operator: [['sample-system', '/system'], ['sample-units', '/units']],
};
for (const [name, list] of Object.entries(pages)) {
  const { page, trouble } = await person(base);
  await page.goto(base + new URL(links[name]).pathname);
  await page.locator('main form button').click();
  for (const [shot, address] of list) {
    await look(page, base, shot, address, { shots, keep: true });
    check((await page.locator('.sample').innerText()).includes('sample organisation'), `${shot} says that it is a sample`);
  }
  if (name === 'security') {
    // What stands behind the first link of a page: a case about oneself, and asking for an exception.
    for (const [shot, from, link] of [
      ['sample-case', '/cases', 'section[aria-labelledby="own"] tbody a'],
      ['sample-exception-new', '/rules/strong-sign-in', 'main a[href*="/exceptions/new"]'],
    ]) {
      await page.goto(base + from);
      const there = await page.locator(link).first().getAttribute('href');
      await look(page, base, shot, there, { shots, keep: true });
    }
    // The draft that is being written: what keeps it from being published, a file, and what is said while one writes.
    await page.goto(`${base}/policy`);
    const draft = await page.locator('a[href^="/policy/drafts/"]').first().getAttribute('href');
    await look(page, base, 'sample-draft', draft, { shots, keep: true });
    const file = await page.locator('a[href*="rules%2Fscreen-locks.md"]').first().getAttribute('href');
    await look(page, base, 'sample-draft-file', file, { shots, keep: true });
    const text = page.locator('#text');
    const was = await text.inputValue();
    await text.fill(was.replace('device.screen.lock_after > 0', 'device.screen.locks > 0'));
    const line = page.locator('#check [data-line]').first();
    await line.waitFor();
    check((await page.locator('#check').innerText()).includes('device.screen.locks'), 'the editor says what is wrong while one writes');
    await line.click();
    const chosen = await text.evaluate((it) => it.value.slice(it.selectionStart, it.selectionEnd));
    check(chosen.includes('device.screen.locks'), `a press leads to the line: ${chosen}`);
    // Somebody else saves the same file meanwhile: both texts are shown, and what was written is still there.
    const other = await page.context().newPage();
    await other.goto(base + file);
    await other.locator('#text').fill(was.replace('severity = "high"', 'severity = "medium"'));
    await other.locator('main form:has(#text) button').click();
    await other.locator('[role="status"]').waitFor();
    await page.locator('main form:has(#text) button').click();
    await page.locator('#met').waitFor();
    check((await page.locator('.texts ins').allInnerTexts()).join().includes('device.screen.locks'), 'what one wrote stands beside what was saved');
    check((await page.locator('#text').inputValue()).includes('device.screen.locks'), 'and is still in the editor');
    await other.close();
    await page.goto(`${base}${draft.replace('/drafts/', '/proposals/')}/try`);
    await page.locator('h1', { hasText: 'worse' }).waitFor();
    await look(page, base, 'sample-try', `${draft.replace('/drafts/', '/proposals/')}/try`, { shots, keep: true });
  }
  check(trouble.length === 0, `${name}: no trouble: ${trouble.join(' | ')}`);
}
await end();
