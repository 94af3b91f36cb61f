import type { Mutant } from '../mutants.ts';

/** One mistake that somebody could make in the product. */
export interface PlantedBug extends Mutant {
  readonly what: string;
}

/** The mistakes that the swarm has to find by what they do, knowing none of them. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'second-node',
    what: 'the bootstrap is retried on a second node when the first gave no answer',
    edits: [
      {
        file: 'lib/cluster/etcd.ts',
        find: "if (outcome !== 'sent') await wait(dataCondition(node, connections, outcome.lost));",
        replace:
          "if (outcome !== 'sent') await wait(acceptedCondition(controlPlanes.find((other) => other !== node) ?? node, connections, signal));",
      },
    ],
  },
  {
    name: 'exists-is-enough',
    what: 'AlreadyExists, or data on a disk, is taken as success although there is no member',
    edits: [
      {
        file: 'tasks/bootstrap/talos.ts',
        find: "if (bootstrapped.state === 'acted') await wait(cluster.etcd.started(cluster.etcd.target()));\n    const members = await wait(cluster.etcd.joined());",
        replace: 'const members = cluster.controlPlanes.length; void wait;',
      },
    ],
  },
  {
    name: 'intent-in-memory',
    what: 'the intent to bootstrap is not on the disk when the call goes out',
    edits: [
      { file: 'lib/core/intents.ts', find: 'await journal.append(record, { sync: true });', replace: 'await journal.append(record);' },
    ],
  },
  {
    name: 'new-secrets',
    what: 'secrets are made anew when their file was renamed',
    edits: [{ file: 'lib/cluster/secrets-bundle.ts', find: 'if (traces.length > 0)', replace: 'if (traces.length > 9_999)' }],
  },
  {
    name: 'other-connection',
    what: 'the identity is checked on the connection of preflight, not on the one that carries the change',
    edits: [
      {
        file: 'lib/talos/client/session.ts',
        find: 'await options.beforeMutation(connection, reached, signal);',
        replace: 'void reached;',
      },
    ],
  },
  {
    name: 'foreign-kubeconfig',
    what: 'a kubeconfig of another cluster is accepted',
    edits: [
      {
        file: 'lib/cluster/kubeconfig.ts',
        find: "if (ca !== undefined && !kubeconfigTrusts(parsed, ca)) return { state: 'wrong', because: 'it trusts another certificate authority' };",
        replace: '',
      },
    ],
  },
  {
    name: 'one-server-is-enough',
    what: 'a definition counts as served when one of the API servers knows it',
    edits: [
      {
        file: 'lib/kube/waits.ts',
        find: 'for (const { node, kube } of servers)\n        for (const kind of kinds)',
        replace: 'for (const { node, kube } of servers.slice(0, 1))\n        for (const kind of kinds)',
      },
    ],
  },
  {
    name: 'not-all-ready',
    what: 'a node that is not Ready does not keep the run from ending with 0',
    edits: [
      {
        file: 'lib/cluster/health-kubernetes.ts',
        find: 'return waiting.length > 0 ? `${named(waiting)} not Ready` : undefined;',
        replace: 'return waiting.length > 0 && waiting.length > 99 ? `${named(waiting)} not Ready` : undefined;',
      },
    ],
  },
  {
    name: 'no-deadline',
    what: 'a wait has no deadline',
    edits: [
      {
        file: 'lib/base/condition.ts',
        find: 'if (elapsed() + condition.intervalMs > condition.deadlineMs) {',
        replace: 'if (elapsed() + condition.intervalMs > condition.deadlineMs && condition.deadlineMs < 0) {',
      },
      {
        file: 'lib/base/condition.ts',
        find: 'condition.deadlineMs - elapsed());',
        replace: '86_400_000);',
      },
    ],
  },
  {
    name: 'wedged-channel',
    what: 'a channel is used again after it gave no answer',
    edits: [
      {
        file: 'lib/talos/client/session.ts',
        find: 'if (isLate || !(error instanceof GrpcError) || statusRows[error.status.code]?.redial) discard(connection);',
        replace: 'if (!isLate && (!(error instanceof GrpcError) || statusRows[error.status.code]?.redial)) discard(connection);',
      },
      { file: 'lib/cluster/kept-readers.ts', find: 'let works = false;', replace: 'let works = true;' },
    ],
  },
];
