// The word of a reverse proxy: a header that counts only when it comes straight from an address that was named.
import { BlockList, isIP } from 'node:net';
import { parseName } from './accounts.ts';
import type { Glance } from './pages.ts';

/** A header that proxies at these addresses set to the name of whoever they let in. */
export interface ProxyWord {
  readonly header: string;
  readonly addresses: readonly string[];
}

/** The name that a proxy vouches for; undefined when nobody who is believed says one. Where the line ends counts, not what it says. */
export function proxiedName(glance: Glance, { header, addresses }: ProxyWord): string | undefined {
  const value = glance.request.headers[header];
  const from = (glance.request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  if (typeof value !== 'string' || !holds(addresses, from)) return undefined;
  return parseName(value);
}

/** Addresses are compared as addresses: an IPv6 one has several spellings. */
function holds(addresses: readonly string[], address: string): boolean {
  const list = new BlockList();
  const familyOf = (one: string): 'ipv4' | 'ipv6' => (isIP(one) === 6 ? 'ipv6' : 'ipv4');
  for (const one of addresses) list.addAddress(one, familyOf(one));
  return isIP(address) !== 0 && list.check(address, familyOf(address));
}
