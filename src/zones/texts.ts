// The answer to a request for a part as text or values: a small package of its own, under the request's id, that only the
// portal shows. It is made from the original while that is in the spool.
import { MugaiError } from '../message/errors.ts';
import { parseMessageId } from '../message/id.ts';
import type { Sanitised } from '../message/stages.ts';
import type { TextRequest } from '../requests/request.ts';
import { makeHarmless, type SanitiseDeps } from '../sanitise/sanitise.ts';
import type { Answer } from './requests.ts';

export interface TextDeps extends SanitiseDeps {
  readonly seal: (sanitised: Sanitised, signal: AbortSignal) => Promise<void>;
}

/** Answers requests for text. Done twice it gives the same package. */
export function answerTexts(deps: TextDeps): Answer<TextRequest> {
  return async (request, signal) => {
    const id = parseMessageId(request.request);
    const of = parseMessageId(request.id);
    if (id === undefined || of === undefined) throw refused('bad-input', 'no id');
    const { spool } = deps;
    if ((await spool.stageOf(id)) === 'sealed') return 'answered';
    const earlier = await spool.sanitised(id);
    if (earlier !== undefined) {
      await deps.seal(earlier, signal);
      return 'answered';
    }
    const spooled = await spool.spooled(of);
    if (spooled === undefined) throw refused('not-found', `message ${of} is gone`);
    const { source, envelope, receivedAt } = spooled.record;
    const content = spool.rawContent(spooled);
    const { part, form } = request;
    const { live: _, ...tools } = deps; // nothing of it is shown before it is whole
    const made = await makeHarmless(
      { id, source, envelope, receivedAt, content },
      { ...tools, only: { as: form, part } },
      signal,
    );
    try {
      const row = made.record.parts.find(({ path }) => path === part);
      if (row === undefined || row.verdict !== 'text' || row.outputs.length === 0)
        throw refused('not-found', `part ${part} of ${of} has no ${form}: ${row?.reason ?? 'no such part'}`);
      const names = new Set(row.outputs);
      const kept = {
        ...made.record,
        state: 'sanitised' as const,
        reason: null,
        text: null,
        parts: [row],
        answers: form,
        outputs: made.record.outputs.filter(({ name }) => names.has(name)),
      };
      const outputs = made.outputs.filter(({ name }) => names.has(name));
      await deps.seal(await spool.recordRevision(spooled, id, kept, outputs), signal);
    } finally {
      for (const output of made.outputs) if ('discard' in output.content) await output.content.discard();
    }
    return 'answered';
  };
}

function refused(code: 'bad-input' | 'not-found', why: string): MugaiError {
  return new MugaiError(code, why, { permanent: true });
}
