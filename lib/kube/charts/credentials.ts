import { type Env, type Exec, type Files, hasCode, Secret, TkError } from '../../base/index.ts';
import { chartSourceFailure } from './failures.ts';

export interface RegistryCredential {
  readonly username: string;
  readonly password: Secret<string>;
  /** Where it was found, for failures. */
  readonly from: string;
}

/** Looks up what the user has logged in with. */
export interface RegistryCredentials {
  /** Failure: `chart/credential-program`. */
  of(host: string, signal: AbortSignal): Promise<RegistryCredential | undefined>;
}

export const noCredentials: RegistryCredentials = { of: () => Promise.resolve(undefined) };

/** A Docker config as its file has it. */
export interface DockerConfig {
  of(host: string): RegistryCredential | undefined;
  /** The program that keeps this host's login; `isNamed` when the file says that it has one. */
  programOf(host: string): { readonly program: string; readonly isNamed: boolean } | undefined;
}

export interface CredentialPorts {
  readonly files: Files;
  readonly env: Env;
  /** Runs Docker's credential programs. Absent: those are passed over. */
  readonly exec?: Exec;
}

/**
 * Reads the files that `docker login` and `helm registry login` write; the first that knows a host wins. Where a file says that a
 * program keeps the login (`credHelpers`, `credsStore`), that program is asked, as docker and helm do.
 *
 * Failure: `chart/credentials-malformed`.
 */
export async function loadRegistryCredentials({ files, env, exec }: CredentialPorts): Promise<RegistryCredentials> {
  const docker = env.get('DOCKER_CONFIG') ?? `${env.home}/.docker`;
  const helm =
    env.get('HELM_REGISTRY_CONFIG') ??
    `${env.get('HELM_CONFIG_HOME') ?? `${env.get('XDG_CONFIG_HOME') ?? `${env.home}/.config`}/helm`}/registry/config.json`;
  const configs: DockerConfig[] = [];
  for (const path of [helm, `${docker}/config.json`]) {
    const text = await files.readText(path);
    if (text !== undefined) configs.push(parseDockerConfig(text, path));
  }
  const asked = new Map<string, Promise<RegistryCredential | undefined>>();
  return {
    async of(host, signal) {
      for (const config of configs) {
        const program = exec === undefined ? undefined : config.programOf(host);
        const key = `${program?.program ?? ''} ${host}`;
        const answer = program && exec ? (asked.get(key) ?? askProgram(program, host, exec, signal)) : undefined;
        if (answer !== undefined) asked.set(key, answer);
        const credential = (await answer) ?? config.of(host);
        if (credential !== undefined) return credential;
      }
      return undefined;
    },
  };
}

/** `auths`, `credHelpers` and `credsStore` of a Docker `config.json`, or of a `kubernetes.io/dockerconfigjson` secret. */
export function parseDockerConfig(text: string, path: string): DockerConfig {
  let config: Record<string, unknown>;
  try {
    config = fields(JSON.parse(text));
  } catch {
    throw new TkError(chartSourceFailure('chart/credentials-malformed', { path, reason: 'not JSON' }));
  }
  const known = new Map<string, RegistryCredential>();
  const listed = new Set<string>();
  for (const [key, entry] of Object.entries(fields(config.auths))) {
    const host = aliasOf(key.replace(/^https?:\/\//, '').split('/')[0] ?? key);
    listed.add(host);
    const { auth, username, password, identitytoken } = fields(entry);
    const [name, ...rest] = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString().split(':') : [username, password];
    const secret = typeof identitytoken === 'string' && identitytoken !== '' ? identitytoken : rest.join(':');
    if (typeof name !== 'string' || name === '' || secret === '') continue;
    known.set(host, { username: name, password: new Secret(secret), from: path });
  }
  const helpers = new Map(Object.entries(fields(config.credHelpers)).map(([host, program]) => [aliasOf(host), String(program)]));
  const store = typeof config.credsStore === 'string' && config.credsStore !== '' ? config.credsStore : undefined;
  return {
    of: (host) => known.get(aliasOf(host)),
    programOf(host) {
      const own = helpers.get(aliasOf(host));
      if (own !== undefined) return { program: own, isNamed: true };
      return store === undefined ? undefined : { program: store, isNamed: listed.has(aliasOf(host)) && !known.has(aliasOf(host)) };
    },
  };
}

/** Source: docker-credential-helpers, the `get` command. */
async function askProgram(
  { program, isNamed }: { readonly program: string; readonly isNamed: boolean },
  host: string,
  exec: Exec,
  signal: AbortSignal,
): Promise<RegistryCredential | undefined> {
  const command = `docker-credential-${program}`;
  const failed = (reason: string) => new TkError(chartSourceFailure('chart/credential-program', { host, program: command, reason }));
  if (!/^[\w.-]+$/.test(program)) throw failed('its name cannot be one');
  const server = aliasOf(host) === 'docker.io' ? 'https://index.docker.io/v1/' : host;
  try {
    const { exitCode, stdout, stderr } = await exec.run([command, 'get'], { stdin: server, timeoutMs: 30_000, signal });
    const text = Buffer.from(stdout).toString();
    // The programs say "not found" on either stream and end with 1: nobody is logged in there.
    if (exitCode !== 0 && (!isNamed || /credentials not found/i.test(`${text}${stderr}`))) return undefined;
    if (exitCode !== 0) throw failed(`it ended with ${exitCode}`);
    const { Username: username, Secret: password } = fields(JSON.parse(text));
    if (typeof username !== 'string' || typeof password !== 'string' || password === '') return undefined;
    return { username, password: new Secret(password), from: command };
  } catch (error) {
    if (hasCode(error, 'chart/credential-program') || signal.aborted) throw error;
    // A store that was set up once and is not installed here hides no login that the file does not name.
    if (!isNamed) return undefined;
    throw failed(
      hasCode(error, 'host/command-not-found')
        ? 'it is not installed'
        : error instanceof SyntaxError
          ? 'its answer is not JSON'
          : 'it could not be run',
    );
  }
}

/** Docker Hub goes by three names. */
const aliasOf = (host: string): string => (['index.docker.io', 'registry-1.docker.io'].includes(host) ? 'docker.io' : host);

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
