import { type Files, hasCode, TkError } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { type ChartArchive, wasmFailure } from '../../wasm/index.ts';
import { refusalOfArchive } from './archive.ts';
import { ChartCache } from './cache.ts';
import { download } from './download.ts';
import { packFolder } from './folder.ts';
import { pullFromIndex } from './index-repository.ts';
import { type OciPorts, pullFromRegistry } from './oci.ts';
import { packRendered } from './rendered.ts';
import { type ChartSource, describeSource, versionOfSource } from './source.ts';

export interface PullPorts extends OciPorts {
  readonly files: Files;
  /** Absolute folder of the cache: `.tk/cache/charts`. Absent: nothing is kept. */
  readonly cache?: string;
}

export interface Pulled {
  readonly archive: ChartArchive;
  /** As the source names it. */
  readonly version: string;
  /** `offline`: the source could not be reached, so this is what was pulled last time. */
  readonly from: 'source' | 'cache' | 'offline' | 'folder';
}

/**
 * Brings a chart here. What a digest names is taken from the cache without asking; what a tag or a range names is asked for,
 * and taken from the cache when its source cannot be reached.
 *
 * Failure: each of `ChartSourceFailures`; `chart/archive`, and then nothing is kept.
 */
export async function pullChart(source: ChartSource, ports: PullPorts, signal: AbortSignal): Promise<Pulled> {
  if (source.kind === 'folder') return { archive: await packFolder(source, ports.files), version: versionOfSource(source), from: 'folder' };
  if (source.kind === 'rendered')
    return { archive: await packRendered(source, ports.files), version: versionOfSource(source), from: 'folder' };
  const cache = ports.cache === undefined ? undefined : new ChartCache(ports.files, ports.cache);
  const remembered = await cache?.find(source);
  if (remembered !== undefined && source.kind === 'oci' && source.digest !== undefined) return { ...remembered, from: 'cache' };
  try {
    const pulled = await (source.kind === 'oci' ? pullFromRegistry(source, ports, signal) : pullFromIndex(source, ports, signal));
    const reason = refusalOfArchive(pulled.bytes);
    if (reason !== undefined) throw new TkError(wasmFailure('chart/archive', { reason, chart: describeSource(source) }));
    await cache?.keep(source, pulled);
    return { archive: { bytes: pulled.bytes, digest: pulled.digest }, version: pulled.version, from: 'source' };
  } catch (error) {
    if (remembered === undefined || !hasCode(error, 'chart/source-unreachable', 'chart/rate-limited', 'chart/server-error')) throw error;
    return { ...remembered, from: 'offline' };
  }
}

const schemaLimitBytes = 4 * 1024 * 1024;

/**
 * A document that a values schema refers to on the web, as Helm fetches it; what was fetched once is there when the network is not.
 *
 * Shape: undefined when it cannot be had.
 */
export async function fetchSchema(url: string, ports: PullPorts, signal: AbortSignal): Promise<string | undefined> {
  const kept = ports.cache === undefined ? undefined : `${ports.cache}/schemas/${sha256Hex(url).slice(0, 32)}.json`;
  try {
    const { status, body } = await download({ url, source: url, limitBytes: schemaLimitBytes, timeoutMs: 15_000 }, ports, signal);
    if (status === 200) {
      const text = Buffer.from(body).toString();
      if (kept !== undefined && (await ports.files.readText(kept)) !== text) await ports.files.write(kept, text);
      return text;
    }
  } catch (error) {
    if (!hasCode(error, 'chart/source-unreachable', 'chart/rate-limited', 'chart/server-error', 'chart/too-large')) throw error;
  }
  return kept === undefined ? undefined : ports.files.readText(kept);
}
