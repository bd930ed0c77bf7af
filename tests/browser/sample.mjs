// Walks the sample organisation: pages must look right when they are full.
// Usage: node sample.mjs BASE_URL LINKS_AS_JSON [FOLDER FOR SCREENSHOTS]
import { check, end, look, person } from './walk.mjs';

const [base, given, shots] = process.argv.slice(2);
const links = JSON.parse(given);
const pages = {
  teleworker: [['sample-home', '/home'], ['sample-record', '/me'], ['sample-notices', '/me/notices'], ['sample-policy-own', '/policy'], ['sample-cases-own', '/cases']],
  manager: [['sample-team', '/team'], ['sample-attest', '/team/attest']],
  security: [['sample-overview', '/overview'], ['sample-people', '/people'], ['sample-devices', '/devices?standing=lapsed'], ['sample-rules', '/rules'], ['sample-policy', '/policy'], ['sample-reach', '/policy/reach'], ['sample-rule-person', '/rules/strong-sign-in'], ['sample-rule', '/rules/updates-installed'], ['sample-search', '/search?q=ar'], ['sample-cases', '/cases'], ['sample-exceptions', '/exceptions'], ['sample-reports', '/reports'], ['sample-report-posture', '/reports/posture'], ['sample-report-cases', '/reports/cases'], ['sample-report-month', '/reports/month']],
  auditor: [['sample-proof', '/proof'], ['sample-ledger', '/ledger'], ['sample-then', '/then']],
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
  }
  check(trouble.length === 0, `${name}: no trouble: ${trouble.join(' | ')}`);
}
await end();
