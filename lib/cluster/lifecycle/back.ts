import {
  type Condition,
  type Failure,
  formatDuration,
  holds,
  minutes,
  never,
  notYet,
  type Observation,
  seconds,
} from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { compareVersions, versionOf } from '../../format/index.ts';
import { lifecycleFailure } from './failures.ts';
import { isTransientTalos } from '../transient.ts';
import { isSameSchematic } from './image.ts';
import type { Glance, KubeNodeFacts, NodeFacts, WantedBack } from './lifecycle.ts';

export interface BackParts {
  readonly node: NodeModel;
  readonly wanted: WantedBack;
  /** Of whoever answers at its address. */
  readonly glance: (signal: AbortSignal) => Promise<Glance>;
  /** Undefined: Kubernetes does not answer, or does not know it. */
  readonly kubeNode: (signal: AbortSignal) => Promise<KubeNodeFacts | undefined>;
  /** Of the machine itself. Failure: `talos/wrong-machine`. */
  readonly facts: (signal: AbortSignal) => Promise<NodeFacts>;
  /** Whether Kubernetes is expected to know the node as Ready: there is a kubeconfig, and it was in Kubernetes before. */
  readonly wantsKubernetes: () => Promise<boolean>;
}

/** Longer than the slowest firmware takes to show that a machine is booting; upstream's client waits as long. */
const defaultDeadlineMs = minutes(30);

/** For what was not met before either: it may only have been starting then, and it may be broken for good. */
const brokenBeforeMs = minutes(3);

/**
 * A machine is back when it is in another boot, runs the version and schematic that it should, has finished to boot, its etcd is
 * healthy again and its Node is Ready. All of it is polled: an event that says so may never come, or come too early. What was not met
 * before is waited for a while, too, but does not keep anybody for ever.
 *
 * Failure: `node/rolled-back` as soon as the new boot runs another version or schematic; a staged upgrade is judged only once that
 * boot is over, because it boots the old version once more to install.
 */
export function backCondition({ node, wanted, glance, kubeNode, facts, wantsKubernetes }: BackParts): Condition<NodeFacts> {
  const deadlineMs = wanted.deadlineMs ?? defaultDeadlineMs;
  /** Since when nothing is missing but what was missing before. */
  let elseBackMs: number | undefined;
  return {
    description: `${node.name} to come back${wanted.version === undefined ? '' : ` with Talos ${wanted.version}`}`,
    deadlineMs,
    intervalMs: seconds(5),
    see: `npx tk talos:dmesg NODE=${node.name}`,
    // Half an answer of a machine that is starting is none; neither is that of another one, while an address moves.
    transient: (failure) => isTransientTalos(failure) || ['talos/unexpected-reply', 'talos/wrong-machine'].includes(failure.code),
    async check(signal) {
      // The machine first: as long as it is not there, nobody else is asked about it.
      const seen = await glance(signal);
      const early =
        awaited(seen) ?? ((await wantsKubernetes()) ? nodeAwaited(await kubeNode(signal), seen) : undefined) ?? justStarting(seen);
      if (early?.state === 'not-yet') return early;
      const proven = await facts(signal);
      return (
        awaited(proven) ??
        ((await wantsKubernetes()) ? nodeAwaited(proven.kube, proven) : undefined) ??
        justStarting(proven) ??
        holds(proven)
      );
    },
  };

  /** Everything else holds. */
  function justStarting(seen: Glance): Missing | undefined {
    const [unmet] = seen.unmet;
    if (seen.isReady || unmet === undefined) return undefined;
    elseBackMs ??= seen.observedAtMs;
    return seen.observedAtMs - elseBackMs < brokenBeforeMs ? notYet(`${unmet.name}: ${unmet.reason}, as before`) : undefined;
  }

  /** What the machine itself lacks. */
  function awaited(seen: Glance): Missing | undefined {
    if (seen.bootId === wanted.afterBoot) return notYet(`it is ${seen.stage}, still in the boot before`);
    const wrong = differenceOf(seen, wanted);
    if (wrong !== undefined) {
      const isJudged = wanted.isStaged !== true || (seen.stage === 'running' && seen.isReady);
      if (isJudged) return never(rolledBack(node, seen, wanted));
      return notYet(`it installs the staged upgrade (${seen.stage})`);
    }
    if (seen.stage !== 'running')
      return notYet([seen.stage, ...seen.unmet.slice(0, 1).map(({ name, reason }) => `${name}: ${reason}`)].join(', '));
    // Until then the machine itself does not believe in the new version either, and would fall back at the next start.
    const [unmet] = seen.unmet.filter(({ name }) => wanted.unmetBefore?.includes(name) !== true);
    if (!seen.isReady && unmet !== undefined) return notYet(`${unmet.name}: ${unmet.reason}`);
    if (node.role === 'controlplane') {
      if (seen.etcd === undefined) return notYet('its etcd does not answer yet');
      if (!seen.etcd.isHealthy) return notYet('its etcd is not healthy yet');
      if (seen.etcd.isLearner) return notYet('its etcd member is a learner');
    }
    return undefined;
  }
}

type Missing = Observation<never>;

/** What its Node lacks. */
function nodeAwaited(kube: KubeNodeFacts | undefined, { bootId }: Glance): Missing | undefined {
  if (kube === undefined) return notYet('Kubernetes does not tell of it yet');
  // The Node's status may still be that of the boot before.
  if (kube.bootId !== bootId && kube.bootId !== '') return notYet('Kubernetes still tells of the boot before');
  return kube.isReady ? undefined : notYet(['its Node is not Ready yet', kube.notReadyBecause].filter(Boolean).join(': '));
}

function differenceOf(seen: Glance, wanted: WantedBack): 'version' | 'schematic' | undefined {
  if (wanted.version !== undefined && seen.talosVersion !== wanted.version) return 'version';
  if (wanted.noOlderThan !== undefined && isOlder(seen.talosVersion, wanted.noOlderThan)) return 'version';
  if (wanted.schematicId !== undefined && !isSameSchematic(seen.schematicId, wanted.schematicId)) return 'schematic';
  return undefined;
}

/** False where one of them is no version: a build of one's own. */
const isOlder = (one: string, other: string): boolean =>
  versionOf(one) !== undefined && versionOf(other) !== undefined && compareVersions(one, other) < 0;

const rolledBack = (node: NodeModel, seen: Glance, wanted: WantedBack): Failure =>
  lifecycleFailure('node/rolled-back', {
    node: node.name,
    running: describe(seen.talosVersion, seen.schematicId),
    wanted: describe(wanted.version ?? wanted.noOlderThan ?? seen.talosVersion, wanted.schematicId),
  });

const describe = (version: string, schematic: string | undefined): string =>
  schematic === undefined ? version : `${version} (schematic ${schematic.slice(0, 8)})`;

/** What a wait for a machine that ran out says: how long, and what was seen last. */
export function notReturned(node: NodeModel, timeout: Failure): Failure {
  const { deadlineMs, last } = timeout.facts;
  return lifecycleFailure(
    'node/not-returned',
    { node: node.name, address: node.address, after: formatDuration(Number(deadlineMs)), ...(typeof last === 'string' ? { last } : {}) },
    { cause: timeout },
  );
}
