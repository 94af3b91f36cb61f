import type { HttpHandler } from '../base/index.ts';
import type { KernelHandle } from './create-kernel.ts';
import type { KubeHost, KubeModel } from './kube-door.ts';
import type { SimNetwork } from './network.ts';
import type { SandboxSpec } from './spec.ts';
import type { ConfigCheck } from './talos/api/call.ts';
import { createTalosModel, type TalosModel } from './talos/model.ts';

/** A host besides the machines that answers HTTP or HTTPS: a registry, the image factory. */
export interface SimMount {
  readonly host: string;
  readonly port: number;
  readonly handler: HttpHandler;
}

/** What the rest of the simulation brings to the machines. */
export interface ClusterHooks {
  /** The simulated Kubernetes; without it API servers do not come up. */
  readonly kube?: (kernel: KernelHandle, host: KubeHost) => KubeModel;
  readonly mounts?: (kernel: KernelHandle) => readonly SimMount[];
  /** Upstream's rules about machine configurations; default: everything that parses is taken. */
  readonly checkConfig?: (text: string, version: string) => ConfigCheck | Promise<ConfigCheck>;
}

/** The machines of `spec` with all that hangs on them, running on `kernel` and reachable in `network`. The same in both rings. */
export function startCluster(kernel: KernelHandle, network: SimNetwork, spec: SandboxSpec, hooks: ClusterHooks = {}): TalosModel {
  const talos = createTalosModel({
    kernel,
    network,
    spec,
    isInMemory: !kernel.isDurable,
    ...(hooks.checkConfig ? { checkConfig: hooks.checkConfig } : {}),
  });
  const kube = hooks.kube?.(kernel, talos.host);
  if (kube) talos.connect(kube);
  for (const mount of hooks.mounts?.(kernel) ?? []) network.listen(mount.host, mount.port, { kind: 'http', handler: mount.handler });
  talos.start();
  return talos;
}
