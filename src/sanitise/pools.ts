// Children of all families for one process.
import { FAMILIES, officeFamily } from '../sandbox/families.ts';
import type { OnKill } from '../sandbox/child.ts';
import type { Walls } from '../sandbox/jail.ts';
import { machineJail } from '../sandbox/probe.ts';
import { ChildPool } from '../sandbox/pool.ts';
import type { Pools } from './tools.ts';

export interface OpenPools {
  readonly pools: Pools;
  close(): Promise<void>;
}

/**
 * Opens the pools for `workers` messages at once. One mail child a message is kept ready, one child of each other
 * family; more are started when asked for. `given`: walls, those of this machine unless given.
 */
export async function openPools(workers: number, onKill: OnKill, given?: Walls): Promise<OpenPools> {
  const walls = given ?? (await machineJail()).walls;
  const pools: Pools = {
    mail: new ChildPool(FAMILIES.mail, { most: workers, warm: workers }, onKill, walls),
    // Nobody's, where the DNS is not asked.
    auth: new ChildPool(FAMILIES.auth, { most: workers, warm: 1, lazy: true }, onKill, walls),
    text: new ChildPool(FAMILIES.text, { most: workers, warm: 1 }, onKill, walls),
    pdf: new ChildPool(FAMILIES.pdf, { most: workers, warm: Math.min(workers, 2) }, onKill, walls),
    image: new ChildPool(FAMILIES.image, { most: workers, warm: 1 }, onKill, walls),
    archive: new ChildPool(FAMILIES.archive, { most: workers, warm: 1, lazy: true }, onKill, walls),
    // Only where the policy wants scans to be read.
    ocr: new ChildPool(FAMILIES.ocr, { most: workers, warm: 1, lazy: true }, onKill, walls),
    // Nobody's, where the policy wants no codes to be read.
    codes: new ChildPool(FAMILIES.codes, { most: workers, warm: 1, lazy: true }, onKill, walls),
    // An engine's spare takes 200 MB (WebAssembly 750): there is none before the first document.
    office: new ChildPool(officeFamily(walls), { most: workers, warm: 1, lazy: true }, onKill, walls),
    'office-wasm': new ChildPool(FAMILIES['office-wasm'], { most: 1, warm: 0 }, onKill, walls),
  };
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(pools).map((pool) => pool[Symbol.asyncDispose]()));
  };
  try {
    await Promise.all(Object.values(pools).map((pool) => pool.warm()));
  } catch (error) {
    await close();
    throw error;
  }
  return { pools, close };
}
