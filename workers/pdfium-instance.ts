// One instance of PDFium's WebAssembly, and all that it can call outside itself: a clock, more memory up to a cap, and a
// way back out of nested calls (setjmp). Its calls for files find none. None of these keeps anything between two calls.
import { LIMITS } from '../src/message/limits.ts';

/** Neither @types/node nor the es2024 lib declares WebAssembly: as much of it as is used here. */
export type Module = object;
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
export interface Table {
  get(index: number): unknown;
  grow(entries: number): number;
  set(index: number, entry: unknown): void;
}
declare const WebAssembly: {
  readonly Instance: new (module: Module, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly RuntimeError: new (message: string) => Error;
};

export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

const PAGE = 65_536;
/** By how much more than asked for the memory grows at least, so that it does not grow byte by byte. */
const GROWTH = 1.2;
/** What `longjmp` throws: a number, as no other error is. */
const JUMP = Number.POSITIVE_INFINITY;
// wasi_snapshot_preview1, `errno`.
const NO_DESCRIPTOR = 8;
const NO_FILE = 44;
const NOT_THERE = 52;
/** Bytes of a name of a time zone. */
const ZONE = Buffer.from('UTC\0', 'latin1');

/** A running engine. */
export class Instance {
  readonly exports: Exports;
  readonly memory: Memory;
  readonly table: Table;
  readonly #called: unknown[] = [];
  /** Growths of memory that were refused. */
  refused = 0;

  constructor(module: Module) {
    const { exports } = new WebAssembly.Instance(module, this.#imports());
    this.exports = exports as Exports;
    this.memory = exports['memory'] as Memory;
    this.table = exports['__indirect_function_table'] as Table;
    this.#call('emscripten_stack_init');
    this.#call('__wasm_call_ctors');
  }

  #call(name: string, ...args: number[]): number {
    const exported = this.exports[name];
    if (exported === undefined) throw new Error(`PDFium has no ${name}`);
    return exported(...args);
  }

  get #view(): DataView {
    return new DataView(this.memory.buffer);
  }

  #grow(asked: number): number {
    const bytes = asked >>> 0;
    const has = this.memory.buffer.byteLength;
    if (bytes <= LIMITS.pdfiumBytes) {
      const wanted = Math.min(LIMITS.pdfiumBytes, Math.max(bytes, has * GROWTH));
      for (const size of [wanted, bytes]) {
        try {
          this.memory.grow(Math.ceil((size - has) / PAGE));
          return 1;
        } catch {
          continue; // the machine has no more
        }
      }
    }
    this.refused += 1;
    return 0;
  }

  /** Calls an entry of the table; a `longjmp` out of it ends here, as `setjmp` has it. */
  readonly #invoke = (index: number, ...args: number[]): number => {
    const top = this.#call('emscripten_stack_get_current');
    try {
      return ((this.#called[index] ??= this.table.get(index)) as (...given: number[]) => number)(...args);
    } catch (error) {
      if (error !== JUMP) throw error;
      this.#call('_emscripten_stack_restore', top);
      this.#call('setThrew', 1, 0);
      return 0;
    }
  };

  /** `struct tm` in Greenwich: there is no other place in there. */
  readonly #time = (low: number, high: number, out: number): void => {
    const date = new Date((high * 2 ** 32 + (low >>> 0)) * 1000);
    const year = date.getUTCFullYear();
    const day = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000);
    const fields = [
      date.getUTCSeconds(),
      date.getUTCMinutes(),
      date.getUTCHours(),
      date.getUTCDate(),
      date.getUTCMonth(),
      year - 1900,
      date.getUTCDay(),
      day,
      0, // daylight saving
      0, // seconds east of Greenwich
    ];
    for (const [nth, value] of fields.entries()) this.#view.setInt32(out + 4 * nth, value, true);
  };

  readonly #zone = (seconds: number, daylight: number, standard: number, summer: number): void => {
    this.#view.setInt32(seconds, 0, true);
    this.#view.setInt32(daylight, 0, true);
    for (const name of [standard, summer]) new Uint8Array(this.memory.buffer).set(ZONE, name);
  };

  readonly #noEnvironment = (count: number, bytes: number): number => {
    this.#view.setInt32(count, 0, true);
    this.#view.setInt32(bytes, 0, true);
    return 0;
  };

  #imports(): object {
    const fails =
      (errno: number): (() => number) =>
      () =>
        errno;
    const ends = (): never => {
      throw new WebAssembly.RuntimeError('PDFium gave up');
    };
    const invoke = this.#invoke;
    return {
      env: {
        invoke_v: invoke,
        invoke_vi: invoke,
        invoke_vii: invoke,
        invoke_viii: invoke,
        invoke_viiii: invoke,
        invoke_viiiiiiiii: invoke,
        invoke_ii: invoke,
        invoke_iii: invoke,
        invoke_iiii: invoke,
        invoke_iiiii: invoke,
        _emscripten_throw_longjmp: () => {
          // oxlint-disable-next-line no-throw-literal -- a number is how it is told from errors
          throw JUMP;
        },
        _abort_js: ends,
        __assert_fail: ends,
        _emscripten_memcpy_js: (to: number, from: number, count: number) =>
          new Uint8Array(this.memory.buffer).copyWithin(to, from, from + count),
        emscripten_resize_heap: (bytes: number) => this.#grow(bytes),
        emscripten_date_now: () => Date.now(),
        _tzset_js: this.#zone,
        _localtime_js: this.#time,
        _gmtime_js: this.#time,
        __syscall_openat: fails(-NO_FILE),
        __syscall_stat64: fails(-NO_FILE),
        __syscall_lstat64: fails(-NO_FILE),
        __syscall_newfstatat: fails(-NO_FILE),
        __syscall_unlinkat: fails(-NO_FILE),
        __syscall_rmdir: fails(-NO_FILE),
        __syscall_fstat64: fails(-NO_DESCRIPTOR),
        __syscall_fcntl64: fails(-NO_DESCRIPTOR),
        __syscall_ioctl: fails(-NO_DESCRIPTOR),
        __syscall_getdents64: fails(-NO_DESCRIPTOR),
        __syscall_ftruncate64: fails(-NOT_THERE),
      },
      wasi_snapshot_preview1: {
        fd_close: fails(NO_DESCRIPTOR),
        fd_write: fails(NO_DESCRIPTOR),
        fd_read: fails(NO_DESCRIPTOR),
        fd_sync: fails(NO_DESCRIPTOR),
        fd_seek: fails(NO_DESCRIPTOR),
        environ_sizes_get: this.#noEnvironment,
        environ_get: fails(0),
      },
    };
  }
}
