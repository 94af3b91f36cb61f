import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Files, hasCode, Secret, type SourceFile, type World } from '../../base/index.ts';
import { type AgeIdentity, newIdentity, parseIdentities, recipientOf, synthesize } from '../../secrets/index.ts';

const encryptedName = /[^/]\.sops\.(?:ya?ml|json|env|ini)$/;
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
  readonly identity: AgeIdentity;
  /** Remembers for which original a file was made up. */
  readonly ledger: string;
}

/**
 * Gives the sandbox a file of the same keys, made-up values and its own key for each encrypted file of the repository. Nothing is
 * decrypted. A cluster's secrets bundle is left out: what is made up is no PKI, so the sandbox makes its own.
 */
export async function plantSecrets({ world, root, layered, identity, ledger }: SandboxSecrets): Promise<void> {
  const known = parseLedger(await world.files.readText(ledger));
  const next: Record<string, string> = {};
  for (const path of await encryptedFiles(world.files, root)) {
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
    return await synthesize({ file, identity }, world);
  } catch (error) {
    if (hasCode(error, 'secrets/not-encrypted', 'secrets/bad-metadata', 'secrets/unreadable')) return undefined;
    throw error;
  }
}

async function encryptedFiles(files: Files, root: string, folder = ''): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await files.list(join(root, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.kind === 'directory' && !notSearched.has(entry.name)) found.push(...(await encryptedFiles(files, root, path)));
    if (entry.kind === 'file' && encryptedName.test(entry.name) && /\bsops\b/.test((await files.readText(join(root, path))) ?? ''))
      found.push(path);
  }
  return found;
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
