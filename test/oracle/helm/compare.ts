// Renders every chart below some folders with a stock helm and with the module, and prints where they differ and how many do not:
//
//   node test/oracle/helm/compare.ts HELM [--corpus] FOLDER...
//
// HELM must be of the version that the module pins; go install builds it from helm.sh/helm/v4/cmd/helm. Good folders are the test data of
// Helm itself in Go's module cache (`go list -m -f '{{.Dir}}' helm.sh/helm/v4` names it), and whatever charts somebody has at hand.
// `--corpus` adds the charts of our own. The values files that a chart brings for its own tests, `ci/*.yaml`, are variants of it.
// Exit 6 when anything differs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { packTar } from '../../../lib/format/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { manifestText } from '../../../lib/kube/index.ts';
import { compiledModule } from '../../../lib/wasm/compiled-module.ts';
import type { Rendering } from '../../../lib/wasm/index.ts';
import type { HelmJob, HelmJobOutcome } from '../../../lib/wasm/helm-job.ts';
import { committedModule, never, stillClock } from '../../unit/wasm/engine.ts';
import { corpus } from './corpus.ts';

const [helm, ...rest] = process.argv.slice(2);
const folders = rest.filter((word) => !word.startsWith('--'));
if (helm === undefined || rest.length === 0) throw new Error('usage: compare.ts HELM [--corpus] FOLDER...');
const pinned = (JSON.parse(readFileSync(new URL('../../../lib/wasm/helm.wasm.json', import.meta.url), 'utf8')) as { helm: string }).helm;
const version = spawnSync(helm, ['version', '--template', '{{.Version}}'], { encoding: 'utf8' }).stdout;
if (version !== pinned) throw new Error(`expected helm ${pinned} but found ${version}`);

/** The oldest that is still around, one in between, and the newest; definitions with and without. */
const combinations = [
  { kubeVersion: '1.31.0', includeCrds: false },
  { kubeVersion: '1.34.2', includeCrds: true },
  { kubeVersion: '1.37.1', includeCrds: false },
] as const;
const newestWithCrds = { kubeVersion: '1.37.1', includeCrds: true } as const;

interface Chart {
  readonly at: string;
  readonly archive: Uint8Array;
  readonly isFolder: boolean;
  readonly variants: readonly Variant[];
}

interface Variant {
  /** A file. */
  readonly values?: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly includeCrds?: boolean;
  readonly isUpgrade?: boolean;
  readonly release?: { readonly name: string; readonly namespace: string };
}

function chartsBelow(folder: string): readonly string[] {
  if (existsSync(join(folder, 'Chart.yaml'))) return [folder];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return chartsBelow(path);
    return entry.name.endsWith('.tgz') ? [path] : [];
  });
}

function filesBelow(folder: string, root = folder): readonly { readonly path: string; readonly content: Uint8Array }[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path, root) : [{ path: join('c', relative(root, path)), content: readFileSync(path) }];
  });
}

function chartAt(at: string): Chart | undefined {
  const isFolder = statSync(at).isDirectory();
  try {
    const archive = isFolder ? gzipSync(packTar(filesBelow(at)), { level: 1 }) : readFileSync(at);
    return { at, archive, isFolder, variants: [...combinations, ...ownValues(at, isFolder)] };
  } catch (error) {
    process.stdout.write(`left out   ${at}: ${String(error)}\n`);
    return undefined;
  }
}

function ownValues(chart: string, isFolder: boolean): readonly Variant[] {
  const folder = join(chart, 'ci');
  if (!isFolder || !existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  return files.map((name) => ({ values: join(folder, name), ...newestWithCrds }));
}

/** Each chart of our own as it is recorded, and for each version of Kubernetes. */
function chartsOfOurOwn(folder: string): readonly Chart[] {
  return corpus.map((chart) => {
    const at = join(folder, chart.name);
    for (const [path, text] of Object.entries(chart.files)) {
      mkdirSync(dirname(join(at, path)), { recursive: true });
      writeFileSync(join(at, path), text);
    }
    const file = join(folder, `${chart.name}.values.yaml`);
    if (chart.values !== undefined) writeFileSync(file, chart.values);
    const own: Variant = { ...chart, ...(chart.values === undefined ? { values: undefined } : { values: file }) } as Variant;
    const variants = [own, ...combinations.map((combination) => ({ ...own, ...combination }))];
    const entries = Object.entries(chart.files).map(([path, content]) => ({ path: `c/${path}`, content }));
    return { at, archive: gzipSync(packTar(entries)), isFolder: true, variants };
  });
}

/** Lines of a schema's problems come in any order; the command's own advice and the chart's place on disk are not the engine's. */
const comparable = (text: string, chart: string, values: string | undefined): string =>
  (values === undefined ? text : text.replaceAll(values, 'VALUES'))
    .replaceAll(chart, 'CHART')
    // The command takes the first bytes of a file, filled up with zeros, for what it is.
    .replace(/^Error: file 'CHART' (does not appear to be a gzipped archive); got '.*'$/m, '$1')
    .replace(/^(does not appear to be a gzipped archive); got '.*'$/m, '$1')
    .replace(/\n\nUse --debug flag to render out invalid YAML\s*$/, '')
    .replace(
      /^Error: (?:an error occurred while checking for chart dependencies\. .*?missing dependencies: |failed to parse VALUES: |release name check failed: )?/,
      '',
    )
    .trim()
    .split('\n')
    .toSorted()
    .join('\n');

/** Helm has begun on a third kind of chart, which no command of it installs: it refuses one or dies of it. So do we refuse it. */
const isThirdKind = ({ archive }: Chart): boolean => {
  try {
    return /\bapiVersion: *["']?v3["']?\s/.test(gunzipSync(archive).toString('latin1'));
  } catch {
    return false;
  }
};

const { compute } = createHostWorld();
const jobModule = new URL('../../../lib/wasm/helm-job.ts', import.meta.url).href;

interface Answer {
  readonly result: Rendering & { readonly unansweredSchemas?: readonly string[] };
  readonly failure?: { readonly message: string };
}

/** One call of the module itself, in a worker as it runs in the product, with Helm's own words when it fails. */
async function ask(request: object, archive: Uint8Array): Promise<Answer> {
  const job: HelmJob = { request: JSON.stringify(request), archive, seed: new Uint8Array(32).fill(7), nowMs: stillClock.now() };
  const run = (more: Partial<HelmJob>) =>
    compute.run<HelmJob, HelmJobOutcome>(jobModule, { ...job, ...more }, { signal: never, timeoutMs: 120_000 });
  let outcome = await run({});
  if (outcome.state === 'needs-module') outcome = await run({ module: await compiledModule(committedModule) });
  if (outcome.state === 'answered') return JSON.parse(outcome.answer) as Answer;
  return { result: undefined as never, failure: { message: JSON.stringify(outcome) } };
}

const counts = { charts: 0, equal: 0, equalErrors: 0, thirdKind: 0, odd: 0, random: 0, different: 0 };

function isEqualButForDrawn(one: string, another: string, ours: string): boolean {
  const [first, second, third] = [one, another, ours].map((text) => text.split('\n')) as [string[], string[], string[]];
  const isLine = (line: string, index: number) => line === third[index] || line !== second[index];
  return first.length === second.length && first.length === third.length && first.every(isLine);
}

/** The schema is on the web, which need not be there to compare templates. */
const isSchemaAway = (message: string): boolean => /failing loading "https?:/.test(message);

async function compare(chart: Chart, variant: Variant, skipSchema = false): Promise<void> {
  const { values, kubeVersion, apiVersions = [], includeCrds = false, isUpgrade = false } = variant;
  const { name, namespace } = variant.release ?? { name: 'rel', namespace: 'default' };
  const args = ['template', name, chart.at, '--namespace', namespace];
  if (kubeVersion !== undefined) args.push('--kube-version', kubeVersion);
  for (const text of apiVersions) args.push('--api-versions', text);
  if (includeCrds) args.push('--include-crds');
  if (isUpgrade) args.push('--is-upgrade');
  if (values !== undefined) args.push('--values', values);
  if (skipSchema) args.push('--skip-schema-validation');
  const theirs = () =>
    spawnSync(helm as string, args, { encoding: 'utf8', maxBuffer: 1 << 28, env: { PATH: process.env.PATH, HOME: scratch } });
  const { status, stdout, stderr } = theirs();
  const render = {
    release: { name, namespace, isUpgrade },
    values: {},
    valuesTexts: values === undefined ? [] : [readFileSync(values, 'utf8')],
    capabilities: { kubeVersion: kubeVersion ?? '', apiVersions },
    includeCrds,
    folder: chart.isFolder,
    skipSchema,
    schemas: {},
  };
  const { result, failure } = await ask({ op: 'render', render }, chart.archive);
  if (status !== 0 && failure !== undefined && isThirdKind(chart)) {
    counts.thirdKind += 1;
    return;
  }
  // Helm takes these for empty files and stumbles later, or not at all.
  if (/contains a (?:link|device): /.test(failure?.message ?? '')) {
    counts.odd += 1;
    return;
  }
  if (!skipSchema && isSchemaAway(stderr) && (result.unansweredSchemas ?? []).length > 0) return compare(chart, variant, true);
  const expected = status === 0 ? stdout : comparable(stderr.slice(stderr.indexOf('Error: ')), chart.at, values);
  const found = failure === undefined ? manifestText(result) : comparable(failure.message, chart.at, values);
  if (expected === found && (status === 0) === (failure === undefined)) {
    counts[status === 0 ? 'equal' : 'equalErrors'] += 1;
    return;
  }
  // A chart that draws passwords differs from itself too; all lines but those have to agree.
  const again = status === 0 ? theirs().stdout : stdout;
  if (again !== stdout && isEqualButForDrawn(stdout, again, found)) {
    counts.random += 1;
    return;
  }
  counts.different += 1;
  const [line] = expected.split('\n').flatMap((text, index) => (text === found.split('\n')[index] ? [] : [index]));
  const from = Math.max(0, (line ?? 0) - 2);
  const excerpt = (text: string) =>
    text
      .split('\n')
      .slice(from, from + 12)
      .join('\n')
      .slice(0, 1000);
  process.stdout.write(
    `different  ${chart.at} ${values === undefined ? '' : basename(values)} ${kubeVersion ?? ''}, line ${from + 1}\n--- helm\n${excerpt(expected)}\n--- module\n${excerpt(found)}\n`,
  );
}

const scratch = mkdtempSync(join(realpathSync(tmpdir()), 'compare-'));
try {
  const charts = folders.flatMap(chartsBelow).flatMap((at) => chartAt(at) ?? []);
  for (const chart of [...(rest.includes('--corpus') ? chartsOfOurOwn(scratch) : []), ...charts]) {
    counts.charts += 1;
    for (const variant of chart.variants) await compare(chart, variant);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
process.stdout.write(
  `${counts.charts} charts: ${counts.equal} equal, ${counts.equalErrors} equal errors, ${counts.thirdKind} of the third kind refused by both, ${counts.odd} with links or devices, ${counts.random} equal but for what is drawn, ${counts.different} different\n`,
);
process.exitCode = counts.different === 0 ? 0 : 6;
