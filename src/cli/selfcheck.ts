// `mugai selfcheck`: what holds the children on this machine, and whether it does: an inmate tries to get out.
import { parseArgs } from 'node:util';
import { tryToBreakOut, type Attempt } from '../sandbox/break-out.ts';
import { machineJail, type Jail } from '../sandbox/probe.ts';
import { say, type Command } from './usage.ts';

export const selfcheck: Command = {
  help: `mugai selfcheck [--json]

Tells what holds the children that open mail and files on this machine, and tries it: a child of each
family tries to reach files, network, processes and environment, behind all walls and behind each alone.

  --json  one object: {level, holds, controls: [{name, holds, detail}],
          attempts: [{family, standing, way, held, detail}]}

Exit: 0 every control holds, 1 one is missing or was broken through, 2 wrong usage.

Example: mugai selfcheck && MUGAI_JAIL=require mugai serve`,

  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
    const jail = await machineJail();
    const attempts = await tryToBreakOut(jail, new AbortController().signal);
    const holds = jail.level === 'full' && attempts.every((attempt) => attempt.held);
    if (values.json) {
      const { level, controls } = jail;
      say(JSON.stringify({ level, holds, controls, attempts }));
    } else tell(jail, attempts);
    return holds ? 0 : 1;
  },
};

function tell(jail: Jail, attempts: readonly Attempt[]): void {
  say(`jail: ${jail.level}`);
  for (const { name, holds, detail } of jail.controls) say(`${holds ? 'holds  ' : 'MISSING'}  ${name}: ${detail}`);
  const groups = Map.groupBy(attempts, ({ family, standing }) => `${family} behind ${standing}`);
  for (const [group, tried] of groups) {
    const out = tried.filter((attempt) => !attempt.held);
    if (out.length === 0) say(`holds    ${group}: ${tried.length} ways out tried`);
    for (const { way, detail } of out) say(`BROKEN   ${group}: ${way}: ${detail}`);
  }
}
