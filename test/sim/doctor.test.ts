import { expect, test } from 'vitest';
import { createDoctor } from '../../lib/cluster/operations/doctor.ts';
import type { DoctorParts } from '../../lib/cluster/operations/doctor/finding.ts';
import { simulate } from '../rig/watched.ts';
import { renderFailure } from '../../lib/ui/index.ts';

test('a healthy cluster has nothing to mend', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  const run = await rig.tk('doctor');
  expect({ exitCode: run.exitCode, printed: run.printed, text: run.text, value: run.value }).toEqual({
    exitCode: 0,
    printed: '10 parts are well\n',
    text: '',
    value: {
      areas: ['inputs', 'keys', 'reachability', 'clocks', 'certificates', 'etcd', 'kubernetes', 'flux', 'drift', 'runs'],
      errors: 0,
      warnings: 0,
      findings: [],
    },
  });

  // What is to be watched is told, and is no failure.
  expect((await rig.tk('talos:cordon', { node: 'worker-1' })).exitCode).toBe(0);
  expect((await rig.tk('talos:talosconfig', { validity: '10d' })).exitCode).toBe(0);
  const path = `${rig.root}/talos/talconfig.yaml`;
  const talconfig = JSON.parse((await rig.files.readText(path)) ?? '') as { readonly nodes: readonly { readonly hostname: string }[] };
  const nodes = talconfig.nodes.map((node) => (node.hostname === 'worker-1' ? { ...node, nodeLabels: { rack: 'a' } } : node));
  await rig.files.write(path, JSON.stringify({ ...talconfig, nodes }));
  await rig.files.write(`${rig.root}/kubeconfig`, (await rig.files.readText(`${rig.root}/kubeconfig`)) ?? '', { mode: 0o644 });
  const watched = await rig.tk('doctor');
  expect({ exitCode: watched.exitCode, printed: watched.printed }).toEqual({
    exitCode: 0,
    printed:
      'LEVEL    PART          NODE      FINDING               MEND IT WITH\n' +
      'warning  inputs                  doctor/not-generated  npx tk talos:generate-config\n' +
      'warning  keys                    doctor/wide-file      chmod 600 kubeconfig\n' +
      'warning  certificates            doctor/certificate    npx tk talos:talosconfig --rotate\n' +
      'warning  drift         worker-1  doctor/cordon         npx tk talos:uncordon NODE=worker-1\n' +
      'warning  drift         worker-1  doctor/config         npx tk talos:apply-node NODE=worker-1\n',
  });
});

test('a helmfile that could not be read is told before a cluster has to be made with it', { timeout: 60_000 }, async () => {
  const files = {
    'bootstrap/helmfile.yaml': 'releases:\n  - name: cilium\n    chart: oci://example.org/cilium\n    needs: [\n',
    'kubernetes/apps/kube-system/cilium/app/values.yaml': 'a: 1\n',
  };
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0, files });
  const run = await rig.tk('doctor', { only: ['inputs'] });
  expect({ exitCode: run.exitCode, printed: run.printed }).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "printed": "LEVEL    PART    NODE  FINDING               MEND IT WITH
    warning  inputs        doctor/not-generated  npx tk talos:generate-config
    warning  inputs        format/syntax         npx tk bootstrap:apps --plan
    ",
    }
  `);
  const found = run.events.flatMap((event) => (event.event === 'warning' ? [renderFailure(event.failure)] : []));
  expect(found.filter((text) => text.includes('helmfile.yaml')).join('\n')).toMatchInlineSnapshot(`
    "error[format/syntax]: this is not YAML
     ——▶ bootstrap/helmfile.yaml:5:1
      │
    5 │ 
      │ ^
    because: flow sequence in block collection must be sufficiently indented and end with a ]"
  `);
});

test('what is broken is named with the command that mends it, and ends with 6', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  rig.hand.losePower('cp-3', 36_000_000);
  rig.hand.raiseAlarm('cp-2', 'NOSPACE');
  await rig.pass(20_000);
  await rig.files.remove(`${rig.root}/kubeconfig`);
  const run = await rig.tk('doctor');
  expect({ exitCode: run.exitCode, printed: run.printed }).toEqual({
    exitCode: 6,
    printed:
      'LEVEL    PART          NODE  FINDING             MEND IT WITH\n' +
      'error    reachability  cp-3  doctor/unreachable  npx tk talos:dmesg NODE=cp-3\n' +
      'error    etcd          cp-3  doctor/etcd         npx tk talos:logs NODE=cp-3 SERVICE=etcd\n' +
      'error    etcd          cp-2  doctor/alarm        npx tk talos:etcd-defrag && npx tk talos:etcd-disarm\n' +
      'warning  kubernetes          doctor/kubeconfig   npx tk talos:kubeconfig\n',
  });
  const only = await rig.tk('doctor', { only: ['reachability'], node: 'cp-1' });
  expect(only.printed).toBe('all is well\n');
});

test('what Flux has not done, may not do, or does from elsewhere is told, each with its own cause alone', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  const signal = new AbortController().signal;
  const kube = await rig.cluster.kubernetes.writer();
  const kinds = { GitRepository: 'source v1', OCIRepository: 'source v1', Kustomization: 'kustomize v1', HelmRelease: 'helm v2' } as const;
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } }, signal);
  for (const [kind, where] of Object.entries(kinds)) {
    const [area, name] = where.split(' ');
    const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies`.toLowerCase() : `${kind}s`.toLowerCase();
    const group = `${area}.toolkit.fluxcd.io`;
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await kube.create(
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.${group}` },
        spec: { group, scope: 'Namespaced', names: { kind, plural }, versions: [{ name, served: true, storage: true, schema }] },
      } as never,
      signal,
    );
  }
  await rig.pass(60_000);
  const make = (kind: keyof typeof kinds, name: string, spec: object, status: object, conditions: readonly object[]) => {
    const [area, version] = kinds[kind].split(' ');
    const object = {
      apiVersion: `${area}.toolkit.fluxcd.io/${version}`,
      kind,
      metadata: { namespace: 'flux-system', name },
      spec,
      status: { ...status, conditions },
    };
    return kube.create(object as never, signal);
  };
  const ready = (status: string, reason: string, message: string) => [{ type: 'Ready', status, reason, message }];
  const [old, now] = ['4c1d2e8f00000000000000000000000000000000', 'aaaaaaaf00000000000000000000000000000000'];
  const branch = { ref: { branch: 'main' } };
  await make(
    'GitRepository',
    'flux-system',
    { ...branch, url: 'ssh://git@git.example.org/home/ops.git' },
    { artifact: { revision: `refs/heads/main@sha1:${now}` } },
    ready('True', 'Succeeded', ''),
  );
  // Somebody else's: what is checked out here says nothing about it.
  await make(
    'GitRepository',
    'theirs',
    { ...branch, url: 'https://git.example.org/them/charts' },
    { artifact: { revision: `main@sha1:${now}` } },
    ready('True', 'Succeeded', ''),
  );
  await make('OCIRepository', 'charts', {}, {}, ready('False', 'OCIArtifactPullFailed', 'failed to pull artifact: 401'));
  const sourceRef = { kind: 'GitRepository', name: 'flux-system' };
  await make(
    'Kustomization',
    'apps',
    { sourceRef },
    { lastAppliedRevision: `refs/heads/main@sha1:${old}` },
    ready('True', 'ReconciliationSucceeded', ''),
  );
  await make('Kustomization', 'held', { sourceRef, suspend: true }, {}, ready('False', 'ReconciliationFailed', 'long ago'));
  await make(
    'Kustomization',
    'later',
    { sourceRef },
    {},
    ready('False', 'DependencyNotReady', "dependency 'flux-system/broken' is not ready"),
  );
  await make('Kustomization', 'broken', { sourceRef }, {}, ready('False', 'BuildFailed', 'kustomize build failed: no such file'));
  await make('HelmRelease', 'new', {}, { observedGeneration: 0 }, ready('Unknown', 'Progressing', 'Running install'));
  await rig.files.write(`${rig.root}/.git/HEAD`, 'ref: refs/heads/main\n');
  await rig.files.write(`${rig.root}/.git/packed-refs`, `# pack-refs\n${old} refs/heads/main\n`);
  await rig.files.write(`${rig.root}/.git/config`, '[remote "origin"]\n\turl = git@git.example.org:home/ops.git\n');
  const run = await rig.tk('doctor', { only: ['flux'] });
  expect({ exitCode: run.exitCode, printed: run.printed }).toMatchInlineSnapshot(`
    {
      "exitCode": 6,
      "printed": "LEVEL    PART  NODE  FINDING                   MEND IT WITH
    error    flux        doctor/flux-not-ready     kubectl -n flux-system describe ocirepository charts
    error    flux        doctor/flux-not-ready     npx tk flux:reconcile broken NAMESPACE=flux-system
    warning  flux        doctor/flux-suspended     flux resume kustomization held -n flux-system
    warning  flux        doctor/flux-not-ready     kubectl -n flux-system describe helmrelease new
    warning  flux        doctor/flux-behind        npx tk flux:reconcile apps NAMESPACE=flux-system
    warning  flux        doctor/flux-other-commit  git pull --rebase && git push
    ",
    }
  `);
  const { findings } = run.value as { readonly findings: readonly { readonly code: string; readonly facts: object }[] };
  expect(findings.map(({ code, facts }) => renderFailure({ code, facts } as never))).toMatchInlineSnapshot(`
    [
      "error[doctor/flux-not-ready]: OCIRepository \`flux-system/charts\` is not ready (OCIArtifactPullFailed)
    because: failed to pull artifact: 401
    help: kubectl -n flux-system describe ocirepository charts",
      "error[doctor/flux-not-ready]: Kustomization \`flux-system/broken\` is not ready (BuildFailed)
    because: kustomize build failed: no such file
    help: kubectl -n flux-system describe kustomization broken",
      "error[doctor/flux-suspended]: Kustomization \`flux-system/held\` is suspended: Flux leaves it as it is, whatever the repository says",
      "error[doctor/flux-not-ready]: HelmRelease \`flux-system/new\` is not ready (Progressing)
    because: Running install
    help: kubectl -n flux-system describe helmrelease new",
      "error[doctor/flux-behind]: Kustomization \`flux-system/apps\` has applied main@4c1d2e8, its source is at main@aaaaaaa
    help: npx tk flux:reconcile apps NAMESPACE=flux-system",
      "error[doctor/flux-other-commit]: GitRepository \`flux-system/flux-system\` follows main at aaaaaaa, here it is at 4c1d2e8
    because: commits were not pushed, or not pulled, or Flux has not fetched them yet
    help: git pull --rebase && git push, then npx tk flux:reconcile",
    ]
  `);
});

test('before there is a cluster the doctor says what is missing', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0 });
  const run = await rig.tk('doctor');
  expect(run.exitCode).toBe(6);
  const { findings } = run.value as { readonly findings: readonly { readonly code: string; readonly mend: string }[] };
  expect(findings.map(({ code, mend }) => `${code}: ${mend}`)).toEqual([
    'doctor/not-generated: npx tk talos:generate-config',
    'doctor/maintenance: npx tk talos:apply-node NODE=cp-1',
    'doctor/no-talosconfig: npx tk talos:generate-config',
    'doctor/etcd: npx tk talos:logs NODE=cp-1 SERVICE=etcd',
    'doctor/kubeconfig: npx tk talos:kubeconfig',
  ]);
});

test('whose clock is wrong follows from who agrees with whom', async () => {
  const clocksOff = async (offsets: readonly number[]) => {
    const read = async (node: { readonly name: string }, use: (machine: object) => Promise<unknown>) =>
      use({ time: async () => 1_000_000 + (offsets[Number(node.name)] ?? 0), isTimeSynced: async () => true });
    const parts = { cluster: { machines: { read } }, now: () => 1_000_000 } as unknown as DoctorParts;
    const nodes = offsets.map((_, index) => ({ name: String(index) })) as unknown as Parameters<
      ReturnType<typeof createDoctor>['examine']
    >[1];
    const findings = await createDoctor(parts).examine('clocks', nodes, new AbortController().signal);
    return findings.map(({ failure }) => renderFailure(failure).split('\n')[0]);
  };
  expect(await clocksOff([0, 30_000, -30_000])).toEqual([]);
  expect(await clocksOff([0, 300_000, 0])).toEqual(['error[doctor/clock]: the clock of `1` is 5m00s ahead']);
  expect(await clocksOff([7_200_000, 7_201_000, 7_200_000])).toEqual([
    'error[doctor/own-clock]: the clock of this computer is 2h00m behind',
  ]);
  expect(await clocksOff([7_200_000, -7_200_000])).toEqual([
    'error[doctor/clock]: the clock of `0` is 2h00m ahead',
    'error[doctor/clock]: the clock of `1` is 2h00m behind',
  ]);
});
