// The walk through one message: every leaf is detected, routed, converted, and gets its row; what is a mail is walked too.
import { LIMITS } from '../message/limits.ts';
import type { PartRow, Reason, Remark } from '../message/part.ts';
import { bannerOf } from '../message/banner.ts';
import type { Envelope, Headers } from '../message/stages.ts';
import { parseDeadlineMs } from '../message/limits.ts';
import { TextReader } from '../sandbox/text-reader.ts';
import { OPERATION } from '../sandbox/wire.ts';
import type { Entry } from '../spool/spool.ts';
import { OverBudget } from './budget.ts';
import { askedForArchive, askedForPdf } from './ask-sender.ts';
import { convertOffice } from './convert-office.ts';
import { convertImage } from './convert-image.ts';
import { convertPdf } from './convert-pages.ts';
import { mailParts, type Remarks } from './mail-parts.ts';
import { composeMessageText } from './message-text.ts';
import { openArchive } from './open-archive.ts';
import { convertToText } from './only-text.ts';
import { refusal, rowOf, withCharset, type Converted, type Leaf } from './part.ts';
import { secondOpinion } from './second-opinion.ts';
import { identityRemarks } from './identity.ts';
import { mismatchOf } from './mismatch.ts';
import { readMail, type ReadMail } from './read-mail.ts';
import { isNamedAnywhere, routeOf } from './route.ts';
import { scriptByName } from './script-name.ts';
import type { Tools } from './tools.ts';
import { withPages } from './with-pages.ts';

/** What was signed is not what is delivered: a signature could only be shown wrongly (attack row 39). */
const SIGNATURE: Converted = {
  verdict: 'dropped',
  reason: null,
  outputs: [],
  pages: 0,
  findings: [{ code: 'signature', detail: '' }],
  losses: [],
};

const DROPPED: Converted = { verdict: 'dropped', reason: null, outputs: [], pages: 0, findings: [], losses: [] };

/** A system's own notes beside files. */
const LEFTOVER: Converted = { ...DROPPED, findings: [{ code: 'system-file', detail: '' }] };

const TEXT: Converted = { verdict: 'text', reason: null, outputs: [], pages: 0, findings: [], losses: [] };

/** A part that nobody asked for, where only another one is wanted. */
const LEFT_OUT: Converted = { verdict: 'dropped', reason: null, outputs: [], pages: 0, findings: [], losses: [] };

const NOTHING_SEEN: Remarks = { findings: [], losses: [] };

/** Texts that are tables. */
const TABLES = new Set(['text/csv', 'text/tab-separated-values']);

const HTML = new Set(['text/html', 'application/xhtml+xml']);
/** A web page saved with its pictures. */
const SAVED_PAGE = 'multipart/related';

/** Mails in form only: nobody sent them. */
const WITHOUT_FROM = new Set(['application/pkcs7-mime', SAVED_PAGE]);

const PIECE = 'message/partial';

/** Attachments in an encoding nobody knows that look like text are what the encoding made of them: row 28, "held". */
function undecoded(type: string, seen: Remarks): Reason | undefined {
  const unknown = seen.findings.some(({ code }) => code === 'unknown-encoding');
  return unknown && routeOf(type) === 'text' ? 'ambiguous' : undefined;
}

/** A part that the policy keeps back. */
function byPolicy(verdict: 'dropped' | 'held'): Converted {
  return { verdict, reason: 'policy', outputs: [], pages: 0, findings: [], losses: [] };
}

/** What the walk of a mail gave; `refused` when it could not be read at all. */
export type WalkedMail =
  | { readonly kind: 'mail'; readonly headers: Headers; readonly autoSubmitted: string; readonly body: string }
  | { readonly kind: 'refused'; readonly reason: Reason };

/** Walks one message. Rows and outputs grow in the order of the tree. */
export class Walk {
  readonly rows: PartRow[] = [];
  readonly outputs: Entry[] = [];
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /**
   * The message itself, when it is a mail: its body becomes text of `message.txt`, which the caller writes. `checked`: what is
   * found of its sender meanwhile.
   */
  async mail(leaf: Leaf, envelope: Envelope, checked?: Promise<readonly Remark[]>): Promise<WalkedMail> {
    const mail = await readMail(leaf, this.#tools);
    if ('refused' in mail) {
      this.#row(leaf, 'message/rfc822', refusal(mail.refused));
      return { kind: 'refused', reason: mail.refused };
    }
    // The whole, too: a scanner knows mails, and the text of one is no leaf. The text itself can do no harm: it goes on, told.
    const whole = await secondOpinion(leaf, this.#tools);
    const identity = identityRemarks({ ...mail, from: mail.headers.from, envelope });
    const senders = checked === undefined ? [] : await checked;
    const findings = [...mail.findings, ...whole.findings, ...identity, ...senders];
    const body = await this.#bodyOf({ ...mail, findings }, findings, leaf, 'message.txt');
    // A mail of nothing but headers (or of parts that never came) has no leaf: its row is its own.
    if (this.rows.length === 0)
      this.rows.push({
        ...rowOf({ ...leaf, path: '1' }, leaf.declaredType, TEXT, { ...mail, findings }),
        outputs: ['message.txt'],
      });
    return { kind: 'mail', headers: mail.headers, autoSubmitted: mail.autoSubmitted, body };
  }

  /** Any other leaf: detected by its bytes, converted by its route. */
  async leaf(leaf: Leaf, seen: Remarks = NOTHING_SEEN): Promise<PartRow> {
    const { only } = this.#tools;
    if (only?.as === 'bytes' && only.part === leaf.path) {
      await only.take(leaf); // as it is: nobody looks into it on this way
      const row = rowOf(leaf, leaf.declaredType, LEFT_OUT, seen);
      this.rows.push(row);
      return row;
    }
    const before = this.rows.length;
    const outputsBefore = this.outputs.length;
    const detected = await this.#detect(leaf);
    const unread = detected.refused ?? undecoded(detected.type, seen);
    const scanned = await secondOpinion(leaf, this.#tools);
    const converted =
      scanned.end ?? (unread === undefined ? await this.#convert(leaf, detected.type) : refusal(unread));
    const mismatch =
      detected.refused === undefined ? mismatchOf(leaf.declaredType, leaf.name, detected.type) : undefined;
    const extra = mismatch === undefined ? [] : [{ code: 'type-mismatch', detail: mismatch }];
    if (detected.refused === undefined) extra.push(...scriptByName(leaf.name, detected.type));
    extra.push(...scanned.findings);
    const found = [...seen.findings, ...extra, ...converted.findings];
    const kept = await this.#byRule(leaf, detected.type, converted, found);
    const row = rowOf(leaf, detected.type, kept, {
      findings: [...seen.findings, ...extra],
      losses: seen.losses,
    });
    // A container's own row and output stand before those of its children.
    this.rows.splice(before, 0, row);
    this.outputs.splice(outputsBefore, 0, ...kept.outputs);
    return row;
  }

  /** Once it is known what a part became and what was found in it: whether the policy's rules let that pass. */
  async #byRule(leaf: Leaf, type: string, converted: Converted, findings: readonly Remark[]): Promise<Converted> {
    const { verdict } = converted;
    if (verdict !== 'text' && verdict !== 'pages' && verdict !== 'image') return converted;
    const codes = findings.map(({ code }) => code);
    const decision = this.#tools.policy.decide(type, { size: leaf.content.size, findings: codes });
    if (decision === 'convert' || decision === verdict) return converted;
    for (const { content } of converted.outputs) if ('discard' in content) await content.discard();
    return { ...byPolicy(decision === 'hold' ? 'held' : 'dropped'), findings: converted.findings };
  }

  async #convert(leaf: Leaf, type: string): Promise<Converted> {
    const { only } = this.#tools;
    if (only !== undefined && only.part !== leaf.path && !only.part.startsWith(`${leaf.path}.`)) return LEFT_OUT;
    if (isPgpControl(leaf)) return DROPPED;
    if (type === 'message/partial') return { ...refusal('unsupported-type'), verdict: 'held' };
    const decision = this.#tools.policy.decide(type, { size: leaf.content.size, findings: [] });
    if (decision === 'drop') return byPolicy('dropped');
    if (decision === 'hold') return byPolicy('held');
    try {
      if (only !== undefined && only.part === leaf.path && (only.as === 'text' || only.as === 'values'))
        return await convertToText(leaf, type, only.as, this.#tools);
      const route = routeOf(type);
      switch (route) {
        case 'pdf':
          return await convertPdf(leaf, this.#tools);
        case 'image':
          return askedForPdf(type, await convertImage(leaf, this.#tools));
        case 'mail': {
          const mail = await this.#nestedMail(leaf, type);
          return type === SAVED_PAGE && mail.verdict === 'expanded' && this.#tools.policy.html === 'pages'
            ? await withPages(mail, { ...leaf, declaredType: type }, OPERATION.page, this.#tools)
            : mail;
        }
        case 'signature':
          return SIGNATURE;
        case 'leftover':
          return LEFTOVER;
        case 'encrypted':
          return refusal('encrypted');
        case 'text':
        case 'html':
          return await this.#text(leaf, type);
        case 'office':
          return await convertOffice(leaf, this.#tools);
        case 'archive':
          return askedForArchive(type, await this.#archive(leaf, type));
        case 'disc':
          // Windows mounts one by a click and forgets where its files came from: attack row 83.
          return this.#tools.policy.discImages === 'open'
            ? await this.#archive(leaf, type)
            : refusal('unsupported-type');
        case 'unsupported':
          return refusal('unsupported-type');
        default:
          return route satisfies never;
      }
    } catch (error) {
      if (error instanceof OverBudget) return refusal(error.reason);
      throw error;
    }
  }

  /** An archive: each entry gets its row below the archive's own, whatever it is or became. */
  async #archive(leaf: Leaf, type: string): Promise<Converted> {
    if (leaf.depth + 1 > this.#tools.policy.limits.depth) return refusal('too-deep');
    const opened = await openArchive(leaf, type, this.#tools);
    if (opened.kind === 'refused') return refusal(opened.reason, opened);
    const { entries, findings } = opened;
    try {
      for (const [index, { name, trouble, content, findings: seen }] of entries.entries()) {
        const child: Leaf = {
          path: `${leaf.path}.${index + 1}`,
          depth: leaf.depth + 1,
          name,
          declaredType: '',
          content,
        };
        if (trouble === undefined) await this.leaf(child, { findings: seen, losses: [] });
        else this.#row(child, 'application/octet-stream', refusal(trouble, { findings: seen }));
      }
    } finally {
      for (const { content } of entries) await content.discard();
    }
    const [first] = entries;
    if (first === undefined) return refusal('empty', { findings });
    const locked = entries.filter(({ trouble }) => trouble === 'password-needed' || trouble === 'password-wrong');
    // All of it is locked: the archive itself is what a password is asked for.
    if (locked.length === entries.length) return refusal(first.trouble ?? 'password-needed', { findings });
    return { verdict: 'expanded', reason: null, outputs: [], pages: 0, findings, losses: [] };
  }

  /** A mail, or a container of mails and files, inside a message: its body becomes a text file, its parts rows below its path. */
  async #nestedMail(leaf: Leaf, type: string): Promise<Converted> {
    const inner = { ...leaf, depth: leaf.depth + 1 };
    if (inner.depth > this.#tools.policy.limits.depth) return refusal('too-deep');
    const mail = await readMail(inner, this.#tools, type);
    // A signature beside what it signs (smime.p7s): there is nothing in it.
    if ('refused' in mail && mail.refused === 'empty' && type === 'application/pkcs7-mime') return SIGNATURE;
    if ('refused' in mail) return refusal(mail.refused, mail);
    const { headers } = mail;
    const hasText = mail.nodes.some((node) => (node.text ?? '').trim() !== '');
    const hasHead = Object.values(headers).some((value) => value !== '');
    const expanded = {
      verdict: 'expanded',
      reason: null,
      pages: 0,
      findings: mail.findings,
      losses: mail.losses,
    } as const;
    const parts = { ...mail, findings: [], losses: [] }; // what was seen of the whole stands in its own row
    if (!hasText && !hasHead) {
      await mailParts(parts, inner, '', this, this.#tools);
      return { ...expanded, outputs: [] };
    }
    const name = this.#tools.nextFile(leaf.name === '' ? headers.subject : leaf.name, 'txt');
    // What was signed is a MIME entity (RFC 8551 §3.1): it has no From of its own.
    const own = mail.findings.filter(({ code }) => !WITHOUT_FROM.has(type) || code !== 'from-count');
    const findings = [...own, ...identityRemarks({ ...mail, from: headers.from, envelope: undefined })];
    const body = await this.#bodyOf(parts, findings, inner, name);
    const content = await this.#tools.keep(Buffer.from(composeMessageText(headers, body, ''), 'utf8'));
    return { ...expanded, findings, outputs: [{ name, content }] };
  }

  /** The text of a mail: what speaks against its sender, then its body. */
  async #bodyOf(mail: ReadMail, findings: readonly Remark[], parent: Leaf, textFile: string): Promise<string> {
    const body = await mailParts(mail, parent, textFile, this, this.#tools);
    const banner = bannerOf(findings, this.#tools.policy.language);
    return banner === '' ? body : `${banner}\n\n${body}`;
  }

  async #text(leaf: Leaf, type: string): Promise<Converted> {
    const pieces: string[] = [];
    const remarks = { findings: [] as Remark[], losses: [] as Remark[] };
    const reader = new TextReader(OPERATION.convert, {
      onDetected: () => undefined,
      onText: (piece) => void pieces.push(piece),
      onFinding: (remark) => remarks.findings.push(remark),
      onLoss: (remark) => remarks.losses.push(remark),
    });
    const deadlineMs = parseDeadlineMs(leaf.content.size);
    const whole = (): void => reader.finish();
    const declaredType = withCharset(type, leaf);
    const ask = { family: 'text', declaredType, deadlineMs, totalMs: deadlineMs, whole } as const;
    const outcome = await this.#tools.run(leaf, ask, () => reader.take);
    if (outcome.kind !== 'done') return refusal(outcome.reason, remarks);
    const content = await this.#tools.keep(Buffer.from(pieces.join(''), 'utf8'));
    const output = { name: this.#tools.nextFile(leaf.name, 'txt'), content };
    const text: Converted = { verdict: 'text', reason: null, outputs: [output], pages: 0, ...remarks };
    if (content.size === 0) return text;
    if (TABLES.has(type) && this.#tools.policy.csv === 'pages')
      return withPages(text, { ...leaf, content }, OPERATION.table, this.#tools);
    if (HTML.has(type) && this.#tools.policy.html === 'pages')
      return withPages(text, { ...leaf, declaredType }, OPERATION.page, this.#tools);
    return text;
  }

  async #detect(leaf: Leaf): Promise<{ readonly type: string; readonly refused?: Reason }> {
    // A piece of a mail that was cut up so that no filter sees the whole (RFC 2046 §5.2.2, CVE-2002-1121): never joined, and as
    // text it would be the payload, still encoded.
    if (leaf.declaredType === PIECE) return { type: PIECE };
    if (leaf.content.size === 0) return { type: 'application/x-empty', refused: 'empty' };
    const first = await this.#typeBy(leaf, LIMITS.detectHeadBytes);
    const isWhole = leaf.content.size <= LIMITS.detectHeadBytes;
    const { type, refused } =
      isWhole || first.refused !== undefined || !isNamedAnywhere(first.type)
        ? first
        : await this.#typeBy(leaf, LIMITS.detectBytes);
    return refused === undefined ? { type: meant(leaf, type) } : { type, refused };
  }

  /** What the first bytes of a leaf, `head` of them at most, say that it is. */
  async #typeBy(leaf: Leaf, head: number): Promise<{ readonly type: string; readonly refused?: Reason }> {
    let type = 'application/octet-stream';
    const ignore = (): void => undefined; // a detection has no text and nothing to remark
    const reader = new TextReader(OPERATION.detect, {
      onDetected: (detected) => (type = detected),
      onText: ignore,
      onFinding: ignore,
      onLoss: ignore,
    });
    const deadlineMs = parseDeadlineMs(Math.min(head, leaf.content.size));
    const ask = {
      family: 'text',
      operation: OPERATION.detect,
      declaredType: withCharset(leaf.declaredType, leaf),
      head,
      deadlineMs,
      totalMs: deadlineMs,
      whole: () => reader.finish(),
    } as const;
    const outcome = await this.#tools.run(leaf, ask, () => reader.take);
    return outcome.kind === 'done' ? { type } : { type, refused: outcome.reason };
  }

  #row(leaf: Leaf, type: string, converted: Converted): PartRow {
    const row = rowOf(leaf, type, converted);
    this.rows.push(row);
    return row;
  }
}

/** What the declared type adds to what the bytes say, where they say too little. */
function meant(leaf: Leaf, detected: string): string {
  const declared = leaf.declaredType;
  // A mail often starts with lines that look like any text; what the outer mail declares decides between these two.
  if ((declared === 'message/rfc822' || declared === 'message/global') && routeOf(detected) === 'text')
    return 'message/rfc822';
  return isPgpControl(leaf) ? declared : detected;
}

/** "Version: 1", the first part of multipart/encrypted (RFC 3156 §4): words for programs. */
function isPgpControl({ declaredType, content }: Leaf): boolean {
  return declaredType === 'application/pgp-encrypted' && content.size < 1000;
}
