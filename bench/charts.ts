// Renders charts with the engine and, where a stock helm is given, with that, in turns: node bench/charts.ts [HELM]
// Prints medians of wall time, of processor time (Linux) and of their ratios pair by pair, and memory. Nothing is judged here; the aims
// are 8 times for one cold render and 1.5 times for six.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createHostClock } from '../lib/host/clock.ts';
import { createHostCompute } from '../lib/host/compute.ts';
import { createHelmEngine } from '../lib/wasm/index.ts';

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

const six = ['cilium', 'coredns', 'spegel', 'cert-manager', 'flux-operator', 'flux-instance'];

/** Everything that is only needed to make charts is left to the parent: a render must not pay for it. */
async function renderHere(files: readonly string[]): Promise<void> {
  const clock = createHostClock();
  const random = {
    bytes: (count: number) => randomBytes(count),
    fraction: () => 0.5,
    privateKey: () => Promise.reject(new Error('no key is needed')),
  };
  const moduleBytes = async () => readFileSync(new URL('../lib/wasm/helm.wasm.br', import.meta.url));
  const engine = createHelmEngine({ compute: createHostCompute(clock), random, clock, moduleBytes });
  for (const file of files) {
    await engine.render({ archive: { bytes: readFileSync(file), digest: file }, release: { name: 'bench', namespace: 'default' } }, never);
  }
  process.stdout.write(JSON.stringify({ peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) }));
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

interface Cost {
  readonly wallMs: number;
  /** Of all processes that were started and waited for; NaN where the system does not say. */
  readonly cpuMs: number;
}

function costOf(work: () => void): Cost {
  const [started, before] = [performance.now(), childrenCpuMs()];
  work();
  return { wallMs: performance.now() - started, cpuMs: childrenCpuMs() - before };
}

/** Source: proc_pid_stat(5), `cutime` and `cstime` in hundredths of a second. */
function childrenCpuMs(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return Number.NaN;
  }
}

async function compare(helm: string | undefined): Promise<void> {
  const [{ gzipSync }, { packTar }, { packChart, simulatedCharts }] = await Promise.all([
    import('node:zlib'),
    import('../lib/format/index.ts'),
    import('../lib/sim/registry/pack-chart.ts'),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'bench-charts-'));
  const unpack = (name: string, files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name, path)), { recursive: true });
      writeFileSync(join(folder, name, path), text);
    }
  };
  const archive = (name: string) => join(folder, `${name}.tgz`);
  unpack('large', large());
  writeFileSync(
    archive('large'),
    gzipSync(packTar(Object.entries(large()).map(([path, content]) => ({ path: `large/${path}`, content })))),
  );
  for (const name of six) {
    const chart = simulatedCharts.get(name);
    if (chart === undefined) throw new Error(`there is no chart ${name}`);
    unpack(name, { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${chart.version.replace('v', '')}\n`, ...chart.files });
    writeFileSync(archive(name), packChart(chart, chart.version).archive);
  }
  // As the launcher of `tk` has it, so that every start but the first finds its modules compiled.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  let peak = '';
  const own = (charts: readonly string[]) => {
    const args = ['--conditions=talos-tk-source', import.meta.filename, 'render', ...charts.map(archive)];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', env });
    if (run.status !== 0) throw new Error(run.stderr);
    peak = run.stdout;
  };
  const theirs = (charts: readonly string[]) => {
    for (const chart of charts) execFileSync(helm as string, ['template', 'bench', join(folder, chart)], { stdio: 'ignore' });
  };
  own(six);
  for (const [what, charts] of [
    ['one large chart, cold process', ['large']],
    ['six releases, one process', six],
  ] as const) {
    const pairs = Array.from({ length: rounds }, () => {
      const ours = costOf(() => own(charts));
      return { ours, helm: helm === undefined ? { wallMs: Number.NaN, cpuMs: Number.NaN } : costOf(() => theirs(charts)) };
    });
    const row = (of: keyof Cost) =>
      `${of === 'wallMs' ? 'wall' : 'cpu'} ${median(pairs.map(({ ours }) => ours[of])).toFixed(0)} ms, ${
        helm === undefined
          ? 'no helm given'
          : `${median(pairs.map((pair) => pair.ours[of] / pair.helm[of])).toFixed(1)} × helm (${median(pairs.map((pair) => pair.helm[of])).toFixed(0)} ms)`
      }`;
    process.stdout.write(`${what.padEnd(30)} ${row('wallMs').padEnd(40)} ${row('cpuMs').padEnd(40)} ${JSON.parse(peak).peakMiB} MiB\n`);
  }
  rmSync(folder, { recursive: true });
}

const rounds = Number(process.env.BENCH_RUNS ?? 5);
const [mode, ...rest] = process.argv.slice(2);
if (mode === 'render') await renderHere(rest);
else await compare(mode);
