// What pages do with a script: passkeys, which browsers offer to scripts alone, going to a line of a text that is being
// written, and taking the code of a wallet card from its picture. Everything else works without.
(() => {
  'use strict';
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const post = async (address, body) => {
    const response = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(body) });
    const said = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(said.detail ?? response.statusText);
    return said;
  };
  const asked = (options) => {
    const it = options.publicKey;
    it.challenge = bytes(it.challenge);
    if (it.user) it.user.id = bytes(it.user.id);
    for (const list of [it.allowCredentials, it.excludeCredentials]) for (const one of list ?? []) one.id = bytes(one.id);
    return { publicKey: it };
  };
  const answered = (credential) => {
    const from = credential.response;
    const response = { clientDataJSON: text(from.clientDataJSON) };
    for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) if (from[name]) response[name] = text(from[name]);
    if (from.getTransports) response.transports = from.getTransports();
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, extensions: credential.getClientExtensionResults(), response };
  };
  const on = (attribute, ask) => {
    for (const form of document.querySelectorAll(`form[${attribute}]`)) {
      if (!window.PublicKeyCredential) continue;
      form.hidden = false;
      form.addEventListener('submit', async (event) => {
        event.preventDefault();
        const note = form.querySelector('.note');
        note.hidden = true;
        try {
          const address = form.getAttribute(attribute);
          const question = await post(`${address}/ask`, {});
          const credential = await ask(asked(question.options));
          const fields = Object.fromEntries(new FormData(form));
          const { to } = await post(address, { ...fields, place: question.place, answer: answered(credential), to: form.dataset.to ?? '' });
          location.assign(to);
        } catch (error) {
          note.querySelector('[data-said]').textContent = error.message;
          note.hidden = false;
        }
      });
    }
  };
  // The picture on a wallet card brings its code behind the mark #, which browsers send to nobody.
  const brought = /^#c=([\w-]{1,40})$/.exec(location.hash);
  const code = brought && document.querySelector('form[action="/lost/card"] input[name="code"]');
  if (code) {
    code.value = brought[1];
    history.replaceState(null, '', location.pathname);
  }
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('[data-line]');
    const text = link && document.querySelector(link.hash);
    if (!text) return;
    event.preventDefault();
    const lines = text.value.split('\n');
    const line = Math.min(Number(link.dataset.line), lines.length) - 1;
    const start = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + lines[line].length);
    text.scrollTop = Math.max(0, (line - 4) * Number.parseFloat(getComputedStyle(text).lineHeight));
  });
  on('data-passkey', ({ publicKey }) => navigator.credentials.get({ publicKey }));
  on('data-passkey-new', ({ publicKey }) => navigator.credentials.create({ publicKey }));
})();
