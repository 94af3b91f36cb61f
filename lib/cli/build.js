// Builds dist/ and puts `tk` where npx looks in this checkout. Runs as npm's `prepare`. `--unchecked` leaves it to others to tell
// whether the types hold.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '../..');
const compiler = join(root, 'node_modules/typescript/bin/tsc');
if (!existsSync(compiler)) {
  // A production install of a git dependency has no compiler: the published package brings dist/ along.
  process.exit(0);
}
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });

/** Declarations. The JavaScript comes from the bundler. */
const declarations = new Promise((resolve) => {
  const options = process.argv.includes('--unchecked') ? ['--noCheck'] : [];
  spawn(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json'), ...options], { stdio: 'inherit' }).on('close', resolve);
});
const [{ bundle }, { licensesOf }] = await Promise.all([import('./build/bundle.js'), import('./build/licenses.js')]);
const packages = await bundle(root, dist);
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licensesOf(packages));
for (const asset of ['lib/wasm/helm.wasm.br', 'lib/wasm/helm.wasm.json', 'lib/wasm/helm.wasm.licenses.txt']) {
  if (!existsSync(join(root, asset))) continue;
  mkdirSync(join(dist, 'lib/wasm'), { recursive: true });
  cpSync(join(root, asset), join(dist, asset));
}
const { writeManifest } = await import(pathToFileURL(join(dist, 'lib/cli/tasks/write-manifest.js')).href);
await writeManifest(join(dist, 'tasks'), join(root, 'tasks'));

const link = join(root, 'node_modules/.bin/tk');
rmSync(link, { force: true });
try {
  symlinkSync('../../lib/cli/tk.js', link);
} catch {
  // No links on this file system: `npm exec tk` still finds the package's own bin.
}
process.exit((await declarations) ?? 1);
