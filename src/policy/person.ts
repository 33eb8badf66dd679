// Who gives a command: the name he gives himself, and what the system knows of him.
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** Somebody at a command line. */
export interface Person {
  /** As he says. */
  readonly name: string;
  /** The account the command runs as. */
  readonly account: string;
  /** The account that signed in to the machine, as Linux keeps it through sudo and su; absent where nobody did, or no one keeps it. */
  readonly login?: string;
}

/** What the kernel says where nobody signed in: -1. */
const NOBODY = '4294967295';

/** The person of this process. */
export function personHere(name: string): Person {
  const login = loginHere();
  return { name, account: userInfo().username, ...(login === undefined ? {} : { login }) };
}

/** proc(5): /proc/pid/loginuid. Only a process with CAP_AUDIT_CONTROL changes it once it is set. */
function loginHere(): string | undefined {
  try {
    const text = readFileSync('/proc/self/loginuid', 'latin1').trim();
    return /^\d{1,10}$/.test(text) && text !== NOBODY ? text : undefined;
  } catch {
    return undefined; // a kernel without it, or another system
  }
}

/** How two persons are told from each other: by the names they give, or by the accounts they signed in to the machine as, too. */
export type ToldBy = 'names' | 'logins';

/** Why these are not two persons, or cannot be told to be; undefined where they are two. */
export function whyNotTwo(proposer: Person, by: Person, toldBy: ToldBy): string | undefined {
  const plain = (name: string): string => name.trim().normalize('NFKC').toLowerCase();
  if (plain(proposer.name) === plain(by.name)) return `${by.name} proposed it: another person approves`;
  if (toldBy === 'names') return undefined;
  if (proposer.login === undefined || by.login === undefined)
    return 'who signed in to the machine is not known of both persons';
  return proposer.login === by.login ? `who signed in as ${by.login} proposed it: another person approves` : undefined;
}
