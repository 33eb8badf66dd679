// MIME by hand, so that a sample holds exactly the bytes its case is about (charsets, folded words, odd names).
import Encoding from 'encoding-japanese';

/** Charsets that Japanese mail is written in. */
export type Charset = 'iso-2022-jp' | 'shift_jis' | 'euc-jp' | 'utf-8';

const NAMES = { 'iso-2022-jp': 'JIS', shift_jis: 'SJIS', 'euc-jp': 'EUCJP' } as const;

/** Text in a charset. */
export function encoded(text: string, charset: Charset): Buffer {
  if (charset === 'utf-8') return Buffer.from(text, 'utf8');
  return Buffer.from(Encoding.convert(Encoding.stringToCode(text), { from: 'UNICODE', to: NAMES[charset] }));
}

/** RFC 2047 encoded words (B), ten characters each, joined by folds. */
export function words(text: string, charset: Charset): string {
  const letters = Array.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < letters.length; at += 10) {
    pieces.push(`=?${charset}?B?${encoded(letters.slice(at, at + 10).join(''), charset).toString('base64')}?=`);
  }
  return pieces.join('\r\n ');
}

/** A parameter by RFC 2231: charset, percent encoding, continuations of six characters. */
export function extended(name: string, value: string, charset: Charset): string {
  const letters = Array.from(value);
  const pieces: string[] = [];
  for (let at = 0; at < letters.length; at += 6) {
    const percent = encoded(letters.slice(at, at + 6).join(''), charset).toString('hex').toUpperCase().replace(/../g, '%$&');
    const index = at / 6;
    pieces.push(`${name}*${index}*=${index === 0 ? `${charset}''` : ''}${percent}`);
  }
  return pieces.join(';\r\n ');
}

/** Bytes in base64, lines of 76. */
export function base64(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  return Buffer.from(`${text.match(/.{1,76}/g)?.join('\r\n') ?? ''}\r\n`);
}

/** Quoted-printable with every byte outside letters and digits escaped; soft breaks keep lines short. */
export function quotedPrintable(bytes: Uint8Array): Buffer {
  const lines: string[] = [];
  let line = '';
  for (const byte of bytes) {
    if (byte === 0x0d) continue;
    if (byte === 0x0a) {
      lines.push(line);
      line = '';
      continue;
    }
    const letter = String.fromCharCode(byte);
    const piece = /[A-Za-z0-9 ,:/<>]/.test(letter) ? letter : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (line.length + piece.length > 73) {
      lines.push(`${line}=`);
      line = '';
    }
    line += piece;
  }
  return Buffer.from(`${[...lines, line].map((one) => one.replace(/ $/, '=20')).join('\r\n')}\r\n`);
}

/** Header lines, a blank line, a body. */
export function entity(headers: readonly string[], body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** A multipart of parts, with `headers` before its own Content-Type. */
export function multipart(subtype: string, boundary: string, parts: readonly Buffer[], headers: readonly string[] = []): Buffer {
  const pieces = parts.map((part) => Buffer.concat([Buffer.from(`--${boundary}\r\n`), part, Buffer.from('\r\n')]));
  const end = Buffer.from(`--${boundary}--\r\n`);
  return entity([...headers, `Content-Type: multipart/${subtype}; boundary="${boundary}"`], Buffer.concat([...pieces, end]));
}

/** What the headers of a sample mail say. */
export interface Letter {
  readonly from: string;
  readonly to?: string;
  readonly subject: string;
  readonly id: string;
}

/** The header lines every sample mail has; subject and names are given ready for the wire. */
export function head(letter: Letter): string[] {
  return [
    `From: ${letter.from}`,
    `To: ${letter.to ?? 'johoseisaku@city.example.lg.jp'}`,
    `Subject: ${letter.subject}`,
    'Date: Mon, 06 Oct 2025 09:30:00 +0900',
    `Message-ID: <${letter.id}@mail.example.com>`,
    'MIME-Version: 1.0',
  ];
}

/** A text leaf in a charset: 7bit, 8bit, base64 or quoted-printable. */
export function textLeaf(body: string, charset: Charset, transfer: '7bit' | '8bit' | 'base64' | 'quoted-printable', type = 'plain'): Buffer {
  const bytes = encoded(body.replace(/\n/g, '\r\n'), charset);
  const content = transfer === 'base64' ? base64(bytes) : transfer === 'quoted-printable' ? quotedPrintable(bytes) : bytes;
  return entity([`Content-Type: text/${type}; charset=${charset}`, `Content-Transfer-Encoding: ${transfer}`], content);
}

/** An attachment in base64; `name` is a ready parameter or two (`filename="a.pdf"`), `typeName` one of Content-Type. */
export function attachment(type: string, bytes: Uint8Array, name: string, typeName = ''): Buffer {
  return entity(
    [
      `Content-Type: ${type}${typeName === '' ? '' : `; ${typeName}`}`,
      `Content-Disposition: attachment; ${name}`,
      'Content-Transfer-Encoding: base64',
    ],
    base64(bytes),
  );
}
