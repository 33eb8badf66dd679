// What can be wrong with the machine of a gateway that preloaded trouble.ts, and the switch for it.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Trouble {
  /** Error code of every write into a store (`spool`, `outbox`, `inner`, `journal`, `requests`, `portal`). */
  readonly disk?: Readonly<Record<string, string>>;
  /** How far the wall clock is off. */
  readonly clockMs?: number;
  /** No name is found. */
  readonly noNames?: boolean;
  /** What the system says is left of its memory, bytes. */
  readonly availableMemory?: number;
  /** A message whose raw bytes are so many kills the process that opens it: least and most. */
  readonly poisonBytes?: readonly [least: number, most: number];
}

const PRELOAD = fileURLToPath(new URL('./trouble.ts', import.meta.url));

export class Control {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'control.json');
    this.#write({});
  }

  /** Environment of a gateway that listens to this switch. */
  env(dataDir: string): Record<string, string> {
    return { NODE_OPTIONS: `--import ${PRELOAD}`, FAULT_ROOT: dataDir, FAULT_CONTROL: this.#path };
  }

  /** Makes this, and only this, wrong; resolves when the gateway has noticed. */
  async set(trouble: Trouble): Promise<void> {
    this.#write(trouble);
    await sleep(250);
  }

  #write(trouble: Trouble): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(trouble));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
