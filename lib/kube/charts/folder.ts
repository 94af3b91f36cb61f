import { posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Files, TkError } from '../../base/index.ts';
import { packTar, type TarEntry } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { ChartArchive } from '../../wasm/index.ts';
import { chartSourceFailure } from './failures.ts';
import { archiveLimitBytes } from './oci.ts';
import type { InRepository } from './source.ts';

/**
 * Packs an unpacked chart, so that it goes the same way as a pulled one. Links inside of the folder are followed as Helm does.
 *
 * Failure: `chart/folder` when there is no Chart.yaml, when a link leads out, and for anything that is neither file nor folder;
 * `chart/too-large`.
 */
export async function packFolder({ root: repository, path }: InRepository, files: Files): Promise<ChartArchive> {
  const failed = (at: string, reason: string) =>
    new TkError(
      chartSourceFailure('chart/folder', { path: at.startsWith(`${root}/`) ? posix.join(path, at.slice(root.length)) : path, reason }),
    );
  const root = (await files.realPath(posix.join(repository, path))) ?? '';
  if (root === '') throw failed(path, 'does not exist');
  const entries: TarEntry[] = [];
  let sizeBytes = 0;
  const add = async (absolute: string, name: string): Promise<void> => {
    const real = await files.realPath(absolute);
    if (real === undefined || (real !== root && !real.startsWith(`${root}/`))) throw failed(absolute, 'a link leads out of the chart');
    const stat = await files.stat(real);
    if (stat?.kind === 'directory') {
      // Checked before descending, so a link to a parent cannot go round for ever.
      if (real !== absolute && absolute.startsWith(`${real}/`)) throw failed(absolute, 'a link leads to its own parent');
      for (const child of await files.list(real)) await add(posix.join(real, child.name), posix.join(name, child.name));
      return;
    }
    const content = stat?.kind === 'file' ? await files.read(real) : undefined;
    if (content === undefined) throw failed(absolute, 'neither a file nor a folder');
    sizeBytes += content.length;
    if (sizeBytes > archiveLimitBytes)
      throw new TkError(chartSourceFailure('chart/too-large', { source: path, sizeBytes, limitBytes: archiveLimitBytes }));
    entries.push({ path: name, content });
  };
  await add(root, posix.basename(path));
  if (!entries.some((entry) => entry.path === posix.join(posix.basename(path), 'Chart.yaml'))) throw failed(path, 'has no Chart.yaml');
  const bytes = gzipSync(packTar(entries), { level: 1 });
  return { bytes, digest: `sha256:${sha256Hex(bytes)}`, isFolder: true };
}
