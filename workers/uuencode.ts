// uuencode: decoded where a part declares it as its transfer encoding, taken out of text bodies where it hides a file.

/** Decodes the lines of a uuencoded part as they come; lines outside `begin`…`end` are dropped. */
export class UuDecoder {
  #line = '';
  #open = false;

  /** Bytes decoded from the lines that are now whole. */
  push(chunk: Uint8Array): Buffer {
    const lines = (this.#line + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')).split(
      '\n',
    );
    this.#line = (lines.pop() ?? '').slice(0, 1000);
    return Buffer.concat(lines.map((line) => this.#decode(line.replace(/\r$/, ''))));
  }

  end(): Buffer {
    return this.#decode(this.#line);
  }

  #decode(line: string): Buffer {
    if (!this.#open) {
      this.#open = BEGIN.test(line);
      return Buffer.alloc(0);
    }
    if (line === 'end' || line === '') {
      this.#open = line !== 'end';
      return Buffer.alloc(0);
    }
    const length = (line.charCodeAt(0) - 32) & 63;
    const bytes = Buffer.alloc(Math.ceil(length / 3) * 3);
    for (let from = 1, to = 0; to < length; from += 4, to += 3) {
      const value =
        (six(line, from) << 18) | (six(line, from + 1) << 12) | (six(line, from + 2) << 6) | six(line, from + 3);
      bytes.writeUIntBE(value, to, 3);
    }
    return bytes.subarray(0, length);
  }
}

const six = (line: string, at: number): number => (at < line.length ? (line.charCodeAt(at) - 32) & 63 : 0);

const BEGIN = /^begin(?:-base64)? [0-7]{3,4} \S/;

/** Text without its uuencoded files, each replaced by a line that names it; `files` are their names. */
export function withoutUuencode(text: string): { readonly text: string; readonly files: readonly string[] } {
  if (!/^begin(?:-base64)? [0-7]{3,4} /m.test(text)) return { text, files: [] };
  const kept: string[] = [];
  const files: string[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    if (!inside && BEGIN.test(line) && files.length < 100) {
      const name = line.replace(/^begin\S* \d+ /, '').slice(0, 200);
      files.push(name);
      kept.push(`［uuencode: ${name}］`);
      inside = true;
    } else if (inside && isData(line)) {
      if (line === 'end' || line === '====') inside = false;
    } else {
      inside = false;
      // Outlook decodes any line that starts so, even with two spaces (MS KB 265230): broken up.
      kept.push(BEGIN.test(line) || /^begin {2}/.test(line) ? `| ${line}` : line);
    }
  }
  return { text: kept.join('\n'), files };
}

/** A line of encoded data: its first letter tells its length, or it is base64. */
function isData(line: string): boolean {
  if (line === 'end' || line === '`' || line === '====' || line === '') return true;
  if (!/^[\x20-\x60]+$/.test(line)) return line.length >= 40 && /^[A-Za-z0-9+/=]+$/.test(line);
  const expected = Math.ceil(((line.charCodeAt(0) - 32) & 63) / 3) * 4 + 1;
  return Math.abs(line.length - expected) <= 2;
}
