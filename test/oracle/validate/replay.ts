import { readFileSync } from 'node:fs';
import { generateClusterConfigs, parseSecretsBundle } from '../../../lib/talos/machine-config.ts';
import { talosVersions } from '../gen-config/cases.ts';
import type { ValidateCase } from './cases.ts';

/** The configuration of a case: as that talosctl generates it, with its change. */
export function configOf(one: ValidateCase, minor: string): string {
  let config = generated(minor)[one.role].text;
  for (const [from, to] of one.replace ?? []) config = config.replace(from, to);
  return config + (one.append ?? '');
}

type Generated = ReturnType<typeof generateClusterConfigs>;
const made = new Map<string, Generated>();

function generated(minor: string): Generated {
  const known = made.get(minor);
  if (known) return known;
  const text = readFileSync(new URL(`../../conformance/machineconfig/bundles/talosctl-${minor}.yaml`, import.meta.url), 'utf8');
  const configs = generateClusterConfigs({
    clusterName: 'home',
    endpoint: 'https://192.168.1.10:6443',
    bundle: parseSecretsBundle({ path: 'secrets.yaml', text }),
    talosVersion: talosVersions[minor] ?? '',
  });
  made.set(minor, configs);
  return configs;
}
