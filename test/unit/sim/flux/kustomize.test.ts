import { expect, test } from 'vitest';
import { createMemoryFiles, repositoryOfFiles } from '../../../../lib/sim/index.ts';

const build = async (files: Readonly<Record<string, string>>, path = 'app', overlay = {}) => {
  const all = Object.fromEntries(Object.entries(files).map(([name, text]) => [`/repo/${name}`, text]));
  const { objects, remote } = await repositoryOfFiles(
    createMemoryFiles(() => 0, all),
    '/repo',
  ).renderKustomization(path, overlay);
  return { objects: objects.map(({ object }) => object), remote };
};
const configMap = (name: string, data = '') => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n${data}`;

test('a component changes what is there already, and a replacement writes a field of one object into others', async () => {
  const files = {
    'app/kustomization.yaml': 'resources: [route.yaml]\ncomponents: [../policy]\nnamespace: web\n',
    'app/route.yaml':
      'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: shop }\nspec: { hostnames: [shop.example.org] }\n',
    'policy/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [policy.yaml]
patches:
  - target: { kind: HTTPRoute }
    patch: '[{ op: add, path: /metadata/labels, value: { guarded: "yes" } }]'
replacements:
  - source: { kind: HTTPRoute, fieldPath: metadata.name }
    targets:
      - select: { kind: SecurityPolicy }
        fieldPaths:
          - spec.targetRefs.[kind=HTTPRoute].name
          - metadata.annotations.example\\.org/route
        options: { create: true }
      - select: { kind: SecurityPolicy }
        fieldPaths: [metadata.name]
        options: { delimiter: '-', index: 0 }
`,
    'policy/policy.yaml':
      'apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: { name: ROUTE-public }\nspec: { targetRefs: [{ kind: HTTPRoute, name: ROUTE }] }\n',
  };
  expect((await build(files)).objects).toEqual([
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop', labels: { guarded: 'yes' }, namespace: 'web' },
      spec: { hostnames: ['shop.example.org'] },
    },
    {
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'SecurityPolicy',
      metadata: { name: 'shop-public', annotations: { 'example.org/route': 'shop' }, namespace: 'web' },
      spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'shop' }] },
    },
  ]);
});

test('prefix, images, replicas, labels, env files and what a Flux Kustomization adds', async () => {
  const files = {
    'app/kustomization.yaml': `resources: [deployment.yaml, https://example.org/crds.yaml]
namePrefix: a-
replicas: [{ name: a-web, count: 3 }]
images: [{ name: ghcr.io/x/web, newTag: v2 }]
labels: [{ pairs: { team: x }, includeSelectors: true }]
configMapGenerator: [{ name: env, envs: [app.env], options: { disableNameSuffixHash: true } }]
`,
    'app/app.env': '# comment\nA=1\n\nB=two words\n',
    'app/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template: { spec: { containers: [{ name: web, image: ghcr.io/x/web:v1, envFrom: [{ configMapRef: { name: env } }] }] } }
`,
  };
  const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: env }\ndata: { B: null, C: "3" }\n';
  expect(await build(files, 'app', { namespace: 'web', patches: [{ patch }] })).toEqual({
    remote: ['https://example.org/crds.yaml'],
    objects: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a-web', namespace: 'web', labels: { team: 'x' } },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'web', team: 'x' } },
          template: {
            metadata: { labels: { team: 'x' } },
            spec: { containers: [{ name: 'web', image: 'ghcr.io/x/web:v2', envFrom: [{ configMapRef: { name: 'a-env' } }] }] },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a-env', namespace: 'web', labels: { team: 'x' } },
        data: { A: '1', C: '3' },
      },
    ],
  });
});

test.for([
  [
    'the same object twice',
    { 'app/kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'app/a.yaml': configMap('x'), 'app/b.yaml': configMap('x') },
    'may not add resource with an already registered id: ConfigMap.v1.[noGrp]/x.[noNs]',
  ],
  [
    'a patch that fits nothing',
    {
      'app/kustomization.yaml': `resources: [a.yaml]\npatches: [{ path: p.yaml }]\n`,
      'app/a.yaml': configMap('x'),
      'app/p.yaml': configMap('other'),
    },
    'no matches for Id ConfigMap.v1.[noGrp]/other.[noNs]',
  ],
  ['a patch that is not there', { 'app/kustomization.yaml': 'patches: [{ path: p.yaml }]\n' }, 'failed to get patch file (p.yaml)'],
  [
    'a JSON patch of what is not there',
    {
      'app/kustomization.yaml': `resources: [a.yaml]\npatches: [{ target: { kind: ConfigMap }, patch: "- { op: remove, path: /data/gone }" }]\n`,
      'app/a.yaml': `${configMap('x')}data: {}\n`,
    },
    "error in remove for path: '/data/gone': Unable to remove nonexistent key: gone: missing value",
  ],
  [
    'a replacement without a source',
    { 'app/kustomization.yaml': 'replacements: [{ source: { kind: Secret, name: x }, targets: [] }]\n' },
    'nothing selected by Secret/x.[noNs]',
  ],
  ['no YAML', { 'app/kustomization.yaml': 'resources: [a.yaml]\n', 'app/a.yaml': 'a: 1\nb: "\n' }, 'MalformedYAMLError: '],
  [
    'no object',
    { 'app/kustomization.yaml': 'resources: [values.yaml]\n', 'app/values.yaml': 'a: 1\n' },
    'missing kind in object of app/values.yaml',
  ],
] as const)('%s is refused in the words of kustomize', async ([, files, words]) => {
  await expect(build(files as unknown as Record<string, string>)).rejects.toThrow(words);
});

test('a JSON patch replaces what a mapping has not, as the reader of kustomize does', async () => {
  const operations = [
    { op: 'test', path: '/data/gone', value: null },
    { op: 'replace', path: '/data/new', value: 'a' },
    { op: 'copy', from: '/data/new', path: '/data/more' },
  ];
  const files = {
    'app/kustomization.yaml': `resources: [a.yaml]\npatches: [{ target: { kind: ConfigMap }, patch: '${JSON.stringify(operations)}' }]\n`,
    'app/a.yaml': `${configMap('x')}data: {}\n`,
  };
  expect((await build(files)).objects.map(({ data }) => data)).toEqual([{ new: 'a', more: 'a' }]);
});
