// A folder that a command needs while it works, gone at its end: also where a signal asks for that end.
import { mkdtemp, rm } from 'node:fs/promises';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A signal stopped the command in the middle; the exit code is what a shell would see. */
export class StoppedBySignal extends Error {
  override readonly name = 'StoppedBySignal';
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Gives `act` a new folder, whose name begins with `prefix`, and removes it with all that is in it. The first SIGINT or SIGTERM is
 * heard of by `stop`: then `StoppedBySignal` is thrown as soon as `act` has ended, whatever it says. A second one ends the process
 * at once.
 */
export async function inWorkFolder<T>(
  prefix: string,
  act: (folder: string, stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const on = (signal: (typeof SIGNALS)[number]): void => {
    forget();
    stop.abort(new StoppedBySignal(signal));
  };
  const forget = (): void => {
    for (const signal of SIGNALS) process.off(signal, on);
  };
  for (const signal of SIGNALS) process.on(signal, on);
  try {
    const folder = await mkdtemp(prefix);
    try {
      return await act(folder, stop.signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
      stop.signal.throwIfAborted();
    }
  } finally {
    forget();
  }
}
