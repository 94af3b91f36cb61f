import { Buffer } from 'node:buffer';
import { calendarMs, calendarTime } from './calendar.ts';

/** One tag-length-value of DER. Source: X.690 */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => tlv(0x30, ...contents);
/** SET OF: DER orders the elements by their encoding. */
export const setOf = (...contents: readonly Uint8Array[]): Buffer => tlv(0x31, ...contents.toSorted(Buffer.compare));
export const octetString = (content: Uint8Array): Buffer => tlv(0x04, content);
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer => tlv(0x03, Buffer.from([unusedBits]), content);
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));
/** Context-specific, constructed. */
export const explicit = (number: number, ...contents: readonly Uint8Array[]): Buffer => tlv(0xa0 | number, ...contents);
/** Context-specific, primitive. */
export const implicit = (number: number, content: Uint8Array): Buffer => tlv(0x80 | number, content);

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = bytes.subarray(start);
  const first = trimmed[0] ?? 0;
  return tlv(0x02, first & 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed.length > 0 ? trimmed : Buffer.from([0]));
}

export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const group = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) group.unshift((left & 0x7f) | 0x80);
    octets.push(...group);
  }
  return tlv(0x06, Buffer.from(octets));
}

/** PrintableString where the alphabet allows it, UTF8String otherwise. */
export function directoryString(text: string): Buffer {
  return tlv(/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text) ? 0x13 : 0x0c, Buffer.from(text));
}

/** UTCTime up to 2049, GeneralizedTime after; whole seconds. */
export function time(ms: number): Buffer {
  const { year, month, day, hour, minute, second } = calendarTime(ms);
  const pairs = [month, day, hour, minute, second].map((part) => String(part).padStart(2, '0')).join('');
  return year >= 1950 && year < 2050
    ? tlv(0x17, Buffer.from(`${String(year % 100).padStart(2, '0')}${pairs}Z`))
    : tlv(0x18, Buffer.from(`${String(year).padStart(4, '0')}${pairs}Z`));
}

/** One element of DER as it stands in the input. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** Reads the element at the start; undefined when the bytes are not DER. */
export function readElement(bytes: Uint8Array, offset = 0): Element | undefined {
  const tag = bytes[offset];
  const short = bytes[offset + 1];
  if (tag === undefined || short === undefined) return undefined;
  let length = short;
  let start = offset + 2;
  if (short & 0x80) {
    const octets = short & 0x7f;
    if (octets === 0 || octets > 4) return undefined;
    length = 0;
    for (let index = 0; index < octets; index += 1) length = length * 256 + (bytes[start + index] ?? 0);
    start += octets;
  }
  if (start + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(offset, start + length) };
}

/** The elements inside a constructed one; stops at the first that is not DER. */
export function readElements(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = readElement(bytes, offset);
    if (!element) break;
    elements.push(element);
    offset += element.whole.length;
  }
  return elements;
}

export function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let value = 0;
  for (const octet of content) {
    value = value * 128 + (octet & 0x7f);
    if (octet & 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else arcs.push(value);
    value = 0;
  }
  return arcs.join('.');
}

/** Milliseconds since the epoch. */
export function readTime(element: Element): number {
  const text = Buffer.from(element.content).toString('latin1');
  const full = element.tag === 0x17 ? `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}` : text;
  const at = (start: number, length: number) => Number(full.slice(start, start + length));
  return calendarMs({ year: at(0, 4), month: at(4, 2), day: at(6, 2), hour: at(8, 2), minute: at(10, 2), second: at(12, 2) });
}
