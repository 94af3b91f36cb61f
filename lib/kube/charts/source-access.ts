import { Secret, TkError } from '../../base/index.ts';
import { namingChart } from './chart-failure.ts';
import { type RegistryCredentials, parseDockerConfig } from './credentials.ts';
import { releaseFailure } from './failures.ts';
import { pullChart, type Pulled, type PullPorts } from './pull.ts';
import type { ReleasePlan } from './release-plan.ts';
import type { SecretReference } from './source.ts';
import type { ReferenceReader } from './values.ts';

export interface AccessPorts {
  readonly pull: PullPorts;
  readonly readReference: ReferenceReader;
}

/**
 * Brings the chart of a release here, with the login and the certificate authority that its source names; the person's own logins count
 * where it names none.
 *
 * Failure: `release/login-missing`, `chart/archive`, and each of `ChartSourceFailures`.
 * Source: source-controller internal/helm/getter, fluxcd/pkg/runtime/secrets
 */
export async function pullRelease(plan: ReleasePlan, { pull, readReference }: AccessPorts, signal: AbortSignal): Promise<Pulled> {
  const { access } = plan.source;
  if (access === undefined) return namingChart(plan, () => pullChart(plan.source, pull, signal));
  const read = async (reference: SecretReference | undefined) => {
    if (reference === undefined) return undefined;
    const content = await readReference({ kind: 'Secret', ...reference }, signal);
    if (content !== undefined || access.isOptional === true) return content;
    throw new TkError(releaseFailure('release/login-missing', { release: plan.name, ...reference }, { where: plan.place }));
  };
  const login = await read(access.login);
  const trust = await read(access.trust);
  const credentials =
    login === undefined ? pull.credentials : credentialsOf(login, plan, access.login as SecretReference, pull.credentials);
  const tls = trust === undefined ? {} : { tls: tlsOf(trust) };
  return namingChart(plan, () => pullChart(plan.source, { ...pull, credentials, ...tls }, signal));
}

/** `username` and `password` for any host of the source, or a Docker config by host. */
function credentialsOf(
  content: Readonly<Record<string, string>>,
  plan: ReleasePlan,
  { name, namespace }: SecretReference,
  own: RegistryCredentials,
): RegistryCredentials {
  const from = `Secret ${namespace}/${name}`;
  const config = content['.dockerconfigjson'];
  if (config !== undefined) {
    const known = parseDockerConfig(config, from);
    return { of: async (host, signal) => known.of(host) ?? own.of(host, signal) };
  }
  const { username, password } = content;
  if (username === undefined || password === undefined) {
    const key = username === undefined ? 'username' : 'password';
    throw new TkError(releaseFailure('release/login-missing', { release: plan.name, name, namespace, key }, { where: plan.place }));
  }
  const hosts = hostsOf(plan);
  const credential = { username, password: new Secret(password), from };
  const isForAll = plan.source.access?.isLoginForAllHosts === true;
  return { of: (host) => Promise.resolve(isForAll || hosts.includes(host) ? credential : undefined) };
}

/** A login is told to the host that the source names, not to those that its index may lead to. */
function hostsOf({ source }: ReleasePlan): readonly string[] {
  switch (source.kind) {
    case 'oci':
      return [source.repository.split('/')[0] ?? ''];
    case 'index':
      return URL.canParse(source.url) ? [new URL(source.url).host] : [];
    case 'folder':
    case 'rendered':
      return [];
    default:
      return source satisfies never;
  }
}

function tlsOf(content: Readonly<Record<string, string>>): NonNullable<PullPorts['tls']> {
  const [ca, certificate, key] = [
    content['ca.crt'] ?? content.caFile,
    content['tls.crt'] ?? content.certFile,
    content['tls.key'] ?? content.keyFile,
  ];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key: new Secret(key) }),
  };
}
