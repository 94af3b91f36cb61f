import { stripControl, TkError } from '../../base/index.ts';
import { commonApi, type DescMethod, machineApi, storageApi } from '../../upstream/index.ts';
import { type ApplyMode, type ApplyResult, applyRequest, applyResultOf, type ConfigToApply } from './apply.ts';
import { shortName } from './calls.ts';
import { talosFailure } from './failures.ts';
import { type ExpectedIdentity, verifyIdentity } from './identity.ts';
import { readerOver, type TalosReader } from './reader.ts';
import { createSession, type TalosMachine, type TalosPorts } from './session.ts';

/** Where an image is looked for: `system` by the machine's own services, `cri` by pods. */
export type ImageNamespace = 'system' | 'cri';

export type RebootMode = 'default' | 'powercycle' | 'force';

export interface ResetOptions {
  /** Leaves etcd and drains first. */
  readonly isGraceful: boolean;
  /** Otherwise the machine is switched off. */
  readonly reboots: boolean;
  readonly wipe: 'all' | 'system-disk' | 'user-disks';
  /** Only these system partitions: `STATE`, `EPHEMERAL`. Empty: the whole system disk. */
  readonly systemLabels?: readonly string[];
  readonly userDisks?: readonly string[];
}

export interface LegacyUpgradeOptions {
  readonly image: string;
  readonly isStaged?: boolean;
  /** Also leaves out the machine's own check of etcd. */
  readonly isForced?: boolean;
  readonly rebootMode?: 'default' | 'powercycle';
}

/** `actor` links the events that follow from one call; absent where the machine gives none. */
export interface Started {
  readonly actor?: string;
}

/**
 * What changes one machine. Before each call the machine proves on the connection that carries it who it is. No call is repeated
 * by itself: `talos/outcome-unknown` means that the caller has to look first.
 */
export interface TalosMutator extends TalosReader {
  applyConfiguration(config: ConfigToApply, mode: ApplyMode, signal: AbortSignal): Promise<ApplyResult>;
  /**
   * Bootstraps etcd. Once per cluster, on one control plane.
   *
   * Failure: `talos/failed-precondition` too early; `talos/already-exists` when etcd has data here; `talos/unimplemented` on a worker.
   * Source: Talos pkg/cluster/bootstrap.go
   */
  bootstrap(options: { readonly recoverEtcd?: boolean; readonly skipHashCheck?: boolean }, signal: AbortSignal): Promise<void>;
  reboot(mode: RebootMode, signal: AbortSignal): Promise<Started>;
  shutdown(options: { readonly isForced: boolean }, signal: AbortSignal): Promise<Started>;
  reset(options: ResetOptions, signal: AbortSignal): Promise<Started>;
  rollback(signal: AbortSignal): Promise<void>;
  /** Up to 1.17: pulls, checks etcd, installs and reboots, all on the machine. */
  upgradeLegacy(options: LegacyUpgradeOptions, signal: AbortSignal): Promise<Started>;
  /** From 1.13. Returns the name under which `install` and `upgrade` find the image. */
  pullImage(reference: string, signal: AbortSignal): Promise<string>;
  /** Up to 1.12. */
  pullImageLegacy(reference: string, signal: AbortSignal, namespace?: ImageNamespace): Promise<void>;
  /**
   * From 1.13: runs the installer of a pulled image, without a reboot.
   *
   * Failure: `talos/installer-failed`: the machine reports it as a message and ends the call with OK.
   */
  upgrade(image: string, observe: (line: string) => void, signal: AbortSignal): Promise<void>;
  install(options: { readonly image: string; readonly disk: string }, observe: (line: string) => void, signal: AbortSignal): Promise<void>;
  startService(id: string, signal: AbortSignal): Promise<void>;
  stopService(id: string, signal: AbortSignal): Promise<void>;
  restartService(id: string, signal: AbortSignal): Promise<void>;
  /** Returns the new leader's host name; empty when this member was none. */
  forfeitEtcdLeadership(signal: AbortSignal): Promise<string>;
  removeEtcdMember(id: bigint, signal: AbortSignal): Promise<void>;
  leaveEtcd(signal: AbortSignal): Promise<void>;
  defragmentEtcd(signal: AbortSignal): Promise<void>;
  disarmEtcdAlarms(signal: AbortSignal): Promise<void>;
  /** Uploads a snapshot; `bootstrap({ recoverEtcd: true })` starts from it. */
  recoverEtcd(snapshot: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  wipeDisks(devices: readonly string[], signal: AbortSignal): Promise<void>;
  writeMeta(key: number, value: Uint8Array, signal: AbortSignal): Promise<void>;
}

/**
 * A port that may change this one machine. Dry runs and plans are never given one. `lastLook` runs between the proof of who the machine
 * is and each call; when it fails nothing is sent.
 */
export function createTalosMutator(
  ports: TalosPorts,
  machine: TalosMachine,
  identity: ExpectedIdentity,
  lastLook?: (signal: AbortSignal) => Promise<void>,
): TalosMutator {
  if (Object.keys(identity).length === 0) throw new Error('a machine cannot be changed without knowing which one it has to be');
  const session = createSession(ports, machine, {
    async beforeMutation(connection, reached, signal) {
      await verifyIdentity(ports, reached, connection, identity, signal);
      await lastLook?.(signal);
    },
  });
  const { method } = machineApi.MachineService;
  const at = { node: machine.node, address: machine.host };
  const started = (messages: readonly { readonly actorId: string }[]): Started => {
    const actor = messages[0]?.actorId;
    return actor ? { actor } : {};
  };
  const containerd = { driver: commonApi.ContainerDriver.CRI, namespace: commonApi.ContainerdNamespace.NS_SYSTEM };

  const followInstaller = async (
    progress: AsyncIterable<{ readonly progress?: machineApi.LifecycleServiceInstallProgress | undefined }>,
    call: DescMethod,
    observe: (line: string) => void,
  ) => {
    const lastLines: string[] = [];
    let exitCode: number | undefined;
    for await (const { progress: step } of progress) {
      if (step?.response.case === 'exitCode') exitCode = step.response.value;
      if (step?.response.case !== 'message') continue;
      for (const line of step.response.value.split('\n').map(stripControl).filter(Boolean)) {
        observe(line);
        lastLines.push(line);
        if (lastLines.length > keptLines) lastLines.shift();
      }
    }
    if (exitCode === undefined)
      throw new TkError(
        talosFailure('talos/outcome-unknown', { ...at, method: shortName(call), because: 'the stream ended without an exit code' }),
      );
    if (exitCode !== 0) throw new TkError(talosFailure('talos/installer-failed', { ...at, exitCode, lastLines }));
  };

  return {
    ...readerOver(session),
    applyConfiguration: async (config, mode, signal) => {
      const reply = await session.unary(method.applyConfiguration, applyRequest(config, mode, { isDryRun: false }), { signal });
      const [message] = reply.messages;
      if (message) return applyResultOf(message, mode);
      throw new TkError(
        talosFailure('talos/outcome-unknown', { ...at, method: shortName(method.applyConfiguration), because: 'an empty reply' }),
      );
    },
    bootstrap: async ({ recoverEtcd = false, skipHashCheck = false }, signal) => {
      await session.unary(method.bootstrap, { recoverEtcd, recoverSkipHashCheck: skipHashCheck }, { signal });
    },
    reboot: async (mode, signal) => started((await session.unary(method.reboot, { mode: rebootModes[mode] }, { signal })).messages),
    shutdown: async ({ isForced }, signal) => started((await session.unary(method.shutdown, { force: isForced }, { signal })).messages),
    reset: async (options, signal) => {
      const request = {
        graceful: options.isGraceful,
        reboot: options.reboots,
        mode: wipeModes[options.wipe],
        systemPartitionsToWipe: (options.systemLabels ?? []).map((label) => ({ label, wipe: true })),
        userDisksToWipe: [...(options.userDisks ?? [])],
      };
      return started((await session.unary(method.reset, request, { signal })).messages);
    },
    rollback: async (signal) => {
      await session.unary(method.rollback, {}, { signal });
    },
    upgradeLegacy: async ({ image, isStaged = false, isForced = false, rebootMode = 'default' }, signal) => {
      // `preserve` does nothing for the data since 1.8, and from 1.12 on it would also leave out the check of etcd.
      const request = { image, preserve: false, stage: isStaged, force: isForced, rebootMode: legacyRebootModes[rebootMode] };
      return started((await session.unary(method.upgrade, request, { signal })).messages);
    },
    pullImage: async (reference, signal) => {
      const call = machineApi.ImageService.method.pull;
      let name: string | undefined;
      for await (const { response } of session.stream(call, { containerd, imageRef: reference }, { signal })) {
        if (response.case === 'name') name = stripControl(response.value);
      }
      if (name !== undefined) return name;
      throw new TkError(
        talosFailure('talos/unexpected-reply', { ...at, method: shortName(call), expected: 'the name of the pulled image' }),
      );
    },
    pullImageLegacy: async (reference, signal, namespace = 'system') => {
      await session.unary(method.imagePull, { namespace: imageNamespaces[namespace], reference }, { signal });
    },
    upgrade: (image, observe, signal) => {
      const call = machineApi.LifecycleService.method.upgrade;
      return followInstaller(session.stream(call, { containerd, source: { imageName: image } }, { signal }), call, observe);
    },
    install: ({ image, disk }, observe, signal) => {
      const call = machineApi.LifecycleService.method.install;
      const request = { containerd, source: { imageName: image }, destination: { disk } };
      return followInstaller(session.stream(call, request, { signal }), call, observe);
    },
    startService: async (id, signal) => {
      await session.unary(method.serviceStart, { id }, { signal });
    },
    stopService: async (id, signal) => {
      await session.unary(method.serviceStop, { id }, { signal });
    },
    restartService: async (id, signal) => {
      await session.unary(method.serviceRestart, { id }, { signal });
    },
    forfeitEtcdLeadership: async (signal) =>
      stripControl((await session.unary(method.etcdForfeitLeadership, {}, { signal })).messages[0]?.member ?? ''),
    removeEtcdMember: async (memberId, signal) => {
      await session.unary(method.etcdRemoveMemberByID, { memberId }, { signal });
    },
    leaveEtcd: async (signal) => {
      await session.unary(method.etcdLeaveCluster, {}, { signal });
    },
    defragmentEtcd: async (signal) => {
      await session.unary(method.etcdDefragment, {}, { signal });
    },
    disarmEtcdAlarms: async (signal) => {
      await session.unary(method.etcdAlarmDisarm, {}, { signal });
    },
    recoverEtcd: async (snapshot, signal) => {
      const requests = async function* () {
        for await (const bytes of snapshot) yield { bytes };
      };
      await session.upload(method.etcdRecover, requests(), { signal });
    },
    wipeDisks: async (devices, signal) => {
      const request = { devices: devices.map((device) => ({ device, method: storageApi.BlockDeviceWipeDescriptor_Method.FAST })) };
      await session.unary(storageApi.StorageService.method.blockDeviceWipe, request, { signal });
    },
    writeMeta: async (key, value, signal) => {
      await session.unary(method.metaWrite, { key, value }, { signal });
    },
  };
}

const keptLines = 12;

const { NS_SYSTEM, NS_CRI } = commonApi.ContainerdNamespace;
const imageNamespaces: Readonly<Record<ImageNamespace, commonApi.ContainerdNamespace>> = { system: NS_SYSTEM, cri: NS_CRI };

const { RebootRequest_Mode: Reboot, ResetRequest_WipeMode: Wipe, UpgradeRequest_RebootMode: UpgradeReboot } = machineApi;
const rebootModes = { default: Reboot.DEFAULT, powercycle: Reboot.POWERCYCLE, force: Reboot.FORCE } as const;
const legacyRebootModes = { default: UpgradeReboot.DEFAULT, powercycle: UpgradeReboot.POWERCYCLE } as const;
const wipeModes = { all: Wipe.ALL, 'system-disk': Wipe.SYSTEM_DISK, 'user-disks': Wipe.USER_DISKS } as const;
