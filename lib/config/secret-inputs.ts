import { type Failure, placeOf, Secret } from '../base/index.ts';
import type { DataDocument } from '../format/index.ts';
import { configFailure } from './failures.ts';
import { clusterFile } from './find.ts';
import { kindOf } from './issues.ts';
import { sshHostOf } from './known-hosts.ts';
import { unknownKey } from './read-mapping.ts';
import { type SecretKey, secretKeys } from './schema.ts';
import type { TemplateData } from './template-data.ts';

/** The encrypted third input, beside `cluster.yaml`. */
export const secretsFile = 'cluster.secrets.sops.yaml';

export type ClusterSecrets = Readonly<Partial<Record<SecretKey, Secret>>>;

export function isSecretKey(key: string): key is SecretKey {
  return Object.hasOwn(secretKeys, key);
}

/**
 * Values of secrets that stand in cluster.yaml. The first templates had git ignore that file, and then they count; in a file that git
 * takes they are a failure.
 */
export function secretsInInputs(
  document: DataDocument | undefined,
  gitignore: string,
): { secrets: ClusterSecrets; failures: readonly Failure[] } {
  const failures: Failure[] = [];
  const secrets: Partial<Record<SecretKey, Secret>> = {};
  if (!document || kindOf(document.value) !== 'mapping') return { secrets, failures };
  const isIgnored = gitignore.split(/\r?\n/).some((line) => /^\/?cluster\.yaml\s*$/.test(line));
  for (const [key, value] of Object.entries(document.value as object)) {
    if (!isSecretKey(key) || value === '' || value === null) continue;
    if (isIgnored) {
      secrets[key] = new Secret(String(value));
      continue;
    }
    const where = placeOf(document.spanOf([key], 'key'));
    // The line holds the value.
    const { excerpt: _, ...place } = where as Extract<typeof where, { kind: 'file' }>;
    failures.push(
      configFailure('config/secret-in-committed-input', { key, path: clusterFile, secretsPath: secretsFile }, { where: place }),
    );
  }
  return { secrets, failures };
}

/** What the decrypted secrets file holds. No failure carries its text. */
export function readSecrets(document: DataDocument): { secrets: ClusterSecrets; failures: readonly Failure[] } {
  const failures: Failure[] = [];
  const secrets: Partial<Record<SecretKey, Secret>> = {};
  const known = Object.keys(secretKeys);
  const placeAt = (key: string) => {
    const where = placeOf(document.spanOf([key], 'key'));
    const { excerpt: _, ...place } = where as Extract<typeof where, { kind: 'file' }>;
    return place;
  };
  if (kindOf(document.value) !== 'mapping') {
    const facts = { key: secretsFile, expected: 'mapping', found: kindOf(document.value) } as const;
    return { secrets, failures: [configFailure('config/wrong-type', facts)] };
  }
  for (const [key, value] of Object.entries(document.value as object)) {
    if (key === 'sops') continue;
    if (!isSecretKey(key)) failures.push(unknownKey(key, known, placeAt(key)));
    else if (kindOf(value) === 'list' || kindOf(value) === 'mapping') {
      failures.push(configFailure('config/wrong-type', { key, expected: 'text', found: kindOf(value) }, { where: placeAt(key) }));
    } else if (value !== '' && value !== null) secrets[key] = new Secret(String(value));
  }
  return { secrets, failures };
}

/**
 * Secrets that these inputs cannot do without, and that nobody gave.
 *
 * Failure: as data: `config/missing-secret`, one each.
 */
export function missingSecrets(data: TemplateData, secrets: ClusterSecrets): Failure[] {
  const needed: (readonly [SecretKey, string])[] = [];
  if (data['talos_backup_enabled'] === true)
    needed.push(['backup_s3_access_key', 'backup_s3_bucket'], ['backup_s3_secret_key', 'backup_s3_bucket']);
  if (sshHostOf(String(data['repository_url'] ?? '')) !== undefined) needed.push(['github_deploy_key', 'repository_url']);
  return needed
    .filter(([key]) => secrets[key] === undefined)
    .map(([key, neededBy]) => configFailure('config/missing-secret', { key, what: secretKeys[key], neededBy, secretsPath: secretsFile }));
}

/**
 * Values of the right form for a cluster that is simulated: nothing real, the same every time.
 *
 * Shape: every key that the templates may ask for.
 */
export function placeholderSecrets(): ClusterSecrets {
  const pairs = Object.keys(secretKeys).map((key) => [key, new Secret(`sandbox-${key.replaceAll('_', '-')}`)] as const);
  return Object.fromEntries(pairs) as ClusterSecrets;
}

/** The variables that only templates of encrypted files see. */
export function secretData(secrets: ClusterSecrets): Secret<Readonly<Record<string, string>>> {
  return new Secret(Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, secret.reveal()])));
}
