// Errors that cross rooms: a stable code, whether trying again can help, and the cause. Translated once, at a door.

/** Stable error codes; the doors translate them (SMTP reply, HTTP status, exit code, log line). */
export const ERROR_CODES = [
  'already-there',
  'bad-config',
  'bad-input',
  'bad-package',
  'bad-record',
  'child-failed',
  'child-killed',
  'delivery-refused',
  'delivery-deferred',
  'disk-full',
  'in-use',
  'key-missing',
  'no-child',
  'no-jail',
  'no-plain-file',
  'not-found',
  'port-in-use',
  'signal',
  'store-failed',
  'too-large',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error with a code. `permanent` means: the same step with the same input will fail again. */
export class MugaiError extends Error {
  override readonly name = 'MugaiError';
  readonly code: ErrorCode;
  readonly permanent: boolean;
  constructor(code: ErrorCode, message: string, options: { permanent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.permanent = options.permanent ?? false;
  }
}

/** The system's error code (`ENOENT`, `ENOSPC`, …) of anything thrown, or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown, one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
