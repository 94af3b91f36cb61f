import { defineTask } from 'talos-tk';
import namespaces from './namespaces.ts';

export default defineTask({
  summary: 'Give Flux the secrets that it needs before it runs',
  description:
    'The age key, the deploy key and the cluster secrets, decrypted in memory only. The key is tried on a file of this repository first.',
  effect: 'mutate',
  needs: { namespaces: namespaces() },
  async probe({ cluster, signal }) {
    const isReachable = await cluster.kubernetes.isReachable(signal);
    return Promise.all(
      (await cluster.kubernetes.bootstrapSecrets()).map(async (secret) => ({
        name: `${secret.namespace}/${secret.name}`,
        kind: secret.kind ?? 'Secret',
        isApplied: isReachable && (await secret.isApplied(signal)),
      })),
    );
  },
  plan: (_context, facts) =>
    facts === undefined
      ? [{ decision: 'unknown', title: 'secrets', reason: 'the repository and the cluster were not asked' }]
      : facts.map(({ name, kind, isApplied }) =>
          isApplied
            ? { decision: 'skip', title: name, reason: 'equal' }
            : { decision: 'run', title: name, calls: [{ target: name, call: `apply ${kind}` }] },
        ),
  async run({ cluster, step, detail, skip, each, log }) {
    const secrets = await step.pure('decrypt', () => cluster.kubernetes.bootstrapSecrets());
    for (const warning of cluster.kubernetes.secretsLeftOut()) log.warn(warning);
    if (secrets.length === 0) {
      skip('the repository has no secrets for Flux');
      return { applied: [] };
    }
    const results = await each(secrets, (secret) =>
      step.probeAct(`${secret.namespace}/${secret.name}`, {
        probe: async (handle) =>
          (await secret.isApplied(handle.signal)) ? { state: 'done', seen: 'equal', value: undefined } : { state: 'not-done' },
        act: (handle) => cluster.kubernetes.applySecret(secret, handle.signal),
      }),
    );
    const applied = secrets
      .filter((_secret, index) => results[index]?.state === 'acted')
      .map((secret) => `${secret.namespace}/${secret.name}`);
    if (applied.length === 0) skip(`${secrets.length} secrets are equal`);
    else detail(applied.join(' '));
    return { applied };
  },
});
