// `mugai status`: how the gateway on this machine stands: queues, stores, children, alarms; asked at its operations port.
import { parseArgs } from 'node:util';
import { Compile } from 'typebox/compile';
import { readConfig } from '../config.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { StatusSchema, type ProcessStatus } from '../message/status.ts';
import { say, type Command } from './usage.ts';

const ANSWER_MS = 10_000;
const ALARMS_TOLD = 10;

export const status: Command = {
  help: `mugai status [--json]

Tells how the gateway on this machine stands, by its operations port (MUGAI_OPS_LISTEN): queues, free space, children,
what is wrong, the latest alarms.

  --json   the whole status as one JSON object

Exit 0: nothing is wrong; 1: something is, or no gateway answers.

Example: mugai status`,

  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
    const { host, port } = readConfig().opsListen;
    const processes = await ask(host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port);
    if (values.json) say(JSON.stringify({ processes }));
    else for (const process of processes) tell(process);
    return processes.every(({ faults }) => Object.keys(faults).length === 0) ? 0 : 1;
  },
};

async function ask(host: string, port: number): Promise<readonly ProcessStatus[]> {
  const place = `http://${host.includes(':') ? `[${host}]` : host}:${port}/status`;
  let answer: unknown;
  try {
    answer = await (await fetch(place, { signal: AbortSignal.timeout(ANSWER_MS) })).json();
  } catch (error) {
    throw new MugaiError('not-found', `no gateway answers at ${place}: ${reasonOf(error)}`, { cause: error });
  }
  if (!Compile(StatusSchema).Check(answer)) throw new MugaiError('bad-record', `${place} gives no status of a gateway`);
  return answer.processes;
}

function tell({ name, version, startedAt, jail, faults, queues, stores, children, alarms }: ProcessStatus): void {
  const wrong = Object.entries(faults);
  say(`${name}  ${version}  since ${startedAt}  ${wrong.length === 0 ? 'ready' : 'NOT READY'}`);
  for (const [check, fault] of wrong) say(`  wrong     ${check}: ${fault}`);
  if (jail !== '') say(`  jail      ${jail}`);
  for (const { queue, waiting, active, delayed, oldestSeconds } of queues) {
    const numbers = `${waiting} waiting, ${active} active, ${delayed} delayed, oldest ${oldestSeconds.toFixed(1)} s`;
    say(`  queue     ${queue}: ${numbers}`);
  }
  for (const { store, freeBytes } of stores) say(`  store     ${store}: ${(freeBytes / 1e9).toFixed(1)} GB free`);
  const busy = children.filter((child) => child.busy + child.waiting + child.killed > 0);
  for (const { family, busy: lent, places, waiting, killed } of busy)
    say(`  children  ${family}: ${lent} of ${places} busy, ${waiting} wait, ${killed} killed`);
  for (const { at, kind, subject, detail, count } of alarms.slice(-ALARMS_TOLD))
    say(`  alarm     ${at} ${kind} ${subject} ${detail} ×${count}`);
}
