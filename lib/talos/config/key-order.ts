const isDigit = (character: string | undefined): boolean => character !== undefined && /^\p{Nd}$/u.test(character);
const isLetter = (character: string): boolean => /^\p{L}$/u.test(character);

/**
 * The order in which Go's YAML library writes the keys of maps: numbers in them count as numbers, so that cpu2 comes before cpu10.
 *
 * Source: go.yaml.in/yaml/v4 internal/libyaml/representer.go, `keyList.Less`
 */
export function byKey(one: string, other: string): number {
  if (one === other) return 0;
  const [left, right] = [Array.from(one), Array.from(other)];
  const length = Math.min(left.length, right.length);
  let at = 0;
  while (at < length && left[at] === right[at]) at += 1;
  const [a, b] = [left[at], right[at]];
  if (a === undefined || b === undefined) return left.length - right.length;
  if (isLetter(a) && isLetter(b)) return a < b ? -1 : 1;
  // Behind digits a letter comes first: there it ends a number.
  if (isLetter(a) || isLetter(b)) return isLetter(a) === isDigit(left[at - 1]) ? -1 : 1;
  // Zeros inside of a number count, those before it do not.
  const isInside = (a === '0' || b === '0') && /[1-9]\d*$/.test(left.slice(0, at).join(''));
  const [first, second] = [numberAt(left, at, isInside), numberAt(right, at, isInside)];
  if (first.value !== second.value) return first.value < second.value ? -1 : 1;
  if (first.end !== second.end) return first.end - second.end;
  return a < b ? -1 : 1;
}

function numberAt(characters: readonly string[], start: number, isInside: boolean): { readonly value: bigint; readonly end: number } {
  let value = isInside ? 1n : 0n;
  let end = start;
  while (isDigit(characters[end])) {
    value = value * 10n + BigInt((characters[end] ?? '0').charCodeAt(0) - 0x30);
    end += 1;
  }
  return { value: BigInt.asIntN(64, value), end };
}
