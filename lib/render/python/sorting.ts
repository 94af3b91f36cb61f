import { isEqual, isOrdered } from './operators.ts';
import type { Value } from './values.ts';

/** For `sort`: negative, zero or positive; fails where Python's `<` does. */
export function compareValues(left: Value, right: Value): number {
  if (isOrdered(left, '<', right)) return -1;
  return isEqual(left, right) ? 0 : isOrdered(right, '<', left) ? 1 : 0;
}
