import { parseYamlBulk } from '../../format/index.ts';
import { isObj, type Obj, type Value } from '../kube/value.ts';
import { simulatedCharts } from '../registry/pack-chart.ts';
import { standInDefinitions } from '../registry/stand-in-kinds.ts';

/**
 * What helm-controller installs of a chart that nobody rendered: the definitions of its `crds/` folder as they are, and one
 * Deployment of the release's name.
 */
export function standInObjects(chart: string, release: string, namespace: string): readonly Obj[] {
  const files = Object.entries(simulatedCharts.get(chart)?.files ?? standInDefinitions(chart));
  const definitions = files
    .filter(([path]) => path.startsWith('crds/'))
    .flatMap(([path, text]) => (parseYamlBulk(text, { path }) as Value[]).filter(isObj));
  const labels: Obj = { 'app.kubernetes.io/name': chart, 'app.kubernetes.io/instance': release };
  const deployment: Obj = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: release, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: `simulated.invalid/${chart}:stand-in` }], tolerations: [{ operator: 'Exists' }] },
      },
    },
  };
  return [...definitions, deployment];
}
