// The operator's console: pages on the portal's server. It sees the other zones by their signed status files and asks things
// of them by the requests folder; it opens no connection, and it has no way to an original.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addActs } from './acts.ts';
import { addAlarmsPage } from './alarms-page.ts';
import { addDeletionsPage } from './deletions-page.ts';
import type { ConsoleDeps } from './desk.ts';
import { addMessagePage } from './message.ts';
import { addMessagesPage } from './messages.ts';
import { addOverview } from './overview.ts';

const require = createRequire(import.meta.url);
const OWN = fileURLToPath(new URL('./assets/', import.meta.url));
const UPLOT = dirname(require.resolve('uplot/package.json'));

/** Adds the console's pages. The answer ends their streams, before the server stops. */
export function addConsole(deps: ConsoleDeps): () => void {
  const { assets } = deps.desk.pages;
  assets.set('console.css', join(OWN, 'console.css'));
  assets.set('console.js', join(OWN, 'console.js'));
  assets.set('uplot.css', join(UPLOT, 'dist', 'uPlot.min.css'));
  assets.set('uplot.js', join(UPLOT, 'dist', 'uPlot.iife.min.js'));
  const endStreams = addOverview(deps);
  addMessagesPage(deps);
  addMessagePage(deps);
  addActs(deps);
  addDeletionsPage(deps);
  addAlarmsPage(deps);
  return endStreams;
}

type SettlingDeps = Pick<ConsoleDeps, 'deletions' | 'packaged' | 'hasOutbox' | 'desk'>;

/** After this a deletion that was not carried out was given up by the middle. */
const GIVEN_UP_MS = 2 * 3_600_000;

/** Takes messages out of the list whose deletion the middle has carried out; what it gave up can be agreed on once more. */
export async function settleDeletions({ deletions, packaged, hasOutbox, desk }: SettlingDeps): Promise<void> {
  for (const { id, decided } of deletions.underWay()) {
    if (await packaged(id)) {
      if (desk.now() - decided > GIVEN_UP_MS) deletions.reopen(id);
      continue;
    }
    if (!(await hasOutbox())) continue;
    desk.index.forget(id);
    deletions.done(id);
  }
}
