import { describe, expect, test } from 'vitest';
import { defineTask, fail } from 'talos-tk';
import { simulate, type SimulatedRepository } from 'talos-tk/testing';
import { loadClusterInputs } from '../../lib/config/index.ts';
import { parseParams } from '../../lib/core/index.ts';
import { createMemoryFiles } from '../../lib/sim/index.ts';
import upgradeNode from '../../tasks/talos/upgrade-node.ts';

/**
 * Defects that were found in the recipes people use today. Each title says what happens there; the test shows that it does not
 * happen here.
 */
const calm = () => new AbortController().signal;
const fresh = { controlPlanes: 1, workers: 2, from: 'maintenance' } as const;

async function bootsOf(rig: SimulatedRepository): Promise<readonly string[]> {
  return Promise.all(rig.cluster.nodes.map(async (node) => (await rig.cluster.lifecycle.boot(node, calm())).bootId));
}

describe('on a cluster that runs', () => {
  test('reset-node without a node resets every node; shutdown-node passes all of them', async () => {
    await using rig = await simulate({ controlPlanes: 1, workers: 2, talos: 'v1.14.0' });
    const before = await bootsOf(rig);
    for (const task of ['talos:reset', 'talos:shutdown', 'talos:reboot', 'talos:upgrade-node']) {
      const run = await rig.tk(task);
      expect({ task, exitCode: run.exitCode, codes: run.failures.map(({ code }) => code) }).toEqual({
        task,
        exitCode: 2,
        codes: ['cluster/node-not-named'],
      });
    }
    const [, worker] = rig.cluster.nodes;
    const one = await rig.plan('talos:reset', { node: worker?.name });
    expect(new Set(one.tasks.flatMap(({ steps }) => steps.flatMap(({ node }) => (node === undefined ? [] : [node]))))).toEqual(
      new Set([worker?.name]),
    );
    expect(await bootsOf(rig)).toEqual(before);
  });

  test("upgrade-node is given apply's --mode", () => {
    const parsed = parseParams('talos:upgrade-node', upgradeNode, [
      ['NODE', 'worker-1'],
      ['mode', 'no-reboot'],
    ]);
    expect(parsed.ok ? [] : parsed.failures.map(({ code, facts }) => [code, facts['param'], facts['suggestion']])).toEqual([
      ['params/unknown', 'mode', 'node'],
    ]);
  });

  test('Flux is suspended for an upgrade, and resumed only if that goes well', async () => {
    await using rig = await simulate({
      controlPlanes: 1,
      workers: 1,
      talos: 'v1.14.0',
      faults: [{ point: 'talos/new-slot', kind: 'failed', probability: 1 }],
    });
    const run = await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.14.1' });
    expect(run.failures.map(({ code }) => code)).toEqual(['node/rolled-back']);
    const kube = await rig.cluster.kubernetes.reader();
    const written = await Promise.all(
      (
        [
          ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'],
          ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'],
        ] as const
      ).map(async ([apiVersion, kind]) =>
        (await kube.serves({ apiVersion, kind }, calm())) ? (await kube.list({ apiVersion, kind }, {}, calm())).items : [],
      ),
    );
    expect(written.flat().filter(({ spec }) => (spec as { suspend?: boolean }).suspend === true)).toEqual([]);
  });

  test('bootstrap repeats until it fails with AlreadyExists, and never ends when it ran before', async () => {
    await using rig = await simulate({ controlPlanes: 1, workers: 0 });
    const again = await rig.tk('bootstrap:talos');
    expect({ outcome: again.outcome, changes: again.counts.steps.changes }).toEqual({ outcome: 'succeeded', changes: 0 });
  });
});

describe('on bare machines', () => {
  test('a missing secrets file is answered with new keys, and the cluster is lost', async () => {
    await using rig = await simulate({ ...fresh, files: { kubeconfig: 'apiVersion: v1\nkind: Config\n' } });
    const run = await rig.tk('talos:generate-config');
    expect({ failed: run.exitCode !== 0, failures: run.failures.map(({ code, facts }) => [code, facts['traces']]) }).toEqual({
      failed: true,
      failures: [['cluster/secrets-lost', ['kubeconfig']]],
    });
    expect((await rig.files.list(`${rig.root}/talos`)).map(({ name }) => name)).toEqual(['talconfig.yaml']);
  });

  test('a node that is new cannot be applied to, because it has no config that could be read', async () => {
    await using rig = await simulate(fresh);
    const run = await rig.tk('talos:apply-node', { node: 'cp-1' });
    expect({ exitCode: run.exitCode, text: run.text, value: run.value }).toEqual({
      exitCode: 0,
      text: '',
      value: { node: 'cp-1', changed: true },
    });
    const leaked: string[] = [];
    const walk = async (directory: string): Promise<void> => {
      for (const { name, kind } of await rig.files.list(directory)) {
        const path = `${directory}/${name}`;
        if (kind === 'directory') await walk(path);
        else if (
          /PRIVATE KEY|LS0tLS1CRUdJTi[A-Za-z0-9+/]*LRVk/.test((await rig.files.readText(path)) ?? '') &&
          (await rig.files.stat(path))?.mode !== 0o600
        )
          leaked.push(path);
      }
    };
    // Plain text is for its owner alone, wherever it lies: no temporary copies either.
    await walk(rig.root);
    expect(leaked).toEqual([]);
  });

  test('apply-config is called without a file', async () => {
    await using rig = await simulate(fresh);
    await rig.files.write(`${rig.root}/talos/talconfig.yaml`, 'clusterName: home\nnodes: [{ hostname: cp-1 ]\n');
    const run = await rig.tk('talos:apply-node', { node: 'cp-1' });
    const { state } = await rig.cluster.machines.state(rig.cluster.find({ node: 'cp-1' }), calm());
    // What cannot be generated is not sent: the machine waits as before.
    expect({ failed: run.exitCode !== 0, changes: run.counts.steps.changes, state }).toEqual({
      failed: true,
      changes: 0,
      state: 'maintenance',
    });
  });

  test('a machine that is switched off counts as verified', async () => {
    await using rig = await simulate(fresh);
    await rig.pass(60_000);
    rig.hand.losePower('worker-2', 24 * 3_600_000);
    await rig.pass(1000);
    const run = await rig.tk('talos:preflight');
    expect({ exitCode: run.exitCode, failures: run.failures.map(({ code, facts }) => [code, facts['node']]) }).toEqual({
      exitCode: 3,
      failures: [['preflight/unreachable', 'worker-2']],
    });
  });

  test('a machine that could not be installed is waited for without a word', async () => {
    await using rig = await simulate({
      ...fresh,
      faults: [{ point: 'talos/install', kind: 'failed', probability: 1, atMost: 1, only: { node: 'cp-1' } }],
    });
    const run = await rig.tk('talos:apply-node', { node: 'cp-1' });
    const ended = run.events.at(-1)?.elapsedMs ?? 0;
    expect({ exitCode: run.exitCode, text: run.text, minutes: Math.ceil(ended / 60_000) }).toMatchInlineSnapshot(`
      {
        "exitCode": 1,
        "minutes": 2,
        "text": "error[node/install-failed]: \`cp-1\` could not be installed: it took its config, restarted, and is in maintenance mode again
      because: the installer of Talos v1.14.1 did not get done with \`/dev/nvme0n1\`: its image cannot be pulled, the disk does not take it, or its power went
      step: talos:apply-node node=cp-1
      help: its console says which while it installs; then npx tk talos:preflight NODE=cp-1 and the same line again",
      }
    `);
    const again = await rig.tk('talos:apply-node', { node: 'cp-1' });
    expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
  });

  test('the exit code of applying to all nodes is that of the last one', async () => {
    await using rig = await simulate({
      ...fresh,
      faults: [
        {
          point: 'wire/request',
          kind: 'reset',
          probability: 1,
          only: { host: '192.168.42.10', path: '/machine.MachineService/ApplyConfiguration' },
        },
      ],
    });
    const run = await rig.tk('talos:apply');
    expect({ failed: run.exitCode !== 0, nodes: run.failures.map(({ facts }) => facts['node']) }).toEqual({
      failed: true,
      nodes: ['cp-1'],
    });
  });

  test('a misspelt address is waited for without an end', async () => {
    await using rig = await simulate(fresh);
    const run = await rig.tk('talos:apply-node', { ip: '192.168.42.99' });
    expect({ failed: run.exitCode !== 0, codes: run.failures.map(({ code }) => code) }).toEqual({
      failed: true,
      codes: ['cluster/unknown-node'],
    });
    const vip = await rig.tk('talos:apply-node', { ip: '192.168.42.120' });
    expect(vip.text).toMatchInlineSnapshot(`
      "error[cluster/unknown-node]: \`192.168.42.120\` is the address that moves between the control planes, not a machine's own
      because: whoever has it now may lose it in the middle
      step: talos:apply-node ip=192.168.42.120
      help: name one machine: \`192.168.42.10\`, \`192.168.42.20\` and \`192.168.42.21\`"
    `);
  });

  test('`log fatal` prints and the script goes on', async () => {
    const reached: string[] = [];
    const first = defineTask({ summary: 'Render the CRDs', effect: 'write', run: () => fail('it cannot be rendered') });
    const second = defineTask({ summary: 'Install', effect: 'write', needs: { first: first() }, run: () => void reached.push('install') });
    await using rig = await simulate({ ...fresh, tasks: { 'render-crds': first, install: second } });
    const run = await rig.tk('install');
    expect({ exitCode: run.exitCode, reached, blocked: run.counts.tasks.blocked }).toEqual({ exitCode: 1, reached: [], blocked: 1 });
  });
});

describe('in the repository', () => {
  test('a script calls a program by a wrong name, and leaves its own words where a value belongs', async () => {
    await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.14.0' });
    const done = [
      await rig.tk('talos:generate-config'),
      await rig.tk('talos:kubeconfig'),
      await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.14.1' }),
      await rig.tk('talos:etcd-snapshot'),
    ];
    // From bare machines to here no program was started at all: there is none whose name could be wrong.
    expect([done.map(({ exitCode }) => exitCode), rig.commands]).toEqual([[0, 0, 0, 0], []]);
    const folder = `${rig.root}/talos/clusterconfig`;
    const written = (await rig.files.list(folder)).map(({ name }) => name).filter((name) => /\.yaml$|^talosconfig$/.test(name));
    expect(written.sort()).toEqual(['simulated-cp-1.yaml', 'simulated-worker-1.yaml', 'talosconfig']);
    for (const name of written)
      expect(await rig.files.readText(`${folder}/${name}`)).not.toMatch(/\$\{|\{\{|<[A-Za-z_ -]+>|CHANGE_?ME|REPLACE_?ME|your-/i);
  });

  test('configure writes over what was changed by hand, without a word', async () => {
    const template = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: #{ cluster_name }#\n';
    await using rig = await simulate({
      from: 'maintenance',
      files: {
        'templates/config/talos/talconfig.yaml.j2': 'clusterName: #{ cluster_name }#\nendpoint: https://10.0.0.10:6443\nnodes: []\n',
        'templates/config/kubernetes/a.yaml.j2': template,
        'cluster.yaml': 'node_cidr: 10.0.0.0/24\ncluster_api_addr: 10.0.0.10\nrepository_name: me/home\n',
        'nodes.yaml': 'nodes:\n  - { name: a, address: 10.0.0.10, controller: true, disk: /dev/sda, mac_addr: "02:00:00:00:00:10" }\n',
      },
    });
    const path = `${rig.root}/kubernetes/a.yaml`;
    expect((await rig.tk('configure')).outcome).toBe('succeeded');
    const rendered = (await rig.files.readText(path)) ?? '';
    const byHand = `${rendered}data: { mine: "yes" }\n`;
    await rig.files.write(path, byHand);
    const [task] = (await rig.plan('configure')).tasks;
    expect(task?.steps).toMatchObject([{ title: 'update kubernetes/a.yaml', reason: 'changed by hand since it was rendered' }]);
    const again = await rig.tk('configure');
    expect(again.events.flatMap((event) => (event.event === 'warning' ? [event.failure.facts] : []))).toEqual([
      { path: 'kubernetes/a.yaml', kept: '.tk/sim/overwritten/kubernetes/a.yaml' },
    ]);
    expect(await rig.files.readText(path)).toBe(rendered);
    expect(await rig.files.readText(`${rig.root}/.tk/sim/overwritten/kubernetes/a.yaml`)).toBe(byHand);
    // A change of the template is no change by hand.
    await rig.files.write(`${rig.root}/templates/config/kubernetes/a.yaml.j2`, `${template}data: {}\n`);
    expect((await rig.tk('configure')).events.filter((event) => event.event === 'warning')).toEqual([]);
  });

  test('the schema knows each value, and not whether two of them fit together', async () => {
    const root = '/home/user/home-ops';
    const files = createMemoryFiles(() => 0, {
      [`${root}/cluster.yaml`]:
        'node_cidr: 10.42.0.0/24\ncluster_api_addr: 10.42.1.5\ncluster_pod_cidr: 10.42.0.0/16\ncluster_svc_cidr: 10.42.128.0/17\nrepository_name: me/home\n',
      [`${root}/nodes.yaml`]:
        'nodes:\n  - { name: a, address: 10.42.0.10, controller: true, disk: /dev/sda, mac_addr: "02:00:00:00:00:10" }\n  - { name: b, address: 10.42.0.10, controller: false, disk: /dev/sda, mac_addr: "02:00:00:00:00:10" }\n',
    });
    const { failures } = await loadClusterInputs(files, root);
    expect(
      failures.map(({ code, where }) => `${code} ${where?.kind === 'file' ? `${where.path}:${where.line}` : ''}`),
    ).toMatchInlineSnapshot(`
      [
        "config/address-outside-network cluster.yaml:2",
        "config/overlapping-networks cluster.yaml:3",
        "config/overlapping-networks cluster.yaml:4",
        "config/duplicate-address nodes.yaml:3",
        "config/duplicate-mac-address nodes.yaml:3",
      ]
    `);
  });
});
