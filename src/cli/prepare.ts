// `mugai prepare`: the caches of compiled code, made when the code is installed.
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { MugaiError } from '../message/errors.ts';
import { CODE_CACHE } from '../sandbox/code-cache.ts';
import { CODE_ROOT } from '../sandbox/families.ts';
import { makeCodeCache, readableByAll } from '../sandbox/make-code-cache.ts';
import { say, UsageError, type Command } from './usage.ts';

export const prepare: Command = {
  help: `mugai prepare

Compiles the code once and keeps the result beside it, in node_modules/.cache: gateway and children start in about half
the time, and a gateway takes less memory. A gateway that may write there does this by itself. Where the code is installed read-only,
run this once after each installation, as whoever installed it.

Example: sudo mugai prepare`,

  run: async (args) => {
    if (args.length > 0) throw new UsageError('"prepare" takes no arguments');
    await Promise.all([
      import('./serve.ts'),
      import('../zones/ingress.ts'),
      import('../zones/worker.ts'),
      import('../zones/inner.ts'),
      import('../queue/queues.ts'),
    ]);
    flushCompileCache();
    const own = getCompileCacheDir();
    if (own === undefined || !(await makeCodeCache(AbortSignal.timeout(300_000))))
      throw new MugaiError('store-failed', `cannot write ${join(CODE_ROOT, 'node_modules/.cache')}`, {
        permanent: true,
      });
    await readableByAll(own);
    say(`compiled code is kept in ${own} and ${join(CODE_ROOT, CODE_CACHE)}`);
    return 0;
  },
};
