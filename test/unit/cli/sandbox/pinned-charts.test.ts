import { expect, test } from 'vitest';
import { pinnedCharts } from '../../../../lib/cli/sandbox/pinned-charts.ts';
import { createMemoryFiles } from '../../../../lib/sim/index.ts';

test('every chart that a file names is listed with the versions of that file, ranges with the lowest that they name', async () => {
  const files = createMemoryFiles(() => 0, {
    '/repo/kubernetes/apps/cilium/helmrelease.yaml':
      'spec:\n  chart:\n    spec:\n      chart: cilium\n      version: 1.17.2 # renovate\n      sourceRef: { kind: HelmRepository }\n',
    '/repo/kubernetes/apps/minio/helmrelease.yaml': 'spec:\n  chart:\n    spec:\n      chart: "minio"\n      version: ">=5.x <6"\n',
    '/repo/bootstrap/helmfile.yaml':
      'releases:\n  - name: a\n    chart: jetstack/cert-manager\n    version: v1.17.1\n  - chart: oci://ghcr.io/x/y\n',
    '/repo/kubernetes/apps/any/helmrelease.yml': 'chart: any\n',
    '/repo/kubernetes/apps/other/values.yaml': 'version: 9.9.9\n',
    '/repo/.git/x.yaml': 'chart: hidden\nversion: 1.0.0\n',
    '/repo/readme.md': 'chart: words\nversion: 1.0.0\n',
  });
  const found = (await pinnedCharts(files, '/repo')).map(({ chart, version }) => `${chart} ${version}`);
  expect(found.sort()).toEqual(['any 0.0.1', 'cert-manager v1.17.1', 'cilium 1.17.2', 'minio 5.0.0', 'y v1.17.1']);
});
