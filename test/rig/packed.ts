import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, type TemporaryFolder, temporaryFolder } from './process.ts';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

export interface ForeignFolder extends TemporaryFolder {
  readonly launcher: string;
  /** What the package holds, in order. */
  readonly shipped: readonly string[];
}

/**
 * A foreign folder that has the package installed as `npm pack` makes it. Its dependencies are linked from the checkout, because
 * tests use no network.
 */
export function foreignFolder(files: Readonly<Record<string, string>> = {}): ForeignFolder {
  const folder = temporaryFolder(files);
  const modules = join(folder.path, 'node_modules');
  const installed = join(modules, 'talos-tk');
  mkdirSync(installed, { recursive: true });
  // A list in npm 11, a mapping by name in npm 12.
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder.path], {
      cwd: projectRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as readonly Packed[] | Readonly<Record<string, Packed>>;
  const [tarball] = Object.values(packed);
  if (tarball === undefined) throw new Error('npm pack has made nothing');
  execFileSync('tar', ['-xzf', join(folder.path, tarball.filename), '-C', installed, '--strip-components=1']);
  for (const name of readdirSync(join(projectRoot, 'node_modules'))) {
    if (name.startsWith('.') || name === 'talos-tk') continue;
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  return { ...folder, launcher: join(installed, 'lib/cli/tk.js'), shipped: tarball.files.map(({ path }) => path).sort() };
}
