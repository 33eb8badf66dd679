// The charset of a page or of XML: what its sender says of it, and what it says itself.
import { charsetOf } from './charset.ts';

const XML = /^<\?xml[^>]{0,100}encoding=["']([\w.:-]{1,40})/;

/**
 * A header's charset, or else what `<meta>` (in the first 1,024 bytes, as browsers look) or an XML declaration says. Labels that
 * mailers write by default say less than those.
 */
export function htmlCharset(bytes: Buffer, label: string): string {
  return saidCharset(bytes, label, (start) => {
    const page = start.replace(/<!--[^]*?-->/g, '');
    return /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(page)?.[1] ?? XML.exec(page)?.[1];
  });
}

/** The same of any other text: only an XML declaration is a word about itself (RFC 7303 §3: a header's goes before it). */
export function textCharset(bytes: Buffer, label: string): string {
  return saidCharset(bytes, label, (start) => XML.exec(start)?.[1]);
}

function saidCharset(bytes: Buffer, label: string, own: (start: string) => string | undefined): string {
  const known = charsetOf(label);
  if (known !== '' && known !== 'windows-1252') return label;
  const said = own(bytes.toString('latin1', 0, Math.min(1024, bytes.length))) ?? label;
  return /^utf-?16/i.test(said) && said !== label ? 'utf-8' : said; // read as ASCII it cannot be (WHATWG HTML)
}
