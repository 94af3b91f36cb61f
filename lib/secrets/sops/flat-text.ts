import { TreeTime, type TreeValue } from '../../format/index.ts';

/** A value on one line of a flat file. */
export function flatText(value: TreeValue): string {
  if (value instanceof TreeTime) return value.text;
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : String(value).toUpperCase();
  return String(value ?? '<nil>');
}
