import { ipv6Text } from '../base/index.ts';

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^(?:${octet}\\.){3}${octet}$`);
const ipv4Prefix = new RegExp(`^(?:${octet}\\.){3}${octet}/(?:3[0-2]|[12]?\\d)$`);

/** Source: Go's netip.ParseAddr */
export function isAddress(text: string): boolean {
  if (ipv4.test(text)) return true;
  const [body = '', zone] = text.split('%');
  if (zone === '' || !/^[0-9a-fA-F:.]+$/.test(body) || !body.includes(':')) return false;
  const halves = body.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const embedded = groups.at(-1)?.includes('.') ? 1 : 0;
  const plain = embedded ? groups.slice(0, -1) : groups;
  if (plain.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group)) || (embedded && !isAddress(groups.at(-1) ?? ''))) return false;
  const size = plain.length + embedded * 2;
  return halves.length === 2 ? size <= 7 : size === 8;
}

/** IPv6 in Go's spelling: lower case, no leading zeros, the longest run of zeros shortened. */
export function canonicalAddress(text: string): string {
  if (!text.includes(':') || text.includes('.') || text.includes('%')) return text;
  const halves = text.toLowerCase().split('::');
  const groupsOf = (half: string | undefined) => (half ? half.split(':') : []);
  const front = groupsOf(halves[0]);
  const back = halves.length === 2 ? groupsOf(halves[1]) : [];
  const groups = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  );
  return ipv6Text(groups);
}

export function canonicalPrefix(text: string): string {
  const slash = text.indexOf('/');
  return slash === -1 ? text : `${canonicalAddress(text.slice(0, slash))}${text.slice(slash)}`;
}

/** Source: Go's netip.ParsePrefix */
export function isPrefix(text: string): boolean {
  if (ipv4Prefix.test(text)) return true;
  const [address = '', bits = '', ...more] = text.split('/');
  return (
    more.length === 0 &&
    isAddress(address) &&
    !address.includes('%') &&
    /^\d{1,3}$/.test(bits) &&
    String(Number(bits)) === bits &&
    Number(bits) <= (address.includes(':') ? 128 : 32)
  );
}
