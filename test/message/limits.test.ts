// Holds src/message/limits.ts: every limit has its reason, is used, and is shown by a test. A limit that nobody enforces is a wish.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../../src/message/limits.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
type Name = keyof typeof LIMITS;

/**
 * Limits of the tree of one message and of children: shown at the limit, one above and far above, on the host, while mail passes. A
 * test says so by its name, which begins `limit <name>:`, or by standing here with the file and the words of its name.
 */
const THREE: Readonly<Partial<Record<Name, string>>> = {
  mimeDepth: 'test/sandbox/limits.test.ts: parts and depth of a mail',
  textChars: 'test/sandbox/limits.test.ts: text of one leaf',
  pagePixels: 'test/sandbox/limits.test.ts: pixels of a side and of a page',
  sidePixels: 'test/sandbox/limits.test.ts: pixels of a side and of a page',
  frameBytes: "test/sandbox/limits.test.ts: ['frame-bytes', LIMITS.frameBytes + 1",
  frames: "test/sandbox/limits.test.ts: ['frames', LIMITS.frames + 1",
  stderrMost: "test/sandbox/limits.test.ts: ['stderr', LIMITS.stderrMost + 1",
  memoryPollMs: "test/sandbox/limits.test.ts: ['mebibytes', 300",
  imageMs: 'test/sandbox/limits.test.ts: milliseconds: a child that is in time, one that is late',
  officeMs: 'test/sandbox/limits.test.ts: milliseconds: a child that is in time, one that is late',
};

/** Limits that a test shows in another way: the file, and words of the test. */
const SHOWN: Readonly<Partial<Record<Name, string>>> = {
  messageBytes: 'test/attacks/smtp-door.test.ts: a message at the limit is taken, one above is 552',
  recipients: 'test/attacks/smtp-door.test.ts: recipients at the limit are taken, one above is 452',
  inlineBytes: 'test/store/fs-store.test.ts: gives back what was committed, small and large',
  smtpIdleMs: 'test/attacks/smtp-door.test.ts: one byte at a time holds a command for its deadline and no longer',
  smtpDataMs: 'test/attacks/smtp-door.test.ts: DATA has a deadline as a whole',
  smtpDataBaseMs: 'test/attacks/smtp-door.test.ts: DATA has a deadline as a whole',
  smtpDataBytesPerSecond: 'test/attacks/smtp-door.test.ts: DATA has a deadline as a whole',
  smtpCommandBytes: 'test/attacks/smtp-door.test.ts: a command line at the limit is heard, one above',
  smtpSessionMs: 'test/attacks/smtp-door.test.ts: commands that lead nowhere, and a session without a mail',
  smtpCommands: 'test/attacks/smtp-door.test.ts: commands that lead nowhere, and a session without a mail',
  smtpErrors: 'test/attacks/smtp-door.test.ts: recipients of other domains end the session',
  receivedFields: 'test/attacks/smtp-door.test.ts: with more Received fields than a road has hops',
  clientConnections: 'test/attacks/smtp-door.test.ts: connections of one address: at the limit let in, one above 421',
  clientConnectionsPerMinute: 'test/attacks/smtp-door.test.ts: rates of one address',
  clientRecipientsPerMinute: 'test/attacks/smtp-door.test.ts: rates of one address',
  clientErrorsPerMinute: 'test/attacks/smtp-door.test.ts: rates of one address',
  clientsKnown: 'test/attacks/smtp-door.test.ts: the books of addresses are bounded',
  headerBytes: 'test/attacks/header.test.ts: header bombs',
  headerChars: 'test/sandbox/hostile-worker.ts: a header of 1 MB',
  htmlBytes: 'test/workers/html-text.test.ts: source beyond the limit is cut, and says so',
  remarks: 'test/sandbox/limits.test.ts: remarks of one input',
  pageRuns: 'test/sandbox/hostile-worker.ts: more runs than a page may have',
  sourcePixels: 'test/workers/image.test.ts: a PNG of 30,000 × 30,000 pixels in 110 KB is refused before it is decoded',
  detectHeadBytes: 'test/sanitise/late-names.test.ts: a docx with its content types behind a picture becomes pages',
  detectBytes: 'test/sanitise/late-names.test.ts: an archive behind a large program is opened',
  decodedPixels: 'test/workers/image.test.ts: a bitmap of as many pixels as a telephone takes is scaled down',
  sheetColumns: 'test/sanitise/tables.test.ts: says so on a last page of its own, with the name of the sheet',
  livePages: 'test/seal/live.test.ts: a long document shows its pages while it is drawn',
  sharpDpi: 'test/workers/pdf.test.ts: without a wish, short grey documents are drawn at 200 dpi',
  sharpPages: 'test/workers/pdf.test.ts: without a wish, short grey documents are drawn at 200 dpi',
  dpi: 'test/workers/pdf.test.ts: without a wish, short grey documents are drawn at 200 dpi',
  ocrMs: 'test/sanitise/read-pixels.test.ts: a scan that is read can be searched',
  retryAfterSeconds: 'test/ops/pressure.test.ts: is 452 at MAIL and 503 with Retry-After on HTTP',
  retryAfterLeastSeconds: 'test/ops/pressure.test.ts: says when it is worth coming again',
  retryAfterMostSeconds: 'test/ops/pressure.test.ts: says when it is worth coming again',
  codesMs: 'test/sandbox/hostile.test.ts: fails costs the document nothing but its codes',
  codePagesUsual: 'test/sanitise/read-codes.test.ts: on a page is told with the page, as far as the policy looks',
  pairingHours: 'test/journeys/pairing.test.ts: opens the file of the first one',
  pairingHoursUsual: 'test/journeys/pairing.test.ts: opens the file of the first one',
  mailRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  textRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  pdfRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  imageRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  codesRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  ocrRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  archiveRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  authRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  officeRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  officeWasmRss: 'test/sandbox/jail.test.ts: lets a grandchild eat memory is charged for it',
  officeWasmData: 'test/sandbox/jail.test.ts: Max data size',
  childStacks: 'test/sandbox/jail.test.ts: Max data size',
  childFiles: 'test/sandbox/jail.test.ts: Max open files',
  childThreads: 'test/sandbox/jail.test.ts: Max processes',
  officeScratch: 'test/sandbox/jail.test.ts: Max file size',
  pdfiumBytes: 'test/workers/pdf.test.ts: a fan of forms that draws a thousand million times ends by a limit',
  sweepMs: 'test/sandbox/hostile-worker.ts: a grandchild that holds the pipes',
  authMs: 'test/sanitise/authenticate.test.ts: a DNS that says nothing',
  dnsMs: 'test/sanitise/authenticate.test.ts: a DNS that says nothing',
  dnsTryMs: 'test/sanitise/authenticate.test.ts: a DNS that says nothing',
  dnsTries: 'test/sanitise/authenticate.test.ts: a DNS that says nothing',
  dnsUdpBytes: 'test/sanitise/authenticate.test.ts: a long key comes over TCP',
  dnsKeepMs: 'test/sanitise/authenticate.test.ts: a question is asked once',
  questions: 'test/sanitise/authenticate.test.ts: a thousand signatures cost few questions',
  checksTold: 'test/sanitise/authenticate.test.ts: a thousand signatures cost few questions',
  rows: 'test/outbox/tampered.test.ts: the manifest has more parts than a message may have',
  manifestBytes: 'test/sanitise/tree-limits.test.ts: limits messageRemarks and messageRemarkChars',
  attachBytes: 'test/policy/rules.test.ts: attachBytes',
  verifyKeyLookMs: 'test/outbox/keys.test.ts: are rotated under a running gateway',
  signingKeyLookMs: 'test/outbox/keys.test.ts: are rotated under a running gateway',
  leastFreeBytes: 'test/journeys/bad-input.test.ts: a full disk is 452',
  attempts: 'test/journeys/bad-input.test.ts: a PDF that loops stops only its own part',
};

const source = await readFile(join(ROOT, 'src/message/limits.ts'), 'utf8');
const names = Object.keys(LIMITS) as Name[];

async function filesUnder(folder: string, pattern: RegExp): Promise<string[]> {
  const found = await readdir(join(ROOT, folder), { recursive: true });
  return found.filter((name) => pattern.test(name)).map((name) => join(folder, name));
}

async function textOf(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(async (file) => readFile(join(ROOT, file), 'utf8')))).join('\n');
}

describe('every limit', () => {
  it('has its reason: a comment at its line, or above it and those that share it', () => {
    const lines = source.slice(source.indexOf('export const LIMITS'), source.indexOf('} as const')).split('\n');
    let reason = '';
    for (const line of lines) {
      if (/^\s*(\/\*\*|\*|\/\/)/.test(line)) reason = line.includes('──') ? '' : reason + line;
      else if (line.trim() === '') reason = '';
      const name = /^ {2}([a-zA-Z]+):/.exec(line)?.[1];
      if (name !== undefined)
        assert.ok(`${reason}${/\/\/.*$/.exec(line)?.[0] ?? ''}`.length > 15, `${name} has no reason`);
    }
  });

  it('is used where it is enforced', async () => {
    const code = await textOf([...(await filesUnder('src', /\.ts$/)), ...(await filesUnder('workers', /\.ts$/))]);
    for (const name of names) assert.match(code, new RegExp(`LIMITS\\.${name}\\b`), `${name} is used nowhere`);
  });

  it('is shown by a test that names it, or stands in one of the lists above, with a test that exists', async () => {
    const tests = await textOf(await filesUnder('test', /\.test\.ts$/));
    const named = new Set(
      [...tests.matchAll(/(?:it|test)\(\s*['"`]limits? ([^:'"`]+):/g)].flatMap(([, list = '']) =>
        list.split(/, | and /),
      ),
    );
    for (const name of names) {
      const places = [named.has(name), name in THREE, name in SHOWN].filter(Boolean).length;
      assert.equal(places, 1, `${name}: ${places === 0 ? 'no test shows it' : 'told of more than once'}`);
    }
    for (const [name, place] of Object.entries({ ...THREE, ...SHOWN })) {
      const [file = '', ...words] = place.split(': ');
      assert.ok((await readFile(join(ROOT, file), 'utf8')).includes(words.join(': ')), `${name}: ${place}`);
    }
    for (const list of [THREE, SHOWN])
      for (const name of Object.keys(list)) assert.ok(name in LIMITS, `${name} is no limit`);
    for (const name of named) assert.ok(name in LIMITS, `a test is named after ${name}, which is no limit`);
  });
});
