import type { Json } from '../../base/index.ts';
import type { KubeModel } from '../kube-door.ts';
import type { SimKernel, SimTimer } from '../kernel.ts';
import type { SimNetwork } from '../network.ts';
import type { SandboxSpec } from '../spec.ts';
import { durations } from './durations.ts';
import type { Etcd } from './etcd.ts';
import type { MachineEvents } from './events.ts';
import { createPulls, type Pulls, runInstaller, schematicOf, versionOfInstaller } from './installer.ts';
import { createKubeletCourse, type KubeletStep } from './kubelet-course.ts';
import type { Machine, Stage } from './machine.ts';
import { createReadiness, type Unmet } from './readiness.ts';
import { createSequences, type Sequences, type SequenceStep } from './sequences.ts';
import type { Services } from './services.ts';
import { dropFallback, installFirst, nextOf, revertFailed, startDefault } from './slots.ts';

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
  /** Somebody presses the button of a machine that is off. */
  pressPower(machine: Machine): void;
  /** The power goes, and comes back. */
  losePower(machine: Machine, darkMs: number): void;
  readonly sequences: Omit<Sequences, 'steps'>;
  readonly pulls: Pick<Pulls, 'start'>;
  /** The lifecycle service's installer; its outcome will stand in the machine's `installer`. */
  startInstaller(machine: Machine, image: string): void;
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
    cordon(machine, stage);
    events.status(machine, stage, unmet(machine));
  };

  /** Source: Talos v1.13.9 internal/app/machined/pkg/controllers/k8s/{node_cordoned_spec,node_apply}.go */
  const cordon = (machine: Machine, stage: Stage) => {
    if (machine.get('registered') !== true) return;
    if (stage === 'upgrading' || stage === 'resetting' || stage === 'shutting down') parts.kube()?.setCordoned(machine.hostname(), true);
    else if (stage === 'booting' || stage === 'running') parts.kube()?.setCordoned(machine.hostname(), false);
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
    after(machine, durations.fallbackCheck, 'drop-fallback');
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

  const powerOff = (machine: Machine, darkMs: number, wipe: readonly string[], by?: 'kexec') => {
    const boot = machine.get('boot');
    const hostname = machine.hostname();
    const etcdVolume = machine.hasEtcdVolume() ? 'ETCD' : 'EPHEMERAL';
    machine.set('power', 'off');
    machine.set('api', 'none');
    machine.forgetRun();
    // Timers of this run are over; the instant of the next start is not.
    if (boot) machine.set('boot', { id: boot.id, number: boot.number + 1, startedAtMs: boot.startedAtMs, version: boot.version });
    if (wipe.includes('all')) machine.clear('installed', 'slots', 'staged-upgrade', 'etcd', 'config/persistent', 'images', 'meta');
    if (wipe.includes('EPHEMERAL')) machine.clear('images');
    const wiped = wipe.includes('all') ? ['META', 'STATE', 'EPHEMERAL', 'ETCD'] : wipe;
    if (wiped.length > 0) {
      const made = machine.get('partitions') ?? {};
      machine.set('partitions', { ...made, ...Object.fromEntries(wiped.map((label) => [label, (made[label] ?? 0) + 1])) });
    }
    if (wipe.includes(etcdVolume)) machine.clear('etcd');
    if (wipe.includes('STATE')) machine.clear('config/persistent');
    if (machine.get('installed') === undefined) machine.clear('config/persistent');
    machine.clear('config/active');
    network.setPower(machine.spec.address, false);
    parts.kube()?.kubeletDown(hostname);
    kernel.emit({ kind: 'talos/power-off', facts: { node: machine.name } });
    after(machine, durations.vipFailover, 'vip');
    if (darkMs >= 0) after(machine, darkMs, 'boot', by ? { by } : {});
  };

  const boot = (machine: Machine, { by }: StepData) => {
    const kexec = by === 'kexec';
    if (!kexec && nextOf(machine)?.needsKexec) {
      kernel.emit({ kind: 'talos/unbootable', facts: { node: machine.name } });
      return;
    }
    const isNewSlot = startDefault(machine);
    const version = machine.get('installed')?.version ?? machine.spec.talosVersion;
    const fault = isNewSlot ? kernel.fault('talos/new-slot', { node: machine.name, version }) : undefined;
    if (fault?.kind === 'dead') {
      kernel.emit({ kind: 'talos/never-returned', facts: { node: machine.name } });
      return;
    }
    const number = machine.get('boot')?.number ?? 0;
    const random = kernel.random(`talos/${machine.name}`);
    machine.set('power', 'on');
    machine.set('api', 'none');
    const startedAtMs = kernel.clock.monotonicMs();
    machine.set('boot', { id: uuid(random.bytes(16)), number, startedAtMs, version, ...(kexec ? { by: 'kexec' as const } : {}) });
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
    if (fault?.kind === 'failed') {
      after(machine, durations.failedStart, 'start-failed');
      return;
    }
    const staged = machine.get('staged-upgrade');
    if (staged) {
      machine.clear('staged-upgrade');
      machine.set('busy', 'upgrade');
      events.sequence(machine, 'upgrade', 'start');
      setStage(machine, 'upgrading');
      after(machine, durations.upgrade, 'staged-install', { image: staged.image });
      return;
    }
    events.sequence(machine, 'boot', 'start');
    after(machine, durations.apidStart, 'api');
  };

  const pulls = createPulls(kernel, (machine, ms, image) => after(machine, ms, 'pull', { image }));
  const { steps: sequenceSteps, ...sequences } = createSequences({
    ...parts,
    after: (machine, ms, step, data) => after(machine, ms, step, data),
    setStage: (machine, stage) => setStage(machine, stage),
    unmet,
  });

  const { steps: kubeletSteps, configChanged } = createKubeletCourse({
    ...parts,
    after: (machine, ms, step, data) => after(machine, ms, step, data),
    settle,
    electVip,
  });

  const steps: Record<Step, (machine: Machine, data: StepData) => void> = {
    boot,
    maintenance(machine) {
      machine.set('api', 'maintenance');
      for (const id of earlyServices) services.start(machine, id);
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
      // A disk that kept its system goes on from maintenance mode in the same boot; a new one reboots into what was installed.
      const goesOn = machine.get('installed') !== undefined && machine.get('unattended-install') === undefined;
      if (machine.service('machined') === undefined || (goesOn && machine.service('cri') === undefined)) startServices(machine);
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
      installFirst(machine, {
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
      // The install sequence ends with a restart of its own.
      machine.clear('busy');
      sequences.reboot(machine, '', 'default');
    },
    'power-off'(machine, { wipe, off, by }) {
      const wiped = Array.isArray(wipe) ? wipe.map(String) : [];
      // Firmware checks what it starts under secure boot, and a disk without a system has nothing to load.
      const canKexec =
        by === 'kexec' && machine.spec.secureBoot !== true && !wiped.includes('all') && machine.get('installed') !== undefined;
      powerOff(machine, off === true ? -1 : canKexec ? durations.kexec : durations.reboot, wiped, canKexec ? 'kexec' : undefined);
    },
    'power-loss': (machine, { darkMs }) => powerOff(machine, Number(darkMs ?? durations.reboot), []),
    'start-failed'(machine) {
      revertFailed(machine);
      kernel.emit({ kind: 'talos/reverted', facts: { node: machine.name } });
      setStage(machine, 'rebooting');
      after(machine, durations.fatalPause, 'power-off', { by: 'firmware' });
    },
    'staged-install'(machine, { image }) {
      runInstaller(kernel, machine, String(image));
      after(machine, durations.stopServices, 'power-off', { by: 'kexec' });
    },
    'drop-fallback'(machine) {
      if (machine.get('stage') !== 'running') return;
      if (unmet(machine).length > 0) after(machine, durations.fallbackCheck, 'drop-fallback');
      else dropFallback(machine);
    },
    pull: (machine, { image }) => pulls.go(machine, String(image)),
    installer(machine) {
      const run = machine.get('installer');
      if (!run || run.exitCode !== undefined) return;
      const { exitCode, lines } = runInstaller(kernel, machine, run.image);
      machine.set('installer', { ...run, lines: [...run.lines, ...lines], exitCode });
    },
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
        // Source: Talos v1.13.9 internal/app/machined/pkg/system/health/check.go: what fails once is unhealthy
        services.health(machine, 'etcd', false, 'context deadline exceeded');
        after(machine, durations.etcdHealthy, 'etcd-check');
        return;
      }
      services.health(machine, 'etcd', true);
      if (machine.get('static-pods') === undefined) after(machine, durations.staticPods, 'static-pods');
      after(machine, durations.vipElection, 'vip');
      settle(machine);
    },
    ...kubeletSteps,
    vip: () => electVip(),
    'try-revert'(machine) {
      const before = machine.get('config/rollback');
      if (before === undefined) return;
      machine.clear('config/rollback');
      machine.set('config/active', before);
      configChanged(machine);
    },
    ...sequenceSteps,
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
    pressPower(machine) {
      if (!machine.isUp()) boot(machine, {});
    },
    losePower: (machine, darkMs) => {
      if (machine.isUp()) powerOff(machine, darkMs, []);
    },
    sequences,
    pulls,
    startInstaller(machine, image) {
      const number = (machine.get('installer')?.number ?? 0) + 1;
      machine.set('installer', { number, image, lines: [`running the installer ${image}`] });
      kernel.emit({ kind: 'talos/installer-started', facts: { node: machine.name } });
      const late = kernel.fault('talos/installer-time', { node: machine.name });
      after(machine, durations.upgrade + Number(late?.facts.lateMs ?? 0), 'installer');
    },
    bootstrapEtcd(machine) {
      etcd.bootstrap(machine);
      services.move(machine, 'etcd', 'Finished', 'Bootstrap requested');
      services.move(machine, 'etcd', 'Starting', 'Starting service');
      services.move(machine, 'etcd', 'Preparing', 'Running pre state');
      after(machine, durations.etcdStart, 'etcd-run');
    },
    configChanged,
    revertAfter: (machine, ms) => after(machine, ms, 'try-revert'),
    unmet,
    stopService: services.stop,
    restartService(machine, id) {
      services.stop(machine, id);
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
    const named = machine.spec.disks.find(({ path, symlinks = [] }) => path === wanted?.disk || symlinks.includes(wanted?.disk ?? ''));
    return (
      named?.path ??
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
  | 'vip'
  | 'try-revert'
  | 'start-failed'
  | 'staged-install'
  | 'drop-fallback'
  | 'pull'
  | 'installer'
  | KubeletStep
  | SequenceStep;

type StepData = { readonly [key: string]: Json | undefined };

function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
