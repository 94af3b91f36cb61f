import type { Clock, Random } from '../base/index.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 26 characters, Crockford base 32: 48 bits of wall time, 80 random bits. Sorts by time. */
export function newRunId(clock: Clock, random: Random): string {
  let time = Math.max(0, Math.floor(clock.now()));
  let head = '';
  for (let place = 0; place < 10; place += 1) {
    head = (alphabet[time % 32] ?? '0') + head;
    time = Math.floor(time / 32);
  }
  let tail = '';
  for (const byte of random.bytes(16)) tail += alphabet[byte % 32] ?? '0';
  return head + tail;
}

export const isRunId = (name: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name);
