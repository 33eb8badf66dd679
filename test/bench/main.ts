// `npm run bench -- <name>`: prints JSON lines {bench, case, metric, unit, ours, peer, peerValue, ratio, runs}.
import { benchCapacity } from './capacity.ts';
import { benchE2e } from './e2e.ts';
import { benchGate } from './gate.ts';
import { benchJail } from './jail.ts';
import { benchJournal } from './journal.ts';
import { benchMail } from './mail.ts';
import { benchOffice } from './office.ts';
import { benchPortal } from './portal.ts';
import { benchRaster } from './raster.ts';
import { BenchRefused } from './refused.ts';
import { benchScale } from './scale.ts';

const BENCHES: { readonly [name: string]: ((more: readonly string[]) => Promise<void>) | undefined } = {
  capacity: benchCapacity,
  e2e: benchE2e,
  gate: benchGate,
  jail: benchJail,
  journal: benchJournal,
  mail: benchMail,
  office: benchOffice,
  portal: benchPortal,
  raster: benchRaster,
  scale: benchScale,
};

const name = process.argv[2] ?? '';
const chosen = name === 'all' ? Object.values(BENCHES) : [BENCHES[name]];
if (chosen.some((bench) => bench === undefined)) {
  process.stderr.write(`bench: say which: ${[...Object.keys(BENCHES), 'all'].join(', ')}\n`);
  process.exit(2);
}
try {
  for (const bench of chosen) await bench?.(name === 'all' ? [] : process.argv.slice(3));
} catch (error) {
  if (!(error instanceof BenchRefused)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exit(error.exitCode);
}
