import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../base/index.ts';
import { TreeComment, type TreeScalar, TreeTime } from '../../format/index.ts';

export type Leaf = Exclude<TreeScalar, null> | TreeComment;

/** A value was changed, moved, or never encrypted with this key. */
export class CannotDecrypt extends Error {}

const pattern = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/;
const ivLength = 32;
const tagLength = 16;

export const isEncrypted = (text: string): boolean => pattern.test(text);

/** `strconv.FormatFloat(value, 'f', -1, 64)`: never an exponent. */
function plainFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const digits = mantissa.replace(/[-.]/g, '').length - 1 - Number(exponent);
  if (digits > 100) return `${value < 0 ? '-' : ''}0.${'0'.repeat(-Number(exponent) - 1)}${mantissa.replace(/[-.]/g, '')}`;
  return digits > 0 ? value.toFixed(digits) : BigInt(value).toString();
}

/** The bytes that are encrypted, and that the checksum is taken of. */
export function bytesOf(leaf: Leaf): Buffer {
  if (typeof leaf === 'string') return Buffer.from(leaf, 'utf8');
  if (typeof leaf === 'bigint') return Buffer.from(leaf.toString());
  if (typeof leaf === 'number') return Buffer.from(plainFloat(leaf));
  if (typeof leaf === 'boolean') return Buffer.from(leaf ? 'True' : 'False');
  return Buffer.from(leaf.text, 'utf8');
}

function typeOf(leaf: Leaf): string {
  if (typeof leaf === 'string') return 'str';
  if (typeof leaf === 'bigint') return 'int';
  if (typeof leaf === 'number') return 'float';
  if (typeof leaf === 'boolean') return 'bool';
  return leaf instanceof TreeTime ? 'time' : 'comment';
}

function leafFrom(bytes: Buffer, type: string): Leaf {
  const text = bytes.toString('utf8');
  switch (type) {
    case 'str':
    case 'bytes':
      return text;
    case 'int':
      if (!/^[-+]?\d{1,20}$/.test(text)) throw new CannotDecrypt('int');
      return BigInt(text);
    case 'float':
      return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
    case 'bool':
      return /^(?:1|t|T|true|TRUE|True)$/.test(text);
    case 'time':
      return new TreeTime(text);
    case 'comment':
      return new TreeComment(text, false);
    default:
      throw new CannotDecrypt(type);
  }
}

/** Remembers which vector each value had, so that equal values keep their ciphertext when a file is written again. */
export class ValueCipher {
  readonly #key: Uint8Array;
  readonly #random: Random;
  readonly #vectors = new Map<string, Buffer>();

  constructor(key: Uint8Array, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  encrypt(leaf: Leaf, additional: string): string {
    const plain = bytesOf(leaf);
    if (plain.length === 0) return '';
    const type = typeOf(leaf);
    const iv = this.#vectors.get(memory(type, plain, additional)) ?? Buffer.from(this.#random.bytes(ivLength));
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    cipher.setAAD(Buffer.from(additional));
    const data = Buffer.concat([cipher.update(plain), cipher.final()]);
    const [body, vector, tag] = [data, iv, cipher.getAuthTag()].map((bytes) => bytes.toString('base64'));
    return `ENC[AES256_GCM,data:${body},iv:${vector},tag:${tag},type:${type}]`;
  }

  /** Failure: `CannotDecrypt`. */
  decrypt(text: string, additional: string): Leaf {
    if (text === '') return '';
    const [, data = '', vector = '', tag = '', type = ''] = pattern.exec(text) ?? [];
    if (data === '') throw new CannotDecrypt('format');
    const [iv, authTag] = [Buffer.from(vector, 'base64'), Buffer.from(tag, 'base64')];
    // Node would take a shortened tag, which is easier to forge.
    if (iv.length === 0 || authTag.length !== tagLength) throw new CannotDecrypt('format');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: tagLength });
      decipher.setAAD(Buffer.from(additional));
      decipher.setAuthTag(authTag);
      const plain = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
      const leaf = leafFrom(plain, type);
      if (iv.length === ivLength) this.#vectors.set(memory(type, plain, additional), iv);
      return leaf;
    } catch (error) {
      if (error instanceof CannotDecrypt) throw error;
      throw new CannotDecrypt('authentication');
    }
  }
}

const memory = (type: string, plain: Buffer, additional: string): string => `${type}\0${additional}\0${plain.toString('latin1')}`;
