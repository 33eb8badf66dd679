// Somebody at the portal who asks for pages in finer pictures while the machine has its trouble: what he was told yes to is answered.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addPerson, firstAdministrator, messageId, type Visitor } from '../support/portal.ts';
import { until } from '../support/scratch.ts';
import type { House } from './house.ts';
import { numbered, sendOne, TO } from './traffic.ts';

/** Requests of one person that the portal takes in a quarter of an hour: 30. */
export const ASKED_FOR = 24;
const FIRST = 2_000_000;
/** For a status, where the gateway is just starting again. */
const NO_ANSWER = 599;

export class Asker {
  readonly #visitor: Visitor;
  readonly #token: string;
  readonly #ids: readonly string[];
  readonly #dataDir: string;
  readonly #told: string[] = [];
  readonly #refused = new Map<string, number>();
  /** What is the matter now. */
  during = '';

  private constructor(visitor: Visitor, token: string, ids: readonly string[], dataDir: string) {
    this.#visitor = visitor;
    this.#token = token;
    this.#ids = ids;
    this.#dataDir = dataDir;
  }

  /** Signs in at a gateway that was just started, and waits until the mails that he will ask about are in his list. */
  static async open(house: House): Promise<Asker> {
    const lines = house.running.get('all')?.lines ?? [];
    const said = (): { readonly url?: string; readonly code?: string } =>
      lines.map((line) => JSON.parse(line) as { url?: string; code?: string }).find(({ code }) => code !== undefined) ??
      {};
    await until(() => said().code !== undefined, 60_000, 'the code of the first administrator');
    const { url = '', code } = said();
    const portal = { port: Number(new URL(url).port), firstCode: code };
    const visitor = await addPerson(await firstAdministrator({ portal }), 'hanako', ['staff'], TO);
    const numbers = Array.from({ length: ASKED_FOR }, (_, nth) => FIRST + nth);
    for (const number of numbers)
      if (!(await sendOne(house.port, numbered(number, 'スキャン.pdf')))) throw new Error('the mail was refused');
    const ids: string[] = [];
    for (const number of numbers) ids.push(await messageId(visitor, `mail ${number}`, 240_000));
    return new Asker(visitor, await visitor.token('/account'), ids, house.dataDir('all'));
  }

  /** Asks about one message after the other until it is over; what is refused is asked for again. */
  async ask(everyMs: number, over: () => boolean): Promise<void> {
    for (const id of this.#ids) {
      for (let yes = false; !yes && !over();) {
        yes = await this.#askFor(id);
        if (yes) this.#told.push(id);
        else this.#refused.set(this.during, (this.#refused.get(this.during) ?? 0) + 1);
        await sleep(yes ? everyMs : 500);
      }
    }
  }

  async #askFor(id: string): Promise<boolean> {
    const form = { part: '2', dpi: '200', from: '1', to: '1', csrf: this.#token };
    const status = await this.#visitor.post(`/messages/${id}/render`, form).then(
      (answer) => answer.status,
      () => NO_ANSWER,
    );
    if (status !== 303 && status < 500) throw new Error(`the portal answered ${status}`);
    return status === 303;
  }

  /** Waits until all is answered that can be: what he was told, and how much of what he was told yes to was in vain. */
  async account(): Promise<{ readonly told: string; readonly lost: number }> {
    const answered = (id: string): boolean => {
      const folder = join(this.#dataDir, 'spool/renders', id);
      return existsSync(folder) && readdirSync(folder).length > 0;
    };
    const waiting = (): number => readdirSync(join(this.#dataDir, 'requests/waiting')).length;
    await until(() => waiting() === 0 && this.#told.every(answered), 180_000, 'all is answered').catch(() => undefined);
    const lost = this.#told.filter((id) => !answered(id)).length + waiting();
    const noes = [...this.#refused].map(([store, times]) => `${store} ${times}`).join(', ') || 'never';
    const told = `${this.#told.length} requests at the portal taken, ${this.#told.length - lost} answered; refused and made again: ${noes}`;
    return { told, lost };
  }
}
