// A real issuer of identities (oidc-provider) for the tests: whoever types an address signs in with it.
// An address that begins with "unverified" is not vouched for.
// Usage: node issuer.mjs PORT CLIENT SECRET REDIRECT_URI
import Provider from 'oidc-provider';

const [port, client, secret, back] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: client, client_secret: secret, redirect_uris: [back], grant_types: ['authorization_code'], response_types: ['code'] }],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified'), name: `Named ${id.split('@')[0]}` }) }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
// It ends with the test that started it, however that ends.
process.stdin.on('end', () => process.exit()).resume();
