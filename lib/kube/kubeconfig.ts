import { parseYaml, stringifyYaml } from '../format/index.ts';
import { type HttpTarget, type Json, parsePemBlocks, Secret, TkError } from '../base/index.ts';
import { isIssuedBy, parseCertificate } from '../pki/index.ts';
import { kubeFailure } from './failures.ts';
import { type Fields, fieldsAt, isFields, listAt, textAt } from './object.ts';

/** One context of a kubeconfig with its cluster and user resolved. */
export interface Kubeconfig {
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
  /** As written: `https://192.168.42.120:6443`. */
  readonly server: string;
  /** PEM; absent when the file does not embed one. */
  readonly caPem?: string;
  readonly certificatePem?: string;
  readonly key?: Secret<string>;
  readonly token?: Secret<string>;
  readonly serverName?: string;
  readonly isInsecure: boolean;
}

/**
 * Reads the current context, or the one that is named.
 *
 * Failure: `kube/kubeconfig-malformed`, `kube/kubeconfig-no-context`, `kube/kubeconfig-unsupported` for users that need another program.
 */
export function parseKubeconfig(text: Secret<string>, options: { readonly path?: string; readonly context?: string } = {}): Kubeconfig {
  const malformed = (reason: string) =>
    new TkError(kubeFailure('kube/kubeconfig-malformed', { reason, ...(options.path === undefined ? {} : { path: options.path }) }));
  const root = rootOf(text, malformed);
  const context = options.context ?? textAt(root, 'current-context') ?? '';
  const named = (list: string, key: string, name: string): Fields | undefined => {
    const found = listAt(root as Json, list).find((entry) => textAt(fieldsAt(entry), 'name') === name);
    return found === undefined ? undefined : fieldsAt(found, key);
  };
  const chosen = named('contexts', 'context', context);
  if (!chosen) {
    const contexts = listAt(root as Json, 'contexts').map((entry) => textAt(fieldsAt(entry), 'name') ?? '');
    throw new TkError(kubeFailure('kube/kubeconfig-no-context', { context, contexts }));
  }
  const clusterName = textAt(chosen, 'cluster') ?? '';
  const userName = textAt(chosen, 'user') ?? '';
  const cluster = named('clusters', 'cluster', clusterName);
  const user = named('users', 'user', userName);
  if (!cluster) throw malformed('no-cluster');
  if (!user) throw malformed('no-user');
  const server = textAt(cluster, 'server');
  if (server === undefined || !URL.canParse(server)) throw malformed('no-server');
  for (const what of ['exec', 'auth-provider', 'client-certificate', 'client-key', 'tokenFile', 'username']) {
    if (user[what] !== undefined) throw new TkError(kubeFailure('kube/kubeconfig-unsupported', { what, user: userName }));
  }
  if (cluster['certificate-authority'] !== undefined) {
    throw new TkError(kubeFailure('kube/kubeconfig-unsupported', { what: 'certificate-authority', user: userName }));
  }
  const pem = (fields: Fields, key: string): string | undefined => {
    const data = textAt(fields, key);
    if (data === undefined || data === '') return undefined;
    const decoded = Buffer.from(data, 'base64').toString('utf8');
    if (!decoded.includes('-----BEGIN ')) throw malformed(key);
    return decoded;
  };
  const caPem = pem(cluster, 'certificate-authority-data');
  const certificatePem = pem(user, 'client-certificate-data');
  const key = pem(user, 'client-key-data');
  const token = textAt(user, 'token');
  const serverName = textAt(cluster, 'tls-server-name');
  return {
    context,
    cluster: clusterName,
    user: userName,
    server,
    isInsecure: cluster['insecure-skip-tls-verify'] === true,
    ...(caPem === undefined ? {} : { caPem }),
    ...(certificatePem === undefined ? {} : { certificatePem }),
    ...(key === undefined ? {} : { key: new Secret(key) }),
    ...(token === undefined ? {} : { token: new Secret(token) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** What to dial. `server` replaces the one of the file: a node of its own while the VIP is not up. */
export function targetOf(kubeconfig: Kubeconfig, server: string = kubeconfig.server): HttpTarget {
  const url = new URL(server);
  return {
    protocol: url.protocol === 'http:' ? 'http' : 'https',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (url.protocol === 'http:' ? 80 : 443),
    tls: {
      ...(kubeconfig.caPem === undefined ? {} : { ca: kubeconfig.caPem }),
      ...(kubeconfig.certificatePem === undefined ? {} : { certificate: kubeconfig.certificatePem }),
      ...(kubeconfig.key === undefined ? {} : { key: kubeconfig.key }),
      ...(kubeconfig.serverName === undefined ? {} : { serverName: kubeconfig.serverName }),
      ...(kubeconfig.isInsecure ? { insecureSkipVerify: true } : {}),
    },
  };
}

/**
 * Whether this kubeconfig belongs to the cluster whose Kubernetes CA this is: it embeds that very certificate and nothing else, and
 * the client certificate, if there is one, was signed by it. Dates are not looked at.
 */
export function kubeconfigTrusts(kubeconfig: Kubeconfig, caPem: string): boolean {
  if (kubeconfig.isInsecure || kubeconfig.caPem === undefined) return false;
  const derOf = (pem: string) => parsePemBlocks(pem).map((block) => Buffer.from(block.der).toString('base64'));
  const accepted = new Set(derOf(caPem));
  const embedded = derOf(kubeconfig.caPem);
  if (embedded.length === 0 || embedded.some((der) => !accepted.has(der))) return false;
  return kubeconfig.certificatePem === undefined || isIssuedBy(kubeconfig.certificatePem, caPem);
}

/** Milliseconds since the epoch; undefined when it does not use a certificate. */
export const kubeconfigExpiresMs = ({ certificatePem }: Kubeconfig): number | undefined =>
  certificatePem === undefined ? undefined : parseCertificate(certificatePem).notAfterMs;

export interface KubeconfigParts {
  readonly cluster: string;
  readonly user: string;
  /** Default `user@cluster`, as Talos names it. */
  readonly context?: string;
  readonly server: string;
  readonly caPem: string;
  readonly certificatePem: string;
  readonly key: Secret<string>;
}

/** The layout that Talos writes: stock tools validate it. */
export function renderKubeconfig(parts: KubeconfigParts): Secret<string> {
  const context = parts.context ?? `${parts.user}@${parts.cluster}`;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return parts.key.map((key) =>
    stringifyYaml({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: parts.cluster, cluster: { server: parts.server, 'certificate-authority-data': base64(parts.caPem) } }],
      users: [{ name: context, user: { 'client-certificate-data': base64(parts.certificatePem), 'client-key-data': base64(key) } }],
      contexts: [{ context: { cluster: parts.cluster, namespace: 'default', user: context }, name: context }],
      'current-context': context,
    }),
  );
}

export interface MergeOptions {
  /** Default: only when the file had no current context. */
  readonly activate?: boolean;
}

/**
 * Puts the current context of `added` into `existing`. Entries of the same name are replaced when they are of the same cluster (its
 * CA is equal); a foreign one keeps its name and ours gets a number, as talosctl does it. Everything else stays, in its order.
 *
 * Failure: `kube/kubeconfig-malformed` when either cannot be read: nothing is overwritten then.
 */
export function mergeKubeconfig(existing: Secret<string> | undefined, added: Secret<string>, options: MergeOptions = {}): Secret<string> {
  const ours = parseKubeconfig(added);
  const addedRoot = rootOf(added, malformedFile);
  const root: Fields = existing === undefined || existing.reveal().trim() === '' ? {} : rootOf(existing, malformedFile);
  const entries = (list: string) => listAt(root as Json, list).map((entry) => fieldsAt(entry));
  const theirs = (list: string, name: string) => entries(list).find((entry) => textAt(entry, 'name') === name);

  const isOurs = (contextName: string, clusterName: string): boolean => {
    const cluster = theirs('clusters', clusterName);
    const context = theirs('contexts', contextName);
    const sameCa = cluster === undefined || textAt(fieldsAt(cluster.cluster), 'certificate-authority-data') === base64Of(ours.caPem);
    return sameCa && (context === undefined || (cluster !== undefined && textAt(fieldsAt(context.context), 'cluster') === clusterName));
  };
  let suffix = '';
  for (let number = 1; !isOurs(ours.context + suffix, ours.cluster + suffix); number += 1) suffix = `-${number}`;
  const [context, cluster, user] = [ours.context + suffix, ours.cluster + suffix, ours.user + suffix];

  const put = (list: string, name: string, key: string, value: Fields): readonly Fields[] => {
    const all = entries(list);
    const entry = { name, [key]: value };
    return all.some((other) => other.name === name) ? all.map((other) => (other.name === name ? entry : other)) : [...all, entry];
  };
  const own = (list: string, name: string, key: string) =>
    fieldsAt(listAt(addedRoot as Json, list).find((entry) => fieldsAt(entry).name === name) ?? null, key);
  const current = textAt(root, 'current-context');
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    ...root,
    clusters: put('clusters', cluster, 'cluster', own('clusters', ours.cluster, 'cluster')),
    users: put('users', user, 'user', own('users', ours.user, 'user')),
    contexts: put('contexts', context, 'context', { ...own('contexts', ours.context, 'context'), cluster, user }),
    'current-context': (options.activate ?? (current === undefined || current === '')) ? context : (current ?? ''),
  };
  return new Secret(stringifyYaml(merged));
}

const base64Of = (pem: string | undefined): string | undefined => (pem === undefined ? undefined : Buffer.from(pem).toString('base64'));
const malformedFile = (reason: string) => new TkError(kubeFailure('kube/kubeconfig-malformed', { reason }));

function rootOf(text: Secret<string>, malformed: (reason: string) => TkError): Fields {
  const { documents, failures } = parseYaml({ path: 'kubeconfig', text: text.reveal() }, { confidential: true });
  if (failures.length > 0) throw malformed('not-yaml');
  const value = documents[0]?.value;
  if (!isFields(value) || !Array.isArray(value.contexts)) throw malformed('not-a-kubeconfig');
  return value;
}
