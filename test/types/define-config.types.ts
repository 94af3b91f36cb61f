import { defineConfig, defineGate, defineTask, gates, type Settings, z } from 'talos-tk';
import { simulate, type SimulatedRun } from 'talos-tk/testing';

/** Passes when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_proof: Same<A, B>): void => {};

const settings = defineConfig({
  gates: [gates.ceph({ namespace: 'rook-ceph' }), gates.off('volsync')],
  upgrade: { workers: { parallel: '25%' }, canary: 'worker-1' },
});
same<typeof settings, Settings>(true);
defineConfig({});
// @ts-expect-error no such setting
defineConfig({ upgrades: {} });
// @ts-expect-error a canary is a node's name
defineConfig({ upgrade: { canary: 1 } });
// @ts-expect-error no gate has this name
gates.off('volsinc');

export const gate = defineGate({
  name: 'nas',
  async check({ kube, signal }) {
    const job = await kube.get({ apiVersion: 'batch/v1', kind: 'Job', namespace: 'backup', name: 'nas' }, signal);
    return job === undefined ? gates.passed('no backup is running') : gates.refusedBecause('a backup is running');
  },
});

export const looks = defineTask({
  summary: 'What only looks has no way to act',
  params: z.object({ node: z.string() }),
  effect: 'mutate',
  needs: (_params, { cluster }) => {
    // @ts-expect-error needs are worked out without touching a machine
    void cluster.lifecycle.reboot;
    return {};
  },
  async probe({ cluster, params }) {
    same<typeof params, { node: string }>(true);
    // @ts-expect-error a probe cannot reboot
    void cluster.lifecycle.reboot;
    // @ts-expect-error nor apply a config
    void cluster.machines.apply;
    return { role: cluster.find(params).role, disks: 2 };
  },
  plan({ cluster }, facts) {
    same<typeof facts, { role: 'controlplane' | 'worker'; disks: number } | undefined>(true);
    // @ts-expect-error a plan cannot reboot
    void cluster.lifecycle.reboot;
    return [];
  },
  run({ cluster }) {
    void cluster.lifecycle.reboot;
    void cluster.machines.apply;
  },
});

export async function tested(): Promise<SimulatedRun> {
  await using rig = await simulate({ controlPlanes: 3, workers: 2, talos: '1.14' });
  rig.command('rsync').succeeds();
  // @ts-expect-error nobody can ask for such machines
  void simulate({ controlplanes: 3 });
  const run = await rig.tk('snapshot-offsite', { keep: 3 });
  same<typeof run.exitCode, number>(true);
  return run;
}
