import { type Random, Secret, type SourceFile } from '../base/index.ts';
import { TreeComment, type TreeMap, TreeTime } from '../format/index.ts';
import type { AgeIdentity } from './age.ts';
import { isEncrypted, type Leaf } from './sops/cipher.ts';
import { type FormatChoice, type SopsPorts, sealSops } from './sops/file.ts';
import { formatFor, formatOf } from './sops/formats.ts';
import { extractMetadata } from './sops/metadata.ts';
import { mapTree } from './sops/walk.ts';

export interface Synthesis {
  readonly file: SourceFile;
  /** Whose key the new file is for; also what stands where the old one held an age key. */
  readonly identity: AgeIdentity;
  /** Values that the caller knows better. Undefined: made up. */
  readonly known?: (path: readonly string[], document: DocumentShape) => string | undefined;
}

/** What can be told of a document without opening it. */
export interface DocumentShape {
  /** At its top. */
  readonly keys: readonly string[];
  /** How many bytes the encrypted text at a key of the top has; undefined for anything else. */
  lengthAt(key: string): number | undefined;
}

/**
 * The same keys with made-up values under another key. Nothing of the original is decrypted: shapes come from the names of the keys and the
 * length of the ciphertext. Values that were readable stay.
 *
 * Failure: `secrets/not-encrypted`, `secrets/bad-metadata`, `secrets/unreadable`.
 */
export async function synthesize(synthesis: Synthesis, ports: SopsPorts, choice: FormatChoice = {}): Promise<string> {
  const { file, identity } = synthesis;
  const format = formatFor(choice.format ?? formatOf(file.path), choice.indents ?? {});
  const { documents, metadata } = extractMetadata(format.parseEncrypted(file.text, file.path), file.path);
  const made = documents.map((document) => {
    const shape = shapeOf(document);
    return mapTree(document, (leaf, path) => {
      if (leaf instanceof TreeComment) return isEncrypted(leaf.text) ? new TreeComment(' (comment of the original)', leaf.isInline) : leaf;
      if (typeof leaf !== 'string' || !isEncrypted(leaf)) return leaf;
      return synthesis.known?.(path, shape) ?? madeUp(leaf, path, synthesis, ports.random);
    });
  });
  return sealSops(
    {
      path: file.path,
      text: new Secret(format.emitPlain(made, file.path)),
      rule: { recipients: [identity.recipient], selection: metadata.selection, macOnlyEncrypted: metadata.macOnlyEncrypted },
    },
    ports,
    choice,
  );
}

function shapeOf({ entries }: TreeMap): DocumentShape {
  const values = new Map(entries.flatMap((entry) => (entry instanceof TreeComment ? [] : [[entry.key, entry.value] as const])));
  return {
    keys: [...values.keys()],
    lengthAt(key) {
      const value = values.get(key);
      const [, data, type] = typeof value === 'string' && isEncrypted(value) ? (/data:([^,]*),.*type:(\w+)\]/.exec(value) ?? []) : [];
      return type === 'str' ? Buffer.from(data ?? '', 'base64').length : undefined;
    },
  };
}

function madeUp(ciphertext: string, path: readonly string[], synthesis: Synthesis, random: Random): Leaf {
  const [, data = '', type = ''] = /data:([^,]*),.*type:(\w+)\]/.exec(ciphertext) ?? [];
  const length = Buffer.from(data, 'base64').length;
  if (type === 'int') return 1n;
  if (type === 'float') return 1.5;
  if (type === 'bool') return false;
  if (type === 'time') return new TreeTime('2000-01-01T00:00:00Z');
  if (type === 'comment') return new TreeComment(' (comment of the original)', false);
  // `data` of a Kubernetes Secret holds base64 of what its keys are named after.
  const isBase64 = path[0] === 'data' && path.length === 2;
  const text = textFor(path.at(-1) ?? '', isBase64 ? Math.floor((length * 3) / 4) : length, synthesis.identity, random);
  return isBase64 ? Buffer.from(text).toString('base64') : text;
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

function randomText(length: number, random: Random): string {
  return Array.from(random.bytes(Math.max(1, Math.min(length, 4096))), (byte) => letters[byte % letters.length]).join('');
}

/** Recognised by the key's name, as people and charts name them. */
function textFor(key: string, length: number, identity: AgeIdentity, random: Random): string {
  const name = key.toLowerCase();
  // A classic identity has 74 characters; `sops-age` keeps one, often with its comment lines.
  if (/age\.?(?:agekey|key)$|agekey|^age$/.test(name)) return `${identity.secretKey.reveal()}\n`;
  if (/(?:url|uri|endpoint|webhook|address|server)$/.test(name)) return `https://${randomText(8, random)}.example.invalid/`;
  if (/(?:cidr|subnet|network|net)$/.test(name)) {
    // Those of pods and services must not overlap.
    if (/pod/.test(name)) return '10.244.0.0/16';
    return /svc|service/.test(name) ? '10.96.0.0/12' : '192.0.2.0/24';
  }
  if (/(?:^|[a-z0-9_-])(?:ip|ipv4|vip)$|(?:^|_|-)(?:addr|gateway)$/.test(name)) return `192.0.2.${1 + ((random.bytes(1)[0] ?? 0) % 254)}`;
  if (/(?:^|_|-)mac$/.test(name)) return `02:${[...random.bytes(5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  if (/e-?mail$/.test(name)) return `${randomText(8, random)}@example.invalid`;
  if (/(?:domain|host|hostname)$/.test(name)) return `${randomText(8, random)}.example.invalid`;
  if (/(?:uuid|_id|-id|tunnelid)$/.test(name) && length === 36) return uuid(random);
  if (/base64|b64/.test(name)) return Buffer.from(random.bytes(Math.max(1, Math.floor((length * 3) / 4)))).toString('base64');
  return randomText(length, random);
}

function uuid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
