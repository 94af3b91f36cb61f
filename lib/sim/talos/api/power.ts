import { machineApi } from '../../../upstream/index.ts';
import { hasImage, imageBytes, pinned } from '../installer.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary } from './call.ts';

const { method } = machineApi.MachineService;
const { LifecycleService, ImageService, ResetRequest_WipeMode: WipeMode, RebootRequest_Mode: RebootMode } = machineApi;

/**
 * Calls that end or replace what runs. Those of a sequence answer at once, whether it starts or not.
 * Source: Talos v1.13.9 internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go, internal/app/lifecycle/lifecycle.go
 */
export const powerMethods: readonly BoundMethod[] = [
  unary(method.reboot, (api, request) => {
    const actorId = actor(api);
    takesAway(api);
    const mode = request.mode === RebootMode.FORCE ? 'force' : request.mode === RebootMode.POWERCYCLE ? 'powercycle' : 'default';
    api.lifecycle.sequences.reboot(api.machine, actorId, mode);
    return { messages: [{ actorId }] };
  }),
  unary(method.shutdown, (api, request) => {
    const actorId = actor(api);
    takesAway(api);
    api.lifecycle.sequences.shutdown(api.machine, actorId, request.force);
    return { messages: [{ actorId }] };
  }),
  unary(method.reset, (api, request) => {
    const { machine } = api;
    const actorId = actor(api);
    const system = machine.get('installed')?.disk;
    if (request.userDisksToWipe.length > 0 && request.mode === WipeMode.SYSTEM_DISK)
      throw refuse('unknown', "reset failed: invalid input, wipe mode SYSTEM_DISK doesn't support UserDisksToWipe parameter");
    for (const device of request.userDisksToWipe) {
      if (!machine.spec.disks.some(({ path }) => path === device))
        throw refuse('unknown', `reset user disk failed: device ${device} wasn't found`);
      if (device === system) throw refuse('unknown', `reset user disk failed: device ${device} is the system disk`);
    }
    if (request.systemPartitionsToWipe.length > 0 && request.mode === WipeMode.USER_DISKS)
      throw refuse('unknown', "reset failed: invalid input, wipe mode USER_DISKS doesn't support SystemPartitionsToWipe parameter");
    for (const { label } of request.systemPartitionsToWipe) {
      if (!['META', 'STATE', 'EPHEMERAL', 'ETCD'].includes(label))
        throw refuse(
          'unknown',
          `failed to get volume status with label "${label}": resource VolumeStatuses.block.talos.dev(runtime/${label}@undefined) doesn't exist`,
        );
      const takesAlong = request.systemPartitionsToWipe.some((other) => other.wipe && other.label === 'EPHEMERAL');
      if (label === 'ETCD' && !machine.hasEtcdVolume() && !takesAlong)
        throw refuse(
          'unknown',
          'failed to reset: volume "ETCD" resides on volume "EPHEMERAL", and therefore "ETCD" cannot be wiped without wiping "EPHEMERAL"',
        );
    }
    takesAway(api);
    const voters = (api.etcd.clusterOf(machine)?.members ?? []).filter(({ learner }) => !learner);
    const isLastVoter = voters.length === 1 && voters[0]?.node === machine.name;
    api.kernel.emit({ kind: 'talos/reset', facts: { node: machine.name, isLastVoter } });
    const mode = request.mode === WipeMode.USER_DISKS ? 'user-disks' : request.mode === WipeMode.SYSTEM_DISK ? 'system-disk' : 'all';
    const labels = request.systemPartitionsToWipe.filter(({ wipe }) => wipe).map(({ label }) => label);
    api.lifecycle.sequences.reset(machine, actorId, { graceful: request.graceful, reboot: request.reboot, labels, mode });
    return { messages: [{ actorId }] };
  }),
  unary(method.rollback, (api) => {
    if (api.machine.get('installed') === undefined) throw refuse('failedPrecondition', 'system disk not found');
    if (!api.lifecycle.sequences.rollback(api.machine)) throw refuse('unknown', 'previous UKI not found');
    takesAway(api);
    return { messages: [{}] };
  }),
  unary(method.upgrade, async (api, request) => {
    const actorId = actor(api);
    const { machine } = api;
    if (machine.get('installed') === undefined) throw refuse('failedPrecondition', 'Talos is not installed');
    const failed = await pulled(api, request.image);
    if (failed !== undefined) throw refuse('unknown', `error validating installer image "${request.image}": ${failed}`);
    if (!request.force && !request.preserve) validateEtcd(api);
    takesAway(api);
    const rebootMode = request.rebootMode === machineApi.UpgradeRequest_RebootMode.POWERCYCLE ? 'powercycle' : 'default';
    api.lifecycle.sequences.upgrade(machine, actorId, { image: request.image, staged: request.stage, rebootMode });
    return { messages: [{ ack: 'Upgrade request received', actorId }] };
  }),
  streaming(LifecycleService.method.upgrade, async function* (api, request) {
    const image = request.source?.imageName ?? '';
    const { machine, kernel } = api;
    if (machine.get('installer')?.number !== undefined && machine.get('installer')?.exitCode === undefined)
      throw refuse('failedPrecondition', 'another installation/upgrade is already in progress');
    if (machine.get('installed') === undefined) throw refuse('failedPrecondition', 'machine is not installed');
    if (image === '') throw refuse('invalidArgument', 'installer image name is required');
    if (!hasImage(machine, image))
      throw refuse('internal', `upgrade failed: installer image "${image}" not found in containerd store: image "${image}": not found`);
    api.lifecycle.startInstaller(machine, image);
    const number = machine.get('installer')?.number;
    api.mutated('accepted', { image });
    await kernel.commit();
    // The installer goes on when its caller leaves.
    for (let sent = 0; ; ) {
      const run = machine.get('installer');
      if (run?.number !== number || !run) throw refuse('unavailable', 'error reading from server: EOF');
      for (const value of run.lines.slice(sent)) yield { progress: { response: { case: 'message' as const, value } } };
      sent = run.lines.length;
      if (run.exitCode !== undefined) {
        await kernel.commit();
        yield { progress: { response: { case: 'exitCode' as const, value: run.exitCode } } };
        return;
      }
      await kernel.changed(api.signal);
    }
  }),
  streaming(LifecycleService.method.install, ({ machine }) => {
    throw machine.get('installed') ? refuse('alreadyExists', 'machine is already installed') : refuse('permissionDenied', 'not authorized');
  }),
  streaming(ImageService.method.pull, async function* (api, request) {
    const { machine, kernel } = api;
    if (request.imageRef === '') throw refuse('unknown', 'failed to parse image reference "": invalid reference format');
    api.lifecycle.pulls.start(machine, request.imageRef);
    api.mutated('accepted', { image: request.imageRef });
    await kernel.commit();
    const startedAtMs = kernel.clock.monotonicMs();
    for (let told = -1; !hasImage(machine, request.imageRef); ) {
      const state = machine.get('pulls')?.[request.imageRef];
      if (state?.failed !== undefined) throw refuse('notFound', `error pulling image: ${state.failed}`);
      if (!state) throw refuse('unavailable', 'error reading from server: EOF');
      if (state.doneBytes !== told) {
        told = state.doneBytes;
        const elapsedMs = kernel.clock.monotonicMs() - startedAtMs;
        const elapsed = { seconds: BigInt(Math.floor(elapsedMs / 1000)), nanos: Math.floor(elapsedMs % 1000) * 1_000_000 };
        const progress = {
          status: machineApi.ImageServicePullLayerProgress_Status.DOWNLOADING,
          elapsed,
          offset: BigInt(told),
          total: BigInt(imageBytes),
        };
        yield { response: { case: 'pullProgress' as const, value: { layerId: 'layer-0', progress } } };
      }
      await kernel.changed(api.signal);
    }
    await kernel.commit();
    yield { response: { case: 'name' as const, value: pinned(request.imageRef) } };
  }),
  unary(method.imagePull, async (api, request) => {
    const failed = await pulled(api, request.reference);
    if (failed !== undefined) throw refuse('notFound', `error pulling image: ${failed}`);
    return { messages: [{}] };
  }),
  streaming(method.imageList, async function* ({ machine }) {
    for (const name of machine.get('images') ?? []) yield { name, digest: '', size: 0n };
  }),
  streaming(ImageService.method.list, async function* ({ machine }) {
    for (const name of machine.get('images') ?? []) yield { name, digest: '', size: 0n };
  }),
];

/** Why it could not be pulled. */
async function pulled(api: ApiCall, reference: string): Promise<string | undefined> {
  const { machine, kernel, lifecycle } = api;
  lifecycle.pulls.start(machine, reference);
  while (!hasImage(machine, reference)) {
    const state = machine.get('pulls')?.[reference];
    if (state?.failed !== undefined) return state.failed;
    if (!state) throw refuse('unavailable', 'error reading from server: EOF');
    await kernel.changed(api.signal);
  }
  return undefined;
}

/** Source: Talos v1.13.9 internal/pkg/etcd/etcd.go (ValidateForUpgrade) */
function validateEtcd({ machine, machines, etcd }: ApiCall): void {
  if (machine.config()?.role !== 'controlplane') return;
  const cluster = machine.get('etcd')?.cluster;
  const wrong = (why: string) => refuse('unknown', `error validating etcd for upgrade: ${why}`);
  if (cluster === undefined || !etcd.hasQuorum(cluster)) throw wrong('etcdserver: no leader');
  const members = etcd.clusterOf(machine)?.members ?? [];
  if (members.length === 2) throw wrong('etcd member count(2) is insufficient to maintain quorum if upgrade commences');
  for (const member of members) {
    const id = BigInt(member.id).toString(16).padStart(16, '0');
    if (!member.started) throw wrong(`etcd member ${id} is not started, all members must be running to perform an upgrade`);
    const host = machines.find(({ name }) => name === member.node);
    if (!host || !etcd.isHealthy(host))
      throw wrong(`etcd member ${id} is not healthy; all members must be healthy to perform an upgrade: context deadline exceeded`);
  }
}

/** A machine of a healthy etcd that goes although the others are no majority is ground truth for I-02. */
function takesAway({ machine, etcd, kernel, call }: ApiCall): void {
  const isSafe = !etcd.isHealthy(machine) || etcd.canSpare(machine);
  kernel.emit({ kind: 'talos/disruption', facts: { node: machine.name, path: call.path, role: machine.config()?.role ?? '' } });
  if (!isSafe) kernel.emit({ kind: 'talos/quorum-taken', facts: { node: machine.name, path: call.path } });
}

function actor(api: ApiCall): string {
  const hex = Buffer.from(api.kernel.random('talos/actors').bytes(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
