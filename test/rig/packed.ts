import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, type TemporaryFolder, temporaryFolder } from './process.ts';

/**
 * A foreign folder that has the package installed as `npm pack` makes it. Its dependencies are linked from the checkout, because
 * tests use no network.
 */
export function foreignFolder(files: Readonly<Record<string, string>>): TemporaryFolder & { readonly launcher: string } {
  const folder = temporaryFolder(files);
  const modules = join(folder.path, 'node_modules');
  const installed = join(modules, 'talos-tk');
  mkdirSync(installed, { recursive: true });
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder.path], {
      cwd: projectRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ filename: string }] | Record<string, { filename: string }>;
  const [{ filename }] = Object.values(packed) as [{ filename: string }];
  execFileSync('tar', ['-xzf', join(folder.path, filename), '-C', installed, '--strip-components=1']);
  for (const name of readdirSync(join(projectRoot, 'node_modules'))) {
    if (name.startsWith('.') || name === 'talos-tk') continue;
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  return { ...folder, launcher: join(installed, 'lib/cli/tk.js') };
}
