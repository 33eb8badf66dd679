// Runs one input through a jailed child and collects what came over the wire, for tests of single workers.
import { FAMILIES, type FamilyName } from '../../src/sandbox/families.ts';
import { JailedChild, type ChildOutcome, type ChildRequest } from '../../src/sandbox/child.ts';
import { FRAME, FieldReader } from '../../src/sandbox/wire.ts';

/** A frame as received; `text` and `remark` are decoded where the type has them. */
export interface Seen {
  readonly type: number;
  readonly payload: Buffer;
}

export interface Drive {
  readonly outcome: ChildOutcome;
  readonly frames: readonly Seen[];
  readonly engine: string;
}

const ASK: ChildRequest = { operation: 1, dpi: 150, maxPages: 2000, declaredType: '', name: '', password: '' };

/** Starts a child of the family, runs the input, stops the child. With `taker` the frames go there too, pixels only there. */
export async function drive(
  family: FamilyName,
  input: Uint8Array,
  ask: Partial<ChildRequest> = {},
  deadlineMs = 30_000,
  taker?: (frame: Seen) => Promise<void>,
): Promise<Drive> {
  const child = await JailedChild.start(FAMILIES[family], () => undefined);
  try {
    const frames: Seen[] = [];
    const outcome = await child.run(
      { ...ASK, ...ask },
      input,
      (frame) => {
        if (taker !== undefined && frame.type === FRAME.pixels) return taker(frame);
        frames.push({ type: frame.type, payload: Buffer.from(frame.payload) });
        return taker?.(frame);
      },
      { deadlineMs, totalMs: deadlineMs, signal: new AbortController().signal },
    );
    return { outcome, frames, engine: child.engine };
  } finally {
    await child.stop();
  }
}

/** All `text` frames joined. */
export function textOf(frames: readonly Seen[]): string {
  return frames
    .filter((frame) => frame.type === FRAME.text)
    .map((frame) => frame.payload.toString('utf8'))
    .join('');
}

/** Codes and details of `finding` or `loss` frames. */
export function remarksOf(frames: readonly Seen[], type: typeof FRAME.finding | typeof FRAME.loss): [string, string][] {
  return frames
    .filter((frame) => frame.type === type)
    .map((frame) => {
      const fields = new FieldReader(frame.payload);
      return [fields.text(4096), fields.text(4096)];
    });
}
