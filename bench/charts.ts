// Renders charts with the engine and, where a stock helm is given, with that: node bench/charts.ts [HELM]
// Prints times, ratios and memory. Nothing is judged here; the aims are 8 times for one cold render and 1.5 times for six.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from '../lib/format/index.ts';
import { createHostClock } from '../lib/host/clock.ts';
import { createHostCompute } from '../lib/host/compute.ts';
import { packChart, simulatedCharts } from '../lib/sim/registry/pack-chart.ts';
import { type ChartArchive, createHelmEngine } from '../lib/wasm/index.ts';

const [mode = '', ...rest] = process.argv.slice(2);
const never = new AbortController().signal;

/** As many templates, values and helper calls as Cilium's chart has: 130 files, 3,000 lines of values. */
function large(): Readonly<Record<string, string>> {
  const values = Array.from(
    { length: 150 },
    (_, index) =>
      `part${index}:\n  enabled: true\n  name: n${index}\n  labels: { a: x, b: y }\n${Array.from({ length: 16 }, (_unused, line) => `  option${line}: value-${index}-${line}\n`).join('')}`,
  );
  const helpers = Array.from(
    { length: 60 },
    (_, index) =>
      `{{- define "h${index}" -}}\n{{- range $k, $v := .part }}\n{{ $k }}: {{ $v | toString | trunc 63 | trimSuffix "-" | quote }}\n{{- end }}\n{{- end -}}\n`,
  );
  const files: Record<string, string> = {
    'Chart.yaml': 'apiVersion: v2\nname: large\nversion: 1.0.0\n',
    'values.yaml': values.join(''),
    'templates/_helpers.tpl': helpers.join(''),
  };
  for (let index = 0; index < 130; index += 1) {
    files[`templates/t${index}.yaml`] =
      `{{- $part := index .Values "part${index}" }}\n{{- if $part.enabled }}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ $part.name }}\n  labels:\n    {{- toYaml $part.labels | nindent 4 }}\n  annotations:\n    sum: {{ include "h${index % 60}" (dict "part" $part "root" $) | sha256sum }}\ndata:\n  {{- include "h${(index + 7) % 60}" (dict "part" $part "root" $) | nindent 2 }}\n{{- if semverCompare ">=1.20-0" .Capabilities.KubeVersion.Version }}\n  json: {{ toJson $part | quote }}\n{{- end }}\n{{- end }}\n`;
  }
  return files;
}

const archiveOf = (files: Readonly<Record<string, string>>): ChartArchive => ({
  bytes: gzipSync(packTar(Object.entries(files).map(([path, content]) => ({ path: `large/${path}`, content })))),
  digest: 'bench',
});

const six = ['cilium', 'coredns', 'spegel', 'cert-manager', 'flux-operator', 'flux-instance'];

async function renderHere(archives: readonly ChartArchive[]): Promise<void> {
  const clock = createHostClock();
  const compute = createHostCompute(clock);
  const random = {
    bytes: (count: number) => randomBytes(count),
    fraction: () => 0.5,
    privateKey: () => Promise.reject(new Error('no key is needed')),
  };
  const moduleBytes = async () => readFileSync(new URL('../lib/wasm/helm.wasm.br', import.meta.url));
  const engine = createHelmEngine({ compute, random, clock, moduleBytes });
  for (const archive of archives) await engine.render({ archive, release: { name: 'bench', namespace: 'default' } }, never);
  process.stdout.write(JSON.stringify({ peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) }));
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

function timed(work: () => void, rounds = 5): number {
  return median(
    Array.from({ length: rounds }, () => {
      const started = performance.now();
      work();
      return performance.now() - started;
    }),
  );
}

function compare(helm: string | undefined): void {
  const folder = mkdtempSync(join(tmpdir(), 'bench-charts-'));
  const unpack = (name: string, files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name, path)), { recursive: true });
      writeFileSync(join(folder, name, path), text);
    }
  };
  unpack('large', large());
  for (const name of six) {
    const chart = simulatedCharts.get(name);
    if (chart !== undefined)
      unpack(name, { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${chart.version.replace('v', '')}\n`, ...chart.files });
  }
  let peak = '';
  const own = (what: string) => {
    const run = spawnSync(process.execPath, ['--conditions=talos-tk-source', import.meta.filename, what], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    peak = run.stdout;
  };
  const theirs = (charts: readonly string[]) => {
    for (const chart of charts) execFileSync(helm as string, ['template', 'bench', join(folder, chart)], { stdio: 'ignore' });
  };
  const bareMs = timed(() => void spawnSync(process.execPath, ['-e', '0']));
  const rows: string[][] = [];
  for (const [what, charts] of [
    ['cold', ['large']],
    ['six', six],
  ] as const) {
    const ownMs = timed(() => own(what));
    const theirMs = helm === undefined ? undefined : timed(() => theirs(charts));
    rows.push([
      what === 'cold' ? 'one large chart, cold process' : 'six releases, one process',
      `${Math.round(ownMs)} ms`,
      `${(ownMs / bareMs).toFixed(1)} × bare node`,
      theirMs === undefined ? 'no helm given' : `${(ownMs / theirMs).toFixed(1)} × helm (${Math.round(theirMs)} ms)`,
      `${(JSON.parse(peak) as { peakMiB: number }).peakMiB} MiB`,
    ]);
  }
  rmSync(folder, { recursive: true });
  for (const row of rows) process.stdout.write(`${row.map((cell, index) => cell.padEnd([32, 10, 18, 24, 0][index] ?? 0)).join('')}\n`);
}

if (mode === 'cold') await renderHere([archiveOf(large())]);
else if (mode === 'six')
  await renderHere(
    six
      .map((name) => simulatedCharts.get(name))
      .filter((chart) => chart !== undefined)
      .map((chart) => ({ bytes: packChart(chart, chart.version).archive, digest: chart.name })),
  );
else compare([mode, ...rest].find((argument) => argument !== ''));
