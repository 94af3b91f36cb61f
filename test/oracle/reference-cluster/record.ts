// Records that each talosctl accepts every machine configuration of the reference clusters:
// node test/oracle/reference-cluster/record.ts DIRECTORY-OF-TALOSCTL
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptedVersions, inputSecrets, machineConfigsOf, referenceClusters, renderCluster } from '../../rig/reference-cluster.ts';

const tools = process.argv[2] ?? '';
const work = mkdtempSync(join(tmpdir(), 'tk-accepted-'));
const recorded: Record<string, { sha256: string; said: string }> = {};
for (const versions of acceptedVersions) {
  const talosctl = join(tools, `talosctl-${versions.talos.split('.').slice(0, 2).join('.').slice(1)}`);
  for (const inputs of referenceClusters) {
    const { texts } = await renderCluster(inputs, { secrets: inputSecrets, versions });
    for (const [name, text] of Object.entries(await machineConfigsOf(texts))) {
      const path = join(work, 'config.yaml');
      writeFileSync(path, text);
      const { stdout, stderr } = spawnSync(talosctl, ['validate', '--mode', 'metal', '--strict', '-c', path], { encoding: 'utf8' });
      const said = `${stdout}${stderr}`.replaceAll(path, name).trim();
      recorded[`${versions.talos} ${inputs} ${name}`] = { sha256: createHash('sha256').update(text).digest('hex'), said };
    }
  }
}
rmSync(work, { recursive: true });
writeFileSync(join(import.meta.dirname, '../../conformance/reference-cluster/accepted.json'), `${JSON.stringify(recorded, null, 1)}\n`);
