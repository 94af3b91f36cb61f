import { type Clock, type Failure, failureOf, TkError } from '../../base/index.ts';
import type { ClusterModel, NodeModel } from '../../config/index.ts';
import type { KubeObject, KubeReader } from '../../kube/index.ts';
import type { Connections } from '../connections.ts';
import { lifecycleFailure } from './failures.ts';
import type { KubeAccess } from '../kube-access.ts';
import { isTransientTalos } from '../transient.ts';
import type { ConfiguredGate } from './gates/define-gate.ts';
import { othersAway } from './gates/one-at-a-time.ts';
import { otherDrivers } from './gates/other-drivers.ts';
import { storageGates } from './gates/storage.ts';
import { versionPathProblems } from './gates/version-path.ts';
import type { Disruption, EtcdPicture, GateAnswer, GateName, Gates, Overrides } from './lifecycle.ts';
import { findKubeNode, kubeNodeFacts, listKubeNodes } from './node-mark.ts';
import { parseOverrides } from './overrides.ts';
import { judgeQuorum } from './quorum.ts';
import { attachedVolumes } from './volumes.ts';
import { within } from './within.ts';

export interface GateParts {
  readonly model: ClusterModel;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly access: KubeAccess;
  readonly etcd: (signal: AbortSignal) => Promise<EtcdPicture>;
  /** Of the same look, the Talos version; absent where a machine does not tell. */
  readonly verifyIdentity: (node: NodeModel, signal: AbortSignal) => Promise<{ readonly version?: { readonly tag: string } }>;
  /** Of tasks.config.ts. */
  readonly configured: readonly ConfiguredGate[];
}

/** What was read of the members may be this old when the decision is made. */
export const freshForMs = 5000;
const attempts = 4;
const againMs = 3000;
const passing: ReadonlySet<string> = new Set(['gate/etcd-quorum', 'gate/etcd-unhealthy', 'gate/stale']);
/** For everything else that one gate asks. */
const gateDeadlineMs = 45_000;

/** Read once a check, for every gate that looks at it. */
interface KubernetesNow {
  readonly kube: KubeReader;
  readonly nodes: readonly KubeObject[];
}

/** What is asked also of a machine whose cluster is switched off. */
const ofEveryMachine: ReadonlySet<GateName> = new Set(['identity', 'version-path', 'other-driver']);

type Verdict =
  | { readonly state: 'passed'; readonly seen: string }
  | { readonly state: 'skipped'; readonly because: string }
  | { readonly state: 'refused'; readonly failures: readonly [Failure, ...Failure[]] };

export function createGates(parts: GateParts): Gates {
  const { model, clock, connections, access } = parts;
  const controlPlanes = model.nodes.filter((node) => node.role === 'controlplane');
  const custom = customGates(parts.configured);
  const names: readonly GateName[] = [
    'identity',
    'kubernetes',
    'version-path',
    'other-driver',
    'one-at-a-time',
    ...custom.map(({ name }) => name),
    'volumes',
    'etcd-quorum',
  ];

  const kubernetes = async (signal: AbortSignal): Promise<KubernetesNow> => {
    const kube = await access.reader();
    const [nodes, groups] = await Promise.all([listKubeNodes(kube, signal), kube.groupVersions(signal)]);
    return { kube: askingOnlyOf(groups, kube), nodes };
  };

  /** Each asks for itself; what it cannot find out is a refusal of its own. */
  const check = async (disruption: Disruption, overrides: Overrides, signal: AbortSignal): Promise<readonly GateAnswer[]> => {
    const { node } = disruption;
    let cause: Failure | undefined;
    const world = await kubernetes(signal).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof TkError)) throw error;
      cause = failureOf(error);
      return undefined;
    });
    /** One refusal for an API server that does not answer; whoever overrides it goes without the gates that ask it. */
    const asking =
      (judge: (world: KubernetesNow, signal: AbortSignal) => Promise<Verdict>) =>
      async (limited: AbortSignal): Promise<Verdict> =>
        world === undefined ? { state: 'skipped', because: 'Kubernetes cannot be asked' } : judge(world, limited);
    const asked = async (gate: GateName, judge: (signal: AbortSignal) => Promise<Verdict>): Promise<GateAnswer> => {
      if (disruption.endsEtcd === true && !ofEveryMachine.has(gate))
        return { gate, state: 'skipped', because: 'the cluster is switched off' };
      let verdict: Verdict;
      try {
        verdict = await within(clock, gateDeadlineMs, signal, (limited) => patiently(judge, limited));
      } catch (error) {
        if (signal.aborted || !(error instanceof TkError)) throw error;
        const why = failureOf(error);
        // A machine that is another one is its own answer; anything else means that the gate could not look.
        verdict = {
          state: 'refused',
          failures: [
            why.code === 'talos/wrong-machine' ? why : lifecycleFailure('gate/unknown', { gate, node: node.name }, { cause: why }),
          ],
        };
      }
      const reason = overrides.get(gate);
      if (verdict.state !== 'refused') return { gate, ...verdict };
      return reason === undefined ? { gate, ...verdict } : { gate, state: 'overridden', reason, failures: verdict.failures };
    };
    /** What the look at the identity saw; undefined when it came to nothing. */
    const running = Promise.withResolvers<string | undefined>();
    const identity = asked('identity', async (limited) => {
      const { version } = await parts.verifyIdentity(node, limited);
      running.resolve(version?.tag);
      return { state: 'passed', seen: 'role and addresses fit' };
    }).finally(() => running.resolve(undefined));
    const slow = await Promise.all([
      identity,
      asked('kubernetes', async () =>
        cause === undefined
          ? { state: 'passed', seen: 'the API server answers' }
          : { state: 'refused', failures: [lifecycleFailure('gate/kubernetes', { node: node.name }, { cause })] },
      ),
      asked('version-path', async (limited) => versionPath(disruption, running.promise, world, limited)),
      asked(
        'other-driver',
        asking(async ({ kube, nodes }, limited) => {
          const failures = [...(await otherDrivers(kube, nodes, disruption, findKubeNode(nodes, node)?.metadata.name, limited))];
          if (disruption.lease) await disruption.lease.verify(limited).catch((error: unknown) => void failures.push(failureOf(error)));
          return judged(failures, 'nobody else is at work');
        }),
      ),
      asked(
        'one-at-a-time',
        asking(async ({ nodes }) => judged(othersAway(disruption, model.nodes, nodes), 'nobody else is away')),
      ),
      ...custom.map(({ name, check: ask }) =>
        asked(
          name,
          asking(({ kube }, limited) => customVerdict(name, ask, disruption, kube, limited)),
        ),
      ),
      asked(
        'volumes',
        asking((now, limited) => volumes(disruption, now, limited)),
      ),
    ]);
    // Last, because it must be the freshest: nothing slow comes between this and the act.
    return [...slow, await asked('etcd-quorum', (limited) => quorum(disruption, limited))];
  };

  /** An answer that got lost is asked for again; what the machine says stands. */
  const patiently = async (judge: (signal: AbortSignal) => Promise<Verdict>, signal: AbortSignal): Promise<Verdict> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await judge(signal);
      } catch (error) {
        if (signal.aborted || attempt >= attempts || !(error instanceof TkError) || !isTransientTalos(error.failure)) throw error;
        await clock.sleep(againMs, signal);
      }
    }
  };

  const versionPath = async (
    { node, toVersion }: Disruption,
    running: Promise<string | undefined>,
    world: KubernetesNow | undefined,
    signal: AbortSignal,
  ): Promise<Verdict> => {
    if (toVersion === undefined) return { state: 'skipped', because: 'the version stays' };
    const tag = (await running) ?? (await connections.read(node, (machine) => machine.version(signal))).tag;
    // Without an API server the inventory is the best there is.
    const versions =
      world === undefined
        ? [model.kubernetesVersion]
        : [(await world.kube.version(signal)).gitVersion, ...world.nodes.map((one) => kubeNodeFacts(one).kubeletVersion)];
    const kubernetesVersions = versions.filter((version) => version !== '');
    return judged(
      versionPathProblems({ node: node.name, from: tag, to: toVersion, kubernetes: kubernetesVersions }),
      `${tag} to ${toVersion}`,
    );
  };

  const volumes = async ({ node, isDrained }: Disruption, { kube, nodes }: KubernetesNow, signal: AbortSignal): Promise<Verdict> => {
    if (isDrained !== true) return { state: 'skipped', because: 'nothing was drained' };
    const found = findKubeNode(nodes, node);
    if (found === undefined) return { state: 'skipped', because: 'it is not in Kubernetes' };
    const attached = await attachedVolumes(kube, found.metadata.name, signal);
    return attached.length === 0
      ? { state: 'passed', seen: 'no volume is attached' }
      : { state: 'refused', failures: [lifecycleFailure('gate/volumes', { node: node.name, volumes: attached })] };
  };

  const quorum = async (disruption: Disruption, signal: AbortSignal): Promise<Verdict> => {
    if (disruption.node.role === 'worker') return { state: 'skipped', because: 'a worker has no etcd' };
    if (disruption.etcd === 'none') return { state: 'skipped', because: 'etcd goes on' };
    for (let attempt = 1; ; attempt += 1) {
      const verdict = await judgedNow(disruption, signal);
      // An election or a late answer passes by itself; consent does not.
      const [failure] = verdict.state === 'refused' ? verdict.failures : [];
      if (failure === undefined || !passing.has(failure.code) || attempt >= attempts) return verdict;
      await clock.sleep(againMs, signal);
    }
  };

  const judgedNow = async (disruption: Disruption, signal: AbortSignal): Promise<Verdict> => {
    const picture = await parts.etcd(signal);
    const ageMs = clock.monotonicMs() - picture.observedAtMs;
    if (ageMs <= freshForMs) return judgeQuorum(picture, disruption, controlPlanes);
    return {
      state: 'refused',
      failures: [lifecycleFailure('gate/stale', { node: disruption.node.name, ageMs: Math.round(ageMs), freshForMs })],
    };
  };

  return {
    names,
    check,
    quorum: async (disruption, signal) => ({ gate: 'etcd-quorum', ...(await quorum(disruption, signal)) }),
    overridesFrom: (words) => parseOverrides(words, names),
  };
}

/** Most operators that gates look for are not installed: what this check has read says so, without a question for each. */
function askingOnlyOf(groups: ReadonlySet<string>, kube: KubeReader): KubeReader {
  const isKnown = (apiVersion: string) => !apiVersion.includes('/') || groups.has(apiVersion);
  return { ...kube, serves: async (kind, signal) => isKnown(kind.apiVersion) && kube.serves(kind, signal) };
}

/** Those of tasks.config.ts in their order, then the built-in ones that it does not name. */
function customGates(configured: readonly ConfiguredGate[]): readonly Required<ConfiguredGate>[] {
  const known = new Set(configured.map(({ name }) => name));
  return [...configured, ...storageGates().filter(({ name }) => !known.has(name))].filter(
    (gate): gate is Required<ConfiguredGate> => gate.check !== undefined,
  );
}

async function customVerdict(
  gate: string,
  ask: Required<ConfiguredGate>['check'],
  { node, kind }: Disruption,
  kube: KubeReader,
  signal: AbortSignal,
): Promise<Verdict> {
  const verdict = await ask({ node, kind, kube, signal });
  if (verdict.state !== 'refused') return verdict;
  const problems = verdict.problems.length > 0 ? verdict.problems : ['it gave no reason'];
  const { help } = verdict;
  return {
    state: 'refused',
    failures: [lifecycleFailure('gate/not-well', { gate, node: node.name, problems, ...(help === undefined ? {} : { help }) })],
  };
}

function judged(failures: readonly Failure[], seen: string): Verdict {
  const [first, ...rest] = failures;
  return first ? { state: 'refused', failures: [first, ...rest] } : { state: 'passed', seen };
}
