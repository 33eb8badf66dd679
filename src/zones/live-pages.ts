// Takes pages away that lie beside the packages and that nobody needs there any more: the first pages of what is sealed by now,
// finer pictures that newer ones took the place of, and those of a message that is deleted.
import { timeOf, type MessageId } from '../message/id.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Rendered } from '../spool/render-notes.ts';
import type { Spool } from '../spool/spool.ts';

/** Pages that belong to nothing known are left alone for so long: whoever draws them may still be at work. */
const STRAY_MS = 24 * 3_600_000;

interface Both {
  readonly spool: Spool;
  readonly outbox: Outbox;
}

/** Takes the pages away that these show as well: of the same part, no finer, none beyond them, in no more colours. */
export async function supersede({ spool, outbox }: Both, of: MessageId, by: Rendered): Promise<void> {
  for (const one of await spool.renders.of(of)) {
    const { request, part, dpi, from, to, colour } = one;
    if (colour && !by.colour) continue;
    // Of two that are drawn at once the older gives way, never each to the other.
    if (request >= by.request || part !== by.part || dpi > by.dpi || from < by.from || to > by.to) continue;
    await dropRender({ spool, outbox }, of, one);
  }
}

/** Takes pages away that were drawn anew. */
export async function dropRender({ spool, outbox }: Both, of: MessageId, rendered: Rendered): Promise<void> {
  await outbox.live(rendered.request).drop();
  await spool.renders.remove(of, rendered);
}

/** Deletes the package of a message, and what was drawn anew of it. */
export async function removePackage({ spool, outbox }: Both, id: MessageId): Promise<void> {
  for (const { request } of await spool.renders.of(id)) await outbox.live(request).drop();
  await spool.renders.forget(id);
  await outbox.remove(id);
}

/** Looks for pages that stayed where something ended before it could take them away. How many folders went. */
export async function sweepLivePages({ spool, outbox }: Both, now: number, signal: AbortSignal): Promise<number> {
  const noted = new Set<MessageId>();
  for (const id of await spool.renders.messages())
    for (const { request } of await spool.renders.of(id)) noted.add(request);
  let count = 0;
  for (const shard of await outbox.shards())
    for (const id of await outbox.liveOf(shard)) {
      signal.throwIfAborted();
      if (noted.has(id) || !(await isOver({ spool, outbox }, id, now))) continue;
      await outbox.live(id).drop();
      count += 1;
    }
  return count;
}

/** True for pages whose package is there, and for those of nothing that is under way. */
async function isOver({ spool, outbox }: Both, id: MessageId, now: number): Promise<boolean> {
  if ((await outbox.find(id)) !== undefined) return true;
  const stage = await spool.stageOf(id);
  return stage !== 'spooled' && stage !== 'sanitised' && now - timeOf(id) > STRAY_MS;
}
