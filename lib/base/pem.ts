import { Buffer } from 'node:buffer';

export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

/** The blocks of a text, in their order; what lies between them is passed over. Here, because who only checks a file needs no cryptography. */
export function parsePemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----/g)) {
    blocks.push({ label: match[1] ?? '', der: Buffer.from((match[2] ?? '').replace(/\s/g, ''), 'base64') });
  }
  return blocks;
}
