// What `mugai verify --details` tells of a package that holds: what its signed manifest says, and what journals say of its message.
import { placesOf, storiesOf, APPROVALS, type Place, type Story, type Told } from '../audit/story.ts';
import type { Statement } from '../outbox/manifest.ts';
import { sayLine } from './usage.ts';

/** Lines of the journals about one message. */
const LINES_MOST = 500;

/** What a manifest and the journals say of one message. */
export interface Details {
  readonly statement: Statement;
  readonly places: readonly Place[];
  readonly story: Story;
}

/** Looks the messages of these statements up in these journals, read once for all; none: only the manifests are told. */
export async function detailsOf(statements: readonly Statement[], journals: readonly string[]): Promise<Details[]> {
  const asked = statements.map(({ predicate: { id, revises, chain = [] } }) => ({
    messages: revises === undefined ? [id] : [id, revises],
    places: chain,
    most: LINES_MOST,
  }));
  const stories = await storiesOf(journals, asked);
  return statements.flatMap((statement, nth) => {
    const story = stories[nth];
    if (story === undefined) return [];
    return { statement, places: placesOf(statement.predicate.chain ?? [], story.witnesses), story };
  });
}

/** What is wrong between manifest and journals: a place at which another line stands. */
export function faultOfDetails({ places }: Details): string | undefined {
  const other = places.find(({ known }) => known === 'other');
  return other === undefined ? undefined : `the journal has another line than ${other.position}`;
}

const KNOWN: { readonly [known in Place['known']]: string } = {
  line: 'is that line',
  repeated: 'repeated by',
  other: 'ANOTHER LINE:',
  elsewhere: 'not in the journals here',
};

/** Prints them, a line each. */
export function tellDetails({ statement, places, story }: Details): void {
  const { id, state, source, policy, engine, receivedAt, sanitisedAt } = statement.predicate;
  sayLine(`message  ${id}  ${state}`);
  sayLine(`source   ${source.kind} of ${source.size} bytes, sha256 ${source.sha256}`);
  sayLine(`policy   ${policy.name} ${policy.version}, sha256 ${policy.sha256}`);
  sayLine(
    `engine   ${[engine.version, ...Object.entries(engine.sha256 ?? {}).map((pair) => pair.join(' '))].join(', ')}`,
  );
  sayLine(`times    received ${receivedAt}, sanitised ${sanitisedAt}`);
  for (const { position, known, by } of places)
    sayLine(`journal  ${position}  ${KNOWN[known]}${known === 'line' || by === undefined ? '' : ` ${by}`}`);
  for (const told of story.told)
    sayLine(
      `${APPROVALS.includes(told.line.act) ? 'approval' : 'told    '} ${told.line.at}  ${actOf(told)}  ${told.position}`,
    );
  if (story.leftOut > 0) sayLine(`left out ${story.leftOut} more lines about it: mugai audit export --message ${id}`);
  for (const { name, digest } of statement.subject) sayLine(`file     ${digest.sha256}  ${name}`);
}

function actOf({ line: { act, person, detail } }: Told): string {
  const facts = Object.entries(detail ?? {})
    .filter(([name]) => name !== 'chain')
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(' ') : String(value)}`);
  return [act, ...(person === undefined ? [] : [`by ${person}`]), ...facts].join(' ');
}

/** The same as JSON. */
export function jsonOfDetails({ statement, places, story }: Details): object {
  const { id, source, policy, engine, receivedAt, sanitisedAt } = statement.predicate;
  return {
    message: id,
    source,
    policy,
    engine,
    receivedAt,
    sanitisedAt,
    journal: places,
    leftOut: story.leftOut,
    told: story.told.map(({ line: { at, act, person, detail }, position }) => ({ at, act, person, detail, position })),
  };
}
