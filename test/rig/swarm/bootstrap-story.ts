import { kubernetesOf, type Schedule } from './schedule.ts';
import { fluxTree } from './flux-tree.ts';
import type { Story } from './story.ts';

let fluxFiles: Promise<Readonly<Record<string, string>>> | undefined;

/** Bare machines, a talconfig and a Flux tree; `bootstrap` until it says 0. */
export const bootstrapStory: Story = {
  name: 'bootstrap',
  files: async (schedule) => ({
    'talos/talconfig.yaml': talconfigOf(schedule),
    ...(schedule.tree ? await (fluxFiles ??= fluxTree()) : {}),
  }),
  commands: () => [{ task: 'bootstrap' }],
};

export function talconfigOf({
  controlPlanes,
  workers,
  talos,
  tree,
}: Pick<Schedule, 'controlPlanes' | 'workers' | 'talos' | 'tree'>): string {
  const node = (hostname: string, controlPlane: boolean, last: number) => ({
    hostname,
    controlPlane,
    ipAddress: `192.168.42.${last}`,
    installDisk: '/dev/nvme0n1',
    networkInterfaces: [
      {
        deviceSelector: { hardwareAddr: `02:00:00:00:42:${last}` },
        dhcp: true,
        ...(controlPlane ? { vip: { ip: '192.168.42.120' } } : {}),
      },
    ],
  });
  return JSON.stringify({
    clusterName: 'swarm',
    talosVersion: talos,
    kubernetesVersion: kubernetesOf[talos],
    endpoint: 'https://192.168.42.120:6443',
    // Without workers there is nowhere else to go.
    allowSchedulingOnControlPlanes: workers === 0,
    // Cilium comes with the releases.
    ...(tree ? { cniConfig: { name: 'none' } } : {}),
    nodes: [
      ...Array.from({ length: controlPlanes }, (_, index) => node(`cp-${index + 1}`, true, index + 10)),
      ...Array.from({ length: workers }, (_, index) => node(`worker-${index + 1}`, false, index + 20)),
    ],
  });
}
