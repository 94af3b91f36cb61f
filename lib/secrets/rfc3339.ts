import { calendarTime } from '../pki/index.ts';

/** Whole seconds in UTC: `2026-11-21T12:32:32Z`. */
export function rfc3339(epochMs: number): string {
  const { year, month, day, hour, minute, second } = calendarTime(epochMs);
  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}Z`;
}
