import { expect, test } from 'vitest';
import { simulate, type SimulateOptions } from 'talos-tk/testing';

interface BadDay {
  readonly what: string;
  readonly given: SimulateOptions;
  /** Default: `bootstrap`. */
  readonly task?: string;
  readonly exitCode: number;
  readonly code: string;
  /** How many machines have left maintenance mode when it ends. Default: none. */
  readonly installed?: number;
}

const small = { controlPlanes: 1, workers: 1, from: 'maintenance' } as const;
const nvme = (path: string, serial: string) => ({
  path,
  serial,
  sizeBytes: 512_000_000_000,
  model: 'Samsung SSD 990',
  transport: 'nvme' as const,
});
const inventory = (node: object) => ({
  'talconfig.yaml': JSON.stringify({
    clusterName: 'simulated',
    talosVersion: 'v1.14.1',
    kubernetesVersion: 'v1.37.0',
    endpoint: 'https://192.168.42.10:6443',
    nodes: [{ hostname: 'cp-1', controlPlane: true, ipAddress: '192.168.42.10', ...node }],
  }),
});

/** Each is found before the first change, or leaves what the same command goes on from. */
const days: readonly BadDay[] = [
  {
    what: 'an unreachable node',
    given: {
      ...small,
      faults: [{ point: 'wire/dial', kind: 'unreachable', probability: 1, only: { host: '192.168.42.20' }, facts: { lateMs: 3000 } }],
    },
    exitCode: 3,
    code: 'preflight/unreachable',
  },
  {
    what: 'the wrong machine under an address',
    given: {
      ...small,
      hardware: (machine) =>
        machine.name === 'worker-1' ? { ...machine, links: [{ name: 'enp1s0', mac: '02:00:00:00:99:99' }] } : machine,
    },
    exitCode: 3,
    code: 'preflight/wrong-machine',
  },
  {
    what: 'two disks that match',
    given: {
      from: 'maintenance',
      files: inventory({ installDiskSelector: { model: 'Samsung*' } }),
      hardware: (machine) => ({ ...machine, disks: [nvme('/dev/nvme0n1', 'S1'), nvme('/dev/nvme1n1', 'S2')] }),
    },
    exitCode: 3,
    code: 'preflight/two-disks',
  },
  {
    what: 'no disk that matches',
    given: { ...small, hardware: (machine) => ({ ...machine, disks: [{ ...nvme('/dev/sda', 'S1'), transport: 'sata' }] }) },
    exitCode: 3,
    code: 'preflight/no-disk',
  },
  {
    what: 'another version of Talos',
    given: { ...small, hardware: (machine) => ({ ...machine, talosVersion: 'v1.13.9' }) },
    exitCode: 3,
    code: 'preflight/version',
  },
  {
    what: 'a full disk of the workstation',
    given: { ...small, faults: [{ point: 'disk/write', kind: 'ENOSPC', probability: 1, skip: 3 }] },
    exitCode: 1,
    code: 'host/file',
  },
  {
    what: 'a journal that cannot be written',
    given: { ...small, faults: [{ point: 'disk/append', kind: 'EROFS', probability: 1 }] },
    exitCode: 1,
    code: 'journal/write',
  },
  {
    what: 'a wedged channel',
    given: { ...small, faults: [{ point: 'wire/reply', kind: 'never', probability: 1, only: { host: '192.168.42.20' } }] },
    exitCode: 3,
    code: 'preflight/unreachable',
  },
];

test.for(days)('$what', { timeout: 60_000 }, async ({ given, task = 'bootstrap', exitCode, code, installed = 0 }) => {
  await using rig = await simulate(given);
  const run = await rig.tk(task);
  expect({ exitCode: run.exitCode, code: run.failures[0]?.code }, run.text).toEqual({ exitCode, code });
  expect(run.text).toMatchSnapshot();
  for (const text of run.text.split('\n\n')) expect(text).toMatch(/^help: /m);
  const states = await Promise.all(rig.cluster.nodes.map((node) => rig.cluster.machines.state(node, new AbortController().signal)));
  expect(states.filter(({ state }) => state === 'configured')).toHaveLength(installed);
});

const hour = 3_600_000;

test('the wrong clock of a machine that runs', { timeout: 60_000 }, async () => {
  await using rig = await simulate({
    controlPlanes: 1,
    workers: 1,
    faults: [{ point: 'talos/clock', kind: 'skewed', probability: 1, only: { node: 'worker-1' }, fromMs: hour, facts: { skewMs: -hour } }],
  });
  await rig.pass(hour);
  const run = await rig.tk('talos:preflight');
  expect({ exitCode: run.exitCode, code: run.failures[0]?.code }, run.text).toEqual({ exitCode: 3, code: 'preflight/clock' });
  expect(run.text).toMatchSnapshot();
});
