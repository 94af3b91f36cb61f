import { count } from '../../base/index.ts';
import type { WasmFailures } from '../../wasm/index.ts';
import type { Printers } from './printer.ts';

const of = (chart: string | undefined): string => (chart === undefined ? 'the chart' : `chart \`${chart}\``);
const at = (file: string, line: number | undefined, column: number | undefined): string =>
  [file, line, column].filter((part) => part !== undefined).join(':');

export const wasmPrinters: Printers<WasmFailures> = {
  'chart/archive': ({ reason, chart }) => ({
    title: `the archive of ${of(chart)} is refused`,
    because: reason,
    help: 'take the chart from its publisher again; nothing was applied',
  }),
  'chart/invalid': ({ reason, chart }) => ({ title: `${of(chart)} is not a chart that can be installed`, because: reason }),
  'chart/dependency': ({ reason, chart }) => ({
    title: `${of(chart)} lacks a chart that it depends on`,
    because: reason,
    help: 'a chart in a folder needs its dependencies in `charts/`',
  }),
  'chart/release-name': ({ reason }) => ({ title: reason }),
  'chart/values': ({ reason, chart }) => ({ title: `the values for ${of(chart)} cannot be read`, because: reason }),
  'chart/values-layer': ({ layer, reason }) => ({ title: `part ${layer + 1} of the values cannot be read`, because: reason }),
  'chart/values-schema': ({ problems }) => ({
    title: `${count(problems.length, 'value')} that the chart's schema refuses`,
    because: problems.map(({ chart, pointer, problem }) => `${chart} ${pointer === '' ? 'values' : pointer}: ${problem}`).join('; '),
  }),
  'chart/kubernetes-version': ({ needs, has, chart }) => ({
    title: `${of(chart)} needs Kubernetes \`${needs}\` but the cluster runs \`${has}\``,
    help: 'upgrade Kubernetes, or pin an older version of the chart',
  }),
  'chart/template': ({ file, line, column, problem, through, chart }) => ({
    title: `a template of ${of(chart)} fails: ${problem}`,
    because: [`${at(file, line, column)}`, ...[...through].reverse().map((place) => `used by ${place}`)].join(', '),
    help: 'set the values that the chart asks for in its HelmRelease',
  }),
  'chart/manifest': ({ file, problem }) => ({ title: `\`${file}\` renders to something that is not YAML`, because: problem }),
  'chart/record': ({ reason }) => ({ title: 'the record of a release cannot be read', because: reason }),
  'chart/lookup-endless': ({ kinds, chart }) => ({
    title: `${of(chart)} asks the cluster for ever new objects of ${count(kinds.length, 'kind')}`,
    because: kinds.join(', '),
  }),
  'chart/engine-trapped': ({ during, reason, chart }) => ({
    title: `the chart engine died during \`${during}\` of ${of(chart)}`,
    because: reason,
    help: 'a chart that needs more memory than 1 GiB cannot be rendered; nothing was applied',
  }),
  'chart/engine': ({ during, reason }) => ({ title: `the chart engine could not \`${during}\``, because: reason }),
  'go-template/failed': ({ name, line, column, problem }) => ({
    title: `the Go template \`${at(name, line, column)}\` fails`,
    because: problem,
  }),
};
