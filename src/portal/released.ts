// What became of originals whose link was given: the signed word of the middle, noted once and kept for who asked.
import type { MessageId } from '../message/id.ts';
import type { EndedRelease } from '../outbox/release-ends.ts';
import type { Desk } from './desk.ts';
import type { Originals } from './originals.ts';

/** Tells how a release ended; undefined: it has not, as far as one knows. `gone`: the message and what was told of it are deleted. */
export type EndOfRelease = (
  message: MessageId,
  request: MessageId,
) => Promise<Pick<EndedRelease, 'end' | 'found'> | undefined>;

/** Notes the ends that were told meanwhile: the line in the journal first, then the requester's page. */
export async function settleReleases(desk: Desk, originals: Originals, endOf: EndOfRelease): Promise<void> {
  for (const { id } of originals.following())
    await originals.turns.take(id, async () => {
      const one = originals.find(id);
      if (one?.release === undefined || one.end !== undefined) return; // somebody else was first
      const ended = await endOf(one.message, one.release);
      if (ended === undefined) return;
      const { end, found } = ended;
      await desk.note({
        act: 'release-ended',
        person: one.user,
        message: one.message,
        detail: { request: id, outcome: end, found },
      });
      originals.ended(id, end, found);
    });
}
