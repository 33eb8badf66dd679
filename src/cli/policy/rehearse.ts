// `mugai policy rehearse`: what a new policy would have changed for messages that came.
import type { Config } from '../../config.ts';
import { MugaiError } from '../../message/errors.ts';
import type { Policy } from '../../policy/policy.ts';
import { changesFor } from '../../policy/rehearse.ts';
import { sayJson, sayLine, tell, UsageError } from '../usage.ts';
import { openSealed } from './sealed-messages.ts';

export async function rehearse(
  now: Policy,
  next: Policy,
  since: number,
  json: boolean,
  config: Config,
): Promise<number> {
  const sealed = await openSealed(config);
  if (!(await sealed.isThere()))
    throw new MugaiError(
      'not-found',
      'the outbox holds no message: nothing is rehearsed (is it another one, or its mount lost?)',
      {
        permanent: true,
      },
    );
  let [messages, ended, set] = [0, 0, 0];
  for await (const predicate of sealed.since(since)) {
    messages += 1;
    const changes = changesFor(predicate, now, next);
    if (changes.some(({ path }) => path !== '')) ended += 1;
    if (changes.some(({ path }) => path === '')) set += 1;
    for (const change of changes) {
      const { id, path, what, before, after, rule } = change;
      if (json) sayJson(change);
      else
        sayLine(
          `${id}  ${path || 'message'}  ${what}: ${before} → ${after}${rule === undefined ? '' : ` (rule ${rule})`}`,
        );
    }
  }
  const period = `${messages} messages since ${new Date(since).toISOString()}`;
  const told =
    messages === 0
      ? `${period}: nothing was compared`
      : `${period}; under ${next.name} ${next.version} parts of ${ended} would have ended otherwise, settings of ${set} would have been others`;
  if (json) tell(told);
  else sayLine(told);
  return 0;
}

/** The time that `7d` or `12h` ago was, in milliseconds. */
export function sinceOf(text: string): number {
  const found = /^(\d{1,5})([dh])$/.exec(text);
  if (found === null) throw new UsageError(`--since is "${text}", not a time such as 7d or 12h`);
  return Date.now() - Number(found[1]) * (found[2] === 'd' ? 86_400_000 : 3_600_000);
}
