import { posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Files, TkError } from '../../base/index.ts';
import { packTar, type TarEntry } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { ChartArchive } from '../../wasm/index.ts';
import { chartSourceFailure } from './failures.ts';
import { archiveLimitBytes } from './oci.ts';
import type { ChartSource, InRepository } from './source.ts';

/** Gives back each file as it is: nothing in it is a template any more. */
const template = '{{- range $path, $_ := .Files.Glob "rendered/**" }}\n---\n{{ $.Files.Get $path }}\n{{- end }}\n';

/**
 * Packs manifests that somebody rendered before, a file or a folder of them, as a chart whose templates only repeat them. So they go the
 * way of every chart: hooks by weight, definitions first, waits, a record that Flux takes over.
 *
 * Shape: the version names the content, so that other manifests are an upgrade.
 * Failure: `chart/folder` when there is none; `chart/too-large`.
 */
export async function packRendered({ root, path, chart }: Extract<ChartSource, { kind: 'rendered' }>, files: Files): Promise<ChartArchive> {
  const manifests: TarEntry[] = [];
  let sizeBytes = 0;
  for (const [name, absolute] of await manifestsOf({ root, path }, files)) {
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
  { root, path: folder }: InRepository,
  release: { readonly name: string; readonly namespace: string },
  files: Files,
): Promise<InRepository | undefined> {
  const base = posix.join(folder, release.namespace, release.name);
  for (const path of [`${base}.yaml`, `${base}.yml`, base])
    if ((await files.stat(posix.join(root, path))) !== undefined) return { root, path };
  return undefined;
}

/** Name inside of the chart and absolute path of each, in the order of their names. */
async function manifestsOf({ root, path }: InRepository, files: Files): Promise<readonly (readonly [name: string, absolute: string])[]> {
  const absolute = posix.join(root, path);
  const stat = await files.stat(absolute);
  if (stat === undefined) throw new TkError(chartSourceFailure('chart/folder', { path, reason: 'does not exist' }));
  if (stat.kind !== 'directory') return [[posix.basename(path), absolute]];
  const found: (readonly [string, string])[] = [];
  for (const { name, kind } of await files.list(absolute)) {
    if (kind === 'directory') {
      const below = await manifestsOf({ root, path: posix.join(path, name) }, files);
      found.push(...below.map(([inner, at]) => [posix.join(name, inner), at] as const));
    } else if (/\.ya?ml$/.test(name)) found.push([name, posix.join(absolute, name)]);
  }
  return found;
}
