import { type Random, Secret, TkError } from '../base/index.ts';
import { encodeBech32 } from './bech32.ts';
import { secretsFailure } from './failures.ts';

/** Sixty modules of cryptography, loaded with the first key: most runs meet nothing that is encrypted. */
const age = () => import('age-encryption');

/** An age key pair. */
export interface AgeIdentity {
  readonly recipient: string;
  readonly secretKey: Secret<string>;
}

const classic = /^AGE-SECRET-KEY-1[0-9A-Z]+$/;
const hybrid = /^AGE-SECRET-KEY-PQ-1[0-9A-Z]+$/;

export const isIdentity = (text: string): boolean => classic.test(text) || hybrid.test(text);

/** Recipients that need no plugin: X25519, and the hybrid post-quantum ones. */
export const isRecipient = (text: string): boolean =>
  /^age1(?:pq1)?[02-9ac-hj-np-z]+$/.test(text) && (text.startsWith('age1pq1') || text.length === 62);

/** A new pair, from the given source of randomness. */
export async function newIdentity(random: Random, kind: 'x25519' | 'post-quantum' = 'x25519'): Promise<AgeIdentity> {
  const prefix = kind === 'x25519' ? 'age-secret-key-' : 'age-secret-key-pq-';
  const secretKey = encodeBech32(prefix, random.bytes(32)).toUpperCase();
  const { identityToRecipient } = await age();
  return { recipient: await identityToRecipient(secretKey), secretKey: new Secret(secretKey) };
}

/** The public half. Failure: `secrets/key-file` when it is no identity. */
export async function recipientOf(identity: Secret<string>, path = 'identity'): Promise<string> {
  const { identityToRecipient } = await age();
  try {
    return await identityToRecipient(identity.reveal());
  } catch {
    throw new TkError(secretsFailure('secrets/key-file', { path, problem: 'not-a-key' }));
  }
}

/** The identities in the text of a key file: one a line, comments ignored. Failure: `secrets/key-file`. */
export function parseIdentities(text: Secret<string>, path: string): readonly Secret<string>[] {
  const lines = text
    .reveal()
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const words = lines.flatMap((line) => line.split(/\s+/));
  if (words.length === 0) throw new TkError(secretsFailure('secrets/key-file', { path, problem: 'empty' }));
  // Plugin and ssh identities are not ours to use, and no reason to refuse the others.
  const identities = words.filter(isIdentity).map((word) => new Secret(word));
  if (identities.length === 0) throw new TkError(secretsFailure('secrets/key-file', { path, problem: 'not-a-key' }));
  return identities;
}

/** Armored. Failure: `secrets/bad-recipient`. */
export async function encryptFor(recipient: string, content: Secret<Uint8Array>, file: string): Promise<string> {
  const { armor, Encrypter } = await age();
  try {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return withFinalNewline(armor.encode(await encrypter.encrypt(content.reveal())));
  } catch {
    throw new TkError(secretsFailure('secrets/bad-recipient', { recipient, file }));
  }
}

/** Undefined when none of the identities fits. */
export async function decryptWith(identities: readonly Secret<string>[], armored: string): Promise<Secret<Uint8Array> | undefined> {
  const { armor, Decrypter } = await age();
  for (const identity of identities) {
    try {
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity.reveal());
      return new Secret(await decrypter.decrypt(armor.decode(armored)));
    } catch {
      // Not for this identity, or damaged; the next one may fit.
    }
  }
  return undefined;
}

const withFinalNewline = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
