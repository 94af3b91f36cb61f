import { throwIfAborted, TkError } from '../../../base/index.ts';
import { isIgnored } from '../../git-ignore.ts';
import { openSecrets } from '../../plain-secrets.ts';
import { operationFailure } from '../failures.ts';
import type { DoctorParts, Note } from './finding.ts';

export async function examineInputs({ cluster }: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  const plan = await cluster.configuration.plan(signal);
  if (plan.changes.length > 0)
    note('warning', operationFailure('doctor/not-rendered', { paths: plan.changes.map(({ path }) => path) }), 'npx tk configure');
  for (const warning of plan.warnings) note('warning', warning, 'npx tk configure');
  const { files, warnings, newSecrets } = await cluster.machineConfigs.generate(signal);
  for (const warning of warnings) note('warning', warning, 'npx tk talos:generate-config');
  const stale = [...files.filter((file) => !file.isEqual), ...(newSecrets ? [newSecrets] : [])].map(({ path }) => path);
  if (stale.length > 0) note('warning', operationFailure('doctor/not-generated', { paths: stale }), 'npx tk talos:generate-config');
  try {
    await cluster.releases.forBootstrap();
  } catch (error) {
    throwIfAborted(signal, 'reading the releases');
    if (!(error instanceof TkError)) throw error;
    // A cluster that runs is none the worse for it; the next one would not come up.
    for (const failure of error.failures) note('warning', failure, 'npx tk bootstrap:apps --plan');
  }
}

export async function examineKeys({ cluster, files }: DoctorParts, note: Note): Promise<void> {
  const { paths } = cluster.model;
  for (const path of [paths.talosconfig, paths.kubeconfig]) {
    const stat = await files.stat(path);
    if (stat === undefined) continue;
    const shown = path.slice(paths.root.length + 1);
    if ((stat.mode & 0o077) !== 0)
      note('warning', operationFailure('doctor/wide-file', { path: shown, mode: stat.mode.toString(8) }), `chmod 600 ${shown}`);
    if (!(await isIgnored(files, paths.root, shown)))
      note('warning', operationFailure('doctor/not-ignored', { path: shown }), `echo /${shown} >> .gitignore`);
  }
  // The sandbox makes up what its secrets say, and in plain text.
  if (!cluster.isSandbox)
    for (const failure of await openSecrets({ model: cluster.model, files }))
      note('warning', failure, `npx tk sops encrypt ${String(failure.facts['file'])}`);
  // Decrypts what Flux needs with the very keys that are at hand.
  await cluster.kubernetes.bootstrapSecrets();
}
