// `mugai policy rehearse`: what a new policy would have changed for messages that came.
import type { Config } from '../../config.ts';
import type { Policy } from '../../policy/policy.ts';
import { changesFor } from '../../policy/rehearse.ts';
import { say, UsageError } from '../usage.ts';
import { openSealed } from './sealed-messages.ts';

export async function rehearse(
  now: Policy,
  next: Policy,
  since: number,
  json: boolean,
  config: Config,
): Promise<number> {
  const sealed = await openSealed(config);
  let messages = 0;
  let changed = 0;
  for await (const predicate of sealed.since(since)) {
    messages += 1;
    const changes = changesFor(predicate, now, next);
    if (changes.length > 0) changed += 1;
    for (const change of changes) {
      const { id, path, what, before, after, rule } = change;
      if (json) say(JSON.stringify(change));
      else
        say(`${id}  ${path || 'message'}  ${what}: ${before} → ${after}${rule === undefined ? '' : ` (rule ${rule})`}`);
    }
  }
  if (!json) say(`${messages} messages, ${changed} would have ended otherwise under ${next.name} ${next.version}`);
  return 0;
}

/** The time that `7d` or `12h` ago was, in milliseconds. */
export function sinceOf(text: string): number {
  const found = /^(\d{1,5})([dh])$/.exec(text);
  if (found === null) throw new UsageError(`--since is "${text}", not a time such as 7d or 12h`);
  return Date.now() - Number(found[1]) * (found[2] === 'd' ? 86_400_000 : 3_600_000);
}
