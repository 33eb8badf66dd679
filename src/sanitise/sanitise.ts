// Spooled → Sanitised: the bytes are opened in jailed children only; what comes back becomes text, pictures and rows.
import type { Position } from '../message/act.ts';
import type { MessageId } from '../message/id.ts';
import { accountOfParts } from '../message/account.ts';
import { LIMITS } from '../message/limits.ts';
import type { PartRow, Reason, Remark, State } from '../message/part.ts';
import type { Envelope, Sanitised, SanitisedRecord, Source, Spooled } from '../message/stages.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Traces } from '../ops/traces.ts';
import type { Policy } from '../policy/policy.ts';
import type { Entry, Spool, StageWriter, Staged } from '../spool/spool.ts';
import { authenticate, clientOf, type Client, type SenderChecks } from './authenticate.ts';
import type { LiveSink } from './live.ts';
import { composeMessageText } from './message-text.ts';
import { routeOf } from './route.ts';
import { Tools, type Failure, type Only, type Pools, type Scan } from './tools.ts';
import { Walk, type WalkedMail } from './walk.ts';
import { boundedBody, boundedRemarks } from './within-limits.ts';

/** What sanitising needs besides the message. */
export interface SanitiseTools {
  readonly pools: Pools;
  readonly policy: Policy;
  readonly metrics: Metrics;
  /** Place for output bytes that are not durable yet. */
  readonly begin: (cap: number) => StageWriter;
  /** Where pages of long documents become visible before the package; nowhere unless given. */
  readonly live?: (id: MessageId) => LiveSink;
  /** How senders of mail are checked; they are not unless given. */
  readonly senderChecks?: SenderChecks | undefined;
  /** Only this of one part is wanted: other parts are left out, pages go to `live` alone. */
  readonly only?: Only;
  /** Told why a child refused a part or failed at it: for the log, where an operator looks for the cause. */
  readonly onFailure?: (failure: Failure & { readonly id: MessageId }) => void;
  /** Where spans of the children's work go. */
  readonly traces?: Traces | undefined;
  /** Passwords to try on locked parts. */
  readonly passwords: readonly string[];
  /** Whose words those passwords are, and the parts that are locked without them. */
  readonly pairing?: Pairing;
  /** A second opinion on every part: what a malware scanner finds. `undefined` from it: nothing. Throws: no answer. */
  readonly scan?: Scan | undefined;
  /** Our own version, for the manifest. */
  readonly version: string;
  /** Digests of our own code, for the manifest. */
  readonly codeDigests?: Readonly<Record<string, string>>;
}

/** Passwords that came from a second mail: the parts they are for, and what the account says of it. */
export interface Pairing {
  readonly parts: ReadonlySet<string>;
  readonly detail: string;
}

export interface SanitiseDeps extends SanitiseTools {
  readonly spool: Spool;
}

/** A message as it came, wherever it lies. */
export interface Input {
  readonly id: MessageId;
  readonly source: Source;
  readonly envelope: Envelope;
  /** Who brought a mail, where that is known. */
  readonly client?: Client | undefined;
  readonly receivedAt: string;
  readonly content: Staged;
  /** Its place in the outer zone's journal. */
  readonly chain?: Position | undefined;
}

/** A message made harmless, not durable yet. */
export interface Harmless {
  readonly record: Omit<SanitisedRecord, 'outputFolder'>;
  readonly outputs: readonly Entry[];
}

/** The step: returns the record that exists, or makes one. Durable when it resolves. */
export async function sanitise(spooled: Spooled, deps: SanitiseDeps, signal: AbortSignal): Promise<Sanitised> {
  const earlier = await deps.spool.sanitised(spooled.id);
  if (earlier !== undefined) return earlier;
  const { source, envelope, peer, receivedAt, chain } = spooled.record;
  const content = deps.spool.rawContent(spooled);
  const input = { id: spooled.id, source, envelope, client: clientOf(peer), receivedAt, content, chain };
  const harmless = await makeHarmless(input, deps, signal);
  try {
    const sanitised = await deps.spool.recordSanitised(spooled, harmless.record, harmless.outputs);
    countParts(sanitised.record.parts, deps.metrics);
    return sanitised;
  } finally {
    for (const output of harmless.outputs) if ('discard' in output.content) await output.content.discard();
  }
}

/** Counts what became of each part, the body's too, once the message has come so far: attempts before do not count. */
function countParts(parts: readonly PartRow[], { parts: counter }: Metrics): void {
  for (const { detectedType, verdict, reason } of parts)
    counter.inc({ worker: routeOf(detectedType), verdict, reason: reason ?? '' });
}

/**
 * Ends a message that fails inside us again and again: no output, state `held`, a note to its reader. It goes the rest
 * of the road like any other, so that it ends where a person sees it.
 */
export async function quarantine(spooled: Spooled, deps: SanitiseDeps): Promise<Sanitised> {
  const { source, envelope, receivedAt, chain } = spooled.record;
  const input = { id: spooled.id, source, envelope, receivedAt, chain };
  return deps.spool.recordSanitised(spooled, wholeRecord(input, 'held', 'converter-failed', deps), []);
}

/** A message that is refused as it came, nothing of it opened. */
export function refuseWhole(input: Omit<Input, 'content'>, reason: Reason, tools: SanitiseTools): Harmless {
  return { record: wholeRecord(input, 'refused', reason, tools), outputs: [] };
}

/** The record of a message that nobody looked into: one row for all of it. */
function wholeRecord(
  input: Omit<Input, 'content'>,
  state: 'held' | 'refused',
  reason: Reason,
  tools: SanitiseTools,
): Harmless['record'] {
  const { source } = input;
  const row: PartRow = {
    path: '1',
    name: source.name,
    declaredType: '',
    detectedType: source.kind === 'mail' ? 'message/rfc822' : 'application/octet-stream',
    size: source.size,
    sha256: source.sha256,
    verdict: state,
    reason,
    outputs: [],
    pages: 0,
    findings: [],
    losses: [],
  };
  return recordOf(input, [row], state, reason, [], tools, 0);
}

/** Makes a message harmless. Throws only for trouble of ours (disk, children that cannot start): try again later. */
export async function makeHarmless(input: Input, common: SanitiseTools, signal: AbortSignal): Promise<Harmless> {
  const tools = { ...common, policy: common.policy.forMessage(input.envelope) };
  const live = tools.live?.(input.id);
  const onFailure = (failure: Failure): void => tools.onFailure?.({ id: input.id, ...failure });
  const shared = new Tools({ ...tools, live, onFailure }, signal);
  const walk = new Walk(shared);
  try {
    const { record, outputs } = await (input.source.kind === 'mail'
      ? harmlessMail(input, walk, tools, shared)
      : harmlessFile(input, walk, tools));
    const heads = live?.heads() ?? [];
    return { record: heads.length === 0 ? record : { ...record, live: heads }, outputs };
  } catch (error) {
    for (const output of walk.outputs) if ('discard' in output.content) await output.content.discard();
    throw error;
  }
}

async function harmlessMail(input: Input, walk: Walk, tools: SanitiseTools, shared: Tools): Promise<Harmless> {
  const started = performance.now();
  const whole = { path: '', depth: 0, name: '', declaredType: 'message/rfc822', content: input.content };
  const { senderChecks } = tools;
  const checked =
    senderChecks === undefined ? undefined : authenticate(whole, { client: undefined, ...input }, senderChecks, shared);
  let mail: WalkedMail;
  try {
    mail = await walk.mail(whole, input.envelope, checked);
  } finally {
    await checked; // it reads the mail's bytes, too
  }
  const ms = Math.round(performance.now() - started);
  if (mail.kind === 'refused') {
    const rows = walk.rows.map((row) => ({ ...row, path: '1' }));
    return { record: recordOf(input, rows, 'refused', mail.reason, [], tools, ms), outputs: [] };
  }
  const { body, cut } = boundedBody(mail.body);
  const rows = cut ? withLoss(walk.rows, { code: 'text-cut', detail: String(LIMITS.bodyBytes) }) : walk.rows;
  return {
    record: recordOf(input, rows, 'sanitised', null, walk.outputs, tools, ms, { ...mail, body }),
    outputs: walk.outputs,
  };
}

/** The loss stands at the first part that is in the text. */
function withLoss(rows: readonly PartRow[], loss: Remark): PartRow[] {
  const first = Math.max(
    0,
    rows.findIndex(({ outputs }) => outputs.includes('message.txt')),
  );
  return rows.map((row, at) => (at === first ? { ...row, losses: [...row.losses, loss] } : row));
}

async function harmlessFile(input: Input, walk: Walk, tools: SanitiseTools): Promise<Harmless> {
  const started = performance.now();
  const row = await walk.leaf({
    path: '1',
    depth: 0,
    name: input.source.name,
    declaredType: '',
    content: input.content,
  });
  const state =
    row.verdict === 'held' ? 'held' : row.verdict === 'refused' || row.verdict === 'dropped' ? 'refused' : 'sanitised';
  const ms = Math.round(performance.now() - started);
  return { record: recordOf(input, walk.rows, state, row.reason, walk.outputs, tools, ms), outputs: walk.outputs };
}

function recordOf(
  input: Omit<Input, 'content'>,
  rows: PartRow[],
  state: State,
  reason: Reason | null,
  outputs: readonly Entry[],
  tools: SanitiseTools,
  ms: number,
  mail?: {
    readonly headers: NonNullable<SanitisedRecord['headers']>;
    readonly autoSubmitted: string;
    readonly body: string;
  },
): Omit<SanitisedRecord, 'outputFolder'> {
  const { policy, version, pools, pairing } = tools;
  const parts = boundedRemarks(pairing === undefined ? rows : rows.map((row) => paired(row, pairing)));
  const account = accountOfParts({ id: input.id, reason, parts }, policy.language);
  const noHeaders = {
    from: input.envelope.from,
    to: input.envelope.to.join(', '),
    cc: '',
    subject: '',
    date: '',
    messageId: '',
  };
  const text =
    input.source.kind === 'file' ? null : composeMessageText(mail?.headers ?? noHeaders, mail?.body ?? '', account);
  return {
    stage: 'sanitised',
    id: input.id,
    state,
    reason,
    source: input.source,
    envelope: input.envelope,
    receivedAt: input.receivedAt,
    sanitisedAt: new Date().toISOString(),
    headers: input.source.kind === 'file' ? null : (mail?.headers ?? noHeaders),
    autoSubmitted: mail?.autoSubmitted ?? '',
    policy: { name: policy.name, version: policy.version, sha256: policy.sha256 },
    engine: {
      version,
      workers: Object.fromEntries(
        Object.values(pools).flatMap((pool) => (pool.engine === '' ? [] : [[pool.family.name, pool.engine]])),
      ),
      ...(tools.codeDigests === undefined ? {} : { sha256: { ...tools.codeDigests } }),
    },
    parts,
    text,
    outputs: outputs.map(({ name, content }) => {
      if (!('sha256' in content)) throw new TypeError('an output is staged before it is recorded');
      return { name, size: content.size, sha256: content.sha256 };
    }),
    ms,
    ...(input.chain === undefined ? {} : { chain: [input.chain] }),
  };
}

/** The row of a part that a second mail's words were tried on. */
function paired(row: PartRow, { parts, detail }: Pairing): PartRow {
  if (!parts.has(row.path)) return row;
  const isShut = row.reason === 'password-needed' || row.reason === 'password-wrong';
  const remark = { code: isShut ? 'password-tried' : 'password-paired', detail };
  return { ...row, findings: [...row.findings, remark] };
}
