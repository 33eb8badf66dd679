// The auditor's tool, second part: follows journals as `mugai audit verify` does, with WebCrypto alone.
'use strict';
// oxlint-disable-next-line no-unused-vars -- the page's script, which stands behind this one, calls it
function journalFollower({ acts, say, sha256, fromBase64, decode }) {
  const MOST_LINES = 5_000_000;
  const LINE_BYTES = 64 * 1024;
  const UNSIGNED_MS = 2 * 3_600_000;
  const GENESIS = '0'.repeat(64);
  const NAME = /^(\d{8})-(\d{15})\.jsonl$/;
  const CHAIN = /^(?:outer|middle|inner)-[0-9a-f]{8}$/;
  const AT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
  const SHA256 = /^[0-9a-f]{64}$/;
  const PLACE = /^((?:outer|middle|inner)-[0-9a-f]{8}):([1-9]\d{0,14}):([0-9a-f]{64})$/;
  const FORM = () => say('決まった形ではありません', 'it is not in its one form');

  const nameOf = (path) => path.slice(path.lastIndexOf('/') + 1);
  const firstOf = ({ path }) => Number(NAME.exec(nameOf(path))?.[2]);
  const chainOf = ({ bytes }) =>
    /"chain":"([a-z]+-[0-9a-f]{8})"/.exec(textOf(bytes.subarray(0, LINE_BYTES)))?.[1] ?? '';
  const textOf = (bytes) => new TextDecoder().decode(bytes);
  const placeOf = (text) => {
    const [, chain, seq, digest] = PLACE.exec(text) ?? [];
    return chain === undefined ? undefined : { chain, seq: Number(seq), digest };
  };

  /** Files that belong together: those of one folder; loose ones by the chain of their first line. */
  function groupsOf(files) {
    const groups = new Map();
    for (const one of files) {
      const folder = one.path.slice(0, one.path.length - nameOf(one.path).length);
      const key = folder === '' ? chainOf(one) : folder;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    return [...groups].map(([key, group]) => [key, group.toSorted((a, b) => firstOf(a) - firstOf(b))]);
  }

  /** The lines of a file: their bytes, without the end. */
  function* linesOf(bytes) {
    let at = 0;
    for (let stop = bytes.indexOf(0x0a); stop >= 0; stop = bytes.indexOf(0x0a, at)) {
      yield bytes.subarray(at, stop);
      at = stop + 1;
    }
    if (at < bytes.length) yield undefined;
  }

  function isDetail(detail) {
    if (detail === undefined) return true;
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return false;
    return Object.entries(detail).every(
      ([name, value]) =>
        /^[a-zA-Z][a-zA-Z0-9]{0,39}$/.test(name) &&
        (['string', 'number', 'boolean'].includes(typeof value) ||
          (Array.isArray(value) && value.every((one) => typeof one === 'string'))),
    );
  }

  /** The line in these bytes, or undefined: only the one form of a line is one. */
  function parse(bytes) {
    let line;
    let text;
    try {
      text = decode(bytes);
      line = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (typeof line !== 'object' || line === null) return undefined;
    const { seq, at, chain, act, message, person, detail, prev } = line;
    const isText = (one) => one === undefined || typeof one === 'string';
    const fits =
      Number.isInteger(seq) &&
      seq >= 1 &&
      [at, chain, act, prev].every((one) => typeof one === 'string') &&
      AT.test(at) &&
      CHAIN.test(chain) &&
      acts.includes(act) &&
      isText(message) &&
      isText(person) &&
      isDetail(detail) &&
      SHA256.test(prev);
    return fits && JSON.stringify({ seq, at, chain, act, message, person, detail, prev }) === text ? line : undefined;
  }

  async function headHolds(position, signature, spki) {
    try {
      const key = await crypto.subtle.importKey('spki', fromBase64(spki), 'Ed25519', false, ['verify']);
      const bytes = new TextEncoder().encode(`mugai-journal-head-v1\n${position}\n`);
      return await crypto.subtle.verify('Ed25519', key, fromBase64(signature), bytes);
    } catch {
      return false;
    }
  }

  /** What is wrong with a line in its place, or undefined. */
  async function faultOf(line, begins, chain) {
    const { seq, at, act, detail, prev } = line;
    if (chain.name === undefined) {
      chain.name = line.chain;
      chain.firstSeq = seq;
      chain.last = { seq: seq - 1, digest: seq === 1 ? GENESIS : prev, at: '' };
      if (seq > 1) chain.begins = `${line.chain}:${seq - 1}:${prev}`;
    }
    const { last } = chain;
    if (line.chain !== chain.name) return say('別の記録の行です', `it is of the chain ${line.chain}`);
    if (seq !== last.seq + 1 || prev !== last.digest)
      return say('前の行とつながりません', 'it does not follow the line before');
    if (begins !== undefined && begins !== seq)
      return say('ファイル名の番号と違います', 'its file begins with another number');
    if (at < last.at && act !== 'opened' && act !== 'recovered')
      return say('前の行より古い時刻です', 'it is older than the line before');
    if (act === 'opened') {
      if (typeof detail?.key !== 'string') return say('鍵がありません', 'it opens the journal without a key');
      chain.key = detail.key;
      if (!chain.keys.includes(chain.key)) {
        if (chain.keys.length > 0) chain.newKeyAt = seq;
        chain.keys.push(chain.key);
      }
    }
    if (act === 'head') return faultOfHead(line, chain);
    if (act === 'retired') {
      const place = placeOf(detail?.upTo);
      const standing = place === undefined ? undefined : digestAt(chain, place.seq);
      if (place?.chain !== chain.name || (standing !== undefined && standing !== place.digest) || place.seq >= seq)
        return say('なかった行を破棄したことにしています', 'it retires lines that never were');
      if (chain.keys.length === 0 && typeof detail.key === 'string') {
        chain.key = detail.key;
        chain.keys.push(detail.key);
        chain.isUnproven = true; // until a head before it holds with that key
      }
      chain.retired.set(detail.upTo, seq);
    }
    return undefined;
  }

  async function faultOfHead({ seq, detail, prev }, chain) {
    const here = `${chain.name}:${seq - 1}:${prev}`;
    if (detail?.of !== here) return say('別の行への署名です', 'it signs another line');
    const signature = String(detail.signature);
    if (chain.key === undefined) {
      chain.early.push({ here, seq: seq - 1, signature });
      return undefined;
    }
    if (!(await headHolds(here, signature, chain.key)))
      return say('先頭の署名が合いません', 'the signature of the head does not hold');
    signed(chain, seq - 1, chain.key);
    return undefined;
  }

  function signed(chain, seq, key) {
    chain.heads += 1;
    chain.signedTo = Math.max(chain.signedTo ?? 0, seq);
    if (key === chain.keys[0]) chain.firstTo = Math.max(chain.firstTo, seq);
  }

  /** The digest of a line of a chain by its number; undefined: an older one, or none. */
  function digestAt(chain, seq) {
    if (seq === chain.firstSeq - 1) return chain.begins?.slice(-64) ?? GENESIS;
    return chain.entries[seq - chain.firstSeq]?.digest;
  }

  async function follow(group) {
    const chain = {
      label: '',
      name: undefined,
      firstSeq: 1,
      begins: undefined,
      last: undefined,
      key: undefined,
      keys: [],
      newKeyAt: 0,
      early: [],
      retired: new Map(),
      entries: [],
      heads: 0,
      signedTo: undefined,
      firstTo: 0,
      isUnproven: false,
      broken: undefined,
      unchecked: [],
      anchored: undefined,
    };
    for (const { path, bytes } of group) {
      let number = 0;
      const stop = (why) => (chain.broken = `${path} ${say('行', 'line')} ${number}: ${why}`);
      for (const raw of linesOf(bytes)) {
        number += 1;
        if (raw === undefined) stop(say('途中で切れています', 'it is cut off'));
        else if (raw.length > LINE_BYTES) stop(FORM());
        if (chain.broken !== undefined) break;
        if (chain.entries.length === MOST_LINES) {
          chain.unchecked.push(
            say(`${MOST_LINES}行より後は調べていません`, `what comes after ${MOST_LINES} lines is not followed`),
          );
          return chain;
        }
        const line = parse(raw);
        const fault =
          line === undefined ? FORM() : await faultOf(line, number === 1 ? firstOf({ path }) : undefined, chain);
        if (fault !== undefined) {
          stop(fault);
          break;
        }
        const digest = await sha256(raw);
        chain.entries.push({ line, digest });
        chain.last = { seq: line.seq, digest, at: line.at };
      }
      if (chain.broken !== undefined) return chain;
    }
    if (chain.entries.length === 0) chain.broken = say('行がありません', 'there is no line');
    else if (chain.begins !== undefined && !chain.retired.has(chain.begins))
      chain.broken = say(
        '先頭の行がなく、破棄の記録もありません',
        'older lines are gone, and no line says that they were retired',
      );
    return chain;
  }

  /** Compares what chains say of each other. */
  function compareAll(chains) {
    const known = new Map();
    for (const chain of chains)
      if (known.has(chain.name))
        chain.broken ??= say('同じ連鎖が別のフォルダーにもあります', 'its chain lies in another folder, too');
      else if (chain.name !== undefined) known.set(chain.name, chain);
    const zones = new Set([...known.keys()].map((name) => name.split('-')[0]));
    const missing = new Map();
    const lies = [];
    let elsewhere = 0;
    for (const { name, entries } of chains) {
      // The last line of each chain that this one named as it is: what it names otherwise after that never was.
      const told = new Map();
      for (const { line } of entries)
        for (const position of Array.isArray(line.detail?.chain) ? line.detail.chain : []) {
          const place = placeOf(position);
          if (place === undefined) continue;
          const from = `${name}:${line.seq}`;
          const other = known.get(place.chain);
          if (other === undefined) {
            if (!zones.has(place.chain.split('-')[0])) elsewhere += 1;
            else if (!missing.has(place.chain)) missing.set(place.chain, from);
            continue;
          }
          const digest = digestAt(other, place.seq);
          if (digest === place.digest) {
            if (place.seq > (other.anchored?.seq ?? 0)) other.anchored = { seq: place.seq, from };
            told.set(place.chain, Math.max(place.seq, told.get(place.chain) ?? 0));
          } else if ((told.get(place.chain) ?? 0) >= place.seq) lies.push({ position, from, message: line.message });
          else if (place.seq >= other.firstSeq - 1)
            other.broken ??= `${position}: ${say(`${from} は別の行を示します`, `${from} names another line here`)}`;
        }
    }
    return { missing, lies, elsewhere };
  }

  async function doubt(chain) {
    const [key] = chain.keys;
    let keyless = 0;
    for (const { here, seq, signature } of chain.early)
      if (key !== undefined && (await headHolds(here, signature, key))) {
        signed(chain, seq, key);
        chain.isUnproven = false;
      } else keyless += 1;
    const tell = (ja, en) => chain.unchecked.push(say(ja, en));
    if (keyless > 0)
      tell(`鍵の分からない署名 ${keyless} 個`, `${keyless} heads are signed with a key that no line here names`);
    const span = Date.parse(chain.last?.at) - Date.parse(chain.entries[0]?.line.at);
    if (chain.heads + keyless === 0 && span > UNSIGNED_MS)
      tell(
        `${Math.floor(span / 3_600_000)}時間署名がありません`,
        `no line is signed in ${Math.floor(span / 3_600_000)} hours`,
      );
    if (
      chain.begins !== undefined &&
      chain.retired.get(chain.begins) > Math.max(chain.isUnproven ? 0 : chain.firstTo, chain.anchored?.seq ?? 0)
    )
      tell(
        '先頭の行の破棄が、元の鍵で署名されていません',
        'older lines are gone, and the line that retires them is not signed with the key of the lines before it',
      );
    if (chain.newKeyAt > (chain.anchored?.seq ?? 0))
      tell(
        `${chain.newKeyAt} 行目からは別の鍵の署名で、前の鍵の持ち主の裏付けがありません`,
        `lines from number ${chain.newKeyAt} on are signed with a key that nobody who had the one before confirms`,
      );
  }

  /**
   * Follows the journals in these files (`{path, bytes}`): the chains, files that are none of a journal by their name, chains
   * that are named and not here though their zone is, places that packages name and that never were, and how many places of others' chains could not be compared.
   */
  return async function followJournals(files) {
    const others = files.filter(({ path }) => !NAME.test(nameOf(path)));
    const chains = [];
    for (const [key, group] of groupsOf(files.filter((one) => !others.includes(one)))) {
      const chain = await follow(group);
      chain.label = chain.name ?? key;
      chains.push(chain);
    }
    const { missing, lies, elsewhere } = compareAll(chains);
    for (const chain of chains) if (chain.broken === undefined) await doubt(chain);
    return { chains, others: others.map(({ path }) => path), missing, lies, elsewhere };
  };
}
