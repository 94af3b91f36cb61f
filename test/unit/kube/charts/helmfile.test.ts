import { expect, test } from 'vitest';
import { type Env, Secret, type SourceFile } from '../../../../lib/base/index.ts';
import { findReleases, type ReleasePlan, resolveValues } from '../../../../lib/kube/index.ts';
import { createMemoryFiles } from '../../../../lib/sim/index.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import { engine } from '../../wasm/engine.ts';
import { signal } from './rig.ts';

const helm = engine();
const find = (
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = {},
  decrypt?: (file: SourceFile) => Promise<Secret<string>>,
) => {
  const env: Env = { get: (name) => variables[name], home: '/home/x', platform: 'linux' };
  const all = Object.fromEntries(Object.entries(files).map(([path, text]) => [`/repo/${path}`, text]));
  return findReleases(
    { files: createMemoryFiles(() => 0, all), engine: helm, env, ...(decrypt ? { decrypt } : {}) },
    '/repo',
    'kubernetes',
    signal,
  );
};
const valuesOf = async (plan: ReleasePlan | undefined) =>
  plan && (await resolveValues(plan, helm, () => Promise.resolve(undefined), signal)).reveal();

/** The newest layout of cluster-template: a base whose template reads chart, version and values out of the Flux tree. */
const bases: Readonly<Record<string, string>> = {
  'bootstrap/helmfile/default.yaml': `templates:
  default:
    chart: '{{ (fromYaml (tpl (readFile "./templates/release.yaml.gotmpl") .)).chart }}'
    version: '{{ (fromYaml (tpl (readFile "./templates/release.yaml.gotmpl") .)).version }}'
    values: [./templates/values.yaml.gotmpl]
`,
  'bootstrap/helmfile/templates/release.yaml.gotmpl': `{{- $oci := fromYaml (readFile (printf "../../kubernetes/apps/%s/%s/app/ocirepository.yaml" .Release.Namespace .Release.Name)) -}}
chart: {{ $oci.spec.url }}
version: {{ $oci.spec.ref.tag }}
`,
  'bootstrap/helmfile/templates/values.yaml.gotmpl':
    '{{ (fromYaml (readFile (printf "../../../kubernetes/apps/%s/%s/app/helmrelease.yaml" .Release.Namespace .Release.Name))).spec.values | toYaml }}\n',
  'kubernetes/apps/network/gateway/app/ocirepository.yaml':
    'kind: OCIRepository\nspec: { url: oci://mirror.example/gateway, ref: { tag: v1.7.0 } }\n',
  'kubernetes/apps/network/gateway/app/helmrelease.yaml':
    'kind: HelmRelease\nspec:\n  values: { mode: 0400, port: 8080, big: 12345678, flag: yes, text: "1" }\n',
};

test('a base whose template reads the Flux tree gives chart, version and values', async () => {
  const { releases, failures } = await find({
    ...bases,
    'bootstrap/helmfile/crds.yaml': `helmDefaults: { args: [--include-crds, --no-hooks] }
bases: [default.yaml]
defaultInherit: default
releases:
  - { name: gateway, namespace: network }
  - { name: operator-crds, namespace: observability, chart: oci://ghcr.io/x/operator-crds, version: 29.0.0, inherit: [{ template: default, except: [values] }] }
`,
  });
  expect(failures).toEqual([]);
  expect(releases.map(({ name, role, source }) => [name, role, source])).toEqual([
    ['gateway', 'crds', { kind: 'oci', repository: 'mirror.example/gateway', tag: 'v1.7.0' }],
    ['operator-crds', 'crds', { kind: 'oci', repository: 'ghcr.io/x/operator-crds', tag: '29.0.0' }],
  ]);
  // helmfile reads YAML 1.2 here and writes it for helm, which reads 1.1.
  expect(await valuesOf(releases[0])).toEqual({ mode: 256, port: 8080, big: 12345678, flag: 'yes', text: '1' });
});

test('environments, values files, set, repositories and folders as helmfile takes them', async () => {
  const { releases, failures } = await find(
    {
      'helmfile.yaml.gotmpl': `environments:
  default:
    values:
      - ./env.yaml.gotmpl
      - web: { enabled: true, replicas: 3 }
---
repositories:
  - { name: home, url: https://charts.example }
  - { name: mirror, url: registry.example/charts, oci: true }
helmDefaults: { timeout: 600, wait: true }
releases:
{{- range $name := list "one" "two" }}
  - name: {{ $name }}
    namespace: apps
    chart: home/{{ $name }}
    version: {{ $.Values.version | quote }}
    condition: {{ $name }}.enabled
{{- end }}
  - name: web
    namespace: apps
    chart: mirror/web
    version: ~1.2
    wait: false
    timeout: 30
    condition: web.enabled
    needs: [apps/one]
    values:
      - ./values/web.yaml
      - values/{{\`{{ .Release.Name }}\`}}-{{ .Environment.Name }}.yaml.gotmpl
      - inline: "{{\`{{ kept }}\`}}"
      - '{{ requiredEnv "KUBERNETES_DIR" }}/values.yaml'
    set:
      - { name: a.b, value: "1,2" }
      - { name: list, values: [x, z] }
      - { name: file, file: ./values/file.txt }
    setString: [{ name: number, value: "007" }]
    setTemplate: [{ name: 'from.{{\`{{ .Release.Namespace }}\`}}', value: '{{\`{{ .Values.web.replicas }}\`}}' }]
  - { name: own, namespace: apps, chart: ./charts/own, installed: true }
  - { name: off, namespace: apps, chart: home/off, installed: false }
helmfiles:
  - path: nested/*.yaml
`,
      'env.yaml.gotmpl': 'version: 1.{{ add 1 1 }}.0\none: { enabled: true }\ntwo: { enabled: false }\n',
      'nested/a.yaml': 'releases: [{ name: first, namespace: apps, chart: oci://ghcr.io/x/first:0.1.0 }]\n',
      'values/web.yaml': 'port: 1\ndeep: { a: 1, b: 2 }\n',
      'values/web-default.yaml.gotmpl':
        'replicas: {{ .Values.web.replicas }}\nchart: {{ .Release.Chart }}\nfiles: {{ readDir "." | toJson }}\nhas: {{ isFile "web.yaml" }}\ngot: {{ get "web.nope" "none" .Values }} {{ .Values | getOrNil "x.y" }}\nyq: {{ exec "yq" (list "-r" ".deep.b" "web.yaml") | trim }}\n',
      'values/file.txt': 'a,b',
      'kubernetes/values.yaml': 'deep: { b: 3 }\n',
      'charts/own/Chart.yaml': 'name: own\nversion: 0.1.0\n',
    },
    {},
  );
  expect(failures).toEqual([]);
  expect(releases.map(({ name, source, timeoutMs, shouldWait, needs }) => [name, source, timeoutMs, shouldWait, needs])).toEqual([
    ['first', { kind: 'oci', repository: 'ghcr.io/x/first', tag: '0.1.0' }, 300_000, undefined, []],
    ['one', { kind: 'index', url: 'https://charts.example', chart: 'one', version: '1.2.0' }, 600_000, undefined, []],
    ['web', { kind: 'oci', repository: 'registry.example/charts/web', range: '~1.2' }, 30_000, false, ['one']],
    ['own', { kind: 'folder', root: '/repo', path: 'charts/own' }, 600_000, undefined, []],
  ]);
  expect(await valuesOf(releases[2])).toEqual({
    port: 1,
    deep: { a: 1, b: 3 },
    replicas: 3,
    chart: 'mirror/web',
    files: ['file.txt', 'web-default.yaml.gotmpl', 'web.yaml'],
    has: true,
    got: 'none <no value>',
    yq: 2,
    inline: '{{ kept }}',
    a: { b: '1,2' },
    list: ['x', 'z'],
    file: 'a,b',
    number: '007',
    from: { apps: 3 },
  });
});

test('what only helmfile itself could do is told with its place, and nothing is run or read outside of the repository', async () => {
  const one = (more: string) => ({
    'bootstrap/helmfile.yaml': `releases:\n  - name: web\n    namespace: apps\n    chart: oci://ghcr.io/x/web\n    version: 1.0.0\n${more}`,
  });
  const told: string[] = [];
  for (const files of [
    one(`    values: ['{{ exec "sh" (list "-c" "id") }}']\n`),
    one(`    values: ['{{ readFile "../../../etc/passwd" }}']\n`),
    one(`    values: ['{{ readFile "gone.yaml" }}']\n`),
    one(`    values: ['{{ requiredEnv "CLUSTER" }}.yaml']\n`),
    one('    values: [gone.yaml]\n'),
    one('    postRenderer: ./patch.sh\n'),
    one('    jsonPatches: [{ target: { kind: Service, name: web }, patch: [] }]\n'),
    {
      'bootstrap/helmfile.yaml.gotmpl':
        'releases:\n  - name: web\n    chart: oci://ghcr.io/x/web\n    values: [{{ exec "bash" (list "-c" "yq .spec.values hr.yaml | envsubst") }}]\n',
    },
    one('    secrets: [secrets.yaml]\n'),
    one(`    values: ['{{ .Values.nope }}']\n`),
    one(`    values: ['{{ fetchSecretValue "ref+vault://x" }}']\n`),
    { 'bootstrap/helmfile.yaml': 'releases: [{ name: web, chart: cilium }]\n' },
    { 'bootstrap/helmfile.yaml.gotmpl': 'releases:\n{{ range }}\n' },
  ] as readonly Readonly<Record<string, string>>[]) {
    const { failures } = await find(files);
    told.push(failures.map((failure) => renderFailure(failure)).join('\n\n'));
  }
  await expect(told.join('\n\n')).toMatchFileSnapshot('../../../golden/charts/helmfile-failures.txt');
});

test('secrets of a release are opened; values that somebody makes later, and variables of files without any, are left to Flux', async () => {
  const files = {
    'bootstrap/helmfile.yaml': `releases:
  - { name: argo-cd, namespace: argocd, chart: oci://ghcr.io/x/argo-cd, version: 1.0.0, values: [values.yaml], secrets: ['{{ .Release.Name }}.sops.yaml'] }
  - { name: web, namespace: apps, chart: oci://ghcr.io/x/web, version: 1.0.0 }
`,
    'bootstrap/values.yaml': 'a: 1\nb: 1\n',
    'bootstrap/argo-cd.sops.yaml': 'b: ENC[x]\n',
    'kubernetes/apps/apps/ks.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: web, namespace: flux-system }
spec: { path: ./kubernetes/apps/apps/web, postBuild: { substituteFrom: [{ kind: ConfigMap, name: gone }] } }
`,
    'kubernetes/apps/apps/web/hr.yaml': `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: web, namespace: apps }
spec: { url: oci://ghcr.io/x/web, ref: { tag: 1.0.0 } }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: apps }
spec:
  chartRef: { kind: OCIRepository, name: web }
  valuesFrom: [{ kind: Secret, name: made-later }]
  values: { c: 3 }
`,
  };
  const opened: string[] = [];
  const { releases, failures } = await find(files, {}, async ({ path, text }) => {
    opened.push(path);
    return new Secret(text.replace('ENC[x]', '2'));
  });
  expect(failures).toEqual([]);
  expect(opened).toEqual(['bootstrap/argo-cd.sops.yaml']);
  expect(await valuesOf(releases.find(({ name }) => name === 'argo-cd'))).toEqual({ a: 1, b: 2 });
  expect(await valuesOf(releases.find(({ name }) => name === 'web'))).toEqual({ c: 3 });
});

test('yq is understood where it only reads; other commands matter only to a release that has no HelmRelease', async () => {
  const helmRelease = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: web }
spec: { url: oci://ghcr.io/x/web, ref: { tag: 1.0.0 } }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web }
spec:
  chartRef: { kind: OCIRepository, name: web }
  values: { mode: 0400, flag: yes, text: "1", list: [{ a: b }] }
`;
  const yq = (...words: string[]) =>
    `{{ exec "yq" (list ${words.map((word) => `\`${word}\``).join(' ')} "../kubernetes/apps/apps/web/app/helmrelease.yaml") | trim }}`;
  const { releases, failures } = await find({
    'kubernetes/apps/apps/web/app/helmrelease.yaml': helmRelease,
    'setup/bootstrap/helmfile.d/01-apps.yaml.gotmpl': `releases:
  - name: web
    namespace: apps
    values: [{{ exec "bash" (list "-c" "yq .spec.values hr.yaml | envsubst") }}]
  - name: other
    namespace: apps
    chart: oci://ghcr.io/x/other
    version: 1.0.0
    values: [./values.yaml.gotmpl]
`,
    'setup/bootstrap/helmfile.d/values.yaml.gotmpl': [
      `selected: ${yq('select(.kind == "HelmRelease").spec.values.mode')}`,
      `all: ${yq('-o=json', '-I=0', 'select(.kind=="HelmRelease") | .spec.values')}`,
      `url: ${yq('e', '-r', 'select(.kind == "OCIRepository") | .spec.url')}`,
      `absent: ${yq('select(.kind == "OCIRepository").spec.values // {}')}`,
      `item: ${yq('select(.kind == "HelmRelease").spec.values.list[0].a')}`,
    ]
      .join('\n')
      .replaceAll('../kubernetes', '../../../kubernetes'),
    'kubernetes/bootstrap/crds/helmfile.yaml': 'releases: [{ name: gateway, chart: oci://ghcr.io/x/gateway, version: 1.0.0 }]\n',
    'bootstrap/definitions.helmfile.yaml': `helmDefaults: { postRenderer: bash, postRendererArgs: [-c, "yq ea -e 'select(.kind == \\"CustomResourceDefinition\\")'"] }
releases: [{ name: operator, chart: oci://ghcr.io/x/operator, version: 1.0.0 }]
`,
  });
  expect(failures).toEqual([]);
  expect(releases.map(({ name, role, isBootstrap }) => [name, role, isBootstrap])).toEqual([
    ['web', 'release', true],
    ['other', 'release', true],
    ['gateway', 'crds', false],
    ['operator', 'crds', false],
  ]);
  expect(await valuesOf(releases[0])).toEqual({ mode: 256, flag: true, text: '1', list: [{ a: 'b' }] });
  expect(await valuesOf(releases[1])).toEqual({
    selected: 256,
    all: { mode: 256, flag: 'yes', text: '1', list: [{ a: 'b' }] },
    url: 'oci://ghcr.io/x/web',
    absent: {},
    item: 'b',
  });
});

test('a helmfile whose releases all have a HelmRelease loads no engine, whatever templates it holds', async () => {
  let calls = 0;
  const counting = new Proxy(helm, { get: (target, name) => (calls++, Reflect.get(target, name) as unknown) });
  const files = createMemoryFiles(() => 0, {
    ...Object.fromEntries(Object.entries(bases).map(([path, text]) => [`/repo/${path}`, text])),
    '/repo/bootstrap/helmfile/apps.yaml': 'bases: [default.yaml]\ndefaultInherit: [default]\nreleases: [{ name: web, namespace: apps }]\n',
    '/repo/kubernetes/apps/apps/web/app/helmrelease.yaml':
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: web }\nspec: { chartRef: { kind: OCIRepository, name: web } }\n---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: { name: web }\nspec: { url: oci://ghcr.io/x/web, ref: { tag: 1.0.0 } }\n',
  });
  const { releases, failures } = await findReleases(
    { files, engine: counting, env: { get: () => undefined, home: '/', platform: 'linux' } },
    '/repo',
    'kubernetes',
    signal,
  );
  expect(failures).toEqual([]);
  expect(releases.map(({ name, isBootstrap }) => [name, isBootstrap])).toEqual([['web', true]]);
  expect(calls).toBe(0);
});

test('a bootstrap folder may call its helmfiles as it likes', async () => {
  const { releases, failures } = await find({
    'kubernetes/bootstrap/apps.yaml':
      'releases:\n  - { name: cilium, namespace: kube-system, chart: oci://quay.io/cilium/charts/cilium, version: 1.20.0 }\n',
    'kubernetes/bootstrap/crds.yaml':
      'helmDefaults: { args: [--include-crds] }\nreleases:\n  - { name: gateway, namespace: network, chart: oci://ghcr.io/x/gateway, version: 1.0.0 }\n',
    'kubernetes/bootstrap/settings.yaml': 'kind: ConfigMap\ndata: { releases: none }\n',
  });
  expect(failures).toEqual([]);
  expect(releases.map(({ name, role, isBootstrap }) => [name, role, isBootstrap])).toEqual([
    ['cilium', 'release', true],
    ['gateway', 'crds', false],
  ]);
});
