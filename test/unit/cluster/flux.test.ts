import { expect, test } from 'vitest';
import { minutes, Secret, type TkError, waitFor } from '../../../lib/base/index.ts';
import { createBootstrapSecrets } from '../../../lib/cluster/bootstrap-secrets.ts';
import { createFluxRoot } from '../../../lib/cluster/flux-root.ts';
import { fluxReconciled, requestReconciliation } from '../../../lib/cluster/flux.ts';
import type { KubeAccess } from '../../../lib/cluster/kube-access.ts';
import type { Vault } from '../../../lib/cluster/vault.ts';
import type { ClusterModel } from '../../../lib/config/index.ts';
import { renderFailure } from '../../../lib/ui/index.ts';
import { ensureFluxKinds } from '../../../lib/sim/flux/flux-kinds.ts';
import { never } from '../sim/kube/rig.ts';
import { deployment, fluxRig } from '../sim/flux/rig.ts';

const kustomization = (name: string, more = '', namespace = 'flux-system') => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  interval: 1h
  prune: true
  path: ./kubernetes/apps/${name}
  sourceRef: { kind: GitRepository, name: flux-system }
${more}`;
const configMap = (name: string, data = '{}') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: flux-system }\ndata: ${data}\n`;
const tree = (files: Readonly<Record<string, string>>) => ({
  '.git/HEAD': 'ref: refs/heads/main\n',
  '.git/refs/heads/main': '0000000000000000000000000000000000000001\n',
  ...files,
});

test('a wait in vain for Flux tells every cause, and what is behind it', async () => {
  const { client, install, world } = await fluxRig(
    tree({
      'kubernetes/flux/cluster/a.yaml': kustomization('first', '  dependsOn: [{ name: second }]\n'),
      'kubernetes/flux/cluster/b.yaml': kustomization('second', '  wait: true\n'),
      'kubernetes/flux/cluster/c.yaml': kustomization('third'),
      'kubernetes/apps/first/x.yaml': configMap('x'),
      'kubernetes/apps/second/x.yaml':
        'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: web, namespace: flux-system }\nspec: { chartRef: { kind: OCIRepository, name: gone } }\n',
      'kubernetes/apps/third/x.yaml': configMap('x').replace('x, namespace: flux-system', 'x, namespace: gone'),
    }),
  );
  await install();
  const condition = { ...fluxReconciled(async () => client), deadlineMs: minutes(4) };
  const failure = await waitFor(condition, world.clock, never).then(
    () => undefined,
    (error: unknown) => (error as TkError).failure,
  );
  const third = 'kustomization flux-system/third: ConfigMap/gone/x dry-run failed (NotFound): namespaces "gone" not found';
  expect(failure && renderFailure(failure)).toMatch(/^error\[wait\/timeout\]: waited 4m00s for Flux to reconcile the repository\n/);
  expect(failure?.facts['last']).toBe(`${third} (and 2 more)`);
  expect(((failure?.facts['rest'] ?? []) as readonly string[]).map((line) => line.replace(/sha1:[0-9a-f]+/, 'sha1:…'))).toEqual([
    third,
    'kustomization flux-system/second: Running health checks for revision refs/heads/main@sha1:… with a timeout of 1h0m0s; ' +
      'helmrelease flux-system/web: could not get Source object: ocirepositorys.source.toolkit.fluxcd.io "gone" not found',
    '1 more, most of which wait for these',
  ]);
});

test('kinds that nobody defines are told together, with what needs them', async () => {
  const route = (name: string, kind = 'HTTPRoute') =>
    `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: flux-system }\nspec: {}\n`;
  const { client, install, world } = await fluxRig(
    tree({
      'kubernetes/flux/cluster/a.yaml': ['a', 'b', 'c'].map((name) => kustomization(name)).join('---\n'),
      'kubernetes/apps/a/x.yaml': route('a'),
      'kubernetes/apps/b/x.yaml': route('b', 'Gateway'),
      'kubernetes/apps/c/x.yaml': route('c'),
    }),
  );
  await install();
  const failure = await waitFor({ ...fluxReconciled(async () => client), deadlineMs: minutes(2) }, world.clock, never).then(
    () => undefined,
    (error: unknown) => (error as TkError).failure,
  );
  expect(failure?.facts['rest']).toEqual([
    'no definition of Gateway.gateway.networking.k8s.io, HTTPRoute.gateway.networking.k8s.io, without which nothing of flux-system/a, ' +
      'flux-system/b, flux-system/c is applied: let bootstrap:crds take it from its chart (bootstrap/helmfile.d/00-crds.yaml), ' +
      'or let another Kustomization install the chart first',
  ]);
});

test('what failed before its need came up is asked for once more, and no oftener', async () => {
  const { client, install, world } = await fluxRig(
    tree({
      'kubernetes/flux/cluster/a.yaml': kustomization('early', '  postBuild: { substituteFrom: [{ kind: ConfigMap, name: late }] }\n'),
      'kubernetes/flux/cluster/b.yaml': kustomization('never', '  postBuild: { substituteFrom: [{ kind: Secret, name: gone }] }\n'),
      'kubernetes/flux/cluster/c.yaml': kustomization('need'),
      'kubernetes/apps/early/x.yaml': configMap('x', '{ a: "${A}" }'),
      'kubernetes/apps/never/x.yaml': configMap('other'),
      'kubernetes/apps/need/x.yaml': configMap('late', '{ A: "1" }'),
    }),
  );
  await install();
  const asked: string[] = [];
  const condition = fluxReconciled(
    async () => client,
    async (object, signal) => {
      asked.push(object.name);
      await requestReconciliation(client, object, world.clock.now(), signal);
    },
  );
  await expect(waitFor({ ...condition, deadlineMs: minutes(10) }, world.clock, never)).rejects.toThrow('wait/timeout');
  expect((await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'flux-system', name: 'x' }, never))?.['data']).toEqual({
    a: 1,
  });
  expect(asked.filter((name) => name === 'early').length).toBe(1);
  // Once on each number of Kustomizations that are Ready.
  expect(asked.filter((name) => name === 'never').length).toBe(2);
});

test('a repository without a FluxInstance: settings and secrets of its start are planted, then its source and its Kustomization', async () => {
  const { client, files, world, kube, pass } = await fluxRig(
    tree({
      'kubernetes/flux/config/cluster.yaml': `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: home, namespace: flux-system }
spec: { interval: 30m, url: https://git.example.org/home.git, ref: { branch: main } }
---
${kustomization(
  'cluster',
  '  postBuild: { substituteFrom: [{ kind: ConfigMap, name: cluster-settings }, { kind: Secret, name: cluster-secrets }] }\n',
)
  .replace('./kubernetes/apps/cluster', './kubernetes/apps')
  .replace('name: flux-system }\n  post', 'name: home }\n  post')}`,
      'kubernetes/flux/config/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [cluster.yaml]\n',
      'kubernetes/flux/vars/cluster-settings.yaml': configMap('cluster-settings', '{ A: "1" }'),
      'kubernetes/apps/x.yaml': configMap('x', '{ a: "${A}${B}" }'),
      'kubernetes/flux/vars/unrelated.yaml': configMap('unrelated'),
      'kubernetes/flux/vars/cluster-secrets.sops.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: { name: cluster-secrets, namespace: flux-system }\nstringData: { B: "2" }\nsops: {}\n',
      'bootstrap/resources.yaml.j2': 'apiVersion: v1\nkind: Secret\nmetadata: { name: op }\nstringData: { token: "op://x/y/z" }\n',
      'bootstrap/templates/age-key.yaml.j2': 'kind: Secret\n',
      'kubernetes/components/backup/secret.sops.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: { name: "${APP}-backup" }\nstringData: { C: "3" }\nsops: {}\n',
    }),
  );
  const model = { paths: { root: '/repo', kubernetes: '/repo/kubernetes' } } as ClusterModel;
  const access = { reader: async () => client, writer: async () => client } as unknown as KubeAccess;
  const vault = {
    decrypt: async ({ text }: { readonly text: string }) => new Secret(text.replace('sops: {}\n', '')),
    ageKey: async () => new Secret('AGE-SECRET-KEY-1'),
    opens: async () => true,
  } as unknown as Vault;
  const secrets = createBootstrapSecrets({ model, files, vault, access });
  const planted = await secrets.load();
  expect(planted.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).toEqual([
    'Secret flux-system/cluster-secrets',
    'ConfigMap flux-system/cluster-settings',
    'Secret flux-system/sops-age',
  ]);
  expect(secrets.leftOut().map(({ code, facts }) => [code, facts['path']])).toEqual([
    ['cluster/template-left-out', 'bootstrap/resources.yaml.j2'],
  ]);
  for (const one of planted) await secrets.apply(one, never);
  expect(await Promise.all((await secrets.load()).map((one) => one.isApplied(never)))).toEqual([true, true, true]);

  const root = createFluxRoot({ model, files, access });
  const objects = await root.load(never);
  expect(objects.map(({ name, definition }) => `${name} ${definition}`)).toEqual([
    'home gitrepositories.source.toolkit.fluxcd.io',
    'cluster kustomizations.kustomize.toolkit.fluxcd.io',
  ]);
  ensureFluxKinds(kube.state);
  for (const name of ['source-controller', 'kustomize-controller'])
    await client.apply(deployment(name, 'flux-system'), { fieldManager: 'x' }, never);
  await pass(60_000);
  for (const object of objects) await root.apply(object, never);
  expect(await waitFor(fluxReconciled(access.reader), world.clock, never)).toMatch(/^main@[0-9a-f]{7}$/);
  expect(await Promise.all((await root.load(never)).map((one) => one.isApplied(never)))).toEqual([true, true]);
});
