// Trying the walls: a child of each family that runs the inmate instead of its parser, with a planted file and canaries
// outside that nobody may reach.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MugaiError } from '../message/errors.ts';
import { JailedChild } from './child.ts';
import { FAMILIES, type Family, type FamilyName } from './families.ts';
import type { Walls } from './jail.ts';
import type { Jail } from './probe.ts';
import { RemarkReader } from './remark-reader.ts';
import { OPERATION } from './wire.ts';

/** Which walls stood when a way out was tried. Each must hold by itself what it is there to hold. */
export type Standing = 'all walls' | typeof INNER_ALONE | 'the outer walls alone';
const INNER_ALONE = "Node's permission model alone";

/** One way out, tried once. `detail` is what was reached, or the error that held. */
export interface Attempt {
  readonly family: FamilyName;
  readonly standing: Standing;
  readonly way: string;
  readonly held: boolean;
  readonly detail: string;
}

const INMATE = fileURLToPath(new URL('../../workers/inmate.ts', import.meta.url));
const BOUNDS = { deadlineMs: 60_000, totalMs: 60_000 } as const;
/** Ways the inmate tries; fewer answers than that would be a check that checks nothing. */
const WAYS = 11;
/** What a family that starts programs may reach: a /tmp of its own in memory, and processes behind the same walls. */
const GIVEN = ['write-file /tmp', 'start-process exit 0'];

/** Tries every way out of every family: behind all walls, behind each kind alone. */
export async function tryToBreakOut(jail: Jail, signal: AbortSignal): Promise<Attempt[]> {
  await using outside = await openOutside();
  const attempts: Attempt[] = [];
  for (const family of Object.values(FAMILIES)) {
    // A family that starts programs is never started without the outer walls; Node's alone would hold none of them.
    if (family.programs !== undefined && jail.walls.bubblewrap === undefined) continue;
    for (const [standing, walls] of standings(jail.walls).slice(0, family.programs === undefined ? 3 : 1))
      attempts.push(...(await tryFamily(family, standing, walls, outside, signal)));
  }
  return attempts;
}

function standings(walls: Walls): [Standing, Walls][] {
  const inner = { ...walls, prlimit: undefined, bubblewrap: undefined, filter: undefined, memory: undefined };
  const all: [Standing, Walls] = ['all walls', walls];
  const alone: [Standing, Walls] = [INNER_ALONE, inner];
  // Without namespaces there is no outer wall that could hold anything by itself; the jail's level says so.
  return walls.bubblewrap === undefined
    ? [all, alone]
    : [all, alone, ['the outer walls alone', { ...walls, permission: false }]];
}

async function tryFamily(
  family: Family,
  standing: Standing,
  walls: Walls,
  outside: Outside,
  signal: AbortSignal,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const add = (way: string, held: boolean, detail: string): void =>
    void attempts.push({ family: family.name, standing, way, held, detail });
  const given = family.programs === undefined ? [] : GIVEN;
  const remarks = new RemarkReader({
    onFinding: ({ code, detail }) => add(code, given.includes(`${code} ${detail}`), detail),
    onLoss: ({ code, detail }) => add(code, true, detail),
  });
  const child = await JailedChild.start({ ...family, entry: INMATE, inputsPerChild: 1 }, () => undefined, walls);
  try {
    const request = { operation: OPERATION.convert, dpi: 0, maxPages: 0, declaredType: '', name: '', password: '' };
    const outcome = await child.run(request, outside.places, (frame) => remarks.take(frame), { ...BOUNDS, signal });
    if (outcome.kind !== 'done' || attempts.length !== WAYS)
      throw new MugaiError('child-failed', `the inmate did not try its ways: ${JSON.stringify(outcome)}`);
  } finally {
    await child.stop();
  }
  add('touch-canary', outside.touched === 0, `${outside.touched} contacts`);
  outside.touched = 0;
  // Node's permission model lets a process signal others of its user: that is held by namespaces, or by a user of its own.
  return standing === INNER_ALONE ? attempts.filter(({ way }) => way !== 'signal-host') : attempts;
}

interface Outside extends AsyncDisposable {
  /** What the inmate is told: the places it is to reach. */
  readonly places: Buffer;
  /** Contacts that a canary has seen. */
  touched: number;
}

/** A planted file that everybody may read, and canaries: TCP and UDP on loopback, a UNIX socket. */
async function openOutside(): Promise<Outside> {
  const folder = await mkdtemp(join(tmpdir(), 'mugai-selfcheck-'));
  await chmod(folder, 0o755);
  const secret = join(folder, 'secret');
  await writeFile(secret, 'what no child may read', { mode: 0o644 });
  const socket = join(folder, 'canary');
  const touch = (): void => void (outside.touched += 1);
  const tcp = createServer(touch).listen(0, '127.0.0.1');
  const unix = createServer(touch).listen({ path: socket, readableAll: true, writableAll: true });
  const udp = createSocket('udp4', touch).bind(0, '127.0.0.1');
  await Promise.all([once(tcp, 'listening'), once(unix, 'listening'), once(udp, 'listening')]);
  const places = [secret, udp.address().port, portOf(tcp), socket, process.pid].join('\n');
  const outside: Outside = {
    places: Buffer.from(places),
    touched: 0,
    [Symbol.asyncDispose]: async () => {
      tcp.close();
      unix.close();
      udp.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return outside;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
