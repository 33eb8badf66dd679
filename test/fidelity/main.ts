// `npm run fidelity`: runs every case, prints the table and what missed, writes docs/fidelity.md. Exit 1 for any miss.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { documentOf, missesOf, tableOf } from './report.ts';
import { allCases, runCases } from './run.ts';

const results = await runCases(allCases());
process.stdout.write(`${tableOf(results)}\n`);
for (const result of results) {
  const misses = missesOf(result);
  if (misses.length > 0)
    process.stdout.write(`\nnot exact: ${result.test.group}: ${result.test.name}\n  ${misses.join('\n  ')}\n`);
}
writeFileSync(fileURLToPath(new URL('../../docs/fidelity.md', import.meta.url)), documentOf(results));
process.exitCode = results.every(({ exact }) => exact) ? 0 : 1;
