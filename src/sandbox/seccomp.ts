// The system-call filter of a jailed child as classic BPF (seccomp(2), linux/filter.h): an allow-list, everything else ENOSYS.
import {
  ALLOWED,
  BY_ARGUMENT,
  IOCTLS,
  NAMESPACE_FLAGS,
  PRCTLS,
  PROGRAM_CALLS,
  PROGRAM_PRCTLS,
  THREAD_FLAGS,
  UNIX_SOCKET_CALLS,
  type Numbers,
} from './syscalls.ts';

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

const ALLOW = 0x7fff0000;
const KILL = 0x80000000; // the whole process
const ERRNO = 0x00050000;
const ENOSYS = 38;
const AF_UNIX = 1;

// struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + index * 8; // its low word: both machines are little-endian

const MACHINES = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
} as const;

/** Calls of x86-64's second, 32-bit ABI carry this bit: its numbers would slip past the list. */
const X32 = 0x40000000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * The filter as `struct sock_filter[]`, ready for `bwrap --seccomp`; undefined on a machine we have no numbers for.
 * A call of another machine's ABI ends the process; a call that is not allowed answers ENOSYS, so that a library that
 * tries something newer first goes on without it. `programs`: the list for a child that starts programs of the system, which
 * makes processes, writes its own files and has UNIX sockets.
 */
export function systemCallFilter(
  arch: string = process.arch,
  list: 'children' | 'programs' = 'children',
): Buffer | undefined {
  if (arch !== 'x64' && arch !== 'arm64') return undefined;
  const machine = MACHINES[arch];
  const number = (numbers: Numbers): number => numbers[machine.column];
  const program: Instruction[] = [
    [LOAD_WORD, 0, 0, ARCH],
    [JUMP_EQUAL, 1, 0, machine.audit],
    [RETURN, 0, 0, KILL],
    [LOAD_WORD, 0, 0, NUMBER],
  ];
  if (arch === 'x64') program.push([JUMP_AT_LEAST, 0, 1, X32], [RETURN, 0, 0, KILL]);
  const groups = [...Object.values(ALLOWED), ...(list === 'programs' ? Object.values(PROGRAM_CALLS) : [])];
  for (const group of groups) {
    for (const numbers of Object.values(group))
      if (number(numbers) >= 0) program.push([JUMP_EQUAL, 0, 1, number(numbers)], [RETURN, 0, 0, ALLOW]);
  }
  const guarded = (numbers: Numbers, check: readonly Instruction[]): void => {
    program.push([JUMP_EQUAL, 0, check.length + 1, number(numbers)], ...check, [RETURN, 0, 0, ERRNO | ENOSYS]);
  };
  const threads = list === 'programs' ? 0 : THREAD_FLAGS;
  guarded(BY_ARGUMENT.clone, [
    [LOAD_WORD, 0, 0, argument(0)],
    [AND, 0, 0, NAMESPACE_FLAGS | threads],
    [JUMP_EQUAL, 0, 1, threads],
    [RETURN, 0, 0, ALLOW],
  ]);
  guarded(BY_ARGUMENT.ioctl, oneOf(argument(1), IOCTLS));
  guarded(BY_ARGUMENT.prctl, oneOf(argument(0), list === 'programs' ? [...PRCTLS, ...PROGRAM_PRCTLS] : PRCTLS));
  if (list === 'programs')
    for (const numbers of Object.values(UNIX_SOCKET_CALLS)) guarded(numbers, oneOf(argument(0), [AF_UNIX]));
  program.push([RETURN, 0, 0, ERRNO | ENOSYS]);
  return assemble(program);
}

function oneOf(at: number, values: readonly number[]): Instruction[] {
  const checks = values.flatMap((value): Instruction[] => [
    [JUMP_EQUAL, 0, 1, value],
    [RETURN, 0, 0, ALLOW],
  ]);
  return [[LOAD_WORD, 0, 0, at], ...checks];
}

/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k; in the machine's order, which is little-endian on both. */
function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    const at = index * 8;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    bytes.writeUInt32LE(value >>> 0, at + 4);
  });
  return bytes;
}
