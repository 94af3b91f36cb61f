import { Buffer } from 'node:buffer';
import { Secret, type SourceFile, type World } from '../../base/index.ts';
import { parseYaml } from '../../format/index.ts';
import { adminValidityMs, isIssuedBy, issue, parseCertificate, type PemPair } from '../../pki/index.ts';
import { renderGoYaml } from './go-yaml.ts';
import type { SecretsBundle } from './secrets-bundle.ts';
import { isConfigMap } from './value.ts';

export interface TalosconfigOptions {
  readonly clusterName: string;
  readonly endpoints: readonly string[];
  /** Absent: the context names no nodes. */
  readonly nodes?: readonly string[];
  /** Default `os:admin`. */
  readonly roles?: readonly string[];
  /** Default one year. */
  readonly validityMs?: number;
  /** What is there now: its certificate is kept while it is valid, of this cluster, and for the same roles. */
  readonly existing?: SourceFile;
  /** Makes a new certificate all the same. */
  readonly rotate?: boolean;
}

export interface GeneratedTalosconfig {
  readonly text: Secret<string>;
  readonly certificateKept: boolean;
  readonly notAfterMs: number;
}

/** A certificate that ends within this time is made anew. */
const renewalMs = 30 * 24 * 3_600_000;

/**
 * The file with which talosctl and tk reach the machines.
 *
 * Source: pkg/machinery/client/config; talhelper v3.1.17 pkg/talos/talosconfig.go
 */
export async function generateTalosconfig(
  world: Pick<World, 'random' | 'clock'>,
  bundle: SecretsBundle,
  options: TalosconfigOptions,
): Promise<GeneratedTalosconfig> {
  const roles = [...(options.roles ?? ['os:admin'])].sort();
  const kept =
    options.rotate || !options.existing
      ? undefined
      : usableCertificate(options.existing, options.clusterName, bundle, roles, world.clock.now());
  const admin: PemPair =
    kept ??
    (await issue(world, bundle.certs.os, {
      organizations: roles,
      extendedKeyUsages: ['clientAuth'],
      validityMs: options.validityMs ?? adminValidityMs,
    }));
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const text = renderGoYaml({
    context: options.clusterName,
    contexts: {
      [options.clusterName]: {
        endpoints: [...options.endpoints],
        ...(options.nodes && options.nodes.length > 0 ? { nodes: [...options.nodes] } : {}),
        ca: base64(bundle.certs.os.certificate),
        crt: base64(admin.certificate),
        key: base64(admin.key.reveal()),
      },
    },
  });
  return { text: new Secret(text), certificateKept: kept !== undefined, notAfterMs: parseCertificate(admin.certificate).notAfterMs };
}

function usableCertificate(
  file: SourceFile,
  clusterName: string,
  bundle: SecretsBundle,
  roles: readonly string[],
  nowMs: number,
): PemPair | undefined {
  const { documents } = parseYaml(file, { version: 'go', confidential: true });
  const root = documents[0]?.value;
  const contexts = isConfigMap(root) ? root['contexts'] : undefined;
  const context = isConfigMap(contexts) ? contexts[clusterName] : undefined;
  if (!isConfigMap(context) || typeof context['crt'] !== 'string' || typeof context['key'] !== 'string') return undefined;
  const certificate = Buffer.from(context['crt'], 'base64').toString('utf8');
  const key = new Secret(Buffer.from(context['key'], 'base64').toString('utf8'));
  try {
    const facts = parseCertificate(certificate);
    const isSame = [...facts.organizations].sort().join() === roles.join();
    const isTimely =
      facts.notBeforeMs <= nowMs && facts.notAfterMs > nowMs + Math.min(renewalMs, (facts.notAfterMs - facts.notBeforeMs) / 3);
    return isSame && isTimely && isIssuedBy(certificate, bundle.certs.os.certificate) ? { certificate, key } : undefined;
  } catch {
    return undefined;
  }
}
