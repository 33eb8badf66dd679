// `npm run bench -- <name>`: prints JSON lines {bench, case, metric, unit, ours, peer, peerValue, ratio, runs}.
import { benchGate } from './gate.ts';
import { benchJail } from './jail.ts';
import { benchMail } from './mail.ts';
import { benchPortal } from './portal.ts';
import { benchRaster } from './raster.ts';

const BENCHES: { readonly [name: string]: (() => Promise<void>) | undefined } = {
  gate: benchGate,
  jail: benchJail,
  mail: benchMail,
  portal: benchPortal,
  raster: benchRaster,
};

const name = process.argv[2] ?? '';
const chosen = name === 'all' ? Object.values(BENCHES) : [BENCHES[name]];
if (chosen.some((bench) => bench === undefined)) {
  process.stderr.write(`bench: say which: ${[...Object.keys(BENCHES), 'all'].join(', ')}\n`);
  process.exit(2);
}
for (const bench of chosen) await bench?.();
