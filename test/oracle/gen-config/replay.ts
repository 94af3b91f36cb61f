import { readFileSync } from 'node:fs';
import { TkError } from '../../../lib/base/index.ts';
import { generateClusterConfigs, parseSecretsBundle, type SecretsBundle } from '../../../lib/talos/machine-config.ts';
import type { GenConfigCase } from './cases.ts';

/** Long texts that the secrets bundle decides, in one line or in the lines of a PEM block. */
export function shorten(text: string): string {
  return text
    .replace(/[A-Za-z0-9+/]{200,}={0,2}/g, (pem) => `<${pem.length} ${pem.slice(0, 24)}>`)
    .replace(
      /(?:^ +[A-Za-z0-9+/]{40,}={0,2}\n)+/gm,
      (lines) => `${/^ */.exec(lines)?.[0]}<${lines.length} ${lines.trim().slice(0, 24)}>\n`,
    );
}

/** What tk makes of a case with the bundle of one talosctl, or that it refused. */
export function replay(
  one: GenConfigCase,
  talosVersion: string,
  bundleOf: string,
): { readonly controlplane: string; readonly worker: string } | { readonly refused: readonly string[] } {
  const files = (texts: readonly string[] | undefined) =>
    (texts ?? []).map((patch, index) => ({ path: `patch-${index}.yaml`, text: patch }));
  const { flags = {} } = one;
  try {
    const made = generateClusterConfigs({
      ...flags,
      clusterName: one.clusterName ?? 'home',
      endpoint: one.endpoint ?? 'https://192.168.1.10:6443',
      bundle: bundle(bundleOf),
      talosVersion,
      patches: files(one.patches),
      controlPlanePatches: files(one.controlPlanePatches),
      workerPatches: files(one.workerPatches),
    });
    return { controlplane: shorten(made.controlplane.text), worker: shorten(made.worker.text) };
  } catch (error) {
    if (error instanceof TkError) return { refused: error.failures.map((failure) => `${failure.code} ${JSON.stringify(failure.facts)}`) };
    throw error;
  }
}

const bundles = new Map<string, SecretsBundle>();

function bundle(of: string): SecretsBundle {
  const known = bundles.get(of);
  if (known) return known;
  const text = readFileSync(new URL(`../../conformance/machineconfig/bundles/talosctl-${of}.yaml`, import.meta.url), 'utf8');
  const read = parseSecretsBundle({ path: 'secrets.yaml', text });
  bundles.set(of, read);
  return read;
}
