import { machineApi } from '../../../upstream/index.ts';
import { schematicOf, versionOfInstaller } from '../lifecycle.ts';
import type { Installed, Machine } from '../machine.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary } from './call.ts';

const { method } = machineApi.MachineService;

/** Calls that end or replace what runs. Source: v1alpha1_server.go, internal/app/lifecycle/lifecycle.go (from 1.13) */
export const powerMethods: readonly BoundMethod[] = [
  unary(method.reboot, (api) => {
    const actorId = actor(api);
    idle(api);
    api.lifecycle.reboot(api.machine, { actorId });
    return { messages: [{ actorId }] };
  }),
  unary(method.shutdown, (api) => {
    const actorId = actor(api);
    idle(api);
    api.lifecycle.reboot(api.machine, { actorId, stage: 'shutting down', off: true });
    return { messages: [{ actorId }] };
  }),
  unary(method.reset, (api, request) => {
    const actorId = actor(api);
    idle(api);
    if (request.graceful) {
      const data = api.machine.get('etcd');
      if (data && !api.etcd.remove(data.cluster, data.memberId)) throw refuse('failedPrecondition', 'etcdserver: no leader');
    }
    api.lifecycle.reboot(api.machine, { actorId, stage: 'resetting', wipe: true, off: !request.reboot });
    return { messages: [{ actorId }] };
  }),
  unary(method.rollback, (api) => {
    idle(api);
    api.lifecycle.reboot(api.machine);
    return { messages: [{}] };
  }),
  unary(method.upgrade, (api, request) => {
    const actorId = actor(api);
    idle(api);
    const { machine, etcd } = api;
    const cluster = machine.get('etcd')?.cluster;
    if (cluster !== undefined && !request.force && !request.preserve) {
      const members = etcd.clusterOf(machine)?.members ?? [];
      if (members.length === 2)
        throw refuse(
          'failedPrecondition',
          'error validating etcd for upgrade: etcd member count(2) is insufficient to maintain quorum if upgrade commences',
        );
      if (!etcd.hasQuorum(cluster)) throw refuse('failedPrecondition', 'error validating etcd for upgrade: etcdserver: no leader');
    }
    api.lifecycle.upgrade(machine, target(machine, request.image), actorId);
    return { messages: [{ ack: 'Upgrade request received', actorId }] };
  }),
  streaming(machineApi.LifecycleService.method.upgrade, async function* (api, request) {
    const image = request.source?.imageName ?? '';
    const { machine, kernel } = api;
    if (machine.get('installed') === undefined) throw refuse('failedPrecondition', 'Talos is not installed');
    idle(api);
    if (!(machine.get('images') ?? []).includes(image)) throw refuse('notFound', `image "${image}": not found`);
    yield { progress: { response: { case: 'message' as const, value: `running installer ${image}` } } };
    const failed = kernel.fault('talos/upgrade', { node: machine.name });
    if (!failed) machine.set('pending-install', target(machine, image));
    api.mutated('accepted', { image });
    await kernel.commit();
    yield { progress: { response: { case: 'exitCode' as const, value: failed ? Number(failed.facts.exitCode ?? 1) : 0 } } };
  }),
  streaming(machineApi.LifecycleService.method.install, (api) => {
    throw api.machine.get('installed')
      ? refuse('failedPrecondition', 'Talos is already installed')
      : refuse('permissionDenied', 'not authorized');
  }),
  streaming(machineApi.ImageService.method.pull, async function* (api, request) {
    const { machine, kernel } = api;
    if (kernel.fault('talos/pull', { node: machine.name }))
      throw refuse('notFound', `failed to pull image "${request.imageRef}": not found`);
    machine.set('images', [...new Set([...(machine.get('images') ?? []), request.imageRef])]);
    api.mutated('accepted', { image: request.imageRef });
    await kernel.commit();
    yield { response: { case: 'name' as const, value: request.imageRef } };
  }),
  unary(method.imagePull, ({ machine, kernel }, request) => {
    if (kernel.fault('talos/pull', { node: machine.name }))
      throw refuse('notFound', `failed to pull image "${request.reference}": not found`);
    machine.set('images', [...new Set([...(machine.get('images') ?? []), request.reference])]);
    return { messages: [{}] };
  }),
  streaming(method.imageList, async function* ({ machine }) {
    for (const name of machine.get('images') ?? []) yield { name, digest: '', size: 0n };
  }),
  streaming(machineApi.ImageService.method.list, async function* ({ machine }) {
    for (const name of machine.get('images') ?? []) yield { name, digest: '', size: 0n };
  }),
];

/** One sequence at a time. A machine of a healthy etcd that goes although the others are no majority is ground truth for I-02. */
function idle(api: ApiCall): void {
  const { machine, etcd, kernel, call } = api;
  const busy = machine.get('busy');
  if (busy !== undefined) throw refuse('failedPrecondition', 'sequence not started: locked');
  const takesItAway = !call.path.startsWith('/machine.LifecycleService/');
  if (takesItAway && etcd.isHealthy(machine) && !etcd.canSpare(machine)) {
    kernel.emit({ kind: 'talos/quorum-taken', facts: { node: machine.name, path: call.path } });
  }
}

function actor(api: ApiCall): string {
  const hex = Buffer.from(api.kernel.random('talos/actors').bytes(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function target(machine: Machine, image: string): Installed {
  const before = machine.get('installed');
  return {
    version: versionOfInstaller(image) ?? machine.version(),
    image,
    schematicId: schematicOf(image) ?? '',
    disk: before?.disk ?? machine.spec.disks[0]?.path ?? '',
  };
}
