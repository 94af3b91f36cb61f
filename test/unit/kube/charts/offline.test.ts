import { expect, test } from 'vitest';
import { manifestText, prepareRelease, type ReleasePlan, renderReleaseOffline } from '../../../../lib/kube/index.ts';
import { createMemoryFiles, createRegistry } from '../../../../lib/sim/index.ts';
import { engine } from '../../wasm/engine.ts';
import { pullPorts, quickClock, signal } from './rig.ts';

test('a chart in a folder renders without a cluster, its ignored files left out', async () => {
  const files = createMemoryFiles(() => 0, {
    '/repo/charts/own/Chart.yaml': 'apiVersion: v2\nname: own\nversion: 1.0.0\n',
    '/repo/charts/own/.helmignore': '*.bak\n',
    '/repo/charts/own/values.yaml': 'greeting: hello\n',
    '/repo/charts/own/crds/things.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: things.example }\n',
    '/repo/charts/own/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }} }\ndata: { a: {{ .Values.greeting }}, v: {{ .Capabilities.KubeVersion }}, s: {{ .Capabilities.APIVersions.Has "x/v1" | quote }} }\n',
    '/repo/charts/own/templates/old.yaml.bak': '{{ broken',
    '/repo/charts/own/templates/hook.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: h\n  annotations: { helm.sh/hook: post-install }\n',
  });
  const clock = quickClock();
  const plan: ReleasePlan = {
    name: 'own',
    namespace: 'apps',
    storageNamespace: 'apps',
    source: { kind: 'folder', root: '/repo', path: 'charts/own' },
    chart: 'own',
    version: 'folder',
    needs: [],
    role: 'release',
    isBootstrap: false,
    values: [{ kind: 'file', path: 'values.yaml', text: 'greeting: salut\n' }],
    crds: 'create',
    areHooksDisabled: false,
    timeoutMs: 60_000,
    place: { kind: 'file', path: 'x.yaml', line: 1, column: 1 },
    hooks: [],
  };
  const ports = {
    engine: engine(),
    clock,
    pull: pullPorts(createRegistry({ clock }).handler, files),
    readReference: () => Promise.resolve(undefined),
  };
  const prepared = await prepareRelease(plan, ports, signal);
  const rendering = await renderReleaseOffline(
    prepared,
    ports,
    { kubeVersion: 'v1.37.0', apiVersions: ['x/v1'], includeCrds: true },
    signal,
  );
  expect(manifestText(rendering)).toBe(`---
# Source: own/crds/things.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: things.example }

---
# Source: own/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: own }
data: { a: salut, v: v1.37.0, s: "true" }
---
# Source: own/templates/hook.yaml
apiVersion: v1
kind: Pod
metadata:
  name: h
  annotations: { helm.sh/hook: post-install }

`);
});
