import { expect, test } from 'vitest';
import { minutes, TkError, waitFor } from '../../../../lib/base/index.ts';
import { conditionTrue, crdsServed, isTransient, nodesReady, workloadReady } from '../../../../lib/kube/index.ts';
import { createFluxModel, repositoryOfFiles, swarmFaults } from '../../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../../lib/sim/random.ts';
import { addresses, configMap, kubeRig, never } from '../kube/rig.ts';
import { definition, deployment } from './rig.ts';

const calmAfterMs = minutes(10);
const files = {
  '/repo/kubernetes/flux/cluster/settings.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings, namespace: flux-system }\ndata: { a: "1" }\n',
};
const tk = { fieldManager: 'tk' };

/** One cluster from the first API server to a reconciled repository, on a wire and an API that fail as the seed says. */
async function history(
  seed: string,
): Promise<{ readonly end: string; readonly hits: number; readonly revision: string; readonly tries: number }> {
  const faults = swarmFaults(createSeededRandom(seed, 'faults'), { calmAfterMs }).filter(({ point }) => /^(kube|flux|wire)\//.test(point));
  const rig = await kubeRig({ seed, faults, servers: ['cp-1', 'cp-2', 'cp-3'], cni: 'flannel', files });
  const { client, clientOf, world, kernel, kube } = rig;
  createFluxModel(kernel, kube, { repository: repositoryOfFiles(rig.files, '/repo'), decrypt: async () => [] });
  rig.up({ name: 'cp-1' }, { name: 'cp-2' }, { name: 'cp-3' }, { name: 'worker-1' });
  const servers = ['cp-1', 'cp-2', 'cp-3'].map((node) => ({ node, kube: clientOf(addresses[node] as string) }));
  const steps = [
    () => client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } }, tk, never),
    () => client.apply(configMap('settings', { a: '0' }, 'flux-system'), { fieldManager: 'tk', force: true }, never),
    () => waitFor(nodesReady(client, ['cp-1', 'cp-2', 'cp-3', 'worker-1'], { deadlineMs: minutes(5) }), world.clock, never),
    () => client.apply(definition('fluxcd.controlplane.io', 'FluxInstance', 'fluxinstances', 'v1'), tk, never),
    () => waitFor(crdsServed(servers, ['fluxinstances.fluxcd.controlplane.io'], { deadlineMs: minutes(5) }), world.clock, never),
    () => client.apply(deployment('flux-operator', 'flux-system'), tk, never),
    () =>
      waitFor(
        workloadReady(
          client,
          { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'flux-system', name: 'flux-operator' },
          { deadlineMs: minutes(5) },
        ),
        world.clock,
        never,
      ),
    () =>
      client.apply(
        {
          apiVersion: 'fluxcd.controlplane.io/v1',
          kind: 'FluxInstance',
          metadata: { name: 'flux', namespace: 'flux-system' },
          spec: {
            sync: {
              kind: 'GitRepository',
              url: 'https://git.example.org/home-ops.git',
              ref: 'refs/heads/main',
              path: 'kubernetes/flux/cluster',
              interval: '1h',
            },
          },
        },
        tk,
        never,
      ),
    () =>
      waitFor(
        conditionTrue(
          client,
          { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'flux-system', name: 'flux-system' },
          'Ready',
          { deadlineMs: minutes(20) },
        ),
        world.clock,
        never,
      ),
  ];
  let tries = 0;
  for (const step of steps) {
    for (;;) {
      tries += 1;
      try {
        await step();
        break;
      } catch (error) {
        // Whoever runs it again gets further: only failures that pass by themselves, and waits that ended, may occur.
        if (!(error instanceof TkError) || !(isTransient(error.failure) || error.failure.code === 'wait/timeout') || tries > 60)
          throw error;
      }
    }
  }
  const settings = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'flux-system', name: 'settings' }, never);
  const hits = Object.values(kernel.faultHits()).reduce((sum, count) => sum + count, 0);
  return { end: JSON.stringify(settings?.data), hits, revision: String(kube.state.revision()), tries };
}

test('on a wire and an API that fail in every known way, the same calls end with a reconciled repository', {
  timeout: 60_000,
}, async () => {
  let hits = 0;
  for (let index = 0; index < 15; index += 1) {
    const told = await history(`kube-${index}`);
    expect(told).toMatchObject({ end: '{"a":"1"}' });
    hits += told.hits;
  }
  expect(hits).toBeGreaterThan(100);
});

test('the same seed gives the same history', async () => {
  expect(await history('kube-3')).toEqual(await history('kube-3'));
});
