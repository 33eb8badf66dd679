// Pages once more, sharper: the answer to a `render` request, drawn from the original while it is in the spool.
import { MugaiError } from '../message/errors.ts';
import { parseMessageId } from '../message/id.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { RenderRequest } from '../requests/request.ts';
import { makeHarmless, type SanitiseDeps } from '../sanitise/sanitise.ts';
import { LiveSealer } from '../seal/live.ts';
import type { Signer } from '../seal/seal.ts';
import { dropRender, supersede } from './live-pages.ts';
import type { Answer } from './requests.ts';

/** Pages of one request: at 300 dpi some 4 MB in all. */
const MOST_PAGES = 20;

export interface RenderDeps extends SanitiseDeps {
  readonly outbox: Outbox;
  readonly signer: Signer;
}

/**
 * The pages become live pages of the request's id: `outbox.live(request id)`, sealed one by one and visible at once. There is
 * no package: nothing of this is delivered, and it goes when newer pages show as much, or with the message.
 */
export function answerRenders(deps: RenderDeps): Answer<RenderRequest> {
  return async (request, signal) => {
    const id = parseMessageId(request.request);
    const of = parseMessageId(request.id);
    if (id === undefined || of === undefined) throw refused('bad-input', 'no id');
    const { part, dpi, from, to, colour = false } = request;
    if (to < from || to - from >= MOST_PAGES)
      throw refused('bad-input', `pages ${from} to ${to}, ${MOST_PAGES} at most`);
    const spooled = await deps.spool.spooled(of);
    if (spooled === undefined) throw refused('not-found', `message ${of} is gone`);
    const { source, envelope, receivedAt } = spooled.record;
    const content = deps.spool.rawContent(spooled);
    const live = new LiveSealer(id, deps.outbox, deps.signer);
    const tools = { ...deps, only: { as: 'pages', part, dpi, from, to, colour } as const, live: () => live };
    const rendered = { request: id, part, dpi, from, to, colour };
    await deps.spool.renders.add(of, rendered); // before the first page: whatever comes to lie there is known
    const { outputs } = await makeHarmless({ id, source, envelope, receivedAt, content }, tools, signal);
    for (const output of outputs) if ('discard' in output.content) await output.content.discard();
    if (live.heads().length === 0) {
      await dropRender(deps, of, rendered);
      throw refused('not-found', `part ${part} of ${of} has no such page`);
    }
    await supersede(deps, of, rendered);
    return 'answered';
  };
}

function refused(code: 'bad-input' | 'not-found', why: string): MugaiError {
  return new MugaiError(code, why, { permanent: true });
}
