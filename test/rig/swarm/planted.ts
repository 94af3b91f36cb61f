/** One mistake that somebody could make in the product: a place in its source, by its words, and what would stand there instead. */
export interface PlantedBug {
  readonly name: string;
  readonly what: string;
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

/** The mistakes that the swarm has to find by what they do, knowing none of them. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'second-node',
    what: 'the bootstrap is retried on a second node when the first gave no answer',
    changes: [
      {
        file: 'lib/cluster/etcd.ts',
        from: "if (outcome !== 'sent') await wait(dataCondition(node, connections, outcome.lost));",
        to: "if (outcome !== 'sent') await wait(acceptedCondition(controlPlanes.find((other) => other !== node) ?? node, connections, signal));",
      },
    ],
  },
  {
    name: 'exists-is-enough',
    what: 'AlreadyExists, or data on a disk, is taken as success although there is no member',
    changes: [
      {
        file: 'tasks/bootstrap/talos.ts',
        from: "if (bootstrapped.state === 'acted') await wait(cluster.etcd.started(cluster.etcd.target()));\n    const members = await wait(cluster.etcd.joined());",
        to: 'const members = cluster.controlPlanes.length; void wait;',
      },
    ],
  },
  {
    name: 'intent-in-memory',
    what: 'the intent to bootstrap is not on the disk when the call goes out',
    changes: [{ file: 'lib/core/intents.ts', from: 'await journal.append(record, { sync: true });', to: 'await journal.append(record);' }],
  },
  {
    name: 'new-secrets',
    what: 'secrets are made anew when their file was renamed',
    changes: [{ file: 'lib/cluster/secrets-bundle.ts', from: 'if (traces.length > 0)', to: 'if (traces.length > 9_999)' }],
  },
  {
    name: 'other-connection',
    what: 'the identity is checked on the connection of preflight, not on the one that carries the change',
    changes: [
      {
        file: 'lib/talos/client/session.ts',
        from: 'await options.beforeMutation(connection, reached, signal);',
        to: 'void reached;',
      },
    ],
  },
  {
    name: 'foreign-kubeconfig',
    what: 'a kubeconfig of another cluster is accepted',
    changes: [
      {
        file: 'lib/cluster/kubeconfig.ts',
        from: "if (ca !== undefined && !kubeconfigTrusts(parsed, ca)) return { state: 'wrong', because: 'it trusts another certificate authority' };",
        to: '',
      },
    ],
  },
  {
    name: 'one-server-is-enough',
    what: 'a definition counts as served when one of the API servers knows it',
    changes: [
      {
        file: 'lib/kube/waits.ts',
        from: 'for (const { node, kube } of servers)\n        for (const kind of kinds)',
        to: 'for (const { node, kube } of servers.slice(0, 1))\n        for (const kind of kinds)',
      },
    ],
  },
  {
    name: 'not-all-ready',
    what: 'a node that is not Ready does not keep the run from ending with 0',
    changes: [
      {
        file: 'lib/cluster/health-kubernetes.ts',
        from: 'return waiting.length > 0 ? `${named(waiting)} not Ready` : undefined;',
        to: 'return waiting.length > 0 && waiting.length > 99 ? `${named(waiting)} not Ready` : undefined;',
      },
    ],
  },
  {
    name: 'no-deadline',
    what: 'a wait has no deadline',
    changes: [
      {
        file: 'lib/base/condition.ts',
        from: 'if (elapsed() + condition.intervalMs > condition.deadlineMs) {',
        to: 'if (elapsed() + condition.intervalMs > condition.deadlineMs && condition.deadlineMs < 0) {',
      },
      {
        file: 'lib/base/condition.ts',
        from: 'condition.deadlineMs - elapsed());',
        to: '86_400_000);',
      },
    ],
  },
  {
    name: 'wedged-channel',
    what: 'a channel is used again after it gave no answer',
    changes: [
      {
        file: 'lib/talos/client/session.ts',
        from: 'if (isLate || !(error instanceof GrpcError) || statusRows[error.status.code]?.redial) discard(connection);',
        to: 'if (!isLate && (!(error instanceof GrpcError) || statusRows[error.status.code]?.redial)) discard(connection);',
      },
      {
        file: 'lib/cluster/connections.ts',
        from: 'read: async (node, use) => closing(await connections.reader(node), use),',
        to: `read: async (node, use) => {
      const reader = kept.get(node.name) ?? (await connections.reader(node));
      kept.set(node.name, reader);
      return use(reader);
    },`,
      },
      {
        file: 'lib/cluster/connections.ts',
        from: '  const connections: Connections = {',
        to: '  const kept = new Map<string, TalosReader>();\n  const connections: Connections = {',
      },
    ],
  },
];
