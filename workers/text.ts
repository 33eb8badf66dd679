// Jailed child of the text family: says what a file is by its bytes, and turns text and HTML files into plain text.
import { LIMITS } from '../src/message/limits.ts';
import { OPERATION } from '../src/sandbox/wire.ts';
import { detect, looksLikeText } from './detect.ts';
import { parametersOf } from './header-params.ts';
import { keptBytes, recordOf, textOfLeaf } from './leaf-text.ts';
import { Refusal, serve, type Job, type Out } from './run.ts';

serve('file-type 21.3.4, encoding WHATWG', async (job, out) => {
  if (job.operation === OPERATION.detect) return tellType(job, out);
  return convert(job, out);
});

async function tellType(job: Job, out: Out): Promise<void> {
  const { bytes } = await startOf(job, LIMITS.detectBytes);
  if (bytes.length === 0) throw new Refusal('empty', 'no bytes');
  const { mimeType, extension } = await detect(bytes, job.name, charsetSaid(job));
  out.detected(mimeType, extension.toLowerCase()); // file-type knows one in capitals: `Z`
}

async function convert(job: Job, out: Out): Promise<void> {
  const html = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(job.declaredType);
  const { bytes, cut } = await startOf(job, keptBytes(html));
  if (bytes.length === 0) throw new Refusal('empty', 'no bytes');
  const charset = charsetSaid(job);
  if (!looksLikeText(bytes, charset)) throw new Refusal('type-mismatch', 'binary');
  const { text, findings, losses } = textOfLeaf(bytes, {
    html,
    record: recordOf(job.declaredType.replace(/;.*/s, '')),
    charset,
    flowed: false,
    delSp: false,
    cut,
    rough: false,
  });
  for (const { code, detail } of findings) out.finding(code, detail);
  for (const { code, detail } of losses) out.loss(code, detail);
  out.text(text);
}

/** What the sender says of the charset. */
function charsetSaid(job: Job): string {
  return parametersOf(`:${job.declaredType}`).get('charset') ?? '';
}

/** The first `max` bytes of the input, and whether there are more. */
async function startOf(job: Job, max: number): Promise<{ readonly bytes: Buffer; readonly cut: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of job.input) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > max) break;
  }
  const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  return { bytes: all.subarray(0, max), cut: size > max };
}
