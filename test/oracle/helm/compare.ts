// Renders every chart below some folders with a stock helm and with the module, and prints where they differ:
//
//   node test/oracle/helm/compare.ts HELM FOLDER...
//
// Good folders are the test data of Helm itself in Go's module cache, and whatever charts somebody has at hand. The values files that a
// chart brings for its own tests, `ci/*.yaml`, are variants of it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from '../../../lib/format/index.ts';
import { manifestText } from '../../../lib/kube/index.ts';
import type { Rendering } from '../../../lib/wasm/index.ts';
import { ask } from '../../unit/wasm/engine.ts';

const [helm, ...folders] = process.argv.slice(2);
if (helm === undefined || folders.length === 0) throw new Error('usage: compare.ts HELM FOLDER...');

const combinations = ['1.31.0', '1.34.2', '1.37.1'].flatMap((version) =>
  [false, true].map((includeCrds) => [version, includeCrds] as const),
);

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

/** The chart as it is, and with each values file that it is tested with. */
function variantsOf(chart: string, isFolder: boolean): readonly (string | undefined)[] {
  const folder = join(chart, 'ci');
  if (!isFolder || !existsSync(folder)) return [undefined];
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  return [undefined, ...files.map((name) => join(folder, name))];
}

/** Lines of a schema's problems come in any order; the command's own advice and the chart's place on disk are not the engine's. */
const comparable = (text: string, chart: string): string =>
  text
    .replaceAll(chart, 'CHART')
    .replace(/\n\nUse --debug flag to render out invalid YAML\s*$/, '')
    .replace(/^Error: (?:an error occurred while checking for chart dependencies\. .*?missing dependencies: )?/, '')
    .trim()
    .split('\n')
    .toSorted()
    .join('\n');

const counts = { equal: 0, equalErrors: 0, random: 0, different: 0 };
for (const chart of folders.flatMap(chartsBelow)) {
  const isFolder = statSync(chart).isDirectory();
  let archive: Uint8Array;
  try {
    archive = isFolder ? gzipSync(packTar(filesBelow(chart))) : readFileSync(chart);
  } catch (error) {
    process.stdout.write(`left out   ${chart}: ${String(error)}\n`);
    continue;
  }
  for (const values of variantsOf(chart, isFolder)) {
    for (const [kubeVersion, includeCrds] of values === undefined ? combinations : combinations.slice(-1)) {
      const args = ['template', 'rel', chart, '--kube-version', kubeVersion, ...(includeCrds ? ['--include-crds'] : [])];
      if (values !== undefined) args.push('--values', values);
      const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
      const render = {
        release: { name: 'rel', namespace: 'default' },
        values: {},
        ...(values === undefined ? {} : { valuesTexts: [readFileSync(values, 'utf8')] }),
        capabilities: { kubeVersion },
        includeCrds,
        folder: isFolder,
      };
      const { result, failure } = await ask<Rendering>({ op: 'render', render }, archive);
      const theirs = status === 0 ? stdout : comparable(stderr.slice(stderr.indexOf('Error: ')), chart);
      const ours = failure === undefined ? manifestText(result) : comparable(failure.message, chart);
      const isEqual = theirs === ours && (status === 0) === (failure === undefined);
      // A chart that draws passwords differs from itself too.
      const isRandom = !isEqual && status === 0 && spawnSync(helm, args, { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout !== stdout;
      counts[isEqual ? (status === 0 ? 'equal' : 'equalErrors') : isRandom ? 'random' : 'different'] += 1;
      if (isRandom) continue;
      if (!isEqual)
        process.stdout.write(
          `different  ${chart} ${values ?? ''} ${kubeVersion}\n--- helm\n${theirs.slice(0, 600)}\n--- module\n${ours.slice(0, 600)}\n`,
        );
    }
  }
}
process.stdout.write(`${counts.equal} equal, ${counts.equalErrors} equal errors, ${counts.random} random, ${counts.different} different\n`);
