// Holds the house's import table: who may import whom, which package appears where. A new arrow is a change here first.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Rooms of src/ and what they may import. `deliver` keeps its own records, so it may use `store`; never `spool`. */
const MAY_IMPORT: { readonly [room: string]: readonly string[] } = {
  message: [],
  ops: ['message'],
  store: ['message'],
  queue: ['message'],
  sandbox: ['message'],
  names: ['message'],
  policy: ['message'],
  spool: ['message', 'store'],
  outbox: ['message', 'store'],
  requests: ['message', 'store'],
  audit: ['message', 'store'],
  ingress: ['message', 'spool', 'ops'],
  sanitise: ['message', 'spool', 'sandbox', 'policy', 'ops'],
  seal: ['message', 'spool', 'outbox', 'ops'],
  console: ['message', 'outbox', 'requests', 'ops', 'portal'],
  portal: ['message', 'outbox', 'audit', 'requests', 'ops'],
  deliver: ['message', 'outbox', 'store', 'ops'],
};

/** Files that may import anything; nothing below them imports them. */
const TOP = [
  'main.ts',
  'roles.ts',
  'config.ts',
  'config-keys.ts',
  'lifecycle.ts',
  'version.ts',
  'zones',
  'cli',
  'demo',
];

/** What workers/ may import of src/. */
const WORKERS_MAY = ['src/sandbox/wire.ts', 'src/sandbox/exit-codes.ts', 'src/message/limits.ts'];

/** Packages that are bound to places: regular expressions over the importing file. */
const PACKAGE_PLACES: { readonly [name: string]: RegExp } = {
  mailparser: /^workers\//,
  mailauth: /^workers\/auth\.ts$/,
  'dns-packet': /^workers\/dns-answer\.ts$/,
  'node:dgram': /^(src\/(names\/|ops\/syslog\.ts$|sandbox\/break-out\.ts$)|workers\/inmate\.ts$)/,
  htmlparser2: /^workers\//,
  'file-type': /^workers\//,
  'encoding-japanese': /^workers\//,
  '@kenjiuno/msgreader': /^workers\//,
  '@kenjiuno/decompressrtf': /^workers\//,
  'iconv-lite': /^workers\//,
  'ical.js': /^workers\//,
  '@embedpdf/pdfium': /^workers\//,
  'zxing-wasm': /^workers\/codes\.ts$/,
  'tesseract.js-core': /^workers\/ocr\.ts$/,
  '@tesseract.js-data/jpn': /^workers\/ocr\.ts$/,
  '@tesseract.js-data/jpn_vert': /^workers\/ocr\.ts$/,
  '@matbee/libreoffice-converter': /^workers\/office\/wasm\.ts$/,
  fflate: /^(workers\/|src\/deliver\/clean-zip\.ts$)/,
  saxes: /^workers\//,
  'officecrypto-tool': /^workers\//,
  'blowfish-node': /^workers\//,
  '7z-wasm': /^workers\//,
  'libheif-js': /^workers\//,
  '@resvg/resvg-wasm': /^workers\//,
  sharp: /^(workers\/(image|docuworks)|src\/sanitise\/(encode-page|picture))\.ts$/,
  'pdf-lib': /^src\/(sanitise\/notice-page|cli\/selfcheck\/report-pdf)\.ts$/,
  fontkit: /^src\/cli\/selfcheck\/report-pdf\.ts$/,
  bullmq: /^src\/queue\//,
  ioredis: /^src\/queue\//,
  '@aws-sdk/client-s3': /^src\/store\/s3-bucket\.ts$/,
  'smtp-server': /^src\/ingress\/(smtp-door|guarded-server|smtp-wire)\.ts$/,
  fastify:
    /^src\/(ingress\/(http-door|release-page|upload-page|upload-answers|upload-fault|upload-form|tus-routes)|ops\/health)\.ts$|^src\/portal\//,
  nodemailer: /^src\/(deliver|demo)\//,
  pino: /^src\/ops\//,
  '@node-rs/argon2': /^src\/portal\/passwords\.ts$/,
  'node:sqlite': /^src\/(?:portal\/database|store\/alone)\.ts$/,
  'prom-client': /^src\/ops\//,
  'bullmq-otel': /^src\/queue\//,
  '@opentelemetry/api': /^src\/ops\/traces\.ts$/,
  '@opentelemetry/sdk-trace': /^src\/ops\/traces\.ts$/,
  '@opentelemetry/exporter-trace-otlp-http': /^src\/ops\/traces\.ts$/,
  yaml: /^src\/policy\//,
  'node:child_process': /^(src\/cli\/bundle\.ts$|src\/sandbox\/|workers\/inmate\.ts$|workers\/office\/native\.ts$)/,
};

/** Where an original's bytes may be named: none of the inner zone, nor where packages are made of outputs. */
const RAW = /^src\/(spool|sanitise|ingress)\/|^src\/zones\/(?!inner|portal)/;

interface Import {
  readonly file: string;
  readonly target: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    const target = name.startsWith('.') ? relative(ROOT, join(ROOT, posix.dirname(file), name)) : name;
    return { file, target };
  });
}

const srcFiles = sources('src');
const workerFiles = sources('workers');
const imports = [...srcFiles, ...workerFiles].flatMap(importsOf);

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function packageOf(target: string): string {
  const [first = '', second = ''] = target.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

describe('architecture', () => {
  it('sees the imports it is to judge', () => {
    assert.ok(imports.length > 150, `only ${imports.length} imports found`);
    assert.ok(imports.some(({ file, target }) => file === 'src/ingress/intake.ts' && target === 'src/spool/spool.ts'));
  });

  it('every room of src is in the table or at the top', () => {
    const rooms = new Set(srcFiles.map(roomOf));
    for (const room of rooms) assert.ok(room in MAY_IMPORT || TOP.includes(room), `${room} is not in the table`);
    for (const room of Object.keys(MAY_IMPORT)) assert.ok(rooms.has(room), `${room} is in the table and holds nothing`);
  });

  it('a room imports only what the table allows', () => {
    for (const { file, target } of imports) {
      if (!target.startsWith('src/') || !file.startsWith('src/')) continue;
      const from = roomOf(file);
      const to = roomOf(target);
      if (TOP.includes(from) || from === to) continue;
      assert.ok(MAY_IMPORT[from]?.includes(to), `${file} imports ${target}: ${from} may not import ${to}`);
    }
  });

  it('workers import the wire, the exit codes, the limits and their own parsers, nothing else of src', () => {
    for (const { file, target } of imports) {
      if (!file.startsWith('workers/') || !target.startsWith('src/')) continue;
      assert.ok(WORKERS_MAY.includes(target), `${file} imports ${target}`);
    }
  });

  it('no zone imports what its side must not name', () => {
    const NEVER: { readonly [zone: string]: readonly string[] } = {
      'src/zones/ingress.ts': ['outbox', 'seal', 'sanitise', 'deliver'],
      'src/zones/worker.ts': ['ingress', 'deliver'],
      'src/zones/inner.ts': ['spool', 'ingress', 'sanitise', 'sandbox', 'seal'],
    };
    for (const [zone, rooms] of Object.entries(NEVER)) {
      const seen = imports.filter(({ file }) => file === zone);
      assert.ok(seen.length > 3, `${zone} has no imports`);
      for (const { target } of seen) assert.ok(!rooms.includes(roomOf(target)), `${zone} imports ${target}`);
    }
  });

  it('a stage of a message is made in the one room that earns it: no cast elsewhere makes one', () => {
    const MAKERS: { readonly [stage: string]: readonly string[] } = {
      Spooled: ['src/spool/spool.ts'],
      Sanitised: ['src/spool/spool.ts'],
      Sealed: ['src/outbox/outbox.ts'],
      Delivered: ['src/deliver/ledger.ts'],
      VerifiedPackage: ['src/outbox/verify.ts'],
    };
    const found: { [stage: string]: Set<string> } = {};
    for (const file of srcFiles)
      for (const [, stage = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(/\bas (?:unknown as )?([A-Z]\w+)/g))
        (found[stage] ??= new Set()).add(file);
    for (const [stage, files] of Object.entries(MAKERS)) assert.deepEqual([...(found[stage] ?? [])], files, stage);
    // What must not compile is written down, and `tsc` holds it.
    const held = readFileSync(join(ROOT, 'test/no-bypass.types.ts'), 'utf8').match(/@ts-expect-error/g) ?? [];
    assert.equal(held.length, 11);
  });

  it('only what is made of text and pixels becomes an output: raw bytes are named by the spool and those who open them', () => {
    const namers = srcFiles.filter((file) =>
      /\b(?:rawContent|releaseContent)\b/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    assert.ok(namers.length > 2);
    for (const file of namers) assert.match(file, RAW);
  });

  it('nothing of src imports a worker', () => {
    for (const { file, target } of imports) {
      if (file.startsWith('src/')) assert.ok(!target.startsWith('workers/'), `${file} imports ${target}`);
    }
  });

  it('parsers of hostile bytes, engines and processes appear only in their places', () => {
    for (const { file, target } of imports) {
      const place = PACKAGE_PLACES[packageOf(target)];
      if (place !== undefined) assert.match(file, place, `${file} imports ${target}`);
    }
  });

  it('the limits import nothing: workers read that file alone', () => {
    assert.deepEqual(importsOf('src/message/limits.ts'), []);
  });

  it('process.env is read in config.ts only, process.exit called in main.ts and in children only', () => {
    for (const file of [...srcFiles, ...workerFiles]) {
      const code = readFileSync(join(ROOT, file), 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
      if (file !== 'src/config.ts') assert.doesNotMatch(code, /process\.env\b/, file);
      if (file.startsWith('src/') && file !== 'src/main.ts' && !file.startsWith('src/demo/'))
        assert.doesNotMatch(code, /process\.exit\(/, file);
    }
  });

  it('every file says in its first line what it is for', () => {
    for (const file of [...srcFiles, ...workerFiles]) {
      const [first, second] = readFileSync(join(ROOT, file), 'utf8').split('\n');
      assert.match((first?.startsWith('#!') ? second : first) ?? '', /^\/[/*]/, file);
    }
  });
});
