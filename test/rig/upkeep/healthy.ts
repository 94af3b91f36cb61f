import { join } from 'node:path';
import type { Json } from '../../../lib/base/index.ts';
import type { InitialFile } from '../../../lib/sim/index.ts';
import { kubernetesOf } from '../swarm/schedule.ts';
import { openRig, root } from './cluster.ts';
import { loadProduct, type Product } from './product.ts';
import { type Shape, shapeText } from './shape.ts';

/** A cluster at rest after its bootstrap, as another kernel and another disk can begin with it. */
export interface Rest {
  readonly entries: readonly (readonly [string, Json])[];
  readonly startMs: number;
  readonly files: Readonly<Record<string, InitialFile>>;
}

const known = new Map<string, Promise<Rest>>();

/** Bootstrapped once per process and kind of cluster. */
export function atRest(shape: Shape, talos: string): Promise<Rest> {
  const key = `${shapeText(shape)} ${talos}`;
  let rest = known.get(key);
  if (!rest) {
    rest = loadProduct().then((product) => bootstrapped(shape, talos, product));
    known.set(key, rest);
  }
  return rest;
}

async function bootstrapped(shape: Shape, talos: string, product: Product): Promise<Rest> {
  const files = { [join(root, 'talos/talconfig.yaml')]: talconfigOf(shape, talos) };
  const rig = await openRig({ seed: `rest ${shape.controlPlanes} ${shape.workers} ${talos}`, files, product });
  const { exit, failures } = await rig.attempt({ task: 'bootstrap' });
  if (exit !== 0) throw new Error(`the undisturbed bootstrap ended with ${exit}: ${failures.map((one) => JSON.stringify(one)).join(' ')}`);
  rig.settle(shape);
  await rig.memory.kernel.clock.sleep(15 * 60_000);
  const rest = { entries: rig.memory.kernel.entries(), startMs: rig.memory.kernel.clock.monotonicMs(), files: rig.memory.files.copy() };
  await rig.memory.kernel.close();
  return rest;
}

/** Every other machine has an extension, so that not every installer is the right one. */
export function talconfigOf({ controlPlanes, workers }: Shape, talos: string): string {
  const node = (hostname: string, controlPlane: boolean, last: number) => ({
    hostname,
    controlPlane,
    ipAddress: `192.168.42.${last}`,
    installDisk: '/dev/nvme0n1',
    ...(last % 2 === 0 ? { schematic: { customization: { systemExtensions: { officialExtensions: ['siderolabs/iscsi-tools'] } } } } : {}),
    networkInterfaces: [
      {
        deviceSelector: { hardwareAddr: `02:00:00:00:42:${last}` },
        dhcp: true,
        ...(controlPlane ? { vip: { ip: '192.168.42.120' } } : {}),
      },
    ],
  });
  return JSON.stringify({
    clusterName: 'upkeep',
    talosVersion: talos,
    kubernetesVersion: kubernetesOf[talos],
    endpoint: 'https://192.168.42.120:6443',
    ...(workers === 0 ? { allowSchedulingOnControlPlanes: true } : {}),
    nodes: [
      ...Array.from({ length: controlPlanes }, (_, index) => node(`cp-${index + 1}`, true, index + 10)),
      ...Array.from({ length: workers }, (_, index) => node(`worker-${index + 1}`, false, index + 20)),
    ],
  });
}
