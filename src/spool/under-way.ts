// Which messages are being opened at this moment, in a small file that outlives kill -9. A message that takes its process
// along each time would otherwise be tried for ever: attempts are counted in a memory that dies with it.
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';

/** Bytes of a line: id, crashes so far, `a` while it is being opened, a newline. */
const LINE = 40;
const FORM = /^([0-9a-z]{26}) (\d{1,4}) ([aw]) *$/;

/** The messages under way in the one process that works on a spool. The file is not synced: after a power cut nobody is suspect. */
export class UnderWay {
  readonly #fd: number;
  readonly #slots = new Map<MessageId, number>();
  readonly #free: number[] = [];
  #next = 0;
  /** Once it is closed another file may get the number of the descriptor. */
  #closed = false;
  /** Messages that were being opened when an earlier process died, and how often that happened to each. */
  readonly suspects: ReadonlyMap<MessageId, number>;

  /** Opens the file `.under-way` of the folder, whose owner this process is. */
  constructor(folder: string) {
    const path = join(folder, '.under-way'); // names with a dot are no shards of a store
    this.suspects = suspectsOf(path);
    this.#fd = openSync(path, 'w', 0o600);
    for (const [id, crashes] of this.suspects) this.#write(id, crashes, 'w');
  }

  /** Notes that the message is being opened. */
  begin(id: MessageId): void {
    this.#write(id, this.suspects.get(id) ?? 0, 'a');
  }

  /** Notes that it is not any more: whatever became of it, the process survived. */
  end(id: MessageId): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#free.push(slot);
    this.#put(' '.repeat(LINE - 1), slot);
  }

  close(): void {
    this.#closed = true;
    ftruncateSync(this.#fd);
    closeSync(this.#fd);
  }

  #write(id: MessageId, crashes: number, state: 'a' | 'w'): void {
    const slot = this.#slots.get(id) ?? this.#free.pop() ?? this.#next++;
    this.#slots.set(id, slot);
    this.#put(`${`${id} ${crashes} ${state}`.padEnd(LINE - 1)}\n`, slot);
  }

  #put(text: string, slot: number): void {
    if (this.#closed) return; // work that did not end with its process's other parts
    try {
      writeSync(this.#fd, text, slot * LINE);
    } catch (error) {
      throw new MugaiError('store-failed', `cannot note what is under way: ${reasonOf(error)}`, { cause: error });
    }
  }
}

function suspectsOf(path: string): Map<MessageId, number> {
  let text = '';
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const suspects = new Map<MessageId, number>();
  for (const line of text.split('\n')) {
    const [, word = '', crashes = '', state] = FORM.exec(line) ?? [];
    const id = parseMessageId(word);
    if (id !== undefined) suspects.set(id, Number(crashes) + (state === 'a' ? 1 : 0));
  }
  return suspects;
}
