/**
 * An address of IPv6 from its eight groups, each in hexadecimal without leading zeros: of several zeros in a row the longest run, and of
 * equally long ones the first, becomes `::`. Source: RFC 5952 section 4.2; Go's netip writes it so, too.
 */
export function ipv6Text(groups: readonly string[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === '0') length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}
