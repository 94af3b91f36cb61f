import { Buffer } from 'node:buffer';
import { TkError } from '../base/index.ts';
import { pkiFailure } from './failures.ts';

/** Four or sixteen bytes. Failure: `pki/malformed`. */
export function addressBytes(address: string): Uint8Array {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (v4) return Buffer.from(v4.slice(1).map(Number));
  const [head = '', tail, ...more] = address.split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':'));
  const front = groupsOf(head);
  const back = groupsOf(tail ?? '');
  const gap = 8 - front.length - back.length;
  const groups = tail === undefined ? front : [...front, ...Array.from({ length: Math.max(0, gap) }, () => '0'), ...back];
  if (more.length > 0 || groups.length !== 8 || groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) {
    throw new TkError(pkiFailure('pki/malformed', { what: 'address', reason: `\`${address}\` is not an IP address` }));
  }
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}
