import { posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Files, TkError } from '../../base/index.ts';
import { packTar, type TarEntry } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { ChartArchive } from '../../wasm/index.ts';
import { chartSourceFailure } from './failures.ts';
import { archiveLimitBytes } from './oci.ts';

/** Gives back each file as it is: nothing in it is a template any more. */
const template = '{{- range $path, $_ := .Files.Glob "rendered/**" }}\n---\n{{ $.Files.Get $path }}\n{{- end }}\n';

/**
 * Packs manifests that somebody rendered before, a file or a folder of them, as a chart whose templates only repeat them. So they go the
 * way of every chart: hooks by weight, definitions first, waits, a record that Flux takes over.
 *
 * Shape: the version names the content, so that other manifests are an upgrade.
 * Failure: `chart/folder` when there is none; `chart/too-large`.
 */
export async function packRendered(path: string, chart: string, files: Files): Promise<ChartArchive> {
  const manifests: TarEntry[] = [];
  let sizeBytes = 0;
  for (const [name, absolute] of await manifestsOf(path, files)) {
    const content = await files.read(absolute);
    if (content === undefined) continue;
    sizeBytes += content.length;
    if (sizeBytes > archiveLimitBytes)
      throw new TkError(chartSourceFailure('chart/too-large', { source: path, sizeBytes, limitBytes: archiveLimitBytes }));
    manifests.push({ path: `${chart}/rendered/${name}`, content });
  }
  if (manifests.length === 0) throw new TkError(chartSourceFailure('chart/folder', { path, reason: 'holds no YAML file' }));
  const sum = sha256Hex(Buffer.concat(manifests.map(({ content }) => Buffer.from(content))));
  const metadata = {
    apiVersion: 'v2',
    name: chart,
    version: `0.0.0+${sum.slice(0, 12)}`,
    description: 'Manifests that were rendered before',
  };
  const bytes = gzipSync(
    packTar([
      { path: `${chart}/Chart.yaml`, content: `${JSON.stringify(metadata)}\n` },
      { path: `${chart}/templates/rendered.yaml`, content: template },
      ...manifests,
    ]),
    { level: 1 },
  );
  return { bytes, digest: `sha256:${sha256Hex(bytes)}` };
}

/** Whether something that can stand in for the chart lies there. */
export async function findRendered(
  folder: string,
  release: { readonly name: string; readonly namespace: string },
  files: Files,
): Promise<string | undefined> {
  const base = posix.join(folder, release.namespace, release.name);
  for (const path of [`${base}.yaml`, `${base}.yml`, base]) if ((await files.stat(path)) !== undefined) return path;
  return undefined;
}

/** Name inside of the chart and absolute path of each, in the order of their names. */
async function manifestsOf(path: string, files: Files): Promise<readonly (readonly [name: string, absolute: string])[]> {
  const stat = await files.stat(path);
  if (stat === undefined) throw new TkError(chartSourceFailure('chart/folder', { path, reason: 'does not exist' }));
  if (stat.kind !== 'directory') return [[posix.basename(path), path]];
  const found: (readonly [string, string])[] = [];
  for (const { name, kind } of await files.list(path)) {
    const inner = posix.join(path, name);
    if (kind === 'directory')
      found.push(...(await manifestsOf(inner, files)).map(([below, absolute]) => [posix.join(name, below), absolute] as const));
    else if (/\.ya?ml$/.test(name)) found.push([name, inner]);
  }
  return found;
}
