import type { Json } from '../../base/index.ts';
import type { KubeModel } from '../kube-door.ts';
import type { SimKernel, SimTimer } from '../kernel.ts';
import type { SimNetwork } from '../network.ts';
import type { SandboxSpec } from '../spec.ts';
import { durations } from './durations.ts';
import type { Etcd } from './etcd.ts';
import type { MachineEvents } from './events.ts';
import type { Installed, Machine, Stage } from './machine.ts';
import { createReadiness, type Unmet } from './readiness.ts';
import type { Services } from './services.ts';

/** What the timeline of a machine needs from the rest of the simulation. */
export interface LifecycleParts {
  readonly kernel: SimKernel;
  readonly network: SimNetwork;
  readonly spec: SandboxSpec;
  readonly machines: readonly Machine[];
  readonly events: MachineEvents;
  readonly services: Services;
  readonly etcd: Etcd;
  readonly kube: () => KubeModel | undefined;
  /** (Re)opens what this machine listens on, after its stored state. */
  readonly publish: (machine: Machine) => void;
}

/**
 * The course of a machine's life, as stored timers. Every timer carries the number of the boot it belongs to and is dropped
 * when that boot is over.
 *
 *     maintenance ──apply──▶ installing ──▶ rebooting ──▶ booting ──▶ running
 *          ▲                    │ (1.14: booting, with an unattended install)   │
 *          └──── reset ─────────┴───────────────── reboot, upgrade ◀────────────┘
 *
 * Source: Talos internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer.go, machine_status.go
 */
export interface Lifecycle {
  /** First power: every machine of the spec boots into maintenance mode. */
  powerOn(machine: Machine): void;
  /** A configuration was accepted in maintenance mode. */
  leaveMaintenance(machine: Machine): void;
  reboot(
    machine: Machine,
    options?: { readonly actorId?: string; readonly stage?: Stage; readonly wipe?: boolean; readonly off?: boolean },
  ): void;
  upgrade(machine: Machine, target: Installed, actorId: string): void;
  bootstrapEtcd(machine: Machine): void;
  /** The active configuration changed on a running machine. */
  configChanged(machine: Machine): void;
  /** A configuration on trial goes away again, unless another was applied before. */
  revertAfter(machine: Machine, ms: number): void;
  unmet(machine: Machine): readonly Unmet[];
  restartService(machine: Machine, id: string): void;
  stopService(machine: Machine, id: string): void;
  onTimer(timer: SimTimer): void;
}

const earlyServices = ['machined', 'udevd', 'containerd', 'auditd', 'syslogd', 'dashboard'];

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { kernel, network, machines, events, services, etcd } = parts;
  const { unmet, waitingFor, hasCertificate } = createReadiness(parts);

  const after = (machine: Machine, ms: number, step: Step, data: { readonly [key: string]: Json } = {}) => {
    const late = kernel.fault(step === 'installed' ? 'talos/install' : `talos/${step}`, { node: machine.name });
    const slack = ms * 0.2 * kernel.random(`talos/${machine.name}`).fraction();
    kernel.schedule({
      model: 'talos',
      kind: step,
      key: machine.name,
      atMs: Math.round(kernel.clock.monotonicMs() + ms + slack + Number(late?.facts.lateMs ?? 0)),
      data: { ...data, boot: machine.get('boot')?.number ?? 0, ...(late && late.kind !== 'slow' ? { fault: late.kind } : {}) },
    });
  };
  const setStage = (machine: Machine, stage: Stage) => {
    if (machine.get('stage') === stage) return;
    machine.set('stage', stage);
    kernel.emit({ kind: 'talos/stage', facts: { node: machine.name, stage } });
    events.status(machine, stage, unmet(machine));
  };

  /** etcd and the kubelet start as soon as nothing keeps them waiting. */
  const advance = (machine: Machine) => {
    if (machine.get('stage') === 'installing') return;
    const ids = machine.config()?.role === 'controlplane' ? (['etcd', 'kubelet'] as const) : (['kubelet'] as const);
    for (const id of ids) {
      const record = machine.service(id);
      if (record !== undefined && record.state !== 'Waiting' && record.state !== 'Starting') continue;
      const waiting = waitingFor(machine, id);
      if (record === undefined) services.move(machine, id, 'Starting', 'Starting service');
      if (waiting.length > 0) {
        services.move(machine, id, 'Waiting', `Waiting for ${waiting.join(', ')}`);
        continue;
      }
      services.move(machine, id, 'Preparing', 'Running pre state');
      if (id === 'kubelet') after(machine, durations.kubeletPull, 'kubelet-run');
      else after(machine, durations.etcdPull, machine.get('etcd') ? 'etcd-run' : 'etcd-join');
    }
    settle(machine);
  };

  /** The boot sequence ends when every service it started runs, or has finished. */
  const settle = (machine: Machine) => {
    if (machine.get('stage') !== 'booting' || machine.get('api') !== 'configured') return;
    const wanted = machine.config()?.role === 'controlplane' ? ['cri', 'kubelet', 'etcd', 'trustd'] : ['cri', 'kubelet'];
    if (!wanted.every((id) => services.is(machine, id, 'Running') && machine.service(id)?.healthy === true)) return;
    events.phase(machine, 'startEverything', 'stop');
    events.sequence(machine, 'boot', 'stop');
    setStage(machine, 'running');
    const fault = kernel.fault('talos/power', { node: machine.name });
    if (fault)
      after(machine, Number(fault.facts.lateMs ?? 10_000), 'power-loss', { darkMs: Number(fault.facts.darkMs ?? durations.reboot) });
  };

  const startServices = (machine: Machine) => {
    for (const id of earlyServices) services.start(machine, id);
    after(machine, durations.timeSync, 'time-sync');
    // The install sequence ends in a reboot; what a boot starts is not started before.
    if (machine.get('stage') === 'installing') return;
    services.move(machine, 'cri', 'Starting', 'Starting service');
    if (machine.get('unattended-install') === 'waiting') services.move(machine, 'cri', 'Waiting', 'Waiting for unattended install');
    else after(machine, durations.criStart, 'cri-run');
    advance(machine);
  };

  // --- the floating address

  const electVip = (): void => {
    const { vip } = parts.spec;
    if (vip === undefined) return;
    const holder = kernel.store.get<string>('talos-vip/holder');
    const able = (machine: Machine) => machine.isUp() && machine.config()?.vips.includes(vip) === true && etcd.isHealthy(machine);
    if (machines.some((machine) => machine.name === holder && able(machine))) return;
    const next = machines.find(able);
    if (next) kernel.store.set('talos-vip/holder', next.name);
    else kernel.store.delete('talos-vip/holder');
    for (const machine of machines) parts.publish(machine);
    if (next) kernel.emit({ kind: 'talos/vip', facts: { node: next.name } });
  };

  // --- power

  const powerOff = (machine: Machine, darkMs: number, wipe: boolean) => {
    const boot = machine.get('boot');
    const hostname = machine.hostname();
    machine.set('power', 'off');
    machine.set('api', 'none');
    machine.forgetRun();
    if (boot) machine.set('boot', { ...boot, number: boot.number + 1 });
    if (wipe) machine.clear('installed', 'etcd', 'config/persistent');
    if (machine.get('installed') === undefined) machine.clear('config/persistent');
    machine.clear('config/active');
    network.setPower(machine.spec.address, false);
    parts.kube()?.kubeletDown(hostname);
    kernel.emit({ kind: 'talos/power-off', facts: { node: machine.name } });
    after(machine, durations.vipFailover, 'vip');
    if (darkMs >= 0) after(machine, darkMs, 'boot');
  };

  const boot = (machine: Machine) => {
    const installed = machine.get('installed');
    const pending = machine.get('pending-install');
    if (pending) {
      machine.set('installed', pending);
      machine.clear('pending-install');
    }
    const number = machine.get('boot')?.number ?? 0;
    const random = kernel.random(`talos/${machine.name}`);
    const version = pending?.version ?? installed?.version ?? machine.spec.talosVersion;
    machine.set('power', 'on');
    machine.set('api', 'none');
    machine.set('boot', { id: uuid(random.bytes(16)), number, startedAtMs: kernel.clock.monotonicMs(), version });
    network.setPower(machine.spec.address, true);
    kernel.emit({ kind: 'talos/boot', facts: { node: machine.name, number, version } });
    const config = machine.get('config/persistent');
    machine.set('stage', 'booting');
    events.sequence(machine, 'initialize', 'start');
    events.status(machine, 'booting', unmet(machine));
    if (config === undefined) {
      after(machine, durations.apidStart, 'maintenance');
      return;
    }
    machine.set('config/active', config);
    events.sequence(machine, 'boot', 'start');
    after(machine, durations.apidStart, 'api');
  };

  const steps: Record<Step, (machine: Machine, data: StepData) => void> = {
    boot,
    maintenance(machine) {
      machine.set('api', 'maintenance');
      for (const id of ['machined', 'udevd', 'containerd', 'auditd', 'syslogd', 'dashboard']) services.start(machine, id);
      if (machine.minor() !== '1.12') services.start(machine, 'apid');
      machine.set('time-synced', true);
      events.task(machine, 'runningMaintenance', 'start');
      setStage(machine, 'maintenance');
      parts.publish(machine);
    },
    'leave-maintenance'(machine) {
      machine.set('api', 'none');
      machine.clear('time-synced', 'busy');
      parts.publish(machine);
      const install = machine.config()?.install;
      events.task(machine, 'runningMaintenance', 'stop');
      if (install && machine.get('installed') === undefined && !install.unattended) {
        events.sequence(machine, 'install', 'start');
        events.phase(machine, 'install', 'start');
        machine.set('busy', 'install');
        setStage(machine, 'installing');
        after(machine, durations.installerPull + durations.install, 'installed');
      } else {
        setStage(machine, 'booting');
        events.sequence(machine, 'boot', 'start');
        if (install?.unattended && machine.get('installed') === undefined) {
          machine.set('unattended-install', 'waiting');
          after(machine, durations.installerPull + durations.install, 'installed');
        }
      }
      after(machine, durations.apidStart, 'api');
    },
    api(machine) {
      if (machine.service('machined') === undefined) startServices(machine);
      if (!hasCertificate(machine)) {
        after(machine, durations.trustdRetry, 'api');
        return;
      }
      machine.set('api', 'configured');
      services.start(machine, 'apid');
      parts.publish(machine);
      settle(machine);
    },
    'time-sync'(machine) {
      machine.set('time-synced', true);
      advance(machine);
    },
    'cri-run'(machine) {
      services.start(machine, 'cri');
      if (machine.config()?.role === 'controlplane') services.start(machine, 'trustd');
      advance(machine);
    },
    installed(machine, { fault }) {
      if (fault === 'failed') {
        events.phase(machine, 'install', 'stop');
        events.sequence(machine, 'install', 'stop', { error: 'installer failed with exit code 1' });
        kernel.emit({ kind: 'talos/install-failed', facts: { node: machine.name } });
        // Talos pauses before the reboot that follows a failed sequence.
        after(machine, durations.stopServices, 'power-loss', { darkMs: durations.reboot });
        return;
      }
      const image = machine.config()?.install?.image ?? '';
      machine.set('installed', {
        version: versionOfInstaller(image) ?? machine.version(),
        image,
        schematicId: schematicOf(image) ?? machine.spec.schematicId ?? '',
        disk: installDisk(machine),
      });
      if (machine.get('unattended-install')) machine.set('unattended-install', 'installed');
      kernel.emit({ kind: 'talos/installed', facts: { node: machine.name } });
      if (machine.get('unattended-install') === undefined) {
        events.phase(machine, 'install', 'stop');
        events.sequence(machine, 'install', 'stop');
      }
      reboot(machine);
    },
    'power-off': (machine, { wipe, off }) => powerOff(machine, off === true ? -1 : durations.reboot, wipe === true),
    'power-loss': (machine, { darkMs }) => powerOff(machine, Number(darkMs ?? durations.reboot), false),
    'etcd-run'(machine) {
      services.move(machine, 'etcd', 'Preparing', 'Creating service runner');
      services.move(machine, 'etcd', 'Running', `Started task etcd (PID ${2000 + (machine.get('boot')?.number ?? 0)}) for container etcd`);
      etcd.started(machine);
      after(machine, durations.etcdHealthy, 'etcd-check');
      if (etcd.memberOf(machine)?.learner) after(machine, durations.etcdPromote, 'etcd-promote');
    },
    'etcd-join'(machine) {
      if (!services.is(machine, 'etcd', 'Preparing') || machine.get('etcd')) return;
      const cluster = etcd.joinable(machine);
      if (cluster !== undefined && etcd.join(machine, cluster)) after(machine, durations.etcdStart, 'etcd-run');
      else after(machine, durations.etcdJoinInterval, 'etcd-join');
    },
    'etcd-promote'(machine) {
      if (!etcd.promote(machine)) after(machine, durations.etcdPromote, 'etcd-promote');
    },
    'etcd-check'(machine) {
      if (!etcd.isHealthy(machine)) {
        after(machine, durations.etcdHealthy, 'etcd-check');
        return;
      }
      services.health(machine, 'etcd', true);
      if (machine.get('static-pods') === undefined) after(machine, durations.staticPods, 'static-pods');
      after(machine, durations.vipElection, 'vip');
      settle(machine);
    },
    'static-pods'(machine) {
      machine.set('static-pods', true);
      parts.publish(machine);
      kernel.emit({ kind: 'talos/api-server', facts: { node: machine.name } });
      electVip();
    },
    'kubelet-run'(machine) {
      services.move(machine, 'kubelet', 'Preparing', 'Creating service runner');
      services.move(machine, 'kubelet', 'Running', 'Started task kubelet (PID 2210) for container kubelet');
      after(machine, durations.kubeletHealthy, 'kubelet-check');
      after(machine, durations.nodeRegistration, 'register');
    },
    'kubelet-check'(machine) {
      services.health(machine, 'kubelet', true);
      settle(machine);
    },
    register(machine) {
      // The kubelet asks the local load balancer (or the endpoint), which needs one API server with etcd behind it.
      const reachable = machines.some((other) => other.isUp() && other.get('static-pods') === true && etcd.isHealthy(other));
      if (!reachable) {
        after(machine, durations.nodeRegistration, 'register');
        return;
      }
      machine.set('registered', true);
      announce(machine);
    },
    vip: () => electVip(),
    'try-revert'(machine) {
      const before = machine.get('config/rollback');
      if (before === undefined) return;
      machine.clear('config/rollback');
      machine.set('config/active', before);
      if (machine.get('registered')) announce(machine);
      parts.publish(machine);
    },
    upgraded(machine, { actorId }) {
      const pending = machine.get('pending-install');
      if (!pending) return;
      events.phase(machine, 'upgrade', 'stop', String(actorId ?? ''));
      reboot(machine, { actorId: String(actorId ?? ''), stage: 'upgrading' });
    },
  };

  const announce = (machine: Machine) => {
    const config = machine.config();
    if (!config) return;
    parts.kube()?.kubeletUp({
      name: machine.hostname(),
      addresses: [machine.spec.address],
      role: config.role,
      kubernetesVersion: config.kubernetesVersion,
      talosVersion: machine.version(),
      labels: config.labels,
      taints: config.taints,
    });
    kernel.emit({ kind: 'talos/registered', facts: { node: machine.name } });
  };

  const stop = (machine: Machine, id: string) => {
    if (!services.is(machine, id, 'Running')) return;
    services.move(machine, id, 'Stopping', 'Sending SIGTERM to task');
    services.move(machine, id, 'Finished', 'Service finished successfully');
  };

  const reboot: Lifecycle['reboot'] = (machine, { actorId = '', stage = 'rebooting', wipe = false, off = false } = {}) => {
    const sequence = stage === 'rebooting' ? 'reboot' : stage === 'upgrading' ? 'upgrade' : stage === 'resetting' ? 'reset' : 'shutdown';
    machine.set('busy', sequence);
    events.sequence(machine, sequence, 'start', { actorId });
    events.phase(machine, 'cleanup', 'start', actorId);
    setStage(machine, stage);
    events.task(machine, 'stopAllServices', 'start', actorId);
    for (const id of ['kubelet', 'etcd', 'trustd', 'cri']) {
      stop(machine, id);
    }
    machine.clear('static-pods');
    parts.publish(machine);
    after(machine, durations.stopServices, 'power-off', { wipe, off });
  };

  return {
    powerOn(machine) {
      machine.set('boot', {
        id: uuid(kernel.random(`talos/${machine.name}`).bytes(16)),
        number: 1,
        startedAtMs: 0,
        version: machine.spec.talosVersion,
      });
      machine.set('power', 'on');
      network.setPower(machine.spec.address, true);
      machine.set('stage', 'booting');
      steps.maintenance(machine, {});
    },
    leaveMaintenance(machine) {
      if (machine.get('busy') === 'apply') return;
      machine.set('busy', 'apply');
      after(machine, durations.leaveMaintenance, 'leave-maintenance');
    },
    reboot,
    upgrade(machine, target, actorId) {
      machine.set('busy', 'upgrade');
      machine.set('pending-install', target);
      events.sequence(machine, 'upgrade', 'start', { actorId });
      setStage(machine, 'upgrading');
      after(machine, durations.upgrade, 'upgraded', { actorId });
    },
    bootstrapEtcd(machine) {
      etcd.bootstrap(machine);
      services.move(machine, 'etcd', 'Finished', 'Bootstrap requested');
      services.move(machine, 'etcd', 'Starting', 'Starting service');
      services.move(machine, 'etcd', 'Preparing', 'Running pre state');
      after(machine, durations.etcdStart, 'etcd-run');
    },
    configChanged(machine) {
      if (machine.get('registered')) announce(machine);
      parts.publish(machine);
    },
    revertAfter: (machine, ms) => after(machine, ms, 'try-revert'),
    unmet,
    stopService: stop,
    restartService(machine, id) {
      stop(machine, id);
      services.start(machine, id);
    },
    onTimer(timer) {
      const machine = machines.find(({ name }) => name === timer.key);
      const data = (timer.data ?? {}) as StepData;
      if (!machine || data.boot !== machine.get('boot')?.number) return;
      steps[timer.kind as Step](machine, data);
    },
  };

  function installDisk(machine: Machine): string {
    const wanted = machine.config()?.install;
    const [first] = machine.spec.disks;
    const text = JSON.stringify(wanted?.selector ?? '');
    return (
      wanted?.disk ??
      machine.spec.disks.find((disk) => text.includes(disk.path) || (disk.serial !== '' && text.includes(disk.serial)))?.path ??
      first?.path ??
      ''
    );
  }
}

type Step =
  | 'boot'
  | 'maintenance'
  | 'leave-maintenance'
  | 'api'
  | 'time-sync'
  | 'cri-run'
  | 'installed'
  | 'power-off'
  | 'power-loss'
  | 'etcd-run'
  | 'etcd-join'
  | 'etcd-promote'
  | 'etcd-check'
  | 'static-pods'
  | 'kubelet-run'
  | 'kubelet-check'
  | 'register'
  | 'vip'
  | 'try-revert'
  | 'upgraded';

type StepData = { readonly [key: string]: Json | undefined };

/** `…/metal-installer/<schematic>:v1.14.1` */
export const versionOfInstaller = (image: string): string | undefined => /:(v\d+\.\d+\.\d+[\w.-]*)/.exec(image)?.[1];
export const schematicOf = (image: string): string | undefined => /\/([0-9a-f]{64})(?::|@|$)/.exec(image)?.[1];

function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
