// Records what kustomize makes of patches: node test/oracle/helm/record-patches.ts KUBECTL
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseYaml } from '../../../lib/format/index.ts';
import { patchCases } from './patch-cases.ts';

const [kubectl] = process.argv.slice(2);
if (kubectl === undefined) throw new Error('usage: record-patches.ts KUBECTL');
const folder = mkdtempSync(join(tmpdir(), 'patches-'));
const outputs: Record<string, unknown> = {};
for (const { name, objects, kustomize } of patchCases) {
  writeFileSync(join(folder, 'objects.yaml'), objects.join('---\n'));
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources: ['objects.yaml'], ...kustomize };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  const { status, stdout, stderr } = spawnSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
  outputs[name] =
    status === 0
      ? { objects: parseYaml({ path: name, text: stdout }, { version: 'kubernetes' }).documents.map(({ value }) => value) }
      : { error: stderr.trim().split('\n').at(-1)?.replaceAll(folder, 'FOLDER') };
}
rmSync(folder, { recursive: true });
const version = spawnSync(kubectl, ['version', '--client'], { encoding: 'utf8' }).stdout.trim().split('\n');
writeFileSync(new URL('../../conformance/helm/patches.json', import.meta.url), `${JSON.stringify({ version, outputs }, null, 1)}\n`);
process.stdout.write(`${patchCases.length} cases\n`);
