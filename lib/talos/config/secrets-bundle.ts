import { Buffer } from 'node:buffer';
import { type Failure, placeOf, Secret, type SourceFile, suggestionFor, throwIfAny, TkError, type World } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import { createCertificateAuthority, type PemPair, talosKeyPem } from '../../pki/index.ts';
import { isSwitchedOn, type TalosMinor } from '../../upstream/tables.ts';
import { talosConfigFailure } from './failures.ts';
import { isAtLeastMinor } from './minor.ts';

/** Everything of a cluster that must never change by accident. PEM texts, not base64 of them. */
export interface SecretsBundle {
  readonly cluster: { readonly id: string; readonly secret: Secret<string> };
  readonly bootstrapToken: Secret<string>;
  /** Exactly one of the two encryption secrets is there. */
  readonly secretboxEncryptionSecret?: Secret<string>;
  readonly aescbcEncryptionSecret?: Secret<string>;
  readonly trustdToken: Secret<string>;
  readonly certs: {
    readonly etcd: PemPair;
    readonly k8s: PemPair;
    readonly k8sAggregator: PemPair;
    readonly k8sServiceAccount: { readonly key: Secret<string> };
    readonly os: PemPair;
  };
}

type Shape = { readonly [key: string]: Shape | 'text' | 'base64 of PEM' };

const pair = { crt: 'base64 of PEM', key: 'base64 of PEM' } as const;
/** Source: pkg/machinery/config/generate/secrets/secrets.go; the JSON form capitalises the same words. */
const shape = {
  cluster: { id: 'text', secret: 'text' },
  secrets: { bootstraptoken: 'text', secretboxencryptionsecret: 'text', aescbcencryptionsecret: 'text' },
  trustdinfo: { token: 'text' },
  certs: { etcd: pair, k8s: pair, k8saggregator: pair, k8sserviceaccount: { key: 'base64 of PEM' }, os: pair },
} as const satisfies Shape;

/**
 * Reads a secrets bundle: talosctl's YAML or JSON form, talhelper's and topf's files, decrypted.
 *
 * Failure: all problems at once, with the place but never with the text of the line.
 */
export function parseSecretsBundle(file: SourceFile): SecretsBundle {
  const { documents, failures } = parseYaml(file, { version: 'go', confidential: true });
  throwIfAny(failures);
  const [document] = documents;
  if (!document) throw new TkError(talosConfigFailure('talos-config/bundle-field-missing', { field: 'cluster' }));
  return readBundle(document.value, file.path, document);
}

/** Takes the value of an already parsed file, for callers that decrypted it in memory. */
export function secretsBundleOf(value: unknown, path: string): SecretsBundle {
  return readBundle(value, path);
}

function readBundle(value: unknown, path: string, document?: DataDocument): SecretsBundle {
  const failures: Failure[] = [];
  const fields = new Map<string, string>();
  const where = (at: readonly string[], part: 'key' | 'value') => {
    if (!document) return {};
    const place = placeOf(document.spanOf(at, part));
    if (place.kind !== 'file') return {};
    const { excerpt: _, ...withoutText } = place;
    return { where: withoutText };
  };
  const walk = (node: unknown, expected: Shape, at: readonly string[]) => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) {
      failures.push(
        talosConfigFailure('talos-config/bundle-field-invalid', { field: at.join('.') || path, expected: 'a mapping' }, where(at, 'value')),
      );
      return;
    }
    for (const [key, child] of Object.entries(node)) {
      const name = key.toLowerCase();
      if (at.length === 0 && name === 'sops') throw new TkError(talosConfigFailure('talos-config/bundle-encrypted', { path }));
      const wanted = expected[name];
      if (wanted === undefined) {
        const suggestion = suggestionFor(name, Object.keys(expected));
        failures.push(
          talosConfigFailure(
            'talos-config/bundle-unknown-key',
            { key: [...at, quotableKey(key)].join('.'), ...(suggestion ? { suggestion: [...at, suggestion].join('.') } : {}) },
            where([...at, key], 'key'),
          ),
        );
      } else if (child === null || child === '') continue;
      else if (typeof wanted !== 'string') walk(child, wanted, [...at, key]);
      else if (typeof child === 'object') {
        failures.push(
          talosConfigFailure(
            'talos-config/bundle-field-invalid',
            { field: [...at, key].join('.'), expected: wanted },
            where([...at, key], 'value'),
          ),
        );
      } else if (typeof child === 'string' && /^ref\+[\w-]+:\/\//.test(child)) {
        const scheme = child.slice(0, child.indexOf(':'));
        failures.push(
          talosConfigFailure(
            'talos-config/bundle-reference',
            { field: [...at, key].join('.'), scheme, path },
            where([...at, key], 'value'),
          ),
        );
        fields.set([...at, key].join('.').toLowerCase(), '');
      } else {
        const text = document?.scalarAt([...at, key])?.text ?? String(child);
        const content = wanted === 'text' ? text : Buffer.from(text, 'base64').toString('utf8');
        if (wanted !== 'text' && !content.includes('-----BEGIN ')) {
          failures.push(
            talosConfigFailure(
              'talos-config/bundle-field-invalid',
              { field: [...at, key].join('.'), expected: wanted },
              where([...at, key], 'value'),
            ),
          );
        }
        fields.set([...at, key].join('.').toLowerCase(), content);
      }
    }
  };
  walk(value, shape, []);
  const field = (name: string): string => {
    const found = fields.get(name);
    if (found === undefined && failures.every((failure) => failure.facts['field'] !== name)) {
      failures.push(talosConfigFailure('talos-config/bundle-field-missing', { field: name }, where(name.split('.'), 'key')));
    }
    return found ?? '';
  };
  const secret = (name: string) => new Secret(field(name));
  const pemPair = (name: string): PemPair => ({ certificate: field(`certs.${name}.crt`), key: secret(`certs.${name}.key`) });
  const secretbox = fields.get('secrets.secretboxencryptionsecret');
  const aescbc = fields.get('secrets.aescbcencryptionsecret');
  if ((secretbox === undefined) === (aescbc === undefined)) {
    failures.push(
      talosConfigFailure(
        'talos-config/bundle-encryption-secret',
        { found: secretbox === undefined ? 'none' : 'both' },
        where(['secrets'], 'key'),
      ),
    );
  }
  const bundle: SecretsBundle = {
    cluster: { id: field('cluster.id'), secret: secret('cluster.secret') },
    bootstrapToken: secret('secrets.bootstraptoken'),
    ...(secretbox === undefined ? {} : { secretboxEncryptionSecret: new Secret(secretbox) }),
    ...(aescbc === undefined ? {} : { aescbcEncryptionSecret: new Secret(aescbc) }),
    trustdToken: secret('trustdinfo.token'),
    certs: {
      etcd: pemPair('etcd'),
      k8s: pemPair('k8s'),
      k8sAggregator: pemPair('k8saggregator'),
      k8sServiceAccount: { key: secret('certs.k8sserviceaccount.key') },
      os: pemPair('os'),
    },
  };
  throwIfAny(failures);
  return bundle;
}

/** In a damaged file a value can stand where a key belongs. */
function quotableKey(key: string): string {
  return /^[A-Za-z][A-Za-z0-9]{0,31}$/.test(key) ? key : '…';
}

/**
 * A new bundle, as `talosctl gen secrets` makes it for that contract. Callers make one only when nothing shows that a cluster exists.
 *
 * Source: pkg/machinery/config/generate/secrets/bundle.go
 */
export async function createSecretsBundle(world: Pick<World, 'random' | 'clock'>, contract: TalosMinor): Promise<SecretsBundle> {
  const base64 = (count: number) => Buffer.from(world.random.bytes(count)).toString('base64');
  const id = base64(32);
  return {
    // Never decoded; the alphabet changed with 1.14.
    cluster: { id: isAtLeastMinor(contract, '1.14') ? id : id.replaceAll('+', '-').replaceAll('/', '_'), secret: new Secret(base64(32)) },
    bootstrapToken: new Secret(createToken(world)),
    [isSwitchedOn('secretboxEncryption', contract) ? 'secretboxEncryptionSecret' : 'aescbcEncryptionSecret']: new Secret(base64(32)),
    trustdToken: new Secret(createToken(world)),
    certs: {
      etcd: await createCertificateAuthority(world, { kind: 'p256', organization: 'etcd' }),
      k8s: await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' }),
      k8sAggregator: await createCertificateAuthority(world, { kind: 'p256' }),
      k8sServiceAccount: {
        key: talosKeyPem(await world.random.privateKey(isSwitchedOn('rsaServiceAccountKey', contract) ? 'rsa4096' : 'p256')),
      },
      os: await createCertificateAuthority(world, { kind: 'ed25519', organization: 'talos' }),
    },
  };
}

/** `[a-z0-9]{6}.[a-z0-9]{16}`; bytes of 252 and more are drawn again, so that no letter is likelier than another. */
function createToken(world: Pick<World, 'random'>): string {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';
  let letters = '';
  while (letters.length < 22) {
    for (const byte of world.random.bytes(22)) if (byte < 252 && letters.length < 22) letters += alphabet[byte % 36];
  }
  return `${letters.slice(0, 6)}.${letters.slice(6)}`;
}

/** The file that talosctl and talhelper read, 4-space indent as upstream writes it. */
export function renderSecretsBundle(bundle: SecretsBundle): Secret<string> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const certificate = (name: string, one: PemPair) => [
    `    ${name}:`,
    `        crt: ${base64(one.certificate)}`,
    `        key: ${base64(one.key.reveal())}`,
  ];
  const { certs } = bundle;
  const lines = [
    'cluster:',
    `    id: ${bundle.cluster.id}`,
    `    secret: ${bundle.cluster.secret.reveal()}`,
    'secrets:',
    `    bootstraptoken: ${bundle.bootstrapToken.reveal()}`,
    ...(bundle.secretboxEncryptionSecret ? [`    secretboxencryptionsecret: ${bundle.secretboxEncryptionSecret.reveal()}`] : []),
    ...(bundle.aescbcEncryptionSecret ? [`    aescbcencryptionsecret: ${bundle.aescbcEncryptionSecret.reveal()}`] : []),
    'trustdinfo:',
    `    token: ${bundle.trustdToken.reveal()}`,
    'certs:',
    ...certificate('etcd', certs.etcd),
    ...certificate('k8s', certs.k8s),
    ...certificate('k8saggregator', certs.k8sAggregator),
    '    k8sserviceaccount:',
    `        key: ${base64(certs.k8sServiceAccount.key.reveal())}`,
    ...certificate('os', certs.os),
  ];
  return new Secret(`${lines.join('\n')}\n`);
}

/** What must not show in any output: the lines of each key, tokens and secrets. */
export function secretValuesOf(bundle: SecretsBundle): string[] {
  const { certs } = bundle;
  const keys = [certs.etcd.key, certs.k8s.key, certs.k8sAggregator.key, certs.k8sServiceAccount.key, certs.os.key];
  const texts = [
    bundle.cluster.secret,
    bundle.bootstrapToken,
    bundle.trustdToken,
    bundle.secretboxEncryptionSecret,
    bundle.aescbcEncryptionSecret,
  ];
  return [...keys, ...texts.filter((one) => one !== undefined)].map((one) => one.reveal()).filter((text) => text !== '');
}

/**
 * The bundle that a control plane's machine configuration was generated from, either generation.
 *
 * Failure: `talos-config/not-a-control-plane-config` with the fields that are not in it.
 * Source: pkg/machinery/config/generate/secrets/bundle.go, NewBundleFromConfig
 */
export function bundleFromControlPlaneConfig(file: SourceFile): SecretsBundle {
  const { documents, failures } = parseYaml(file, { version: 'go', confidential: true });
  throwIfAny(failures);
  const find = (kind: string | undefined, ...path: readonly (string | number)[]): string | undefined => {
    for (const { value } of documents) {
      const root = asMap(value);
      if (!root || root['kind'] !== kind) continue;
      let node: unknown = root;
      for (const part of path) node = Array.isArray(node) ? node[Number(part)] : asMap(node)?.[part];
      if (typeof node === 'string' && node !== '') return node;
    }
    return undefined;
  };
  const missing: string[] = [];
  const need = (name: string, ...candidates: (string | undefined)[]): string => {
    const found = candidates.find((candidate) => candidate !== undefined);
    if (found === undefined) missing.push(name);
    return found ?? '';
  };
  const decoded = (...path: string[]) => {
    const text = find(undefined, ...path);
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
  };
  const pairOf = (name: string, legacy: string[], kind?: string): PemPair => ({
    certificate: need(`${name} certificate`, decoded(...legacy, 'crt'), kind ? find(kind, 'issuingCA', 'cert') : undefined),
    key: new Secret(need(`${name} key`, decoded(...legacy, 'key'), kind ? find(kind, 'issuingCA', 'key') : undefined)),
  });
  const secretbox =
    find(undefined, 'cluster', 'secretboxEncryptionSecret') ??
    find('KubeEtcdEncryptionConfig', 'config', 'resources', 0, 'providers', 0, 'secretbox', 'keys', 0, 'secret');
  const aescbc =
    find(undefined, 'cluster', 'aescbcEncryptionSecret') ??
    find('KubeEtcdEncryptionConfig', 'config', 'resources', 0, 'providers', 0, 'aescbc', 'keys', 0, 'secret');
  if (secretbox === undefined && aescbc === undefined) missing.push('encryption secret');
  const bundle: SecretsBundle = {
    cluster: {
      id: need('cluster id', find(undefined, 'cluster', 'id'), find('DiscoveryIdentityConfig', 'clusterID')),
      secret: new Secret(need('cluster secret', find(undefined, 'cluster', 'secret'), find('DiscoveryIdentityConfig', 'clusterSecret'))),
    },
    bootstrapToken: new Secret(need('bootstrap token', find(undefined, 'cluster', 'token'))),
    ...(secretbox === undefined ? {} : { secretboxEncryptionSecret: new Secret(secretbox) }),
    ...(aescbc === undefined || secretbox !== undefined ? {} : { aescbcEncryptionSecret: new Secret(aescbc) }),
    trustdToken: new Secret(need('machine token', find(undefined, 'machine', 'token'))),
    certs: {
      etcd: pairOf('etcd', ['cluster', 'etcd', 'ca']),
      k8s: pairOf('Kubernetes', ['cluster', 'ca'], 'KubeAPIServerCAConfig'),
      k8sAggregator: pairOf('aggregator', ['cluster', 'aggregatorCA'], 'KubeAggregatorCAConfig'),
      k8sServiceAccount: {
        key: new Secret(
          need(
            'service account key',
            decoded('cluster', 'serviceAccount', 'key'),
            find('KubeServiceAccountConfig', 'issuer', 'privateKey'),
          ),
        ),
      },
      os: pairOf('Talos', ['machine', 'ca']),
    },
  };
  if (missing.length > 0) throw new TkError(talosConfigFailure('talos-config/not-a-control-plane-config', { path: file.path, missing }));
  return bundle;
}

function asMap(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}
