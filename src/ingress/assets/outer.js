// Sends files in pieces (tus 1.0) and goes on where a broken line left off.
'use strict';
const form = document.getElementById('send');
const drop = document.getElementById('drop');
// Whether it reached anybody is not for the sender to know: it may be held.
const TAKEN = ['受け付けました。無害化しています', 'Received. It is being made harmless.'];
const TREATED = ['受け付けました。無害化の処理を終えました', 'Received. It has been processed.'];
const PIECE = 4 * 1024 * 1024;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function heads(more) {
  const key = document.getElementById('key');
  const all = { 'Tus-Resumable': '1.0.0', ...more };
  if (key !== null) all.Authorization = `Bearer ${key.value}`;
  return all;
}

async function problem(answer) {
  const told = await answer.json().catch(() => ({}));
  return new Error(told.message ?? `(${answer.status})`);
}

async function send(file, to, show) {
  const metadata = `filename ${base64(file.name)},to ${base64(to)}`;
  const made = await fetch('/v1/uploads', {
    method: 'POST',
    headers: heads({ 'Upload-Length': String(file.size), 'Upload-Metadata': metadata }),
  });
  if (made.status !== 201) throw await problem(made);
  if (made.headers.has('Mugai-Id')) return made.headers.get('Mugai-Id'); // an empty file
  const place = made.headers.get('Location');
  let offset = 0;
  let failures = 0;
  for (;;) {
    show(offset, file.size);
    let trouble;
    try {
      const answer = await fetch(place, {
        method: 'PATCH',
        headers: heads({ 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' }),
        body: file.slice(offset, offset + PIECE),
      });
      if (answer.status === 204) {
        failures = 0;
        offset = Number(answer.headers.get('Upload-Offset'));
        const id = answer.headers.get('Mugai-Id');
        if (id !== null) return id;
        continue;
      }
      trouble = await problem(answer);
      // It stands elsewhere, or too much is waiting there: both pass.
      if (answer.status !== 409 && answer.status !== 503) throw trouble;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch's TypeError: the line is broken
      trouble = error;
    }
    failures += 1;
    if (failures > 20) throw trouble;
    await wait(Math.min(10000, 250 * 2 ** failures));
    const asked = await fetch(place, { method: 'HEAD', headers: heads({}) }).catch(() => undefined);
    if (asked !== undefined && asked.status === 404)
      throw new Error('もう一度はじめから送ってください (Please send it again from the start.)');
    if (asked?.ok === true && asked.headers.has('Mugai-Id')) return asked.headers.get('Mugai-Id'); // only the answer was lost
    if (asked?.ok === true) offset = Number(asked.headers.get('Upload-Offset'));
  }
}

async function follow(id, say) {
  say(...TAKEN, id);
  for (let looks = 0; looks < 200; looks += 1) {
    const answer = await fetch(`/v1/files/${id}`, { headers: heads({}) }).catch(() => undefined);
    if (answer?.ok === true) {
      const told = await answer.json().catch(() => undefined);
      if (told?.stage === 'sealed') {
        say(...TREATED, id);
        return;
      }
    }
    await wait(Math.min(10000, 500 + looks * 100));
  }
}

if (form !== null) {
  const input = document.getElementById('file');
  const button = form.querySelector('button');
  drop.querySelector('.hint').hidden = false;
  for (const name of ['dragenter', 'dragover'])
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add('over');
    });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    input.files = event.dataTransfer.files;
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!button.disabled) void sendOnce();
  });
  // A double click sends once: the button rests while files go, and what went is not chosen any more.
  const sendOnce = async () => {
    button.disabled = true;
    const [sent] = await Promise.all([sendAll(), wait(1000)]);
    if (sent) input.value = '';
    button.disabled = false;
  };
  const sendAll = async () => {
    let sent = true;
    const to = document.getElementById('to').value;
    for (const file of input.files) {
      const line = document.createElement('li');
      const bar = document.createElement('progress');
      const text = document.createElement('span');
      bar.setAttribute('aria-label', file.name);
      line.append(`${file.name} `, text, bar);
      document.getElementById('list').append(line);
      const say = (words, english, id) => {
        const other = document.createElement('span');
        other.lang = 'en';
        other.textContent = english ?? '';
        text.replaceChildren(words, ' ', other, id === undefined ? '' : ` (${id})`);
      };
      try {
        const id = await send(file, to, (done, all) => {
          bar.max = Math.max(1, all);
          bar.value = done;
          say(`${Math.floor((100 * done) / Math.max(1, all))}%`);
        });
        bar.remove();
        void follow(id, say);
      } catch (error) {
        sent = false;
        bar.remove();
        say(`送れませんでした: ${error.message}`, 'It was not sent.');
      }
    }
    return sent;
  };
}
