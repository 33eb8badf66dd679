// The status of the outer and middle zones as it crosses to the inner side: a signed file beside the packages.
import type { KeyObject } from 'node:crypto';
import { ProcessStatusSchema, StatusSchema, type ProcessStatus, type Status } from '../message/status.ts';
import { recordCodec } from '../store/records.ts';
import { openSmall, sealSmall } from './small-seal.ts';

const KIND = { payloadType: 'application/vnd.mugai.status+json', codec: recordCodec('status', StatusSchema) };

/** How a process that has no key (a door) tells its side of itself; the worker signs for it. */
export const processCodec = recordCodec('process status', ProcessStatusSchema);

/** Signs a status: the bytes of its file. */
export function signStatus(status: Status, key: KeyObject, keyid: string): Buffer {
  return sealSmall(KIND, status, key, keyid);
}

/** The processes in a status file, when one of the keys signed it; undefined otherwise. Nothing unsigned is parsed. */
export async function openStatus(
  bytes: Uint8Array,
  keys: ReadonlyMap<string, KeyObject>,
): Promise<readonly ProcessStatus[] | undefined> {
  return (await openSmall(KIND, bytes, keys))?.processes;
}
