import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Files, hasCode, Secret, type SourceFile, type World } from '../../base/index.ts';
import { type AgeIdentity, type DocumentShape, newIdentity, parseIdentities, recipientOf, synthesize } from '../../secrets/index.ts';
import { machineConfigSchema, talosMinors } from '../../upstream/tables.ts';

const encryptedName = /[^/]\.sops\.(?:ya?ml|json|env|ini)$/;
/** SOPS opens a file whatever it is called. */
const mayBeEncrypted = /\.(?:ya?ml|json)$/;
const largestBytes = 1024 * 1024;
const notSearched = new Set(['node_modules', '.git', '.tk', 'dist']);

/** The sandbox's own age key, made when the sandbox is. */
export async function sandboxIdentity(world: World, path: string): Promise<AgeIdentity> {
  const text = await world.files.readText(path);
  const [known] = text === undefined ? [] : parseIdentities(new Secret(text), path);
  if (known !== undefined) return { secretKey: known, recipient: await recipientOf(known, path) };
  const made = await newIdentity(world.random);
  await world.files.write(path, `${made.secretKey.reveal()}\n`, { mode: 0o600 });
  return made;
}

export interface SandboxSecrets {
  readonly world: World;
  readonly root: string;
  /** The sandbox's view of the repository: real encrypted files are hidden in it. */
  readonly layered: Files;
  /** Of `encryptedFiles`. */
  readonly encrypted: readonly string[];
  readonly identity: AgeIdentity;
  /** Remembers for which original a file was made up. */
  readonly ledger: string;
}

/**
 * Gives the sandbox a file of the same keys, made-up values and its own key for each encrypted file of the repository. Nothing is
 * decrypted. A cluster's secrets bundle is left out: what is made up is no PKI, so the sandbox makes its own.
 */
export async function plantSecrets({ world, root, layered, encrypted, identity, ledger }: SandboxSecrets): Promise<void> {
  const known = parseLedger(await world.files.readText(ledger));
  const next: Record<string, string> = {};
  for (const path of encrypted) {
    const text = (await world.files.readText(join(root, path))) ?? '';
    if (/^\s*"?trustdinfo"?\s*:/im.test(text)) continue;
    const digest = createHash('sha256').update(text).digest('hex');
    next[path] = digest;
    if (known[path] === digest) continue;
    const made = await madeUp({ path, text }, identity, world);
    if (made !== undefined) await layered.write(join(root, path), made, { mode: 0o600 });
  }
  if (JSON.stringify(next) !== JSON.stringify(known)) await world.files.write(ledger, JSON.stringify(next), { mode: 0o600 });
}

/** Undefined for a file that only has the name of an encrypted one: there is nothing in it to open, and it stays hidden. */
async function madeUp(file: SourceFile, identity: AgeIdentity, world: World): Promise<string | undefined> {
  try {
    return await synthesize({ file, identity, known: partsOfTalosDocument }, world);
  } catch (error) {
    if (hasCode(error, 'secrets/not-encrypted', 'secrets/bad-metadata', 'secrets/unreadable')) return undefined;
    throw error;
  }
}

/**
 * Patches of machine configs are documents that somebody may have encrypted with their kind. What that is can be told from its length
 * and from the keys beside it, which stay readable.
 */
function partsOfTalosDocument([first, ...deeper]: readonly string[], document: DocumentShape): string | undefined {
  if (deeper.length > 0 || !['apiVersion', 'kind', 'environment'].includes(first ?? '')) return undefined;
  if (document.lengthAt('apiVersion') !== 'v1alpha1'.length) return undefined;
  const own = document.keys.filter((key) => key !== 'apiVersion' && key !== 'kind');
  const { kinds } = machineConfigSchema(talosMinors.at(-1) ?? '1.14');
  const fitting = [...kinds.values()].filter(
    ({ kind, type }) => kind.length === document.lengthAt('kind') && own.every((key) => type.byName.has(key)),
  );
  const [found] = fitting;
  if (found === undefined || fitting.length > 1) return undefined;
  return { apiVersion: 'v1alpha1', kind: found.kind, environment: 'NAME=value' }[first as string];
}

/** Relative to `root`: every file that SOPS has encrypted. */
export async function encryptedFiles(files: Files, root: string, folder = ''): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await files.list(join(root, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.kind === 'directory' && !notSearched.has(entry.name)) found.push(...(await encryptedFiles(files, root, path)));
    if (entry.kind === 'file' && (await isEncrypted(files, join(root, path)))) found.push(path);
  }
  return found;
}

async function isEncrypted(files: Files, path: string): Promise<boolean> {
  if (encryptedName.test(path)) return /\bsops\b/.test((await files.readText(path)) ?? '');
  if (!mayBeEncrypted.test(path) || ((await files.stat(path))?.sizeBytes ?? 0) > largestBytes) return false;
  const text = (await files.readText(path)) ?? '';
  return text.includes('ENC[AES256_GCM,') && /^(?:sops:|\s*"sops":)/m.test(text);
}

function parseLedger(text: string | undefined): Readonly<Record<string, string>> {
  try {
    return text === undefined ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

/** The same rules for the sandbox's one recipient: what it encrypts it has to open again. */
export function withRecipient(rules: string, recipient: string): string {
  return rules.replace(/age1[0-9a-z]+(?:\s*,\s*age1[0-9a-z]+)*/g, recipient);
}
