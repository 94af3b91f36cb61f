import { compatibility } from '../../upstream/tables.ts';
import type { SimEvent, SimKernel } from '../kernel.ts';
import type { KubeModel } from '../kube-door.ts';
import type { SandboxSpec } from '../spec.ts';
import { schematicOf, versionOfInstaller } from '../talos/installer.ts';
import type { TalosModel } from '../talos/model.ts';
import type { Report } from './violation.ts';

/** What the run that is under way may do; a story says so, the ground truth is held against it. */
export interface Terms {
  /** Names of machines that it may change. Absent: all. */
  readonly touches?: readonly string[];
  /** Workers that may be away at a time. Default 1. */
  readonly workers?: number;
  /** A person agreed that etcd stands still for a while: two members, or one. */
  readonly agreesToDowntime?: boolean;
  /** Everything may be away at once: the whole cluster is being shut down. */
  readonly takesAll?: boolean;
}

/** A gate may be right and the world change before the call arrives. Source: gates decide on nothing older than five seconds. */
const knowableMs = 5000;

/**
 * What machines go through: I-01 one bootstrap, I-02 quorum, I-03 one at a time, I-04 the right machine, I-08 one PKI, I-15 hops of
 * versions, I-16 the right image.
 */
export function watchMachines(
  kernel: SimKernel,
  spec: SandboxSpec,
  talos: TalosModel,
  kube: () => Pick<KubeModel, 'nodeReady'> | undefined,
  terms: () => Terms,
  report: Report,
): (event: SimEvent) => void {
  const asked = new Set<string>();
  let accepted = 0;
  const away = new Set<string>();
  const authorities = new Map<string, string>();
  const images = new Map<string, string>();
  /** When a member was last seen to be well, so that what nobody could know is nobody's fault. */
  const wellAtMs = new Map<string, number>();
  let lateMs = 0;
  let lateAtMs = 0;
  const specOf = (node: string) => spec.machines.find(({ name }) => name === node);
  const machineOf = (node: string) => talos.machines.find(({ name }) => name === node);

  const isBack = (node: string): boolean => {
    const machine = machineOf(node);
    if (!machine) return true;
    return machine.isUp() && machine.get('stage') === 'running' && kube()?.nodeReady(machine.hostname()) !== false;
  };
  const noteWellMembers = () => {
    for (const machine of talos.machines) if (talos.etcd.isHealthy(machine)) wellAtMs.set(machine.name, kernel.clock.monotonicMs());
  };
  const disrupted = (node: string, path: string) => {
    const { touches, workers = 1, takesAll = false } = terms();
    if (touches && !touches.includes(node)) report('I-04', `${path} reached ${node}, which was not meant`);
    for (const other of away) if (isBack(other)) away.delete(other);
    const role = specOf(node)?.role;
    const others = [...away].filter((other) => other !== node && specOf(other)?.role === role);
    const limit = role === 'controlplane' ? 1 : workers;
    if (!takesAll && others.length + 1 > limit)
      report('I-03', `${node} was taken away while ${others.join(', ')} ${others.length === 1 ? 'was' : 'were'} not back`);
    away.add(node);
  };
  const quorumTaken = (node: string, path: string) => {
    if (terms().agreesToDowntime || terms().takesAll) return;
    const machine = machineOf(node);
    const members = (machine && talos.etcd.clusterOf(machine)?.members) ?? [];
    const voters = members.filter(({ learner }) => !learner);
    const nowMs = kernel.clock.monotonicMs();
    const slackMs = knowableMs + (nowMs - lateAtMs <= lateMs ? lateMs : 0);
    const seemedWell = voters.filter((member) => member.node !== node && nowMs - (wellAtMs.get(member.node) ?? -Infinity) <= slackMs);
    if (seemedWell.length < Math.floor(voters.length / 2) + 1) report('I-02', `${path} took ${node} from an etcd that could not spare it`);
  };
  const hop = (node: string, from: string, to: string) => {
    const minor = (version: string) => Number(/^v?1\.(\d+)\./.exec(version)?.[1] ?? Number.NaN);
    const distance = minor(to) - minor(from);
    if (Math.abs(distance) > 1) report('I-15', `${node} was taken from ${from} to ${to}`);
    const kubernetes = machineOf(node)?.config()?.kubernetesVersion;
    const range = compatibility[`1.${minor(to)}` as keyof typeof compatibility]?.kubernetes;
    const kubeMinor = Number(/^v?1\.(\d+)\./.exec(kubernetes ?? '')?.[1] ?? Number.NaN);
    const [low = 0, high = 0] = range?.map((text) => Number(text.split('.')[1])) ?? [];
    if (range && (kubeMinor < low || kubeMinor > high)) report('I-15', `${node} got ${to}, which does not run Kubernetes ${kubernetes}`);
  };
  const image = (node: string, reference: string) => {
    const machine = specOf(node);
    const wanted = machine?.schematicId;
    const given = schematicOf(reference);
    if (wanted && given !== wanted) report('I-16', `${node} has schematic ${wanted.slice(0, 8)}… and got ${given?.slice(0, 8) ?? 'none'}…`);
    const isSecure = /-secureboot(?:\/|:|@)/.test(reference);
    if (isSecure !== (machine?.secureBoot === true))
      report('I-16', `${node} ${isSecure ? 'has no' : 'has'} secure boot and got ${reference}`);
    if (/factory\.[^/]+\//.test(reference) && !/\/metal-installer/.test(reference)) report('I-16', `${node} is metal and got ${reference}`);
    if (versionOfInstaller(reference) === undefined) report('I-16', `${node} got an image of no version: ${reference}`);
  };

  return ({ kind, facts }) => {
    const node = String(facts.node ?? '');
    switch (kind) {
      case 'talos/bootstrap-requested': {
        // A cluster that lost its quorum is begun anew, from a snapshot, on purpose.
        if (facts.isRecovery === true) return;
        asked.add(node);
        if (asked.size > 1) report('I-01', `bootstrap asked of ${[...asked].join(' and ')}`);
        return;
      }
      case 'talos/bootstrap-accepted':
        if (facts.isRecovery === true) {
          if (facts.hadQuorum === true) report('I-01', `${node} was recovered from a snapshot while etcd had its quorum`);
          return;
        }
        accepted += 1;
        if (accepted > 1) report('I-01', `bootstrap accepted ${accepted} times, at last by ${node}`);
        return;
      case 'talos/config-applied': {
        const { role, hostname, clusterId, authority } = facts;
        if (role !== specOf(node)?.role) report('I-04', `${node} got the configuration of a ${String(role)}`);
        if (hostname !== '' && hostname !== node) report('I-04', `${node} got the configuration of ${String(hostname)}`);
        const { touches } = terms();
        if (touches && !touches.includes(node)) report('I-04', `${node} was configured, and was not meant`);
        if (typeof authority !== 'string' || typeof clusterId !== 'string' || authority === '') return;
        const before = authorities.get('cluster');
        if (before !== undefined && before !== authority) report('I-08', `${node} got the PKI of another cluster`);
        authorities.set('cluster', authority);
        return;
      }
      case 'talos/disruption':
        disrupted(node, String(facts.path));
        return;
      case 'etcd/member-removed':
        if (facts.votersLeft === 0) report('I-02', `${node} was the last voter of etcd, and was removed`);
        return;
      case 'talos/reset':
        // Whoever starts etcd anew from a snapshot wipes what is left of it first.
        if (facts.isLastVoter === true && !terms().takesAll) report('I-02', `${node} was the last voter of etcd, and was wiped`);
        return;
      case 'talos/quorum-taken':
        quorumTaken(node, String(facts.path));
        return;
      case 'talos/slot-written':
        hop(node, String(facts.from), String(facts.to));
        image(node, String(facts.image));
        return;
      case 'talos/static-pod': {
        const key = `${node} ${String(facts.pod)}`;
        const before = Number(/:v1\.(\d+)\./.exec(images.get(key) ?? '')?.[1] ?? Number.NaN);
        const after = Number(/:v1\.(\d+)\./.exec(String(facts.image))?.[1] ?? Number.NaN);
        if (after - before > 1 || before - after > 1) report('I-15', `${key} went from ${images.get(key)} to ${String(facts.image)}`);
        images.set(key, String(facts.image));
        return;
      }
      case 'wire/late':
        lateMs = Number(facts.lateMs);
        lateAtMs = kernel.clock.monotonicMs();
        return;
      case 'talos/power-off':
        // Whoever was reset or shut down on purpose is not waited for.
        if (machineOf(node)?.get('installed') === undefined) away.delete(node);
        return;
      case 'talos/stage':
        noteWellMembers();
        return;
    }
  };
}
