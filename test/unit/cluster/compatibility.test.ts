import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isInstallableOver, isKubernetesStep, runsKubernetes } from '../../../lib/cluster/compatibility.ts';
import { kubernetesRemovals } from '../../../lib/upstream/tables.ts';

/** What upstream's packages of one release answer: a digit for each version of the list. */
interface Recorded {
  readonly talos: readonly string[];
  readonly kubernetes: readonly string[];
  readonly supported: Readonly<Record<string, string>>;
  readonly upgradable: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
  readonly removed: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const folder = join(import.meta.dirname, '../../conformance/kubernetes-upgrade');
const recordOf = (tag: string): Recorded => JSON.parse(readFileSync(join(folder, `${tag}.json`), 'utf8')) as Recorded;
const digits = (answers: readonly boolean[]): string => answers.map((answer) => (answer ? '1' : '0')).join('');
/** A release knows nothing of what came after it; there ours says more. */
const knownTo: Readonly<Record<string, number>> = { 'v1.12.6': 12, 'v1.13.9': 13, 'v1.14.1': 99 };
const minor = (version: string): number => Number(version.split('.')[1]);

test.each(Object.keys(knownTo))('over all pairs of versions the table equals the compatibility package of Talos %s', (tag) => {
  const { talos, kubernetes, supported, upgradable } = recordOf(tag);
  const known = talos.filter((version) => minor(version) <= (knownTo[tag] ?? 0));
  expect(Object.fromEntries(known.map((one) => [one, digits(kubernetes.map((version) => runsKubernetes(one, version)))]))).toEqual(
    Object.fromEntries(known.map((one) => [one, supported[one]])),
  );
  expect(Object.fromEntries(known.map((one) => [one, digits(talos.map((host) => isInstallableOver(one, host)))]))).toEqual(
    Object.fromEntries(known.map((one) => [one, upgradable[one]])),
  );
  // The comparison is one: both answers occur, many times.
  const all = known.map((one) => supported[one] ?? '').join('');
  expect(Math.min(all.split('1').length, all.split('0').length)).toBeGreaterThan(1000);
});

test.each(Object.keys(knownTo))('Kubernetes goes from one minor to another exactly where talosctl of %s lets it', (tag) => {
  const { paths } = recordOf(tag);
  const newest = Math.max(...paths.map((path) => Number(path.split('.').at(-1))));
  const minors = Array.from({ length: newest - 17 + 1 }, (_, index) => 17 + index);
  const ours = minors.flatMap((from) =>
    minors.flatMap((to) => (isKubernetesStep(`v1.${from}.3`, `v1.${to}.1`) ? [`1.${from}->1.${to}`] : [])),
  );
  expect(ours).toEqual(paths);
});

test.each(Object.keys(knownTo))('what each minor no longer has is what talosctl of %s looks for', (tag) => {
  for (const [path, removed] of Object.entries(recordOf(tag).removed)) {
    const { featureGates, apiResources, admissionPlugins, flags = {} } = kubernetesRemovals[path.split('->')[1] ?? ''] ?? {};
    const ours = {
      featureGates,
      apiResources,
      admissionPlugins,
      apiServerFlags: flags['kube-apiserver'],
      controllerManagerFlags: flags['kube-controller-manager'],
      schedulerFlags: flags['kube-scheduler'],
      kubeletFlags: flags.kubelet,
    };
    expect({ path, ...JSON.parse(JSON.stringify(ours)) }).toEqual({ path, ...removed });
  }
});
