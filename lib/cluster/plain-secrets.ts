import { posix } from 'node:path';
import type { Failure, Files } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { parseSopsRules, plaintextSecrets } from '../secrets/index.ts';
import { clusterFailure } from './failures.ts';
import { isIgnored } from './git-ignore.ts';
import type { Vault } from './vault.ts';

export interface PlainSecretParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly vault: Vault;
}

const encryptedName = /[^/]\.sops\.(?:ya?ml|json|env|ini)$/;
/** Keys and tokens as such repositories name them, in the root. They are never encrypted, so git must not see them. */
const keyFiles = ['age.key', 'github-deploy.key', 'github-push-token.txt', 'cloudflare-tunnel.json', 'kubeconfig', 'talosconfig'];
/** Nobody writes more into a manifest or a note; what is larger is an archive or a picture. */
const largestText = 1024 * 1024;
const notSearched = new Set(['node_modules', '.git', '.tk', 'dist', 'templates']);

/**
 * Secrets in plain text that the next commit would carry away: files that are named as encrypted and are not, a plain secrets bundle,
 * key files that no `.gitignore` names. Folders that are no git repository have nothing to lose.
 *
 * Failure: `cluster/plaintext-secret`, `cluster/secret-not-ignored`, all of them.
 */
export async function plainSecrets({ model, files, vault }: PlainSecretParts): Promise<readonly Failure[]> {
  const { root, secrets } = model.paths;
  if (!(await isInGit(files, root))) return [];
  const failures: Failure[] = [];
  const bundle = secrets?.startsWith(`${root}/`) ? [secrets.slice(root.length + 1)] : [];
  for (const path of new Set([...(await filesBelow(files, root)), ...bundle])) {
    const text = await files.readText(posix.join(root, path));
    if (text === undefined || text.trim() === '' || vault.isEncrypted({ path, text }) || (await isIgnored(files, root, path))) continue;
    failures.push(clusterFailure('cluster/plaintext-secret', { path }));
  }
  for (const path of keyFiles) {
    if ((await files.stat(posix.join(root, path)))?.kind !== 'file' || (await isIgnored(files, root, path))) continue;
    failures.push(clusterFailure('cluster/secret-not-ignored', { path }));
  }
  return failures;
}

/**
 * What looks like a key, or like a Secret that a rule of `.sops.yaml` wants encrypted, in any file that git would take. A look through the
 * whole repository: for the doctor, not for every run. The files that `plainSecrets` refuses are not told again.
 *
 * Failure shape: `secrets/plaintext`, with its place and without its text.
 */
export async function openSecrets({ model, files }: Pick<PlainSecretParts, 'model' | 'files'>): Promise<readonly Failure[]> {
  const { root } = model.paths;
  if (!(await isInGit(files, root))) return [];
  const rulesPath = posix.join(root, '.sops.yaml');
  const rulesText = await files.readText(rulesPath);
  const parsed = rulesText === undefined ? undefined : parseSopsRules({ path: rulesPath, text: rulesText });
  // Rules that cannot be read are told where they are used.
  const rules = parsed?.state === 'parsed' ? parsed.rules : undefined;
  const failures: Failure[] = [];
  const look = async (folder: string): Promise<void> => {
    for (const { name, kind } of await files.list(posix.join(root, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (encryptedName.test(name) || keyFiles.includes(path) || (await isIgnored(files, root, path))) continue;
      if (kind === 'directory' && !notSearched.has(name)) await look(path);
      if (kind !== 'file' || ((await files.stat(posix.join(root, path)))?.sizeBytes ?? 0) > largestText) continue;
      const text = await files.readText(posix.join(root, path));
      if (text !== undefined) failures.push(...plaintextSecrets({ path, text }, rules));
    }
  };
  await look('');
  return failures;
}

async function isInGit(files: Files, root: string): Promise<boolean> {
  for (let folder = root; ; folder = posix.dirname(folder)) {
    if ((await files.stat(posix.join(folder, '.git'))) !== undefined) return true;
    if (folder === posix.dirname(folder)) return false;
  }
}

/** Files that are named as encrypted, relative to the root. */
async function filesBelow(files: Files, root: string, folder = ''): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name, kind } of await files.list(posix.join(root, folder))) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'directory' && !notSearched.has(name)) found.push(...(await filesBelow(files, root, path)));
    else if (kind === 'file' && encryptedName.test(name)) found.push(path);
  }
  return found;
}
