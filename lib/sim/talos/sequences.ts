import type { Json } from '../../base/index.ts';
import { durations } from './durations.ts';
import { runInstaller } from './installer.ts';
import type { LifecycleParts } from './lifecycle.ts';
import type { Machine, Stage } from './machine.ts';
import { dropFallback, revertDefault, revertFailed } from './slots.ts';

export interface UpgradeRequest {
  readonly image: string;
  /** Install at the next start, which comes at once. */
  readonly staged: boolean;
  readonly rebootMode: 'default' | 'powercycle';
}

export interface ResetRequest {
  readonly graceful: boolean;
  readonly reboot: boolean;
  /** Labels of system partitions; empty: the whole disk. */
  readonly labels: readonly string[];
  readonly mode: 'all' | 'system-disk' | 'user-disks';
}

/** What ends the run of a machine. Each answers at once and says by events how it goes. */
export interface Sequences {
  reboot(machine: Machine, actorId: string, mode: 'default' | 'powercycle' | 'force'): void;
  shutdown(machine: Machine, actorId: string, isForced: boolean): void;
  reset(machine: Machine, actorId: string, request: ResetRequest): void;
  upgrade(machine: Machine, actorId: string, request: UpgradeRequest): void;
  /** False when there is no other entry to start from. */
  rollback(machine: Machine): boolean;
  readonly steps: { readonly [Step in SequenceStep]: (machine: Machine, data: { readonly [key: string]: Json | undefined }) => void };
}

export type SequenceStep = 'drain' | 'leave' | 'stop' | 'upgrade-install' | 'fatal';

interface SequenceParts extends Pick<LifecycleParts, 'kernel' | 'events' | 'services' | 'etcd' | 'kube' | 'publish'> {
  after(machine: Machine, ms: number, step: SequenceStep | 'power-off', data?: { readonly [key: string]: Json }): void;
  setStage(machine: Machine, stage: Stage): void;
  /** What keeps the machine from being ready. */
  unmet(machine: Machine): readonly unknown[];
}

type Name = 'reboot' | 'shutdown' | 'reset' | 'upgrade' | 'stageUpgrade';

const stageOf: Readonly<Record<Name, Stage>> = {
  reboot: 'rebooting',
  shutdown: 'shutting down',
  reset: 'resetting',
  upgrade: 'upgrading',
  stageUpgrade: 'upgrading',
};

/** What may interrupt what. Source: Talos v1.13.9 internal/app/machined/pkg/runtime/sequencer.go (CanTakeOver) */
const takesOver: Readonly<Record<string, readonly Name[]>> = { reboot: ['reboot'], reset: ['reboot'] };

/** Source: Talos pkg/kubernetes DrainTimeout */
const drainTimeoutMs = 300_000;
const drainIntervalMs = 5000;
/** Source: Talos internal/pkg/etcd/etcd.go LeaveCluster */
const leaveTimeoutMs = 300_000;
const leaveIntervalMs = 10_000;

/**
 * Source: Talos v1.13.9 internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer.go, v1alpha1_controller.go (Run),
 * internal/app/machined/main.go (a sequence that fails ends the run after ten seconds)
 */
export function createSequences(parts: SequenceParts): Sequences {
  const { kernel, events, services, etcd, after, setStage } = parts;

  const begin = (machine: Machine, name: Name, actorId: string, takeover = false): boolean => {
    const running = machine.get('busy');
    if (running !== undefined && !takeover && !(takesOver[running] ?? []).includes(name)) {
      events.locked(machine, name, actorId);
      return false;
    }
    for (const step of ['drain', 'leave', 'stop', 'upgrade-install', 'fatal', 'power-off']) kernel.cancel('talos', step, machine.name);
    // Talos drops its way back the moment that all is ready. Source: controllers/runtime/drop_upgrade_fallback.go v1.13.9
    if (machine.get('stage') === 'running' && parts.unmet(machine).length === 0) dropFallback(machine);
    machine.set('busy', name);
    events.sequence(machine, name, 'start', { actorId });
    setStage(machine, stageOf[name]);
    return true;
  };

  const stopServices = (machine: Machine, actorId: string) => {
    events.phase(machine, 'cleanup', 'start', actorId);
    events.task(machine, 'stopAllServices', 'start', actorId);
    for (const id of ['kubelet', 'etcd', 'trustd', 'cri']) services.stop(machine, id);
    machine.clear('static-pods');
    parts.publish(machine);
  };
  const finish = (machine: Machine, actorId: string, data: { readonly [key: string]: Json } = {}) => {
    stopServices(machine, actorId);
    after(machine, durations.stopServices, 'power-off', data);
  };
  /** Drains first where the sequence does, and then goes on with `next`. */
  const drained = (machine: Machine, next: 'leave' | 'stop' | 'upgrade-install', data: { readonly [key: string]: Json }) => {
    const untilMs = kernel.clock.monotonicMs() + drainTimeoutMs;
    if (parts.kube() && machine.get('registered')) after(machine, 1000, 'drain', { ...data, next, untilMs });
    else after(machine, 1000, next, data);
  };

  return {
    reboot(machine, actorId, mode) {
      if (!begin(machine, 'reboot', actorId)) return;
      // Forced: nothing is stopped, as if the power was cut.
      if (mode === 'force') after(machine, 200, 'power-off', { by: 'firmware' });
      else finish(machine, actorId, { by: mode === 'default' ? 'kexec' : 'firmware' });
    },
    shutdown(machine, actorId, isForced) {
      if (!begin(machine, 'shutdown', actorId, true)) return;
      if (isForced) finish(machine, actorId, { off: true });
      else drained(machine, 'stop', { actorId, off: true });
    },
    reset(machine, actorId, { graceful, reboot, labels, mode }) {
      if (!begin(machine, 'reset', actorId)) return;
      const data = { actorId, off: !reboot, wipe: mode === 'user-disks' ? [] : labels.length > 0 ? [...labels] : ['all'] };
      if (graceful) drained(machine, 'leave', { ...data, untilMs: kernel.clock.monotonicMs() + leaveTimeoutMs });
      else after(machine, 1000, 'stop', data);
    },
    upgrade(machine, actorId, { image, staged, rebootMode }) {
      if (!begin(machine, staged ? 'stageUpgrade' : 'upgrade', actorId)) return;
      const by = rebootMode === 'powercycle' ? 'firmware' : 'kexec';
      if (staged) {
        machine.set('staged-upgrade', { image });
        finish(machine, actorId, { by });
      } else drained(machine, 'upgrade-install', { actorId, image, by });
    },
    rollback(machine) {
      if (!revertDefault(machine)) return false;
      if (begin(machine, 'reboot', '', true)) finish(machine, '', { by: 'kexec' });
      return true;
    },
    steps: {
      drain(machine, { next, untilMs, ...data }) {
        const rest = defined(data);
        const left = parts.kube()?.drain(machine.hostname()) ?? 0;
        if (left > 0 && kernel.clock.monotonicMs() < Number(untilMs)) {
          after(machine, drainIntervalMs, 'drain', { ...rest, next: String(next), untilMs: Number(untilMs) });
        } else after(machine, 500, next as SequenceStep, rest);
      },
      leave(machine, data) {
        const member = machine.get('etcd');
        const refused = member && etcd.remove(member.cluster, member.memberId);
        if (refused && kernel.clock.monotonicMs() < Number(data.untilMs) && refused === 'etcdserver: unhealthy cluster') {
          after(machine, leaveIntervalMs, 'leave', defined(data));
          return;
        }
        if (refused) {
          events.failed(machine, 'reset', `sequence failed: error running phase "leave": failed to leave cluster: ${refused}`);
          after(machine, 100, 'fatal');
          return;
        }
        if (member) {
          services.stop(machine, 'etcd');
          machine.clear('etcd', 'static-pods');
        }
        after(machine, 1000, 'stop', defined(data));
      },
      stop: (machine, { actorId, ...data }) => finish(machine, String(actorId ?? ''), defined(data)),
      'upgrade-install'(machine, { image, by, actorId }) {
        if (machine.get('busy') !== 'upgrade') return;
        if (services.is(machine, 'kubelet', 'Running')) {
          stopServices(machine, String(actorId ?? ''));
          after(machine, durations.upgrade, 'upgrade-install', defined({ image, by, actorId }));
          return;
        }
        const { exitCode } = runInstaller(kernel, machine, String(image));
        if (exitCode !== 0) {
          events.failed(
            machine,
            'upgrade',
            `sequence failed: error running phase 9 in upgrade sequence: task 1/1: failed, task "upgrade" failed: exit code ${exitCode}`,
          );
          after(machine, 100, 'fatal');
          return;
        }
        events.phase(machine, 'upgrade', 'stop', String(actorId ?? ''));
        finish(machine, String(actorId ?? ''), { by: String(by ?? 'kexec') });
      },
      // machined ends, puts the bootloader back if META says so, and restarts the machine through its firmware.
      fatal(machine) {
        setStage(machine, 'rebooting');
        revertFailed(machine);
        machine.set('busy', 'reboot');
        stopServices(machine, '');
        after(machine, durations.fatalPause, 'power-off', { by: 'firmware' });
      },
    },
  };
}

/** What a timer may carry on. */
function defined(data: { readonly [key: string]: Json | undefined }): { [key: string]: Json } {
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, Json] => entry[1] !== undefined && entry[0] !== 'boot' && entry[0] !== 'fault'),
  );
}
