// Mail addresses in the one form in which they are kept and compared, whoever wrote them.
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** A name as the DNS has it: letters, digits and hyphens. */
const ASCII = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
// What the URL parser behind `domainToASCII` would decode, cut off or drop: marks of ASCII, blanks, what cannot be seen.
const ODD = /[\u0000-,/:-@[-`{-\u007f]|[\p{C}\p{Z}]/u;

const OTHER_LETTERS = /[^\u0000-\u007f]/;

/** A domain's one form, ASCII in small letters: `日本語.jp` and `xn--wgv71a119e.jp` are one (UTS 46). Undefined where it is none. */
export function domainForm(domain: string): string | undefined {
  if (ASCII.test(domain)) return domain.toLowerCase(); // digits alone would be read as an IP address below (`10.1`)
  if (ODD.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  return ASCII.test(ascii) && isIP(ascii) === 0 ? ascii.toLowerCase() : undefined;
}

/** An address with its domain in its one form, its local part as it is; what has no such domain stays whole. */
export function addressForm(address: string): string {
  const at = address.lastIndexOf('@');
  const form = at < 0 ? undefined : domainForm(address.slice(at + 1));
  return form === undefined ? address : `${address.slice(0, at + 1)}${form}`;
}

/** An address as it is compared with others: in its one form, in small letters. */
export function comparedForm(address: string): string {
  // Small letters are the one form of what is ASCII already. Policies have thousands of members, each compared with each recipient.
  return (OTHER_LETTERS.test(address) ? addressForm(address) : address).toLowerCase();
}
