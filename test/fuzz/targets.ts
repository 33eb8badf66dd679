// What is fuzzed: each target takes an input and throws when a promise is broken. A refusal of the input is no fault.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DotReader } from '../../src/ingress/dot-reader.ts';
import { Hops } from '../../src/ingress/hops.ts';
import { recipientFault } from '../../src/ingress/recipients.ts';
import { SmtpWire } from '../../src/ingress/smtp-wire.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { forFileName, forLine, forLog, forText } from '../../src/message/untrusted.ts';
import { MANIFEST, PAYLOAD_TYPE, keyId, openManifest, preAuthentication } from '../../src/outbox/manifest.ts';
import { GateRefusal, RULES } from '../../src/outbox/refusal.ts';
import type { FrameSink } from '../../src/sandbox/child.ts';
import { MailReader } from '../../src/sandbox/mail-reader.ts';
import { PageCollector } from '../../src/sandbox/raster-page.ts';
import { TextReader } from '../../src/sandbox/text-reader.ts';
import {
  FRAME,
  FrameReader,
  OPERATION,
  PART_KIND,
  PIXEL,
  WireError,
  bytesFrame,
  fieldsFrame,
} from '../../src/sandbox/wire.ts';
import { htmlToText } from '../../workers/html-text.ts';
import { judgePdf } from '../support/checker/own-pdf.ts';
import { jpegFaults, pngFaults } from '../support/checker/own-picture.ts';
import { nameFaults, textFaults, utf8Faults } from '../support/checker/text-rules.ts';
import { ownFiles, refusalOf } from '../support/own-files.ts';
import { KEYS, PAIR, sealedPackage } from '../support/packages.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';

export interface Target {
  readonly name: string;
  /** Inputs to begin with. */
  readonly seeds: () => Promise<readonly Buffer[]>;
  /** Words of the language that is spoken. */
  readonly words: readonly string[];
  readonly run: (input: Buffer) => Promise<void> | void;
}

const nothing = (): void => undefined;
const DEAF = {
  onHeader: nothing,
  onPart: nothing,
  onBytes: nothing,
  onText: nothing,
  onPartEnd: nothing,
  onFinding: nothing,
  onLoss: nothing,
  onDetected: nothing,
};

/** Any bytes a child may send: a `WireError` or an outcome, no other error, and nothing kept beyond one frame. */
const wire: Target = {
  name: 'the wire reader',
  seeds: async () => [
    Buffer.concat([
      fieldsFrame(FRAME.header, [4, 'subject']),
      fieldsFrame(FRAME.part, [1, 1, PART_KIND.leaf, 'text/plain', 'a.txt', '', '']),
      fieldsFrame(FRAME.finding, ['code', 'detail']),
      ...bytesFrame(FRAME.bytes, Buffer.from('bytes')),
      ...bytesFrame(FRAME.text, Buffer.from('text')),
      fieldsFrame(FRAME.partEnd),
    ]),
    Buffer.concat([
      fieldsFrame(FRAME.pages, [2]),
      fieldsFrame(FRAME.page, [16, 2, PIXEL.grey8, { f64: 72 }, { f64: 72 }]),
      ...bytesFrame(FRAME.pixels, Buffer.alloc(32, 0x5a)),
      fieldsFrame(FRAME.loss, ['code', '']),
    ]),
    Buffer.concat([...bytesFrame(FRAME.text, Buffer.from('はじめ'))]),
  ],
  words: [],
  run: async (input) => {
    const readers: readonly (() => { take: FrameSink; finish: () => unknown })[] = [
      () => new MailReader(DEAF),
      () => new TextReader(OPERATION.convert, DEAF),
      () => new TextReader(OPERATION.detect, DEAF),
      () => new PageCollector(nothing),
    ];
    for (const make of readers) {
      const reader = make();
      const frames = new FrameReader(LIMITS.frameBytes);
      try {
        for (let at = 0; at < input.length; at += 97)
          for (const frame of frames.push(input.subarray(at, at + 97))) await reader.take(frame);
        assert.ok(frames.pending <= LIMITS.frameBytes + 6);
        reader.finish();
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }
  },
};

/** Any bytes at the SMTP door: commands without controls, one end of data, the same however the bytes are cut. */
const door: Target = {
  name: 'the SMTP byte guard',
  seeds: async () => [
    Buffer.from('EHLO a.example\r\n'),
    Buffer.from('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@city.example.lg.jp>\r\nDATA\r\n'),
    Buffer.from('Subject: x\r\nReceived: a\r\n\r\n..dot\r\ntext\r\n.\r\nQUIT\r\n'),
  ],
  words: [
    '\r\n',
    '\n',
    '\r',
    '.',
    '\r\n.\r\n',
    '\n.\n',
    '\r\n.\n',
    '..',
    'DATA\r\n',
    'RSET\r\n',
    'STARTTLS\r\n',
    '\0',
    'X-Mugai-Id: 1\r\n',
    'x-mugai-id: 01m89hvd2vnzqmynkhmbdmh7rw\r\n',
    'Received: x\r\n',
    ' '.repeat(1100),
  ],
  run: (input) => {
    const seen = [1, 7, 4096].map((size) => ({ commands: commandsOf(input, size), data: dataOf(input, size) }));
    for (const one of seen) {
      // oxlint-disable-next-line no-control-regex
      for (const line of one.commands) assert.doesNotMatch(line, /[\u0000-\u0008\u000a-\u001f\u007f]/);
      assert.deepEqual(one.data, seen[0]?.data, 'data reads differently when it is cut differently');
    }
    for (const line of seen[0]?.commands ?? []) recipientFault(line, new Set(['city.example.lg.jp']));
    if (seen[0]?.data.ended === true)
      assert.ok(input.includes('\r\n.\r\n') || input.subarray(0, 3).toString('latin1') === '.\r\n');
  },
};

function commandsOf(input: Buffer, size: number): string[] {
  const commands: string[] = [];
  const parser = new SmtpWire({
    greeted: () => true,
    refuse: () => void (parser.isClosed = true),
    complain: (_reply, next) => next(),
  });
  parser.oncommand = (line, next) => {
    commands.push(line.toString('latin1'));
    next?.();
  };
  for (let at = 0; at < input.length && !parser.isClosed; at += size) parser.write(input.subarray(at, at + size));
  parser.destroy();
  return commands;
}

const whatOf = ({ tooMany, marks }: Hops) => ({ loop: tooMany, marks: [...marks] });

function dataOf(
  input: Buffer,
  size: number,
): {
  readonly content: string;
  readonly ended: boolean;
  readonly ambiguous: boolean;
  readonly loop: boolean;
  readonly marks: readonly string[];
} {
  const reader = new DotReader();
  const hops = new Hops();
  let content = '';
  for (let at = 0; at < input.length; at += size) {
    const read = reader.read(input.subarray(at, at + size));
    content += read.content.toString('latin1');
    hops.take(read.content);
    if (read.ambiguous === true) return { content, ended: false, ambiguous: true, ...whatOf(hops) };
    if (read.restAt !== undefined) return { content, ended: true, ambiguous: false, ...whatOf(hops) };
  }
  return { content, ended: false, ambiguous: false, ...whatOf(hops) };
}

async function filesOf(folder: string, pattern: RegExp, most: number): Promise<Buffer[]> {
  const root = fileURLToPath(new URL(`../../samples/${folder}/`, import.meta.url));
  const names = (await readdir(root)).filter((name) => pattern.test(name)).toSorted();
  const files = await Promise.all(names.map(async (name) => readFile(`${root}${name}`)));
  return files.filter((bytes) => bytes.length < most);
}

let sanitiser: Promise<Sanitiser> | undefined;

/** Ends the children of the targets. */
export async function closeTargets(): Promise<void> {
  await (await sanitiser)?.[Symbol.asyncDispose]();
  sanitiser = undefined;
}

/** The walk is what is tried: what needs an engine of its own would take most of the time. */
const WALK_ONLY = `name: walk
version: "1"
csv: text
rules:
  - { name: engines, when: { type: ['image/*', 'application/*'] }, action: drop }
`;

/** Any mail through its child, the host and the checker: one of the ends, and the output contract. */
const mime: Target = {
  name: 'the MIME walk',
  seeds: async () => filesOf('mail', /\.eml$/, 16_384),
  words: [
    '\r\n',
    '\r\n\r\n',
    '--',
    'boundary=',
    'boundary="',
    'Content-Type: multipart/mixed; boundary=a\r\n',
    'Content-Type: message/rfc822\r\n',
    'Content-Transfer-Encoding: base64\r\n',
    'charset=iso-2022-jp',
    '=?utf-8?B?',
    '?=',
    "filename*0*=utf-8''",
    '\u001b$B',
    '\u001b(B',
    ';',
    '"',
    '(',
    'begin 644 a\r\n',
    '=00',
    '\u202e',
  ],
  run: async (input) => {
    sanitiser ??= openSanitiser({ policy: readPolicy(WALK_ONLY, 'walk') }, 1);
    const { faults, state, ms } = await (await sanitiser).judge('mail', '', input);
    assert.deepEqual(faults, []);
    assert.match(state, /^(sanitised|held|refused)$/);
    assert.ok(ms < 60_000, `${ms} ms`);
  },
};

/** Any markup to text: no error, bounded, and nothing but text. */
const html: Target = {
  name: 'HTML to text',
  seeds: async () => [
    ...(await filesOf('file', /\.html$/, 65_536)),
    Buffer.from(
      '<table><tr><td>a</td><td rowspan=2 colspan=3>b</td></tr></table><ul><li>x<ol><li>y</ol></ul><a href="http://a.example/">b.example</a><pre> p </pre><ruby>漢<rt>かん</rt></ruby>',
    ),
  ],
  words: [
    '<',
    '>',
    '</',
    '<!--',
    '-->',
    '<![CDATA[',
    '<script>',
    '</script>',
    '<table>',
    '<td colspan=9999999>',
    '<td rowspan=-1>',
    '<style>',
    ' style="display:none"',
    '<a href="',
    '&#x202e;',
    '&#55296;',
    '&amp',
    '<li>',
    '<p>',
    '"',
    "'",
    '=',
    '<svg>',
    '<ol start=-99999999999>',
  ],
  run: (input) => {
    const started = performance.now();
    const { text } = htmlToText(input.toString('utf8'));
    assert.ok(performance.now() - started < 10_000);
    assert.deepEqual(textFaults(forText(text), 'html'), []);
    assert.ok(text.length < 100_000 + input.length * 50, `${text.length} characters of ${input.length} bytes`);
  },
};

/** Any string as a file name, a line, a log value, a text. */
const names: Target = {
  name: 'file names',
  seeds: async () => [
    Buffer.from('研修のお知らせ.pdf'),
    Buffer.from('a.tar.gz'),
    Buffer.from('..\\..\\CON.txt'),
    Buffer.from('invoice\u202efdp.exe'),
    Buffer.from('x'.repeat(300)),
  ],
  words: [
    '.',
    '/',
    '\\',
    '\u202e',
    'CON',
    '\u{20b9f}',
    '\u3099',
    '-',
    '_',
    ' ',
    '\u00ad',
    '\u{e0100}',
    '__proto__',
    '.pdf',
  ],
  run: (input) => {
    for (const encoding of ['utf8', 'utf16le', 'latin1'] as const) {
      const text = input.toString(encoding);
      for (const [index, ext] of [
        [1, 'pdf'],
        [9999, 'txt'],
      ] as const)
        assert.deepEqual(nameFaults(`files/${forFileName(index, text, ext)}`), []);
      assert.deepEqual(textFaults(forText(text), 'text'), []);
      for (const line of [forLine(text, 300), forLog(text)]) {
        assert.deepEqual(textFaults(line, 'line'), []);
        assert.doesNotMatch(line, /[\n\t]/);
      }
      assert.ok(forLine(text, 300).length <= 300);
    }
  },
};

/** Kinds of files the gate reads, by the first byte of the input; then manifests, as they are and sealed by who has the key. */
const GATE_KINDS = ['pdf', 'jpg', 'png', 'txt', 'envelope', 'payload'] as const;

/** Any bytes at the inner gate: a refusal at a byte of the file by a rule, or a file without a fault; never another error. */
const gate: Target = {
  name: 'the inner gate',
  seeds: async () => {
    const kindOf = (name: string): number => GATE_KINDS.findIndex((kind) => name.endsWith(kind));
    const files = [...(await ownFiles())].map(([name, bytes]) => Buffer.concat([Buffer.from([kindOf(name)]), bytes]));
    const manifest = sealedPackage(new Map([['files/01-a.txt', Buffer.from('a')]])).get(MANIFEST) as Buffer;
    const { payload } = JSON.parse(manifest.toString('utf8')) as { payload: string };
    return [
      ...files,
      Buffer.concat([Buffer.from([4]), manifest]),
      Buffer.concat([Buffer.from([5]), Buffer.from(payload, 'base64')]),
    ];
  },
  words: [
    '/JS (x)',
    '/AA << >>',
    '9 0 obj\n',
    'endstream\nendobj\n',
    '%%EOF\n',
    'BT\n',
    '"subject":[',
    '../',
    '\u0000',
    '0',
  ],
  run: async (input) => {
    const kind = GATE_KINDS[(input[0] ?? 0) % GATE_KINDS.length] as (typeof GATE_KINDS)[number];
    const bytes = input.subarray(1);
    if (kind === 'envelope' || kind === 'payload') {
      const statement = await openManifest(kind === 'envelope' ? bytes : envelopeOf(bytes), KEYS).catch(refusalOnly);
      if (statement !== undefined)
        for (const { name } of statement.subject) assert.deepEqual(nameFaults(name), [], name);
      return;
    }
    const refusal = await refusalOf(`a.${kind}`, bytes, 1000);
    if (refusal !== undefined) {
      assert.ok(RULES.includes(refusal.rule));
      assert.ok(refusal.offset !== undefined && refusal.offset >= 0 && refusal.offset <= bytes.length, refusal.message);
    } else if (kind === 'pdf') assert.deepEqual(judgePdf(bytes, 'a.pdf').faults, []);
    else if (kind === 'txt') assert.deepEqual(utf8Faults(bytes, 'a.txt'), []);
    else assert.deepEqual((kind === 'jpg' ? jpegFaults : pngFaults)(bytes).faults, []);
  },
};

function refusalOnly(error: unknown): undefined {
  if (!(error instanceof GateRefusal)) throw error;
}

/** A payload sealed by somebody who holds the key. */
function envelopeOf(payload: Buffer): Buffer {
  const sig = sign(null, preAuthentication(payload), PAIR.privateKey).toString('base64');
  const signatures = [{ keyid: keyId(PAIR.publicKey), sig }];
  return Buffer.from(
    `${JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: payload.toString('base64'), signatures })}\n`,
  );
}

export const TARGETS: readonly Target[] = [wire, door, mime, html, names, gate];
