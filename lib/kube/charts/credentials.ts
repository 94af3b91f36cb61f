import { type Env, type Files, Secret, TkError } from '../../base/index.ts';
import { chartSourceFailure } from './failures.ts';

export interface RegistryCredential {
  readonly username: string;
  readonly password: Secret<string>;
  /** Where it was found, for failures. */
  readonly from: string;
}

/** Looks up what the user has logged in with. */
export interface RegistryCredentials {
  of(host: string): RegistryCredential | undefined;
}

export const noCredentials: RegistryCredentials = { of: () => undefined };

/**
 * Reads the files that `docker login` and `helm registry login` write; the first that knows a host wins. Credential programs
 * (`credHelpers`, `credsStore`) are not run.
 *
 * Failure: `chart/credentials-malformed`.
 */
export async function loadRegistryCredentials({ files, env }: { readonly files: Files; readonly env: Env }): Promise<RegistryCredentials> {
  const docker = env.get('DOCKER_CONFIG') ?? `${env.home}/.docker`;
  const helm =
    env.get('HELM_REGISTRY_CONFIG') ??
    `${env.get('HELM_CONFIG_HOME') ?? `${env.get('XDG_CONFIG_HOME') ?? `${env.home}/.config`}/helm`}/registry/config.json`;
  const known = new Map<string, RegistryCredential>();
  for (const path of [helm, `${docker}/config.json`]) {
    const text = await files.readText(path);
    if (text === undefined) continue;
    for (const [host, credential] of parseDockerConfig(text, path)) if (!known.has(host)) known.set(host, credential);
  }
  return { of: (host) => known.get(aliasOf(host)) };
}

/** `auths` of a Docker `config.json`, or of a `kubernetes.io/dockerconfigjson` secret. */
export function parseDockerConfig(text: string, path: string): ReadonlyMap<string, RegistryCredential> {
  const malformed = (reason: string) => new TkError(chartSourceFailure('chart/credentials-malformed', { path, reason }));
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw malformed('not JSON');
  }
  const found = new Map<string, RegistryCredential>();
  for (const [key, entry] of Object.entries(fields(fields(config).auths))) {
    const { auth, username, password, identitytoken } = fields(entry);
    const [name, ...rest] = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString().split(':') : [username, password];
    const secret = typeof identitytoken === 'string' && identitytoken !== '' ? identitytoken : rest.join(':');
    if (typeof name !== 'string' || name === '' || secret === '') continue;
    found.set(aliasOf(key.replace(/^https?:\/\//, '').split('/')[0] ?? key), { username: name, password: new Secret(secret), from: path });
  }
  return found;
}

/** Docker Hub goes by three names. */
const aliasOf = (host: string): string => (['index.docker.io', 'registry-1.docker.io'].includes(host) ? 'docker.io' : host);

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
