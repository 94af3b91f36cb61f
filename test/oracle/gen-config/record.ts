// Records `talosctl gen config` and `talosctl validate`: node test/oracle/gen-config/record.ts DIRECTORY-OF-TALOSCTL
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GenConfigCase, genConfigCases, generations, olderContracts } from './cases.ts';
import { shorten } from './replay.ts';

const tools = process.argv[2] ?? '';
const conformance = join(import.meta.dirname, '../../conformance');
for (const minor of generations) {
  const recorded: Record<string, unknown> = {};
  for (const one of genConfigCases) recorded[one.name] = run(minor, minor, one);
  writeFileSync(join(conformance, 'gen-config', `talosctl-${minor}.json`), `${JSON.stringify(recorded, null, 1)}\n`);
}
const older: Record<string, unknown> = {};
for (const contract of olderContracts) {
  for (const one of genConfigCases.slice(0, 19)) older[`${contract} ${one.name}`] = run('1.12', contract, one);
}
writeFileSync(join(conformance, 'gen-config', 'older-contracts.json'), `${JSON.stringify(older, null, 1)}\n`);

function run(tool: string, contract: string, one: GenConfigCase): unknown {
  const work = mkdtempSync(join(tmpdir(), 'tk-gen-'));
  const file = (text: string, index: number, name: string) => {
    const path = join(work, `${name}-${index}.yaml`);
    writeFileSync(path, text);
    return `@${path}`;
  };
  const { flags = {} } = one;
  const bundle = join(conformance, 'machineconfig/bundles', `talosctl-${tool}.yaml`);
  const words = [
    'gen',
    'config',
    one.clusterName ?? 'home',
    one.endpoint ?? 'https://192.168.1.10:6443',
    '--with-secrets',
    bundle,
    '--with-docs=false',
    '--with-examples=false',
    '--output-types',
    'controlplane,worker',
    '-o',
    work,
    '--force',
    ...(contract === tool ? [] : ['--talos-version', `v${contract}`]),
    ...(flags.installDisk === undefined ? [] : [`--install-disk=${flags.installDisk}`]),
    ...(flags.installImage === undefined ? [] : ['--install-image', flags.installImage]),
    ...(flags.additionalSans === undefined ? [] : ['--additional-sans', flags.additionalSans.join(',')]),
    ...(flags.dnsDomain === undefined ? [] : ['--dns-domain', flags.dnsDomain]),
    ...(flags.kubernetesVersion === undefined ? [] : ['--kubernetes-version', flags.kubernetesVersion]),
    ...Object.entries(flags.registryMirrors ?? {}).flatMap(([host, urls]) =>
      urls.flatMap((url) => ['--registry-mirror', `${host}=${url}`]),
    ),
    ...(flags.clusterDiscovery === undefined ? [] : [`--with-cluster-discovery=${flags.clusterDiscovery}`]),
    ...(flags.kubeSpan === undefined ? [] : [`--with-kubespan=${flags.kubeSpan}`]),
    ...(one.patches ?? []).flatMap((text, index) => ['--config-patch', file(text, index, 'all')]),
    ...(one.controlPlanePatches ?? []).flatMap((text, index) => ['--config-patch-control-plane', file(text, index, 'cp')]),
    ...(one.workerPatches ?? []).flatMap((text, index) => ['--config-patch-worker', file(text, index, 'worker')]),
  ];
  const done = spawnSync(join(tools, `talosctl-${tool}`), words, { encoding: 'utf8' });
  const read = (role: string) => shorten(readFileSync(join(work, `${role}.yaml`), 'utf8'));
  const result =
    done.status === 0
      ? { controlplane: read('controlplane'), worker: read('worker') }
      : { error: done.stderr.replaceAll(work, '').trim().split('\n').slice(0, 6).join('\n') };
  rmSync(work, { recursive: true });
  return result;
}
