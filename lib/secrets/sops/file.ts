import { createHash, timingSafeEqual } from 'node:crypto';
import { type Clock, type Random, Secret, type SourceFile, TkError } from '../../base/index.ts';
import { TreeComment, type TreeMap } from '../../format/index.ts';
import { decryptWith, encryptFor, recipientOf } from '../age.ts';
import { secretsFailure } from '../failures.ts';
import type { KeyRing } from '../key-ring.ts';
import { rfc3339 } from '../rfc3339.ts';
import type { CreationRule } from '../rules.ts';
import { bytesOf, CannotDecrypt, isEncrypted, ValueCipher } from './cipher.ts';
import { formatFor, formatOf, type Indents, type SopsFormat } from './formats.ts';
import { extractMetadata, type Metadata, metadataTree, sopsVersion } from './metadata.ts';
import { type Selection, selector } from './selection.ts';
import { mapTree } from './walk.ts';

/** SHA-256 of `sops`: begins the checksum of files whose readable values are left out of it. */
const macOnlyEncryptedStart = createHash('sha256').update('sops').digest();
const dataKeyLength = 32;

export interface SopsPorts {
  readonly random: Random;
  readonly clock: Pick<Clock, 'now'>;
}

/** An opened file: what is needed to write it again with the smallest change. */
export interface OpenedFile {
  readonly documents: readonly TreeMap[];
  readonly metadata: Metadata;
  readonly dataKey: Secret<Uint8Array>;
  readonly cipher: ValueCipher;
}

export interface FormatChoice {
  /** Default: by the file's name. */
  readonly format?: SopsFormat | undefined;
  readonly indents?: Indents | undefined;
}

function pathText(path: readonly string[]): string {
  return path.map((part) => (/^[\w-]+$/.test(part) ? part : JSON.stringify(part))).join('.');
}

/** Decrypts one tree; returns it with the checksum of what it holds. */
function decryptDocuments(
  documents: readonly TreeMap[],
  metadata: Metadata,
  cipher: ValueCipher,
  file: string,
): { documents: TreeMap[]; mac: string } {
  const isSelected = selector(metadata.selection);
  const hash = createHash('sha512');
  if (metadata.macOnlyEncrypted) hash.update(macOnlyEncryptedStart);
  const decrypted = documents.map((document) =>
    mapTree(document, (leaf, path, comments) => {
      const isComment = leaf instanceof TreeComment;
      const selected = isSelected(path, comments, isComment);
      let value = leaf;
      if (selected && isComment) value = decryptComment(leaf, path, cipher);
      else if (selected) {
        try {
          if (typeof leaf !== 'string') throw new CannotDecrypt('type');
          value = cipher.decrypt(leaf, `${path.join(':')}:`);
        } catch (error) {
          if (!(error instanceof CannotDecrypt)) throw error;
          throw new TkError(secretsFailure('secrets/tampered', { file, at: pathText(path) }));
        }
      }
      // A comment inside a list comes back from an item that looks like any other; it was never part of the checksum.
      if (!(value instanceof TreeComment) && (!metadata.macOnlyEncrypted || selected)) hash.update(bytesOf(value));
      return value;
    }),
  );
  return { documents: decrypted, mac: hash.digest('hex').toUpperCase() };
}

/** A comment that cannot be decrypted stays as it is, as in sops: it may never have been encrypted, or stands in another block since. */
function decryptComment(comment: TreeComment, path: readonly string[], cipher: ValueCipher): TreeComment {
  if (!isEncrypted(comment.text)) return comment;
  for (let length = path.length; length >= 0; length -= 1) {
    try {
      const value = cipher.decrypt(comment.text, `${path.slice(0, length).join(':')}:`);
      if (value instanceof TreeComment) return value;
    } catch (error) {
      if (!(error instanceof CannotDecrypt)) throw error;
    }
  }
  return comment;
}

/**
 * Opens an encrypted file.
 *
 * Failure: `secrets/not-encrypted`, `secrets/unsupported-key`, `secrets/no-key`, `secrets/wrong-key`, `secrets/tampered`,
 * `secrets/bad-metadata`, `secrets/unreadable`. Source: getsops/sops sops.go `Decrypt`, cmd/sops/common `DecryptTree`
 */
export async function openSops(file: SourceFile, ring: KeyRing, ports: SopsPorts, choice: FormatChoice = {}): Promise<OpenedFile> {
  const format = formatFor(choice.format ?? formatOf(file.path), choice.indents ?? {});
  const { documents, metadata } = extractMetadata(format.parseEncrypted(file.text, file.path), file.path);
  const dataKey = await unwrap(metadata, ring, file.path);
  const cipher = new ValueCipher(dataKey.reveal(), ports.random);
  const opened = decryptDocuments(documents, metadata, cipher, file.path);
  let stored: unknown;
  try {
    stored = cipher.decrypt(metadata.mac, metadata.lastmodified);
  } catch (error) {
    if (!(error instanceof CannotDecrypt)) throw error;
  }
  if (typeof stored !== 'string' || !isSame(stored, opened.mac)) throw new TkError(secretsFailure('secrets/tampered', { file: file.path }));
  return { documents: opened.documents, metadata, dataKey, cipher };
}

const isSame = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));

async function unwrap(metadata: Metadata, ring: KeyRing, file: string): Promise<Secret<Uint8Array>> {
  const recipients = metadata.age.map(({ recipient }) => recipient);
  if (recipients.length === 0 && metadata.otherKeys.length > 0)
    throw new TkError(secretsFailure('secrets/unsupported-key', { file, kinds: metadata.otherKeys }));
  if (ring.identities.length === 0) throw new TkError(secretsFailure('secrets/no-key', { file, recipients, searched: ring.searched }));
  for (const { enc } of metadata.age) {
    const key = await decryptWith(ring.identities, enc);
    if (key && key.reveal().length === dataKeyLength) return key;
  }
  const identities = await Promise.all(ring.identities.map((identity) => recipientOf(identity).catch(() => 'unknown')));
  throw new TkError(secretsFailure('secrets/wrong-key', { file, recipients, identities, searched: ring.searched }));
}

export function plainTextOf(file: string, documents: readonly TreeMap[], choice: FormatChoice = {}): string {
  return formatFor(choice.format ?? formatOf(file), choice.indents ?? {}).emitPlain(documents, file);
}

export interface Sealing {
  /** Path and plain text. */
  readonly path: string;
  readonly text: Secret<string>;
  readonly rule: Pick<CreationRule, 'recipients' | 'selection' | 'macOnlyEncrypted'>;
  /** The file as it was: equal values keep their ciphertext, and unchanged recipients their wrapped key. */
  readonly previous?: OpenedFile | undefined;
}

/**
 * Encrypts a plain file.
 *
 * Failure: `secrets/already-encrypted`, `secrets/bad-recipient`, `secrets/bad-value`, `secrets/unreadable`.
 */
export async function sealSops(sealing: Sealing, ports: SopsPorts, choice: FormatChoice = {}): Promise<string> {
  const { path, rule } = sealing;
  const format = formatFor(choice.format ?? formatOf(path), choice.indents ?? {});
  const documents = format.parsePlain(sealing.text.reveal(), path);
  if (documents.length === 0)
    throw new TkError(secretsFailure('secrets/unreadable', { file: path, format: choice.format ?? formatOf(path) }));
  if (format.isEncrypted(documents)) throw new TkError(secretsFailure('secrets/already-encrypted', { file: path }));
  const dataKey = sealing.previous?.dataKey ?? new Secret(ports.random.bytes(dataKeyLength));
  const cipher = sealing.previous?.cipher ?? new ValueCipher(dataKey.reveal(), ports.random);
  const sealed = encryptDocuments(documents, rule, cipher, path);
  const lastmodified = rfc3339(ports.clock.now());
  const metadata: Metadata = {
    age: await wrapped(rule.recipients, dataKey, sealing.previous, path),
    otherKeys: [],
    lastmodified,
    mac: cipher.encrypt(sealed.mac, lastmodified),
    macOnlyEncrypted: rule.macOnlyEncrypted,
    // There is one value in a binary file, and no choice.
    selection: (choice.format ?? formatOf(path)) === 'binary' ? {} : rule.selection,
    version: sopsVersion,
  };
  return format.emitEncrypted(sealed.documents, metadataTree(metadata), path);
}

/** A recipient that is new gets the key, one that is gone loses it: the caller decides whether that calls for a new data key. */
async function wrapped(
  recipients: readonly string[],
  dataKey: Secret<Uint8Array>,
  previous: OpenedFile | undefined,
  path: string,
): Promise<Metadata['age']> {
  const known = new Map(previous?.metadata.age.map(({ recipient, enc }) => [recipient, enc]));
  const result: { recipient: string; enc: string }[] = [];
  for (const recipient of recipients) result.push({ recipient, enc: known.get(recipient) ?? (await encryptFor(recipient, dataKey, path)) });
  return result;
}

function encryptDocuments(
  documents: readonly TreeMap[],
  rule: { readonly selection: Selection; readonly macOnlyEncrypted: boolean },
  cipher: ValueCipher,
  file: string,
): { documents: TreeMap[]; mac: string } {
  const isSelected = selector(rule.selection);
  const hash = createHash('sha512');
  if (rule.macOnlyEncrypted) hash.update(macOnlyEncryptedStart);
  const encrypted = documents.map((document) =>
    mapTree(document, (leaf, path, comments) => {
      // Go has 64 bits for an integer, and sops refuses what does not fit.
      if (typeof leaf === 'bigint' && (leaf >= 2n ** 63n || leaf < -(2n ** 63n)))
        throw new TkError(secretsFailure('secrets/bad-value', { file, at: pathText(path) }));
      const isComment = leaf instanceof TreeComment;
      const selected = isSelected(path, comments, isComment);
      if (!isComment && (!rule.macOnlyEncrypted || selected)) hash.update(bytesOf(leaf));
      return selected ? cipher.encrypt(leaf, `${path.join(':')}:`) : leaf;
    }),
  );
  return { documents: encrypted, mac: hash.digest('hex').toUpperCase() };
}
