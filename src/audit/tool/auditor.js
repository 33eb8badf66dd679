// The auditor's tool: signatures, digests and journals checked in a browser, without a server, with the public key alone.
// It shares no code with the gateway: WebCrypto verifies, and whatever is shown is set as text.
'use strict';
(() => {
  /** Public keys in PEM that were put in when the file was made; others can be dropped. */
  const GIVEN_KEYS = '%KEYS%';
  /** Acts that lines may tell of. */
  const ACTS = '%ACTS%';
  const MANIFEST = 'manifest.dsse.json';
  const TYPE = 'application/vnd.in-toto+json';
  const SHA256 = /^[0-9a-f]{64}$/;
  const utf8 = new TextEncoder();

  let english = !/^ja\b/.test(navigator.language);
  const keys = new Map();
  let files = [];
  /** Files whose place in a folder, or among the journals, another one was given to later. */
  let replaced = [];

  const $ = (id) => document.getElementById(id);
  const say = (ja, en) => (english ? en : ja);
  const make = (tag, text = '', look = '') => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (look !== '') element.className = look;
    return element;
  };
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const sha256 = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes));
  const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const toBase64 = (bytes) => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
  };
  const decode = (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

  /** Takes the public keys of a PEM file; how many there were. */
  async function takeKeys(pem) {
    const blocks = [...pem.matchAll(/-----BEGIN PUBLIC KEY-----([^-]+)-----END PUBLIC KEY-----/g)];
    for (const [, base64] of blocks) {
      const der = fromBase64(base64.replace(/\s/g, ''));
      const key = await crypto.subtle.importKey('spki', der, 'Ed25519', true, ['verify']);
      keys.set(await sha256(der), key);
    }
    return blocks.length;
  }

  /** DSSE v1: what is signed. */
  function signedBytes(payload) {
    const head = utf8.encode(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `);
    const all = new Uint8Array(head.length + payload.length);
    all.set(head);
    all.set(payload, head.length);
    return all;
  }

  async function signatureHolds(key, sig, signed) {
    try {
      return await crypto.subtle.verify('Ed25519', key, fromBase64(sig), signedBytes(signed));
    } catch {
      return false; // no base64
    }
  }

  /** The statement of a manifest, or what is wrong with it. */
  async function openManifest(bytes) {
    let envelope;
    try {
      const text = decode(bytes);
      envelope = JSON.parse(text);
      if (`${JSON.stringify(envelope)}\n` !== text) throw new Error('form');
    } catch {
      return { fault: say('署名付き目録の形ではありません', 'it is no signed manifest in its one form') };
    }
    const { payloadType, payload, signatures } = envelope ?? {};
    const isSignature = (one) => typeof one?.keyid === 'string' && typeof one.sig === 'string';
    if (
      payloadType !== TYPE ||
      typeof payload !== 'string' ||
      !Array.isArray(signatures) ||
      !signatures.every(isSignature) ||
      new Set(signatures.map(({ keyid }) => keyid)).size !== signatures.length
    )
      return { fault: say('署名付き目録の形ではありません', 'it is no signed manifest in its one form') };
    let signed;
    try {
      signed = fromBase64(payload);
    } catch {
      return { fault: say('目録が壊れています', 'the payload is damaged') };
    }
    if (toBase64(signed) !== payload) return { fault: say('目録の表記が違います', 'the payload has another spelling') };
    // Every signature that names a trusted key must be that key's, as the gate wants it.
    const known = signatures.filter(({ keyid }) => keys.has(keyid));
    for (const { keyid, sig } of known)
      if (!(await signatureHolds(keys.get(keyid), sig, signed)))
        return { fault: say('署名が合いません。変更されています', 'the signature does not hold: it was changed') };
    if (known.length === 0) return { fault: say('信頼する鍵の署名がありません', 'no key that is trusted signed it') };
    const by = known.map(({ keyid }) => keyid).join(', ');
    try {
      const text = decode(signed);
      const statement = JSON.parse(text);
      if (`${JSON.stringify(statement)}\n` !== text) throw new Error('form');
      const { predicateType, predicate, subject } = statement;
      if (predicateType !== 'urn:mugai:sanitised:v1' || typeof (predicate ?? 0) !== 'object') throw new Error();
      if (!Array.isArray(subject) || !subject.every((one) => typeof one?.name === 'string')) throw new Error();
      return { statement, by };
    } catch {
      return { fault: say('署名された内容がMugaiのものではありません', 'what was signed is no statement of Mugai') };
    }
  }

  const followJournals = journalFollower({ acts: ACTS.split(' '), say, sha256, fromBase64, decode });

  /** What of the files belongs to a manifest: all in its folder, or loose ones by their digest. */
  function compare(manifest, statement, loose) {
    const rows = [];
    const faults = [];
    const names = new Set();
    for (const { name, digest } of statement.subject) {
      if (names.has(name) || !SHA256.test(digest?.sha256))
        faults.push(say('目録の一覧が壊れています', 'the list is damaged'));
      names.add(name);
      const inFolder =
        manifest.folder === undefined ? undefined : files.find((one) => one.path === manifest.folder + name);
      if (inFolder !== undefined) {
        const same = inFolder.sha256 === digest?.sha256;
        if (!same) faults.push(`${name}: ${say('変更されています', 'it was changed')}`);
        rows.push([name, digest?.sha256, same ? 'same' : 'changed']);
        continue;
      }
      const found = loose.find((one) => one.sha256 === digest?.sha256);
      if (found !== undefined) found.known = true;
      if (manifest.folder !== undefined && found === undefined)
        faults.push(`${name}: ${say('ありません', 'it is missing')}`);
      rows.push([name, digest?.sha256, found === undefined ? 'absent' : 'same', found?.path]);
    }
    if (manifest.folder !== undefined)
      for (const one of files)
        if (
          one.path.startsWith(manifest.folder) &&
          one !== manifest &&
          !names.has(one.path.slice(manifest.folder.length))
        )
          faults.push(`${one.path}: ${say('目録にありません', 'the manifest does not list it')}`);
    if (faults.length === 0 && rows.every(([, , state]) => state === 'absent'))
      faults.push(
        say(
          '署名は正しいものの、目録のファイルが一つも置かれていません',
          'its signature is right, but none of its files was dropped',
        ),
      );
    return { rows, faults };
  }

  /** What is said of a manifest that holds: of how many of its files, too, where not all were dropped. */
  function holdingWords(rows) {
    const there = rows.filter(([, , state]) => state !== 'absent').length;
    if (there === rows.length) return say('署名と内容が一致します', 'It holds: signature and digests are right');
    return say(
      `署名と、置かれたファイルの内容が一致します（目録の ${rows.length} 個のうち ${there} 個を比べました）`,
      `It holds as far as files were dropped: the signature is right, ${there} of ${rows.length} files compared`,
    );
  }

  /** The box of a manifest. Whoever sealed it may have given it any form: one that cannot be shown takes no other's place. */
  function boxOf(manifest, opened, chains, loose) {
    const known = loose.filter((one) => one.known);
    try {
      return showManifest(manifest, opened, chains, loose);
    } catch {
      for (const one of loose) one.known = known.includes(one);
      const fault = say('署名された内容がMugaiのものではありません', 'what was signed is no statement of Mugai');
      return showManifest(manifest, { fault }, chains, loose);
    }
  }

  function showManifest(manifest, opened, chains, loose) {
    const box = make('section');
    box.dataset.result = 'manifest';
    const { statement, by } = opened;
    const { rows, faults } =
      statement === undefined ? { rows: [], faults: [opened.fault] } : compare(manifest, statement, loose);
    const p = statement?.predicate ?? {};
    const positions = Array.isArray(p.chain) ? p.chain.map(String) : [];
    const places = positions.map((position) => {
      const [name, seq, digest] = position.split(':');
      const entry = chains.find((chain) => chain.name === name)?.entries.find(({ line }) => line.seq === Number(seq));
      if (entry === undefined) return [position, say('監査記録は置かれていません', 'its journal was not dropped')];
      if (entry.digest === digest) return [position, say('監査記録の行と一致', 'is the line of the journal')];
      faults.push(`${position}: ${say('監査記録の行と違います', 'the journal has another line here')}`);
      return [position, say('監査記録の行と違います', 'the journal has another line here')];
    });
    box.dataset.holds = String(faults.length === 0);
    box.append(make('h2', manifest.path));
    box.append(
      faults.length === 0
        ? make('p', holdingWords(rows), 'verdict good')
        : make('p', `${say('一致しません', 'REFUSED')}: ${faults.join('; ')}`, 'verdict bad'),
    );
    if (statement === undefined) return box;
    const list = make('dl');
    const fact = (ja, en, value) => list.append(make('dt', say(ja, en)), make('dd', String(value ?? '-'), 'code'));
    fact('受付番号', 'message', `${p.id} ${p.state}${(p.reason ?? null) === null ? '' : ` (${p.reason})`}`);
    fact('原本', 'source', `${p.source?.kind} ${p.source?.name ?? ''} ${p.source?.size} bytes`);
    fact('原本のSHA-256', 'SHA-256 of the source', p.source?.sha256);
    fact('差出人 → 宛先', 'from → to', `${p.envelope?.from} → ${(p.envelope?.to ?? []).join(', ')}`);
    fact('受付', 'received', p.receivedAt);
    fact('無害化', 'sanitised', p.sanitisedAt);
    fact('ポリシー', 'policy', `${p.policy?.name} ${p.policy?.version}, SHA-256 ${p.policy?.sha256}`);
    fact(
      'エンジン',
      'engine',
      `${p.engine?.version} ${JSON.stringify(p.engine?.workers ?? {})} ${JSON.stringify(p.engine?.sha256 ?? {})}`,
    );
    fact('署名した鍵', 'signed by key', by);
    for (const [position, told] of places) fact('監査記録での位置', 'place in the journals', `${position} - ${told}`);
    box.append(list, tableOf(rows), actsOf(p, chains));
    return box;
  }

  function tableOf(rows) {
    const table = make('table');
    const words = {
      same: say('一致', 'the same'),
      changed: say('変更あり', 'changed'),
      absent: say('置かれていません', 'not dropped here'),
    };
    for (const [name, digest, state, path] of rows) {
      const row = make('tr');
      const told = path === undefined ? words[state] : `${words[state]} (${path})`;
      row.append(make('td', name), make('td', digest, 'code'), make('td', told, state === 'changed' ? 'bad' : ''));
      table.append(row);
    }
    return table;
  }

  /** What the dropped journals tell of a message: approvals, deliveries, views. */
  function actsOf(predicate, chains) {
    const table = make('table');
    const ids = new Set([predicate.id, predicate.revises].filter((id) => id !== undefined));
    for (const { name, entries } of chains)
      for (const { line } of entries) {
        if (!ids.has(line.message)) continue;
        const row = make('tr');
        row.dataset.act = line.act;
        row.append(make('td', line.at, 'code'), make('td', `${line.act} ${line.person ?? ''}`));
        row.append(make('td', JSON.stringify(line.detail ?? {}), 'code'), make('td', `${name}:${line.seq}`, 'code'));
        table.append(row);
      }
    return table;
  }

  /** A box for each journal, and for what should be one. */
  function journalsShown({ chains, others, missing, lies, elsewhere }) {
    const box = (title, holds, words) => {
      const section = make('section');
      section.dataset.result = 'journal';
      section.dataset.holds = String(holds);
      section.append(
        make('h2', `${say('監査記録', 'journal')} ${title}`),
        make('p', words, `verdict ${holds ? 'good' : 'bad'}`),
      );
      return section;
    };
    const boxes = chains.map((chain) => {
      const { label, broken, unchecked } = chain;
      if (broken !== undefined) return box(label, false, `${say('切れています', 'BROKEN')}: ${broken}`);
      if (unchecked.length === 0)
        return box(label, true, `${say('つながっています', 'The chain holds')}: ${provedBy(chain)}`);
      const words = say('つながっていますが、確かめられません', 'UNCHECKED');
      return box(label, false, `${words}: ${unchecked.join('; ')}; ${provedBy(chain)}`);
    });
    for (const path of others)
      boxes.push(
        box(
          path,
          false,
          say(
            '監査記録のファイル名ではありません。調べていません',
            'its name is not that of a file of a journal: it was not looked at',
          ),
        ),
      );
    for (const [name, from] of missing)
      boxes.push(
        box(name, false, say(`${from} が示す記録がありません`, `BROKEN: ${from} names this chain, which is not here`)),
      );
    for (const { position, from, message } of lies)
      boxes.push(
        box(
          from,
          false,
          say(
            `パッケージ ${message} が、なかった行を示しています: ${position}`,
            `LIE: the package of ${message} names a line that never was: ${position}`,
          ),
        ),
      );
    if (elsewhere > 0)
      boxes.push(
        make(
          'p',
          say(
            `ここにない記録の ${elsewhere} か所は比べていません。`,
            `${elsewhere} places of chains that were not dropped are not compared.`,
          ),
        ),
      );
    return boxes;
  }

  /** How far a chain that follows is signed, and by whom else it is known. */
  function provedBy({ entries, heads, signedTo, anchored, keys: own }) {
    const lines = `${entries.length} ${say('行', 'lines')}`;
    const signed =
      signedTo === undefined
        ? say('署名なし', 'NOT SIGNED')
        : say(
            `${heads} 個の署名（鍵 ${own.length} 個、${signedTo} 行目まで）`,
            `${heads} signed heads by ${own.length} of its own keys up to number ${signedTo}`,
          );
    const named =
      anchored === undefined
        ? say('ほかの記録からの裏付けなし', 'NOT ANCHORED: no other journal here names a line of it')
        : say(
            `${anchored.seq} 行目を ${anchored.from} が示します`,
            `number ${anchored.seq} is as ${anchored.from} names it`,
          );
    return `${lines}, ${signed}; ${named}`;
  }

  async function show() {
    const results = $('results');
    const boxes = [];
    for (const element of document.querySelectorAll('[data-ja]'))
      element.textContent = english ? element.dataset.en : element.dataset.ja;
    document.documentElement.lang = english ? 'en' : 'ja';
    const trusted = [...keys.keys()].map((id) => make('li', id, 'code'));
    $('keys').replaceChildren(
      ...(trusted.length > 0
        ? trusted
        : [make('li', say('まだありません。verify-key.pem を置いてください。', 'None yet: drop verify-key.pem.'))]),
    );
    const journals = files.filter(({ path }) => path.endsWith('.jsonl'));
    const followed = await followJournals(journals);
    const { chains } = followed;
    const manifests = files.filter(({ path }) => path === MANIFEST || path.endsWith(`/${MANIFEST}`));
    for (const one of manifests) one.folder = one.path.includes('/') ? one.path.slice(0, -MANIFEST.length) : undefined;
    const inPackage = ({ path }) => manifests.some(({ folder }) => folder !== undefined && path.startsWith(folder));
    const loose = files.filter(
      (one) => !manifests.includes(one) && !journals.includes(one) && !one.key && !inPackage(one),
    );
    for (const one of loose) one.known = false;
    for (const manifest of manifests) boxes.push(boxOf(manifest, await openManifest(manifest.bytes), chains, loose));
    for (const one of loose.filter(({ known }) => !known)) {
      const box = make('section');
      box.dataset.result = 'file';
      box.dataset.holds = 'false';
      const why =
        manifests.length === 0
          ? say('目録（manifest.dsse.json）も置いてください', 'drop the manifest.dsse.json of its package as well')
          : say('どの目録にもありません', 'no manifest that holds lists it');
      box.append(make('h2', one.path), make('p', why, 'verdict bad'), make('p', `SHA-256 ${one.sha256}`, 'code'));
      boxes.push(box);
    }
    boxes.push(...journalsShown(followed), ...replaced.map(replacedShown));
    results.replaceChildren(...boxes);
    document.body.dataset.ready = String(Number(document.body.dataset.ready ?? '0') + 1);
  }

  function replacedShown({ path, sha256: digest }) {
    const box = make('section');
    box.dataset.result = 'replaced';
    box.dataset.holds = 'false';
    const why = say(
      '同じ場所に別のファイルが置かれたため、先のものは調べていません。「はじめから」で別々に調べてください',
      'another file was dropped in its place, so it is not judged any more: start again to judge the two apart',
    );
    box.append(make('h2', path), make('p', why, 'verdict bad'), make('p', `SHA-256 ${digest}`, 'code'));
    return box;
  }

  /** A file by itself is what it holds, whatever its name; one in a folder, or of a journal, has its place. */
  const hasPlace = ({ path }) => path.includes('/') || path.endsWith('.jsonl');

  /** Takes files in; `entries` are [path, File]. */
  async function take(entries) {
    for (const [path, file] of entries) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const one = { path, bytes, sha256: await sha256(bytes), key: false };
      if (path.endsWith('.pem')) one.key = (await takeKeys(new TextDecoder().decode(bytes)).catch(() => 0)) > 0;
      const before = files.filter((known) => known.path === path);
      const other = before.filter((known) => known.sha256 !== one.sha256);
      if (hasPlace(one)) replaced.push(...other);
      const gone = hasPlace(one) ? before : before.filter((known) => !other.includes(known));
      files = [...files.filter((known) => !gone.includes(known)), one];
    }
    await show();
  }

  /** Everything under a dropped entry. */
  async function* walk(entry) {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      yield [entry.fullPath.replace(/^\//, ''), file];
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const one of some) yield* walk(one);
    }
  }

  const drop = $('drop');
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  /** Runs `work` for an event; what goes wrong is said on the page. */
  const on = (element, event, work) =>
    element.addEventListener(event, (what) => {
      work(what).catch((error) => $('results').replaceChildren(make('p', String(error), 'verdict bad')));
    });
  on(drop, 'drop', async (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    const entries = [...event.dataTransfer.items]
      .map((item) => item.webkitGetAsEntry())
      .filter((entry) => entry !== null);
    const found = [];
    for (const entry of entries) for await (const one of walk(entry)) found.push(one);
    await take(found);
  });
  for (const id of ['files', 'folder'])
    on($(id), 'change', async (event) => {
      const chosen = [...event.target.files].map((file) => [file.webkitRelativePath || file.name, file]);
      event.target.value = '';
      await take(chosen);
    });
  on($('again'), 'click', async () => {
    files = [];
    replaced = [];
    await show();
  });
  on($('language'), 'click', async () => {
    english = !english;
    await show();
  });
  takeKeys(GIVEN_KEYS).then(show, () => {
    $('results').replaceChildren(
      make(
        'p',
        say(
          'このブラウザーは Ed25519 に対応していません（Chrome/Edge 137、Firefox 129、Safari 17 以降）。',
          'This browser lacks Ed25519 (Chrome or Edge 137, Firefox 129, Safari 17 and later have it).',
        ),
        'verdict bad',
      ),
    );
  });
})();
