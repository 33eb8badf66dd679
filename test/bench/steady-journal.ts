// A journal that is told so many entries each second, each of them waited for, until its input ends; then it tells how many were
// durable, how many syncs they shared and how long they waited: `{perSecond, syncsPerSecond, p99Ms}`.
// Arguments: folder, entries a second.
import { openJournal } from '../../src/audit/journal.ts';
import { percentile } from './load.ts';

const [root = '', rate = '5000'] = process.argv.slice(2);
let syncs = 0;
const journal = await openJournal({
  root,
  zone: 'outer',
  keepDays: 1,
  fault: (what) => void (syncs += what === 'sync' ? 1 : 0),
});
process.stdout.write('ready\n');
syncs = 0;
const waits: number[] = [];
let told = 0;
let stop = false;
process.stdin.on('end', () => (stop = true)).resume();
const began = performance.now();
while (!stop) {
  const due = Math.floor(((performance.now() - began) * Number(rate)) / 1000);
  for (; told < due; told++) {
    const at = performance.now();
    void journal
      .append({
        act: 'viewed',
        message: '01jcxk3v9s8m7n6p5q4r3t2w1x',
        person: 'tanaka',
        detail: { file: 'message.txt' },
      })
      .then(() => waits.push(performance.now() - at));
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const seconds = (performance.now() - began) / 1000;
await journal.close();
waits.sort((a, b) => a - b);
process.stdout.write(
  `${JSON.stringify({ perSecond: waits.length / seconds, syncsPerSecond: syncs / seconds, p99Ms: percentile(waits, 0.99) })}\n`,
);
