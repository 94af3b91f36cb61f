import { calendarMs, calendarTime } from '../../pki/index.ts';

const two = (value: number): string => String(value).padStart(2, '0');

/** RFC 3339 with microseconds, as Kubernetes writes a MicroTime: `2026-11-21T12:32:32.000000Z`. */
export function microTime(epochMs: number): string {
  const { year, month, day, hour, minute, second } = calendarTime(epochMs);
  const fraction = String(Math.floor(epochMs) - Math.floor(epochMs / 1000) * 1000).padStart(3, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.${fraction}000Z`;
}

/** Milliseconds of a time in UTC as Kubernetes writes it; undefined for anything else. */
export function readTime(written: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/.exec(written);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  return calendarMs({ year, month, day, hour, minute, second }) + Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000);
}

/** For file names: `20261121T123232Z`. */
export function compactTime(epochMs: number): string {
  const { year, month, day, hour, minute, second } = calendarTime(epochMs);
  return `${year}${two(month)}${two(day)}T${two(hour)}${two(minute)}${two(second)}Z`;
}
