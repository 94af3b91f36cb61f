import { type Files, hasCode, type Json } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { ChartArchive } from '../../wasm/index.ts';
import { download } from './download.ts';
import { packFolder } from './folder.ts';
import { pullFromIndex } from './index-repository.ts';
import { type OciPorts, type PulledChart, pullFromRegistry } from './oci.ts';
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
 * Failure: each of `ChartSourceFailures`.
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

/** Archives by digest, and for each source which digest it last was. */
class ChartCache {
  readonly #files: Files;
  readonly #folder: string;

  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  async find(source: ChartSource): Promise<{ readonly archive: ChartArchive; readonly version: string } | undefined> {
    const text = await this.#files.readText(this.#reference(source));
    const { digest, version } = parseReference(text);
    if (digest === undefined || version === undefined) return undefined;
    const bytes = await this.#files.read(this.#archive(digest));
    // A cache that was damaged is no cache.
    return bytes !== undefined && `sha256:${sha256Hex(bytes)}` === digest ? { archive: { bytes, digest }, version } : undefined;
  }

  async keep(source: ChartSource, { bytes, digest, version }: PulledChart): Promise<void> {
    const path = this.#archive(digest);
    if ((await this.#files.stat(path))?.sizeBytes !== bytes.length) await this.#files.write(path, bytes);
    const reference = `${JSON.stringify({ source: describeSource(source), digest, version })}\n`;
    const at = this.#reference(source);
    if ((await this.#files.readText(at)) !== reference) await this.#files.write(at, reference);
  }

  #archive(digest: string): string {
    return `${this.#folder}/${digest.replace(/[^0-9a-f]/g, '').slice(-64)}.tgz`;
  }

  #reference(source: ChartSource): string {
    return `${this.#folder}/${sha256Hex(describeSource(source)).slice(0, 32)}.json`;
  }
}

function parseReference(text: string | undefined): { readonly digest?: string; readonly version?: string } {
  if (text === undefined) return {};
  try {
    const value = JSON.parse(text) as Json;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
    const { digest, version } = value as { [key: string]: Json };
    return typeof digest === 'string' && typeof version === 'string' ? { digest, version } : {};
  } catch {
    return {};
  }
}
