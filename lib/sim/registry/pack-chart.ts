import { gzipSync } from 'node:zlib';
import { packTar } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { account, anything, type ChartFolder, workload } from './chart-folder.ts';
import { coredns, spegel, talosBackup, talosCcm } from './charts/base.ts';
import { certManager } from './charts/cert-manager.ts';
import { cilium } from './charts/cilium.ts';
import { flux2, fluxInstance, fluxOperator, tuppr } from './charts/flux.ts';
import { standInDefinitions } from './stand-in-kinds.ts';

/** Every chart that the simulator has, by name. */
export const simulatedCharts: ReadonlyMap<string, ChartFolder> = new Map(
  [cilium, coredns, spegel, certManager, fluxOperator, fluxInstance, flux2, tuppr, talosCcm, talosBackup].map((chart) => [
    chart.name,
    chart,
  ]),
);

/** What stands in for a chart that the simulator does not have: one Deployment of the release's name, and the kinds that it is known for. */
export const standInFor = (name: string): ChartFolder => ({
  name,
  version: '0.0.1',
  description: 'Stands in for a chart that the simulator does not have',
  files: {
    ...standInDefinitions(name),
    'values.yaml': '{}\n',
    'templates/account.yaml': account('{{ .Release.Name }}', name, anything),
    'templates/deployment.yaml': workload({
      kind: 'Deployment',
      name: '{{ .Release.Name }}',
      app: name,
      image: 'registry.k8s.io/pause:3.10',
      serviceAccount: '{{ .Release.Name }}',
    }),
  },
});

export interface PackedChart {
  readonly archive: Uint8Array;
  /** Without `sha256:`. */
  readonly digest: string;
  readonly config: Uint8Array;
}

const packed = new WeakMap<ChartFolder, Map<string, PackedChart>>();

/** The same bytes for the same chart and version, always. */
export function packChart(chart: ChartFolder, version: string): PackedChart {
  const versions = packed.get(chart) ?? new Map<string, PackedChart>();
  packed.set(chart, versions);
  const known = versions.get(version) ?? pack(chart, version);
  versions.set(version, known);
  return known;
}

function pack({ name, description, files }: ChartFolder, version: string): PackedChart {
  const metadata = { apiVersion: 'v2', name, description, type: 'application', version, appVersion: version };
  const entries = [{ path: `${name}/Chart.yaml`, content: `${JSON.stringify(metadata)}\n` }];
  for (const [path, content] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
    entries.push({ path: `${name}/${path}`, content });
  const archive = gzipSync(packTar(entries), { level: 9 });
  // The byte for the operating system differs between machines; 255 says "unknown".
  archive[9] = 255;
  return { archive, digest: sha256Hex(archive), config: Buffer.from(JSON.stringify(metadata)) };
}
