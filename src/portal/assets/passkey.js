// Asks the person's device to make a passkey or to answer with one, and puts its answer into the form.
'use strict';

const form = document.querySelector('form[data-passkey]');
if (form !== null) {
  const { passkey: kind, options, host } = form.dataset;
  const trouble = form.querySelector('[data-trouble]');
  const able = 'PublicKeyCredential' in window && 'parseCreationOptionsFromJSON' in PublicKeyCredential;
  trouble.hidden = able && location.hostname === host;
  const ask = async () => {
    const given = JSON.parse(options);
    const credential =
      kind === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(given) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(given) });
    form.elements.namedItem('credential').value = JSON.stringify(credential);
    form.submit();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    trouble.hidden = true;
    ask().catch(() => {
      trouble.hidden = false; // not allowed, no device, or the person said no
    });
  });
}
