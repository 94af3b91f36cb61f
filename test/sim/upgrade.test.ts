import { expect, test } from 'vitest';
import { simulate, type SimulatedRepository, type SimulatedRun } from 'talos-tk/testing';
import { textsBelow } from '../rig/reference-cluster.ts';

const signal = new AbortController().signal;

/** `cp-1 v1.14.1 v1.36.3`: Talos, and the oldest part of Kubernetes. */
async function versionsOf({ cluster }: SimulatedRepository): Promise<readonly string[]> {
  const { nodes } = await cluster.kubernetesUpgrade.facts(signal);
  return nodes.map((one) => {
    if (one.state === 'silent') return `${one.node.name} ${one.failure.code}`;
    const { node, talosVersion, parts, kubeletRuns = '' } = one.facts;
    const kubernetes = new Set([...Object.values(parts).map(({ version = '' }) => version), kubeletRuns]);
    return [node.name, talosVersion, ...kubernetes].join(' ');
  });
}

const hopsOf = ({ value }: { readonly value: unknown }) =>
  (value as { readonly hops: readonly { what: string; from: string; to: string }[] }).hops.map(
    ({ what, from, to }) => `${what} ${from} ${to}`,
  );

const warningsOf = ({ events }: SimulatedRun) => events.flatMap((event) => (event.event === 'warning' ? [event.failure.code] : []));

const small = { controlPlanes: 1, workers: 1 };
const consent = { acceptDowntime: true };

test('one line leads Talos and Kubernetes over every hop, and the next finds nothing to do', async () => {
  await using rig = await simulate({ ...small, talos: 'v1.12.6', kubernetes: 'v1.31.4' });
  const target = { toTalos: 'v1.14.1', toKubernetes: 'v1.33.0', ...consent };
  const plan = await rig.plan('upgrade', target);
  expect(plan.tasks[0]?.headline).toBe('5 hops: Talos v1.12.6 → v1.12.11 → v1.13.9 → v1.14.1 · Kubernetes v1.31.4 → v1.32.4 → v1.33.0');
  const steps = plan.tasks.flatMap((task) => task.steps);
  const hops = [...new Set(steps.map(({ title }) => title.split(' › ')[0]))];
  expect(hops).toEqual([
    'Talos v1.12.6 → v1.12.11',
    'Talos v1.12.11 → v1.13.9',
    'Kubernetes v1.31.4 → v1.32.4',
    'Talos v1.13.9 → v1.14.1',
    'Kubernetes v1.32.4 → v1.33.0',
  ]);
  // Each hop is planned on what the one before will have left.
  expect(steps.filter(({ node, title }) => node === 'cp-1' && title.includes('drain')).map(({ reason }) => reason)).toEqual([
    'v1.12.6 → v1.12.11',
    'v1.12.11 → v1.13.9',
    'v1.13.9 → v1.14.1',
  ]);
  expect(steps.filter(({ title }) => title.endsWith('› kubelet')).map(({ node, reason }) => `${node} ${reason}`)).toEqual([
    'cp-1 v1.31.4 → v1.32.4',
    'worker-1 v1.31.4 → v1.32.4',
    'cp-1 v1.32.4 → v1.33.0',
    'worker-1 v1.32.4 → v1.33.0',
  ]);
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.12.6 v1.31.4', 'worker-1 v1.12.6 v1.31.4']);

  const run = await rig.tk('upgrade', target);
  expect({ outcome: run.outcome, text: run.text, hops: run.value && hopsOf(run) }).toEqual({
    outcome: 'succeeded',
    text: '',
    hops: [
      'talos v1.12.6 v1.12.11',
      'talos v1.12.11 v1.13.9',
      'kubernetes v1.31.4 v1.32.4',
      'talos v1.13.9 v1.14.1',
      'kubernetes v1.32.4 v1.33.0',
    ],
  });
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.14.1 v1.33.0', 'worker-1 v1.14.1 v1.33.0']);
  const talconfig = await rig.files.readText(`${rig.root}/talos/talconfig.yaml`);
  expect(talconfig).toContain('"talosVersion": "v1.14.1"');
  expect(talconfig).toContain('"kubernetesVersion": "v1.33.0"');
  const again = await rig.tk('upgrade', target);
  expect({ outcome: again.outcome, changes: again.counts.steps.changes, skipped: again.counts.tasks.skipped }).toEqual({
    outcome: 'succeeded',
    changes: 0,
    skipped: 1,
  });
});

test('what others have left half done is finished: a node ahead, a kubelet behind', async () => {
  await using rig = await simulate({ ...small, talos: 'v1.13.8', kubernetes: 'v1.35.4' });
  expect((await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.13.9' })).outcome).toBe('succeeded');
  const target = { toTalos: 'v1.13.9', toKubernetes: 'v1.35.4', ...consent };
  const [task] = (await rig.plan('upgrade', target)).tasks;
  expect(task?.steps.map(({ title, node = 'the cluster' }) => `${node}: ${title}`)).toEqual([
    'the cluster: Talos v1.13.8 → v1.13.9 › etcd snapshot',
    'cp-1: Talos v1.13.8 → v1.13.9 › drain · install · reboot',
  ]);
  const [, machine] = task?.steps ?? [];
  expect(machine?.decision === 'run' ? machine.calls?.map(({ target, call }) => `${target} ${call}`) : machine).toEqual([
    'cp-1 machine.ImageService/Pull',
    'kubernetes PUT nodes (cordon)',
    'kubernetes POST evictions',
    'cp-1 machine.LifecycleService/Upgrade',
    'cp-1 machine.MachineService/Reboot',
    'kubernetes PUT nodes (uncordon)',
  ]);
  expect(hopsOf(await rig.tk('upgrade', target))).toEqual(['talos v1.13.8 v1.13.9']);
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.13.9 v1.35.4', 'worker-1 v1.13.9 v1.35.4']);
});

test('what cannot be is refused before the first hop, be it only the last one that cannot', async () => {
  await using rig = await simulate({ ...small, talos: 'v1.12.6', kubernetes: 'v1.35.4' });
  const refusals = async (target: object) => {
    const run = await rig.tk('upgrade', { ...target, ...consent });
    return { exit: run.exitCode, failures: run.failures.map(({ code, facts }) => ({ code, ...facts })), changes: run.counts.steps.changes };
  };
  expect(await refusals({ toTalos: 'v1.12.6', toKubernetes: 'v1.36.0' })).toEqual({
    exit: 3,
    failures: [
      { code: 'upgrade/unsupported-pair', talos: 'v1.12.6', kubernetes: 'v1.36.0', lowest: '1.30', highest: '1.35', at: 'target' },
    ],
    changes: 0,
  });
  expect(await refusals({ toTalos: 'v1.11.6', toKubernetes: 'v1.34.0' })).toMatchObject({
    exit: 3,
    failures: [{ code: 'upgrade/downgrade', what: 'Talos' }],
  });
  const config = JSON.parse((await rig.files.readText(`${rig.root}/talos/talconfig.yaml`)) ?? '') as { nodes: { patches?: string[] }[] };
  for (const node of config.nodes) node.patches = ['machine:\n  kubelet:\n    extraArgs:\n      boot-id-file: /etc/boot-id\n'];
  await rig.files.write(`${rig.root}/talos/talconfig.yaml`, JSON.stringify(config));
  expect((await rig.tk('talos:apply')).outcome).toBe('succeeded');
  const later = await refusals({ toTalos: 'v1.14.1', toKubernetes: 'v1.37.0' });
  expect(later).toEqual({
    exit: 3,
    failures: ['cp-1', 'worker-1'].map((node) => ({
      code: 'upgrade-k8s/flag-removed',
      node,
      part: 'kubelet',
      flag: 'boot-id-file',
      minor: '1.37',
    })),
    changes: 0,
  });
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.12.6 v1.35.4', 'worker-1 v1.12.6 v1.35.4']);
});

test('where templates make the configs, they are rendered with the new versions: nothing is left to configure, generate or apply', async () => {
  const templates = textsBelow('templates/config/talos');
  const talconfig = 'templates/config/talos/talconfig.yaml.j2';
  // Flannel: this cluster has no releases that would bring Cilium.
  const template = templates[talconfig]?.replace('cniConfig:\n  name: none\n', '') ?? '';
  await using rig = await simulate({
    files: {
      ...templates,
      [talconfig]: template,
      'cluster.yaml':
        'talos_version: v1.13.9\nkubernetes_version: v1.36.3\nnode_cidr: 10.0.0.0/24\ncluster_api_addr: 10.0.0.10\nrepository_name: owner/one\n',
      'nodes.yaml': 'nodes:\n  - { name: solo, address: 10.0.0.10, controller: true, disk: /dev/sda, mac_addr: "02:00:00:00:00:10" }\n',
    },
  });
  const target = { toTalos: 'v1.14.1', toKubernetes: 'v1.37.0', ...consent };
  const run = await rig.tk('upgrade', target);
  expect({ text: run.text, hops: run.value && hopsOf(run) }).toEqual({
    text: '',
    hops: ['talos v1.13.9 v1.14.1', 'kubernetes v1.36.3 v1.37.0'],
  });
  expect(warningsOf(run)).toEqual([]);
  // What Talos 1.14 writes in documents of their own was rendered as such, not only the version replaced.
  expect(await rig.files.readText(`${rig.root}/talos/talconfig.yaml`)).toContain('kind: CRICustomizationConfig');
  for (const task of ['configure', 'talos:generate-config']) expect((await rig.tk(task)).counts.tasks.skipped).toBe(1);

  // Whoever has changes of their own to render decides when.
  await rig.files.write(`${rig.root}/${talconfig}`, template.replace('domain:', '# mine\ndomain:'));
  const again = await rig.tk('talos:upgrade-k8s', { to: 'v1.37.1' });
  expect({ outcome: again.outcome, warnings: warningsOf(again) }).toEqual({ outcome: 'succeeded', warnings: ['pin/not-rendered'] });
  expect(await rig.files.readText(`${rig.root}/talos/talconfig.yaml`)).not.toContain('# mine');
});
