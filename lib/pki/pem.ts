import { Buffer } from 'node:buffer';
import { parsePemBlocks, type PemBlock, TkError } from '../base/index.ts';
import { pkiFailure } from './failures.ts';

export function renderPem(label: string, der: Uint8Array): string {
  const body = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n');
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}

/** The first block of a text. Failure: `pki/malformed`. `what` names the thing that was expected: "certificate". */
export function parsePem(text: string, what: string): PemBlock {
  const [block] = parsePemBlocks(text);
  if (!block) throw new TkError(pkiFailure('pki/malformed', { what, reason: 'no PEM block' }));
  return block;
}
