import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';
import { createFluxOperations } from '../../../lib/cluster/operations/flux.ts';
import type { KubeAccess } from '../../../lib/cluster/kube-access.ts';

const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });
const fine = { exitCode: 0, codes: [] };

test('talos:kubeconfig fetches the file, and goes into the own one only when asked to', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  const own = '/home/user/.kube/config';
  const theirs =
    'apiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n  - name: work\n    cluster:\n      server: https://work:6443\ncontexts:\n  - name: work\n    context:\n      cluster: work\n      user: me\nusers:\n  - name: me\n    user:\n      token: mine\n';
  await rig.files.write(own, theirs);
  expect(
    (await rig.plan('talos:kubeconfig', { merge: true })).tasks[0]?.steps.map(({ decision, title }) => `${decision} ${title}`),
  ).toEqual(['skip fetch kubeconfig', 'run merge into your own']);
  expect(codes(await rig.tk('talos:kubeconfig'))).toEqual(fine);
  expect(await rig.files.readText(own)).toBe(theirs);

  expect((await rig.tk('talos:kubeconfig', { merge: true })).value).toEqual({
    path: `${rig.root}/kubeconfig`,
    fetched: false,
    mergedInto: own,
  });
  const merged = (await rig.files.readText(own)) ?? '';
  expect(merged).toContain('current-context: admin@simulated');
  expect(merged).toContain('server: https://work:6443');
  expect(merged).toContain('token: mine');
  expect(await rig.files.stat(own)).toMatchObject({ mode: 0o600 });
  // A second time there is nothing to do.
  const again = await rig.tk('talos:kubeconfig', { merge: true });
  expect({ ...codes(again), changes: again.counts.steps.changes }).toEqual({ ...fine, changes: 0 });
  expect(await rig.files.readText(own)).toBe(merged);

  await rig.files.remove(`${rig.root}/kubeconfig`);
  expect((await rig.tk('talos:kubeconfig', { merge: true, activate: false })).value).toMatchObject({ fetched: true });
  expect(await rig.files.stat(`${rig.root}/kubeconfig`)).toMatchObject({ mode: 0o600 });
});

test('talos:health waits up to a stage', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  expect((await rig.tk('talos:health', { until: 'etcd' })).value).toEqual({ passed: 3, until: 'etcd' });
  expect((await rig.tk('talos:health', { until: 'control-plane' })).value).toEqual({ passed: 12, until: 'control-plane' });
  expect(codes(await rig.tk('talos:health'))).toEqual(fine);
  rig.hand.stopEtcd('cp-1');
  expect(codes(await rig.tk('talos:health', { until: 'etcd', timeout: '30s' }))).toEqual({ exitCode: 1, codes: ['wait/timeout'] });
});

test('a reconciliation of Flux is over when this very request was handled', async () => {
  const objects = new Map<string, Record<string, unknown>>([
    [
      'Kustomization flux-system/flux-system',
      {
        metadata: {},
        spec: { sourceRef: { kind: 'OCIRepository', name: 'flux-system' } },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ],
  ]);
  const patches: unknown[] = [];
  const kube = {
    get: async ({ kind, namespace, name }: { kind: string; namespace: string; name: string }) =>
      objects.get(`${kind} ${namespace}/${name}`),
    patch: async (_ref: object, patch: object) => void patches.push(patch),
  };
  const access = { reader: async () => kube, writer: async () => kube } as unknown as KubeAccess;
  const flux = createFluxOperations(access, () => Date.UTC(2026, 0, 5, 8, 0, 0, 7));
  const signal = new AbortController().signal;
  const [source, root] = await flux.objects({ namespace: 'flux-system' }, signal);
  expect([source, root]).toEqual([
    { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository', namespace: 'flux-system', name: 'flux-system' },
    { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'flux-system', name: 'flux-system' },
  ]);
  await expect(flux.objects({ name: 'apps', namespace: 'default' }, signal)).rejects.toMatchObject({
    failure: { code: 'flux/no-kustomization' },
  });
  if (!root) return;
  const at = await flux.request(root, signal);
  expect(at).toBe('2026-01-05T08:00:00.007Z');
  expect(patches).toEqual([{ type: 'merge', value: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': at } } } }]);
  const look = async (status: object) => {
    objects.set('Kustomization flux-system/flux-system', { metadata: {}, status });
    return flux.handled(root, at).check(signal);
  };
  const ready = { type: 'Ready', status: 'True', message: 'Applied revision' };
  expect(await look({ conditions: [ready], lastAppliedRevision: 'main@sha1:aaaaaaaaaa' })).toEqual({
    state: 'not-yet',
    seen: 'Applied revision',
  });
  expect(await look({ conditions: [ready], lastAppliedRevision: 'main@sha1:bbbbbbbbbb', lastHandledReconcileAt: at })).toEqual({
    state: 'holds',
    value: 'main@bbbbbbb',
  });
  const broken = { type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'no such file' };
  expect(await look({ conditions: [broken], lastHandledReconcileAt: at })).toMatchObject({
    state: 'never',
    failure: { code: 'flux/not-ready', facts: { reason: 'BuildFailed', message: 'no such file' } },
  });
});
