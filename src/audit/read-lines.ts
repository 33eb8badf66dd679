// The lines of a journal's files as they stand, one after the other, in memory bounded by one line.
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { LINE_BYTES } from './line.ts';

const TOO_LONG = `is over ${LINE_BYTES} bytes`;

/**
 * A line as it stands, without its end: its bytes (until the next line is asked for), the text in them, or what is wrong with
 * its shape. `number` counts from 1 in its file.
 */
export interface RawLine {
  readonly file: string;
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly fault: string | undefined;
}

/**
 * Reads the files in the order given, the last one up to its byte `end`. A line that is too long, or has no end, is told as a
 * fault; reading goes on with the next file.
 */
export async function* readLines(
  folder: string,
  files: readonly string[],
  end = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<RawLine, void, undefined> {
  for (const [nth, file] of files.entries()) {
    const most = nth === files.length - 1 ? end : Number.MAX_SAFE_INTEGER;
    if (most === 0) continue;
    let rest: Buffer = Buffer.alloc(0);
    let number = 0;
    let tooLong = false;
    for await (const chunk of createReadStream(join(folder, file), {
      highWaterMark: 256 * 1024,
      end: most - 1,
    })) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      let at = 0;
      for (let stop = bytes.indexOf(0x0a, at); stop >= 0; stop = bytes.indexOf(0x0a, at)) {
        number += 1;
        const line = bytes.subarray(at, stop);
        // Text made of other bytes would be hashed as what it was made into.
        const fault = line.length > LINE_BYTES ? TOO_LONG : isUtf8(line) ? undefined : 'is no UTF-8';
        yield { file, number, bytes: line, text: line.toString('utf8'), fault };
        at = stop + 1;
      }
      rest = bytes.subarray(at);
      if (rest.length > LINE_BYTES) {
        tooLong = true;
        break;
      }
    }
    if (tooLong) yield { file, number: number + 1, bytes: rest, text: '', fault: TOO_LONG };
    else if (rest.length > 0)
      yield { file, number: number + 1, bytes: rest, text: rest.toString('utf8'), fault: 'has no line end' };
  }
}
