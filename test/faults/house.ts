// A gateway under faults: its processes by role, an inner mail server that counts, and the doubles judged by the records.
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gatewayEnv, startGatewayProcess, type RunningGateway } from '../support/gateway-process.ts';
import { startInnerServer, type InnerServer } from '../support/inner-server.ts';
import { scratch, type Scratch } from '../support/scratch.ts';
import type { Outcome } from './outcome.ts';
import { numberOf, tally } from './traffic.ts';

export type RoleName = 'all' | 'ingress' | 'worker' | 'inner';
type Env = Record<string, string>;

export class House implements AsyncDisposable {
  readonly folder: Scratch;
  readonly server: InnerServer;
  readonly running = new Map<RoleName, RunningGateway>();
  readonly #env: Env;
  /** Ids whose end was recorded before a death: a later delivery of one of them is a defect. */
  readonly #ended = new Map<string, number>();
  #closed = false;

  private constructor(folder: Scratch, server: InnerServer, env: Env) {
    this.folder = folder;
    this.server = server;
    this.#env = env;
  }

  static async open(env: Env = {}): Promise<House> {
    return new House(await scratch(), await startInnerServer(), env);
  }

  /** Data folder of a role: the inner side has one of its own, with the outbox and the public key only. */
  dataDir(role: RoleName): string {
    return join(this.folder.path, role === 'inner' ? 'inside' : 'data');
  }

  get port(): number {
    return (this.running.get('all') ?? this.running.get('ingress'))?.smtpPort ?? 1;
  }

  /** Starts a role (again). */
  async start(role: RoleName, more: Env = {}): Promise<RunningGateway> {
    const env = gatewayEnv(this.dataDir(role), {
      MUGAI_INNER_SMTP_URL: this.server.url,
      MUGAI_RETRY_SECONDS: '1',
      MUGAI_STOP_SECONDS: '5',
      ...this.#env,
      ...more,
    });
    if (role === 'inner') {
      delete env['MUGAI_QUEUE_URL']; // out of its reach
      await this.#prepareInside();
    }
    const gateway = await startGatewayProcess(env, role);
    if (this.#closed) {
      await gateway.end('SIGKILL');
      throw new Error('the house is closed');
    }
    this.running.set(role, gateway);
    return gateway;
  }

  async kill(role: RoleName): Promise<void> {
    const gateway = this.running.get(role);
    this.running.delete(role);
    await gateway?.end('SIGKILL');
    this.noteEnds();
  }

  /** Starts a role again whenever it dies, as a supervisor would, until the returned function is called (how often it did). */
  keep(role: RoleName, more: Env = {}): () => Promise<number> {
    let over = false;
    let deaths = 0;
    const run = async (): Promise<void> => {
      while (!over && !this.#closed) {
        const gateway = this.running.get(role);
        await (gateway?.exited ?? sleep(100));
        if (over || this.#closed) return;
        if (gateway !== undefined) deaths += 1;
        this.running.delete(role);
        this.noteEnds();
        await this.start(role, more).catch(() => (deaths += 1)); // it died in its start: once more
      }
    };
    const running = run();
    return async () => {
      over = true;
      await Promise.race([running, sleep(100)]);
      return deaths;
    };
  }

  /** Stages of the ends recorded so far. */
  ends(): string[] {
    const root = join(this.dataDir(existsSync(this.dataDir('inner')) ? 'inner' : 'all'), 'inner');
    const names = existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : [];
    return names
      .filter((name) => name.endsWith('.04-ended.json'))
      .map((name) => (JSON.parse(readFileSync(join(root, name), 'utf8')) as { stage: string }).stage);
  }

  /** Remembers whose end is recorded now. */
  noteEnds(): void {
    for (const id of this.#endedNow()) if (!this.#ended.has(id)) this.#ended.set(id, this.server.taken.length);
  }

  #endedNow(): string[] {
    const root = join(this.dataDir(existsSync(this.dataDir('inner')) ? 'inner' : 'all'), 'inner');
    if (!existsSync(root)) return [];
    return readdirSync(root)
      .filter((name) => /^\d{8}-\d\d$/.test(name))
      .flatMap((shard) => readdirSync(join(root, shard)))
      .filter((name) => name.endsWith('.04-ended.json'))
      .map((name) => name.slice(0, 26));
  }

  /**
   * Waits until every accepted mail arrived (or the note of one that was held unseen), or nothing more came for `ms`; then
   * for what may come twice. A machine that is behind is no loss: as long as mail arrives, it is waited for.
   */
  async settle(accepted: ReadonlySet<number>, ms: number): Promise<void> {
    let end = Date.now() + ms;
    const missing = new Set(accepted);
    const notes = new Set<string>();
    for (let seen = 0; missing.size > notes.size && Date.now() < end;) {
      for (; seen < this.server.taken.length; seen++) {
        const mail = this.server.taken[seen];
        if (mail === undefined) continue;
        if (numberOf(mail) < 0) notes.add(mail.messageId);
        if (missing.delete(numberOf(mail)) || numberOf(mail) < 0) end = Date.now() + ms;
      }
      await sleep(50);
    }
    await sleep(1500);
  }

  /** The account of a scenario; `since`: when the fault was over (`performance.now()`). */
  outcome(fault: string, happened: string, accepted: ReadonlySet<number>, since: number): Outcome {
    const { taken } = this.server;
    const sums = tally(accepted, taken);
    const outside = taken.filter((mail, at) => {
      const ended = this.#ended.get(mail.messageId.slice(1, 27));
      return ended !== undefined && at >= ended;
    });
    // What was held before anybody could look into it arrives as a note without its subject: an end, and told, but not the mail.
    const notes = new Set(taken.filter((mail) => numberOf(mail) < 0).map(({ messageId }) => messageId)).size;
    if (sums.lost.length > notes) this.#tellWhere(sums.lost);
    const recovered = Math.max(0, performance.now() - since - 1500) / 1000;
    return {
      fault,
      happened: notes === 0 ? happened : `${happened}; ${notes} held with a note`,
      accepted: sums.accepted,
      lost: Math.max(0, sums.lost.length - notes),
      doubled: sums.doubled,
      doubledOutside: outside.length,
      recovered: Math.round(recovered * 10) / 10,
    };
  }

  /** For whoever reads a failed run: how far each message came that has no end, and the last words of the processes. */
  #tellWhere(lost: readonly number[]): void {
    const at = (folder: string): string[] =>
      existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
    const data = this.dataDir('all');
    const names = (['spool', 'outbox'] as const).flatMap((store) =>
      at(join(data, store)).map((name) => `${store}/${name}`),
    );
    const ended = new Set(this.#endedNow());
    const open = names.filter(
      (name) => /\/[0-9a-z]{26}[^/]*$/.test(name) && !ended.has(/[0-9a-z]{26}/.exec(name)?.[0] ?? ''),
    );
    process.stderr.write(`lost ${lost.join(' ')}\nwithout an end: ${open.join('\n')}\n`);
    for (const [role, { lines }] of this.running) process.stderr.write(`${role}: ${lines.slice(-12).join('\n')}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true; // nobody starts one again
    for (const gateway of this.running.values()) await gateway.end('SIGKILL');
    await this.server.close();
    await this.folder[Symbol.asyncDispose]();
  }

  async #prepareInside(): Promise<void> {
    const inside = this.dataDir('inner');
    if (existsSync(join(inside, 'keys'))) return;
    await mkdir(join(inside, 'keys'), { recursive: true });
    for (const key of ['verify-key.pem', 'sealing-key.pem'])
      await cp(join(this.dataDir('worker'), 'keys', key), join(inside, 'keys', key));
    await symlink(join(this.dataDir('worker'), 'outbox'), join(inside, 'outbox'));
  }
}
