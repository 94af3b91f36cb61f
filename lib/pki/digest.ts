import { hash } from 'node:crypto';
import type { Sha256Hex } from '../base/index.ts';

export const sha256Hex = (bytes: Uint8Array | string): Sha256Hex => hash('sha256', bytes, 'hex') as Sha256Hex;
