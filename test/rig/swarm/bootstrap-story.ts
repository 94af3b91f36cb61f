import { kubernetesOf, type Schedule } from './schedule.ts';
import type { Story } from './story.ts';

/** Bare machines and a talconfig; `bootstrap` until it says 0. */
export const bootstrapStory: Story = {
  name: 'bootstrap',
  files: (schedule) => ({ 'talos/talconfig.yaml': talconfigOf(schedule) }),
  commands: () => [{ task: 'bootstrap' }],
};

export function talconfigOf({ controlPlanes, workers, talos }: Pick<Schedule, 'controlPlanes' | 'workers' | 'talos'>): string {
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
    nodes: [
      ...Array.from({ length: controlPlanes }, (_, index) => node(`cp-${index + 1}`, true, index + 10)),
      ...Array.from({ length: workers }, (_, index) => node(`worker-${index + 1}`, false, index + 20)),
    ],
  });
}
