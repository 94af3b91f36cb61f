import { Buffer } from 'node:buffer';
import { TkError } from '../base/index.ts';
import { pkiFailure } from './failures.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

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

export function parsePemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----/g)) {
    blocks.push({ label: match[1] ?? '', der: Buffer.from((match[2] ?? '').replace(/\s/g, ''), 'base64') });
  }
  return blocks;
}
