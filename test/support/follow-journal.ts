// Follows the journals under the folder that it is given, in a process of its own, and tells what that took:
// `{entries, broken, ms, rssMb}`; `rssMb` is the most memory the process ever had.
import { journalsIn } from '../../src/audit/journal-files.ts';
import { verifyChains } from '../../src/audit/verify-chain.ts';

const began = performance.now();
const reports = await verifyChains(journalsIn(process.argv[2] ?? ''));
process.stdout.write(
  JSON.stringify({
    entries: reports.reduce((sum, { entries }) => sum + entries, 0),
    broken: reports.find(({ broken }) => broken !== undefined)?.broken ?? null,
    ms: performance.now() - began,
    rssMb: process.resourceUsage().maxRSS / 1024,
  }),
);
