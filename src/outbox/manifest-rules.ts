// What a schema cannot say of a signed manifest: lists that agree, and times that there are.
import { timeOf, type MessageId } from '../message/id.ts';
import type { Predicate, Statement } from './manifest.ts';
import { refuseManifest } from './refusal.ts';

/** Milliseconds between the time in an id and the one at which the door says it took the message: it reads its clock once. */
const APART_MS = 24 * 3_600_000;

/** Throws `GateRefusal` where a statement of the schema does not agree with itself. */
export function checkStatement(statement: Statement): void {
  checkTimes(statement.predicate);
  checkList(statement);
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
  for (const name of listed) if (!made.has(name)) refuseManifest('manifest-files', `no part made ${name}`);
  if (!listed.has('message.txt')) made.delete('message.txt');
  for (const name of made) if (!listed.has(name)) refuseManifest('manifest-files', `${name} is not listed`);
}
