// A policy is changed by two persons: one proposes a file, another approves it by the digest of
// its text. Proposals, and who approved them, are kept in `policy/` of the data folder. What was approved last counts, and a
// proposal counts until then: neither an old approval nor an old proposal lets one person undo what two did. Whoever may
// write there could write an approval, too: what binds him is the journal, which is told first.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MugaiError, systemCode } from '../message/errors.ts';
import { whyNotTwo, type Person, type ToldBy } from './person.ts';

const SHA256 = /^[0-9a-f]{64}$/;

const APPROVED = /^([0-9a-f]{64})\.approved\.json$/;

const folderOf = (dataDir: string): string => join(dataDir, 'policy');
export const textDigest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Told of a step before it takes effect; when it rejects, nothing is changed. */
type Tell = (detail: Readonly<Record<string, string>>) => Promise<void>;

const UNTOLD: Tell = async () => undefined;

/** Lays a policy before a second person; its digest. */
export async function propose(dataDir: string, file: string, by: Person, tell = UNTOLD): Promise<string> {
  const text = await readFile(file, 'utf8');
  const sha256 = textDigest(text);
  await tell({ step: 'proposed', sha256, ...accountsOf(by) });
  await mkdir(folderOf(dataDir), { recursive: true, mode: 0o700 });
  await writeFile(join(folderOf(dataDir), `${sha256}.yaml`), text, { flush: true });
  const at = momentAfter((await lastApproval(dataDir))?.at);
  const proposal = { by: by.name, ...accountsOf(by), at };
  await writeFile(join(folderOf(dataDir), `${sha256}.proposed.json`), `${JSON.stringify(proposal)}\n`, { flush: true });
  return sha256;
}

/** The text of a proposal; undefined where there is none of this digest, and refused where it was changed. */
export async function proposedText(dataDir: string, sha256: string): Promise<string | undefined> {
  if (!SHA256.test(sha256)) return undefined;
  const text = await readText(join(folderOf(dataDir), `${sha256}.yaml`));
  if (text !== undefined && textDigest(text) !== sha256) throw refused('the proposed text was changed');
  return text;
}

/** Approves a proposal of somebody else; the policy's text. */
export async function approve(
  dataDir: string,
  sha256: string,
  { by, toldBy }: { readonly by: Person; readonly toldBy: ToldBy },
  tell = UNTOLD,
): Promise<{ readonly text: string; readonly proposer: Person }> {
  const proposal = SHA256.test(sha256) ? await readJson(join(folderOf(dataDir), `${sha256}.proposed.json`)) : undefined;
  if (proposal === undefined) throw refused(`nobody proposed ${sha256}`);
  const proposer = personIn(proposal, 'by', 'account', 'login');
  if (proposer === undefined) throw refused('the proposal names nobody');
  const why = whyNotTwo(proposer, by, toldBy);
  if (why !== undefined) throw refused(why);
  const last = await lastApproval(dataDir);
  // The same once more is no change: its file could perhaps not be replaced.
  if (last !== undefined && last.sha256 !== sha256 && !(momentOf(proposal) > last.at))
    throw refused(`${sha256} was proposed before what was last approved: propose it again`);
  const text = await proposedText(dataDir, sha256);
  if (text === undefined) throw refused(`nobody proposed ${sha256}`);
  // A gateway whose file has this text already takes it as soon as the approval is there.
  await tell({ step: 'approved', sha256, proposer: proposer.name, ...accountsOf(by) });
  const { name, account, login } = proposer;
  const approval = {
    proposer: name,
    proposerAccount: account,
    proposerLogin: login,
    by: by.name,
    ...accountsOf(by),
    at: momentAfter(last?.at),
  };
  await writeFile(join(folderOf(dataDir), `${sha256}.approved.json`), `${JSON.stringify(approval)}\n`, { flush: true });
  return { text, proposer };
}

/** How far a text is approved: as the last one, as one before it, or by no second person. */
export type Approval = 'last' | 'earlier' | 'none';

export async function approvalOf(dataDir: string, text: string, toldBy: ToldBy): Promise<Approval> {
  const sha256 = textDigest(text);
  const approval = await readJson(join(folderOf(dataDir), `${sha256}.approved.json`));
  if (approval === undefined) return 'none';
  const proposer = personIn(approval, 'proposer', 'proposerAccount', 'proposerLogin');
  const by = personIn(approval, 'by', 'account', 'login');
  if (proposer === undefined || by === undefined || whyNotTwo(proposer, by, toldBy) !== undefined) return 'none';
  return (await lastApproval(dataDir))?.sha256 === sha256 ? 'last' : 'earlier';
}

/** What was approved last, and when. */
async function lastApproval(dataDir: string): Promise<{ readonly sha256: string; readonly at: string } | undefined> {
  let last: { readonly sha256: string; readonly at: string } | undefined;
  for (const name of await namesIn(folderOf(dataDir))) {
    const sha256 = APPROVED.exec(name)?.[1];
    if (sha256 === undefined) continue;
    const at = momentOf((await readJson(join(folderOf(dataDir), name))) ?? {});
    if (at !== '' && (last === undefined || at > last.at)) last = { sha256, at };
  }
  return last;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** When a record was made; '' where it does not say so. */
function momentOf({ at }: Record<string, unknown>): string {
  return typeof at === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) ? at : '';
}

/** Now, and later than another moment even where the clock was put back. */
function momentAfter(other: string | undefined): string {
  return new Date(Math.max(Date.now(), other === undefined ? 0 : Date.parse(other) + 1)).toISOString();
}

/** What the system knows of a person, for records. */
function accountsOf({ account, login }: Person): { readonly account: string; readonly login?: string } {
  return { account, ...(login === undefined ? {} : { login }) };
}

/** A person as a record names one under these keys; only the name must be there. */
function personIn(record: Record<string, unknown>, ...keys: readonly [string, string, string]): Person | undefined {
  const [name, account, login] = keys.map((key) => record[key]);
  if (typeof name !== 'string') return undefined;
  return {
    name,
    account: typeof account === 'string' ? account : '',
    ...(typeof login === 'string' ? { login } : {}),
  };
}

async function readJson(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function refused(why: string): MugaiError {
  return new MugaiError('bad-input', why, { permanent: true });
}
