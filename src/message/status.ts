// What a process tells of itself every few seconds: queues, numbers, jobs, alarms. It crosses to the inner side signed, as a
// file; so it holds ids, numbers and our own words, and nothing that a sender made but what was cleaned and cut.
import { Type, type Static } from 'typebox';

const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const Word = Type.String({ maxLength: 100 });
const Line = Type.String({ maxLength: 400 });
const Count = Type.Number({ minimum: 0 });
const strict = { additionalProperties: false } as const;

/** Suspicious traffic and broken trust, by kind. A name that was used once is never used for something else. */
export const ALARM_KINDS = [
  'burst',
  'turned-away',
  'relay-refused',
  'smuggling',
  'malware',
  'scanner-away',
  'gate-refused',
  'child-killed',
  'no-child',
  'journal',
  'disk',
  'given-up',
] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** One alarm; `count` like ones within a minute are told as one. */
export const AlarmSchema = Type.Object(
  {
    kind: Type.Unsafe<AlarmKind>(Type.Union(ALARM_KINDS.map((kind) => Type.Literal(kind)))),
    at: Time,
    /** What it is about: an address, a message, a family of children. */
    subject: Line,
    detail: Line,
    count: Count,
  },
  strict,
);
export type Alarm = Static<typeof AlarmSchema>;

/** A step that was done with a message, and how long it took. */
export const RoadEventSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    step: Word,
    outcome: Word,
    at: Time,
    seconds: Count,
  },
  strict,
);
export type RoadEvent = Static<typeof RoadEventSchema>;

export const QueueStatusSchema = Type.Object(
  {
    queue: Word,
    waiting: Count,
    active: Count,
    delayed: Count,
    failed: Count,
    oldestSeconds: Count,
  },
  strict,
);

export type QueueStatus = Static<typeof QueueStatusSchema>;

/** A message that is under way in a queue. */
export const JobStatusSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    queue: Word,
    state: Type.Union([Type.Literal('waiting'), Type.Literal('active'), Type.Literal('delayed')]),
    since: Time,
    attempts: Count,
    failure: Line,
  },
  strict,
);
export type JobStatus = Static<typeof JobStatusSchema>;

export const ProcessStatusSchema = Type.Object(
  {
    /** Distinguishes processes: `<role>-<host>-<pid>`. */
    name: Type.String({ pattern: '^[a-z]+-[A-Za-z0-9_-]{1,64}-[0-9]+$' }),
    role: Word,
    version: Word,
    startedAt: Time,
    at: Time,
    /** How well its children are held; empty where it has none. */
    jail: Line,
    /** Of a process that makes messages harmless: whether it has a malware scanner. */
    scanner: Type.Optional(Type.Boolean()),
    /** What is wrong, by check; empty when nothing is. */
    faults: Type.Record(Word, Line),
    queues: Type.Array(QueueStatusSchema, { maxItems: 8 }),
    jobs: Type.Array(JobStatusSchema, { maxItems: 300 }),
    stores: Type.Array(Type.Object({ store: Word, freeBytes: Count }, strict), { maxItems: 8 }),
    children: Type.Array(
      Type.Object({ family: Word, places: Count, busy: Count, waiting: Count, killed: Count }, strict),
      { maxItems: 16 },
    ),
    /** Counted since the start: messages by `step outcome`, parts by `verdict`, replies by code, pages, bytes, … */
    totals: Type.Record(Type.String({ maxLength: 100 }), Count),
    events: Type.Array(RoadEventSchema, { maxItems: 300 }),
    alarms: Type.Array(AlarmSchema, { maxItems: 100 }),
  },
  strict,
);
export type ProcessStatus = Static<typeof ProcessStatusSchema>;

/** What one signed status file says: the process that signs, and those of its side that cannot. */
export const StatusSchema = Type.Object({ processes: Type.Array(ProcessStatusSchema, { maxItems: 16 }) }, strict);
export type Status = Static<typeof StatusSchema>;
