// Messages that were being opened when the process died: each is tried again by itself, and held when it has killed too often.
import type { Lifecycle } from '../lifecycle.ts';
import { reasonOf } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import type { Log } from '../ops/log.ts';
import type { UnderWay } from '../spool/under-way.ts';

export interface ClearDeps {
  readonly life: Lifecycle;
  readonly log: Log;
  readonly sanitise: (id: MessageId, signal: AbortSignal) => Promise<void>;
  /** Ends a message that killed its process too often. */
  readonly giveUp: (id: MessageId) => Promise<void>;
}

/** Tries the suspects one after another; resolves when the others may come. What fails is left to the queue and its rules. */
export async function clearSuspects(underWay: UnderWay | undefined, deps: ClearDeps): Promise<void> {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for (const [id, crashes] of underWay?.suspects ?? []) {
      if (stop.signal.aborted) return;
      const tooOften = crashes >= LIMITS.attempts;
      const line = { id, crashes };
      if (tooOften) deps.log.error(line, 'held: the process died each time this message was opened');
      else deps.log.warn(line, 'opened alone: the process died while this message was being opened');
      // Everybody waits for this one: whatever goes wrong is told, and the next one has its turn.
      try {
        await (tooOften ? deps.giveUp(id) : deps.sanitise(id, stop.signal));
      } catch (error) {
        deps.log.warn({ id, error: reasonOf(error) }, 'attempt failed');
      }
      try {
        underWay?.end(id);
      } catch (error) {
        deps.log.warn({ id, error: reasonOf(error) }, 'still noted as under way');
      }
    }
  };
  const running = run();
  deps.life.started('suspects', async () => {
    stop.abort();
    await running;
  });
  return running;
}
