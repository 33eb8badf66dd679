// Which recipients are ours. One strict address grammar for both doors; what two parsers could read in two ways is refused.

/** Why an address is not taken. */
export type AddressFault = 'syntax' | 'relay';

// Local part: RFC 5321 atext and dots, or UTF-8 (RFC 6531). No quotes, percent hack, bang path, route or comment (attack row 7).
const LOCAL = /^[\p{L}\p{N}\p{M}#$&'*+/=?^_`{|}~.-]{1,64}$/u;
const DOMAIN =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)*[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** The fault of a recipient address, or undefined when mail for it is taken. */
export function recipientFault(address: string, domains: ReadonlySet<string>): AddressFault | undefined {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1).toLowerCase();
  if (at < 1 || address.length > 254 || !LOCAL.test(local) || !DOMAIN.test(domain)) return 'syntax';
  return domains.has(domain) ? undefined : 'relay';
}

/** True for a sender address that can be kept in an envelope; empty is the null sender. */
export function isSender(address: string): boolean {
  return address === '' || (address.length <= 320 && !/[\u0000-\u0020\u007f<>]/.test(address));
}
