// Which recipients are ours, and which senders are none. One address grammar for both doors; what two parsers could read in two ways
// is refused.
import { isIP } from 'node:net';
import { addressForm, domainForm } from '../message/address.ts';

/** Why an address is not taken. */
export type AddressFault = 'syntax' | 'relay';

// Local part: RFC 5321 atext and dots, or UTF-8 (RFC 6531). No quotes, percent hack, bang path, route or comment (attack row 7).
const LOCAL = /^[\p{L}\p{N}\p{M}#$&'*+/=?^_`{|}~.-]{1,64}$/u;
/**
 * The address that is kept for a recipient of SMTP, with its domain in its one form: what is compared, judged and sent is the same.
 * RFC 5321 §4.5.1: `<postmaster>` without a domain is taken, and is ours of the first domain.
 */
export function wholeRecipient(address: string, domains: ReadonlySet<string>): string {
  const [first] = domains;
  return first !== undefined && address.toLowerCase() === 'postmaster' ? `${address}@${first}` : addressForm(address);
}

/** The fault of a recipient address, or undefined when mail for it is taken. `domains` in their one form. */
export function recipientFault(address: string, domains: ReadonlySet<string>): AddressFault | undefined {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = domainForm(address.slice(at + 1));
  if (at < 1 || address.length > 254 || !LOCAL.test(local) || domain === undefined) return 'syntax';
  return domains.has(domain) ? undefined : 'relay';
}

// Whatever a sender has before its one @, but blanks, brackets and control characters: it is a name to answer to, not a place of ours.
const SENDER_LOCAL = /^[^\s@<>\u0000-\u001f\u007f-\u009f]+$/u;

/** True for a sender address that can be kept in an envelope; empty is the null sender. Its dots may stand anywhere in its local part. */
export function isSender(address: string): boolean {
  if (address === '') return true;
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (at < 1 || address.length > 254 || !SENDER_LOCAL.test(address.slice(0, at))) return false;
  const literal = /^\[(IPv6:)?([^\]]+)\]$/i.exec(domain);
  return literal === null
    ? domainForm(domain) !== undefined
    : isIP(literal[2] ?? '') === (literal[1] === undefined ? 4 : 6);
}
