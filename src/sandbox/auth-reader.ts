// Host side of the auth family: which names the child wants to have asked for, and what its checks gave. Believes nothing.
import { LIMITS } from '../message/limits.ts';
import type { FrameSink } from './child.ts';
import { CHECK, FRAME, FieldReader, RECORD, WireError, type Frame, type RecordType } from './wire.ts';

/** A name whose records are wanted. `number` goes with its answer. */
export interface Question {
  readonly number: number;
  readonly type: RecordType;
  readonly name: string;
}

export type Method = keyof typeof CHECK;

/** Results of RFC 8601 §2.7. */
const RESULTS = ['none', 'neutral', 'pass', 'fail', 'softfail', 'policy', 'temperror', 'permerror'] as const;
export type Result = (typeof RESULTS)[number];

/** What one check gave; `domain` is what it speaks of, '' where it cannot be told. */
export interface Checked {
  readonly method: Method;
  readonly result: Result;
  readonly domain: string;
}

export interface AuthHandlers {
  onQuestion(question: Question): void;
  onChecked(checked: Checked): void;
}

const METHODS = new Map<number, Method>(Object.entries(CHECK).map(([name, number]) => [number, name as Method]));
const TYPES = new Set<number>(Object.values(RECORD));
/** A host name, its underscores and digits: whatever else is in a name is nothing that the DNS is asked for. */
const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/i;

export class AuthReader {
  readonly #handlers: AuthHandlers;
  #questions = 0;
  #checks = 0;

  constructor(handlers: AuthHandlers) {
    this.#handlers = handlers;
  }

  /** Takes the next frame; a `WireError` means that the child lies or is broken. */
  readonly take: FrameSink = (frame) => {
    if (frame.type === FRAME.ask) return this.#ask(frame);
    if (frame.type === FRAME.checked) return this.#checked(frame);
    throw new WireError(`frame ${frame.type} in a check`);
  };

  /** To be called when the child says that it is done. */
  finish(): void {
    if (this.#checks === 0) throw new WireError('nothing checked');
  }

  #ask(frame: Frame): void {
    const fields = new FieldReader(frame.payload);
    const number = fields.u32();
    const type = fields.u32();
    const name = fields.text(1000);
    fields.end();
    if (number !== this.#questions) throw new WireError('questions out of order');
    this.#questions += 1;
    if (this.#questions > LIMITS.questions) throw new WireError('too many questions');
    if (!TYPES.has(type)) throw new WireError(`question for records of type ${type}`);
    this.#handlers.onQuestion({ number, type: type as RecordType, name: NAME.test(name) ? name : '' });
  }

  #checked(frame: Frame): void {
    const fields = new FieldReader(frame.payload);
    const method = METHODS.get(fields.u32());
    const said = fields.text(100);
    const domain = fields.text(1000);
    fields.end();
    this.#checks += 1;
    if (this.#checks > LIMITS.checksTold) throw new WireError('too many results');
    const result = RESULTS.find((known) => known === said);
    if (method === undefined || result === undefined) throw new WireError('result of no check');
    this.#handlers.onChecked({ method, result, domain: NAME.test(domain) ? domain.toLowerCase() : '' });
  }
}
