// Renders the corpus with a stock helm and records what it prints: node test/oracle/helm/record.ts HELM
// HELM must be of the version that the module pins; go install builds it from helm.sh/helm/v4/cmd/helm.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { corpus } from './corpus.ts';

const [helm] = process.argv.slice(2);
if (helm === undefined) throw new Error('usage: record.ts HELM');
const pinned = (JSON.parse(readFileSync(new URL('../../../lib/wasm/helm.wasm.json', import.meta.url), 'utf8')) as { helm: string }).helm;
const version = spawnSync(helm, ['version', '--template', '{{.Version}}'], { encoding: 'utf8' }).stdout;
if (version !== pinned) throw new Error(`expected helm ${pinned} but found ${version}`);

const folder = mkdtempSync(join(tmpdir(), 'corpus-'));
const outputs: Record<string, { stdout: string; stderr?: string }> = {};
for (const chart of corpus) {
  if (outputs[chart.name] !== undefined) throw new Error(`two cases are called ${chart.name}`);
  const at = join(folder, chart.name);
  for (const [path, text] of Object.entries(chart.files)) {
    mkdirSync(dirname(join(at, path)), { recursive: true });
    writeFileSync(join(at, path), text);
  }
  const { name, namespace } = chart.release ?? { name: 'rel', namespace: 'default' };
  const args = ['template', name, at, '--namespace', namespace];
  if (chart.values !== undefined) {
    writeFileSync(join(folder, 'values.yaml'), chart.values);
    args.push('--values', join(folder, 'values.yaml'));
  }
  if (chart.kubeVersion !== undefined) args.push('--kube-version', chart.kubeVersion);
  for (const text of chart.apiVersions ?? []) args.push('--api-versions', text);
  if (chart.includeCrds === true) args.push('--include-crds');
  if (chart.isUpgrade === true) args.push('--is-upgrade');
  const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder } });
  const error = stderr
    .split('\n')
    .filter((line) => !/^(?:level=|\d{4}\/|time=|I\d{4})/.test(line))
    .join('\n')
    .trim()
    .replaceAll(at, 'CHART')
    .replaceAll(folder, 'FOLDER');
  outputs[chart.name] = status === 0 ? { stdout } : { stdout, stderr: error };
}
rmSync(folder, { recursive: true });
writeFileSync(new URL('../../conformance/helm/outputs.json', import.meta.url), `${JSON.stringify({ helm: version, outputs }, null, 1)}\n`);
process.stdout.write(
  `${corpus.length} cases, ${Object.values(outputs).filter(({ stderr }) => stderr !== undefined).length} of them errors\n`,
);
