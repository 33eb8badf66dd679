// Addresses and networks as they are configured, and whether an address is among them.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** An address without the clothes that IPv4 wears on an IPv6 socket (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** True for a host, as it stands in an address without brackets, that is this machine by its name or number alone. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** `list`: addresses and networks (`192.0.2.0/24`). Anything that is no address is in none of them. */
export function networksOf(list: readonly string[]): (address: string) => boolean {
  const networks = new BlockList();
  for (const entry of list) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(bits), family);
  }
  return (text) => {
    const address = plainAddress(text);
    const family = isIP(address);
    return family !== 0 && networks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** Whose an address is, for limits: an IPv4 address itself, of an IPv6 one its /64, since a household has 2^64 addresses. */
export function householdOf(address: string): string {
  const own = plainAddress(address);
  if (!isIPv6(own)) return own;
  // The first four groups; `::` before the fourth stands for zeros.
  const [head = '', tail] = own.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  while (groups.length + behind.length < 8 && tail !== undefined) groups.push('0');
  return [...groups, ...behind].slice(0, 4).join(':');
}
