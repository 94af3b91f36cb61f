import { createHash } from 'node:crypto';
import type { Sha256Hex } from '../base/index.ts';

export const sha256Hex = (bytes: Uint8Array | string): Sha256Hex => createHash('sha256').update(bytes).digest('hex') as Sha256Hex;
