import { expect, test } from 'vitest';
import { simulate, type SimulatedRepository, type SimulatedRun } from '../../../lib/testing.ts';

const signal = new AbortController().signal;

/** What every part of every machine runs, by the machines' own word and by that of Kubernetes. */
async function versions({ cluster }: SimulatedRepository): Promise<Readonly<Record<string, string>>> {
  const { nodes } = await cluster.kubernetesUpgrade.facts(signal);
  return Object.fromEntries(
    nodes.flatMap((one): (readonly [string, string])[] =>
      one.state === 'silent'
        ? [[one.node.name, one.failure.code]]
        : [
            ...Object.entries(one.facts.parts).map(([part, { version }]) => [`${one.facts.node.name} ${part}`, version ?? ''] as const),
            [`${one.facts.node.name} Node`, one.facts.kubeletRuns ?? ''] as const,
          ],
    ),
  );
}

/** Everything that a write would have changed. */
async function marks({ cluster }: SimulatedRepository): Promise<readonly string[]> {
  const kube = await cluster.kubernetes.reader();
  const kinds = [
    ['apps/v1', 'DaemonSet'],
    ['apps/v1', 'Deployment'],
    ['v1', 'ConfigMap'],
    ['coordination.k8s.io/v1', 'Lease'],
  ] as const;
  const objects = await Promise.all(
    kinds.map(async ([apiVersion, kind]) =>
      (await kube.list({ apiVersion, kind }, { namespace: 'kube-system' }, signal)).items.map(
        ({ metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`,
      ),
    ),
  );
  const configs = await Promise.all(
    cluster.nodes.map((node) =>
      cluster.machines.read(node, async (machine) => {
        const { version } = await machine.get({ type: 'MachineConfigs.config.talos.dev', namespace: 'config' }, 'v1alpha1', signal);
        return `${node.name} config ${version}`;
      }),
    ),
  );
  return [...objects.flat(), ...configs];
}

const warningsOf = (run: SimulatedRun) => run.events.flatMap((event) => (event.event === 'warning' ? [event.failure] : []));

test.each([
  // The old form and manifests by update; the old form with an inventory; documents of their own.
  { talos: 'v1.12.6', from: 'v1.34.1', to: 'v1.35.4' },
  { talos: 'v1.13.9', from: 'v1.35.4', to: 'v1.36.3' },
  { talos: 'v1.14.1', from: 'v1.36.3', to: 'v1.37.0' },
])('on Talos $talos every part of every machine goes from $from to $to, and a second run changes nothing', async ({ talos, from, to }) => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1, talos, kubernetes: from });
  const run = await rig.tk('talos:upgrade-k8s', { to });
  expect({ outcome: run.outcome, text: run.text, warnings: warningsOf(run) }).toEqual({ outcome: 'succeeded', text: '', warnings: [] });
  const controlPlanes = ['cp-1', 'cp-2', 'cp-3'];
  const parts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'Node'];
  expect(await versions(rig)).toEqual(
    Object.fromEntries([
      ...controlPlanes.flatMap((name) => parts.map((part) => [`${name} ${part}`, to])),
      ['worker-1 kubelet', to],
      ['worker-1 Node', to],
    ]),
  );
  expect(run.value).toMatchObject({
    from,
    to,
    manifests: { changes: [{ object: 'daemonset kube-system/kube-proxy', action: 'change' }], unchanged: 3 },
    pins: [{ path: 'talos/talconfig.yaml', from, to, key: 'kubernetesVersion' }],
  });
  const kube = await rig.cluster.kubernetes.reader();
  const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'kube-system' }, signal);
  const images = pods.items.flatMap(({ spec }) =>
    (spec as unknown as { containers: { image: string }[] }).containers.map(({ image }) => image),
  );
  const ofKubernetes = images.filter((image) => image.startsWith('registry.k8s.io/kube-'));
  expect(ofKubernetes.length).toBe(3 * 3 + 4);
  expect(ofKubernetes.filter((image) => !image.endsWith(`:${to}`))).toEqual([]);

  const before = await marks(rig);
  const again = await rig.tk('talos:upgrade-k8s', { to });
  expect({ outcome: again.outcome, changes: again.counts.steps.changes, tasks: again.counts.tasks.skipped }).toEqual({
    outcome: 'succeeded',
    changes: 0,
    tasks: 1,
  });
  expect(await marks(rig)).toEqual(before);
  // What is generated next does not go back.
  const generated = await rig.tk('talos:generate-config');
  expect(generated.outcome).toBe('succeeded');
  const compared = await Promise.all(rig.cluster.nodes.map((node) => rig.cluster.machines.compareConfig(node, signal)));
  expect(compared).toEqual(rig.cluster.nodes.map(() => ({ state: 'equal' })));
});

test('a plan names every call and touches nothing; a dry run also asks every machine, and the API server about the manifests', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.13.9', kubernetes: 'v1.35.4' });
  const before = await marks(rig);
  const plan = await rig.plan('talos:upgrade-k8s', { to: 'v1.36.3' });
  const [task] = plan.tasks;
  expect(task?.steps.map((step) => `${step.decision} ${step.node ?? '-'} ${step.title}${step.reason ? `: ${step.reason}` : ''}`)).toEqual([
    'run cp-1 pull registry.k8s.io/kube-apiserver:v1.36.3',
    'run cp-1 pull registry.k8s.io/kube-controller-manager:v1.36.3',
    'run cp-1 pull registry.k8s.io/kube-scheduler:v1.36.3',
    'run cp-1 pull ghcr.io/siderolabs/kubelet:v1.36.3',
    'run worker-1 pull ghcr.io/siderolabs/kubelet:v1.36.3',
    'run cp-1 kube-apiserver: v1.35.4 → v1.36.3',
    'run cp-1 kube-controller-manager: v1.35.4 → v1.36.3',
    'run cp-1 kube-scheduler: v1.35.4 → v1.36.3',
    'run cp-1 kube-proxy: v1.35.4 → v1.36.3',
    'run cp-1 kubelet: v1.35.4 → v1.36.3',
    'run worker-1 kubelet: v1.35.4 → v1.36.3',
    'run - pin: talos/talconfig.yaml:4 v1.35.4 → v1.36.3',
    'unknown - manifests: what they hold is known once the new versions run',
  ]);
  expect(plan.counts.calls).toBe(12);
  expect(task?.headline).toBe('all 2 nodes change: Kubernetes v1.35.4 → v1.36.3, 6 parts');
  const nothing = await rig.plan('talos:upgrade-k8s', { to: 'v1.35.4' }, 'dry-run');
  expect(nothing.tasks[0]?.steps).toEqual([{ decision: 'skip', title: 'Kubernetes v1.35.4', reason: 'every part runs it' }]);
  const dry = await rig.plan('talos:upgrade-k8s', { to: 'v1.36.3' }, 'dry-run');
  expect(
    dry.tasks[0]?.steps.filter(({ title }) => title.startsWith('kube')).map(({ node, title, reason }) => `${node} ${title}: ${reason}`),
  ).toEqual([
    'cp-1 kube-apiserver: v1.35.4 → v1.36.3, the machine would take it',
    'cp-1 kube-controller-manager: v1.35.4 → v1.36.3, the machine would take it',
    'cp-1 kube-scheduler: v1.35.4 → v1.36.3, the machine would take it',
    'cp-1 kube-proxy: v1.35.4 → v1.36.3, the machine would take it',
    'cp-1 kubelet: v1.35.4 → v1.36.3, the machine would take it',
    'worker-1 kubelet: v1.35.4 → v1.36.3, the machine would take it',
  ]);
  expect(await marks(rig)).toEqual(before);

  // What a machine would refuse in the middle of the upgrade, it says in the dry run.
  const path = `${rig.root}/talos/talconfig.yaml`;
  const text = (await rig.files.readText(path)) ?? '';
  const config = JSON.parse(text) as { nodes: { hostname: string; nodeLabels?: object }[] };
  for (const node of config.nodes) node.nodeLabels = { later: 'yes' };
  await rig.files.write(path, JSON.stringify(config));
  for (const node of ['cp-1', 'worker-1'])
    expect((await rig.tk('talos:apply-node', { node, mode: 'staged', acceptDowntime: true })).outcome).toBe('succeeded');
  await rig.files.write(path, text);
  const [refused] = (await rig.plan('talos:upgrade-k8s', { to: 'v1.36.3' }, 'dry-run')).tasks;
  expect([refused?.failure, ...(refused?.furtherFailures ?? [])]).toMatchObject(
    ['cp-1', 'worker-1'].map((node) => ({ code: 'upgrade-k8s/config-waits', facts: { node } })),
  );
});

test('an object that the API server refuses keeps no other back, and what somebody turned back meanwhile is named at the end', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0, talos: 'v1.14.1', kubernetes: 'v1.35.4' });
  const kube = await rig.cluster.kubernetes.writer();
  const dns = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kube-system', name: 'coredns' };
  const standing = await kube.get(dns, signal);
  // Whoever made it anew with other labels has made it one that can never be changed into Talos' own.
  await kube.delete(dns, {}, signal);
  const labels = { app: 'my-own' };
  await kube.create(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace: 'kube-system' },
      spec: { selector: { matchLabels: labels }, template: { ...objectAt(standing, 'template'), metadata: { labels } } },
    } as never,
    signal,
  );
  await rig.pass(60_000);
  const refused = await rig.tk('talos:upgrade-k8s', { to: 'v1.36.3' });
  expect(refused.exitCode).toBe(1);
  expect(refused.text).toMatchInlineSnapshot(`
    "error[manifests/refused]: the API server does not take deployment kube-system/coredns of Talos' manifests
    because: Deployment \`kube-system/coredns\` is not valid: \`spec.selector\`: Invalid value: {"matchLabels":{"k8s-app":"kube-dns"}}: field is immutable
    step: talos:upgrade-k8s to=v1.36.3 › manifests
    help: everything else was brought in; delete the object if it may be made anew, then run it again"
  `);
  expect(await versions(rig)).toMatchObject({ 'cp-1 kube-apiserver': 'v1.36.3', 'cp-1 Node': 'v1.36.3' });
  await kube.delete(dns, {}, signal);

  // Somebody applies an old config while the manifests are brought in.
  await rig.pass(60_000);
  const running = rig.tk('talos:upgrade-k8s', { to: 'v1.37.0', pins: false });
  const [node] = rig.cluster.controlPlanes;
  if (node === undefined) throw new Error('there is a control plane');
  const image = async () =>
    (await rig.cluster.kubernetesUpgrade.facts(signal)).nodes.map((one) => (one.state === 'answered' ? one.facts.kubeletRuns : ''))[0];
  for (let waitedMs = 0; (await image()) !== 'v1.37.0'; waitedMs += 1000) {
    if (waitedMs > 600_000) throw new Error('the kubelet was not upgraded');
    await rig.pass(1000);
  }
  const of = (version: string) => `registry.k8s.io/kube-scheduler:${version}`;
  await rig.cluster.kubernetesUpgrade.change({ node, part: 'kube-scheduler', from: of('v1.37.0'), to: of('v1.36.3') }, signal);
  const run = await running;
  expect(run.exitCode).toBe(1);
  expect(run.text).toMatchInlineSnapshot(`
    "error[upgrade-k8s/not-upgraded]: kube-scheduler of cp-1 does not run v1.37.0 although everything was done
    because: somebody else has changed it meanwhile
    step: talos:upgrade-k8s to=v1.37.0 pins=false › goal
    help: npx tk talos:upgrade-k8s TO=v1.37.0 does what is left"
  `);
});

const objectAt = (object: object | undefined, key: string): object =>
  ((object as { readonly spec?: Readonly<Record<string, object>> } | undefined)?.spec ?? {})[key] ?? {};

test('what cannot be is refused before anything is touched, with everything that speaks against it', async () => {
  const patches = [
    'cluster:\n  apiServer:\n    extraArgs:\n      feature-gates: AnyVolumeDataSource=true,Other=true\n',
    'machine:\n  kubelet:\n    extraArgs:\n      boot-id-file: /etc/boot-id\n',
  ];
  const talconfig = {
    clusterName: 'simulated',
    talosVersion: 'v1.14.1',
    kubernetesVersion: 'v1.36.3',
    endpoint: 'https://192.168.42.10:6443',
    nodes: [{ hostname: 'cp-1', controlPlane: true, ipAddress: '192.168.42.10', installDisk: '/dev/nvme0n1', patches: [] as string[] }],
  };
  (talconfig.nodes[0] as { patches: string[] }).patches = patches.map((text) =>
    text.replace('cluster:\n  apiServer', 'cluster:\n  apiServer'),
  );
  await using rig = await simulate({ files: { 'talos/talconfig.yaml': JSON.stringify({ ...talconfig, talosVersion: 'v1.13.9' }) } });
  const before = await marks(rig);
  const refused = await rig.tk('talos:upgrade-k8s', { to: 'v1.37.0' });
  expect({ exit: refused.exitCode, failures: refused.failures.map(({ code, facts }) => ({ code, ...facts })) }).toEqual({
    exit: 3,
    failures: [
      { code: 'upgrade-k8s/talos', node: 'cp-1', talos: 'v1.13.9', to: 'v1.37.0', lowest: '1.31', highest: '1.36' },
      { code: 'upgrade-k8s/feature-gate-removed', node: 'cp-1', part: 'kube-apiserver', gate: 'AnyVolumeDataSource', minor: '1.37' },
      { code: 'upgrade-k8s/flag-removed', node: 'cp-1', part: 'kubelet', flag: 'boot-id-file', minor: '1.37' },
    ],
  });
  expect(refused.text).toContain('`--boot-id-file`, which Kubernetes 1.37 no longer knows');
  const path = await rig.tk('talos:upgrade-k8s', { to: 'v1.34.0' });
  expect(path.failures.map(({ code, facts }) => ({ code, ...facts }))).toEqual([
    { code: 'upgrade-k8s/path', from: 'v1.36.3', to: 'v1.34.0' },
    { code: 'upgrade-k8s/kubelet-newer', node: 'cp-1', kubelet: 'v1.36.3', to: 'v1.34.0' },
  ]);
  expect(await marks(rig)).toEqual(before);
});

test('objects that the next minor no longer serves are counted before the first change', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0, talos: 'v1.14.1', kubernetes: 'v1.36.3' });
  const kube = await rig.cluster.kubernetes.writer();
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'podgroups.scheduling.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved' } },
    spec: {
      group: 'scheduling.k8s.io',
      scope: 'Namespaced',
      names: { plural: 'podgroups', singular: 'podgroup', kind: 'PodGroup', listKind: 'PodGroupList' },
      versions: [
        {
          name: 'v1alpha2',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
  await kube.create(definition as never, signal);
  await rig.pass(60_000);
  const object = (name: string) => ({
    apiVersion: 'scheduling.k8s.io/v1alpha2',
    kind: 'PodGroup',
    metadata: { name, namespace: 'default' },
  });
  for (const name of ['one', 'two']) await kube.create(object(name), signal);
  const refused = await rig.tk('talos:upgrade-k8s', { to: 'v1.37.0' });
  expect(refused.failures.map(({ code, facts }) => ({ code, ...facts }))).toEqual([
    { code: 'upgrade-k8s/api-removed', resource: 'podgroups.v1alpha2.scheduling.k8s.io', objects: 2, minor: '1.37' },
  ]);
});

test('a config on trial is not made permanent, and a second line goes on when it has run out', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.13.9', kubernetes: 'v1.35.4' });
  const path = `${rig.root}/talos/talconfig.yaml`;
  const text = (await rig.files.readText(path)) ?? '';
  const config = JSON.parse(text) as { nodes: { hostname: string; nodeLabels?: object }[] };
  for (const node of config.nodes) node.nodeLabels = { trial: 'yes' };
  await rig.files.write(path, JSON.stringify(config));
  expect((await rig.tk('talos:apply-node', { node: 'worker-1', mode: 'try' })).outcome).toBe('succeeded');
  await rig.files.write(path, text);
  const [node] = rig.cluster.workers;
  if (node === undefined) throw new Error('there is a worker');
  const change = { node, part: 'kubelet', from: 'ghcr.io/siderolabs/kubelet:v1.35.4', to: 'ghcr.io/siderolabs/kubelet:v1.36.3' } as const;
  await expect(rig.cluster.kubernetesUpgrade.change(change, signal)).rejects.toMatchObject({
    failure: { code: 'upgrade-k8s/config-waits', facts: { node: 'worker-1' } },
  });
  await rig.pass(120_000);
  const run = await rig.tk('talos:upgrade-k8s', { to: 'v1.36.3' });
  expect({ outcome: run.outcome, text: run.text }).toEqual({ outcome: 'succeeded', text: '' });
  const kept = await rig.cluster.machines.read(node, (machine) => machine.machineConfig('persistent', signal));
  expect(kept?.reveal()).toContain('kubelet:v1.36.3');
  expect(kept?.reveal()).not.toContain('trial');
});

test('an object of another inventory is left alone and named, after everything else was done', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0, talos: 'v1.13.9', kubernetes: 'v1.35.4' });
  const kube = await rig.cluster.kubernetes.writer();
  const proxy = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'kube-proxy' };
  const annotations = { 'config.k8s.io/owning-inventory': 'somebody-else' };
  await kube.patch(proxy, { type: 'merge', value: { metadata: { annotations } } }, signal);
  const run = await rig.tk('talos:upgrade-k8s', { to: 'v1.36.3' });
  expect(run.failures.map(({ code, facts }) => ({ code, ...facts }))).toEqual([
    { code: 'manifests/foreign', object: 'daemonset kube-system/kube-proxy', inventory: 'somebody-else' },
  ]);
  // The machines are done, and the pin says so: nothing goes back with the next config.
  expect(await versions(rig)).toMatchObject({ 'cp-1 kube-apiserver': 'v1.36.3', 'cp-1 Node': 'v1.36.3' });
  expect(await rig.files.readText(`${rig.root}/talos/talconfig.yaml`)).toContain('"kubernetesVersion": "v1.36.3"');
  await kube.patch(proxy, { type: 'merge', value: { metadata: { annotations: { 'config.k8s.io/owning-inventory': null } } } }, signal);
  const again = await rig.tk('talos:upgrade-k8s', { to: 'v1.36.3' });
  expect(again.value).toMatchObject({
    changed: [],
    manifests: { changes: [{ object: 'daemonset kube-system/kube-proxy', action: 'change' }] },
  });
});

test('an object that Talos no longer brings goes away with its entry in the inventory', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0, talos: 'v1.14.1', kubernetes: 'v1.36.3' });
  const kube = await rig.cluster.kubernetes.writer();
  const inventory = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'talos-bootstrap-manifests-inventory' };
  const old = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-proxy-config-0', namespace: 'kube-system' } };
  await kube.create({ ...old, metadata: { ...old.metadata, annotations: { 'config.k8s.io/owning-inventory': inventory.name } } }, signal);
  await kube.patch(inventory, { type: 'merge', value: { data: { 'kube-system_kube-proxy-config-0__ConfigMap': '' } } }, signal);
  const run = await rig.tk('talos:upgrade-k8s', { to: 'v1.36.3' });
  expect(run.value).toMatchObject({ manifests: { changes: [{ object: 'kube-system_kube-proxy-config-0__ConfigMap', action: 'prune' }] } });
  expect(await kube.get({ ...old, ...old.metadata }, signal)).toBeUndefined();
  const left = Object.keys(((await kube.get(inventory, signal))?.['data'] ?? {}) as object);
  expect(left.sort()).toEqual([
    'kube-system_coredns_apps_Deployment',
    'kube-system_kube-dns__Service',
    'kube-system_kube-flannel_apps_DaemonSet',
    'kube-system_kube-proxy_apps_DaemonSet',
  ]);
});
