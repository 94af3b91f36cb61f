// Builds dist/ and puts `tk` where npx looks in this checkout. Runs as npm's `prepare`.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const compiler = join(root, 'node_modules/typescript/bin/tsc');
if (!existsSync(compiler)) {
  // A production install of a git dependency has no compiler: the published package brings dist/ along.
  process.exit(0);
}
rmSync(join(root, 'dist'), { recursive: true, force: true });
const built = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
for (const asset of ['lib/wasm/helm.wasm.br', 'lib/wasm/helm.wasm.json', 'lib/wasm/helm.wasm.licenses.txt']) {
  if (!existsSync(join(root, asset))) continue;
  mkdirSync(join(root, 'dist/lib/wasm'), { recursive: true });
  cpSync(join(root, asset), join(root, 'dist', asset));
}
if (built.status === 0) {
  const { writeManifest } = await import('../../dist/lib/cli/tasks/write-manifest.js');
  await writeManifest(join(root, 'dist/tasks'));
}
const link = join(root, 'node_modules/.bin/tk');
rmSync(link, { force: true });
try {
  symlinkSync('../../lib/cli/tk.js', link);
} catch {
  // No links on this file system: `npm exec tk` still finds the package's own bin.
}
process.exit(built.status ?? 1);
