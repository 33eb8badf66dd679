// A page of HTML, or one that was saved with its pictures, cleaned for an engine.
import { decodeText } from '../charset.ts';
import { parametersOf } from '../header-params.ts';
import { htmlCharset } from '../said-charset.ts';
import type { Cleaned } from './cleaned.ts';
import { cleanHtml } from './html-page.ts';
import { readMhtml } from './mhtml.ts';

/** `declaredType` says which of the two it is, and may say the charset of HTML. */
export async function pageOf(bytes: Buffer, declaredType: string): Promise<Cleaned> {
  if (!declaredType.startsWith('multipart/')) {
    const charset = htmlCharset(bytes, parametersOf(`:${declaredType}`).get('charset') ?? '');
    return cleanHtml(decodeText(bytes, charset).text, new Map());
  }
  const { html, charset, place, pictures } = await readMhtml(bytes);
  return cleanHtml(decodeText(html, htmlCharset(html, charset)).text, pictures, place);
}
