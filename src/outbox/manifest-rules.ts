// What a schema cannot say of a signed manifest: lists that agree, times that there are, words that a screen shows as they are.
import { timeOf, type MessageId } from '../message/id.ts';
import type { Predicate, Statement } from './manifest.ts';
import { isForbidden } from './read-text.ts';
import { refuseManifest } from './refusal.ts';

/** Milliseconds between the time in an id and the one at which the door says it took the message: it reads its clock once. */
const APART_MS = 24 * 3_600_000;

/** Throws `GateRefusal` where a statement of the schema does not agree with itself. */
export function checkStatement(statement: Statement): void {
  checkText(statement);
  checkTimes(statement.predicate);
  checkList(statement);
  checkVerdicts(statement);
}

const PLAIN = /^[\x20-\x7e]*$/;
/** A file as `forFileName` names it: of the sender's name nothing but letters, marks, numbers, `_` and `-`. */
const OWN_NAME = /^(?:message\.txt|files\/\d{2,4}-[\p{L}\p{M}\p{N}_-]+\.[a-z]+)$/u;

/** All of it is shown, logged and mailed: one line each, no control, nothing invisible, no half of a pair. */
function checkText(value: unknown): void {
  if (typeof value === 'string') {
    if (!PLAIN.test(value) && !isLine(value)) refuseManifest('manifest-schema', 'a string that is no line of text');
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      checkText(name);
      checkText(one);
    }
  }
}

function isLine(text: string): boolean {
  for (const letter of text) {
    const point = letter.codePointAt(0) as number;
    if (point < 0x20 || (point >= 0xd800 && point < 0xe000) || isForbidden(point)) return false;
  }
  return true;
}

/** What is whole has no reason, what is not has one, and nothing comes of a part that stays outside. */
function checkVerdicts({ subject, predicate }: Statement): void {
  const { state, reason, source, parts, answers } = predicate;
  if (new Set(parts.map(({ path }) => path)).size !== parts.length)
    refuseManifest('manifest-schema', 'two parts stand at one place');
  // A file of which nothing is left, a signature by itself, is refused for no reason.
  const isDropped = state === 'refused' && parts[0]?.verdict === 'dropped';
  if ((state === 'sanitised') !== (reason === null) && !isDropped)
    refuseManifest('manifest-schema', `${state} for no such reason`);
  for (const part of parts) {
    if (part.verdict !== 'held' && part.verdict !== 'refused') continue;
    if (part.reason === null || part.outputs.length > 0)
      refuseManifest(
        'manifest-schema',
        `part ${part.path} is ${part.verdict}, and something came of it or for no reason`,
      );
  }
  // A part in another form, which somebody asked for, is shown in the portal and never mailed: it has no text of a mail.
  if (source.kind === 'mail' && answers === undefined && !subject.some(({ name }) => name === 'message.txt'))
    refuseManifest('manifest-files', 'a mail without its text');
}

/**
 * Times are instants of the calendar, and the message came when its id says. The clock of this machine is not asked: it may
 * be wrong for an hour, and a refusal is for good.
 */
function checkTimes({ id, revises, receivedAt, sanitisedAt }: Predicate): void {
  for (const time of [receivedAt, sanitisedAt])
    if (!isInstant(time)) refuseManifest('manifest-schema', `${time} is no instant`);
  // Another version has the time of its message and an id of its own.
  const came = timeOf((revises ?? id) as MessageId);
  if (Math.abs(Date.parse(receivedAt) - came) > APART_MS)
    refuseManifest('manifest-schema', `received at ${receivedAt}, which is not the time in the id`);
}

function isInstant(time: string): boolean {
  const at = Date.parse(time);
  return !Number.isNaN(at) && new Date(at).toISOString() === time;
}

/** Every file is listed once, and made by a part; every part's files are listed. */
function checkList({ subject, predicate }: Statement): void {
  const listed = new Set(subject.map(({ name }) => name));
  if (listed.size !== subject.length) refuseManifest('manifest-files', 'a file is listed twice');
  const made = new Set(predicate.parts.flatMap(({ outputs }) => outputs));
  made.add('message.txt');
  for (const name of listed) if (!OWN_NAME.test(name)) refuseManifest('manifest-schema', 'a name that we do not give');
  for (const name of listed) if (!made.has(name)) refuseManifest('manifest-files', `no part made ${name}`);
  if (!listed.has('message.txt')) made.delete('message.txt');
  for (const name of made) if (!listed.has(name)) refuseManifest('manifest-files', `${name} is not listed`);
}
