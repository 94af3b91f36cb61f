import type { Files, Json } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { ChartArchive } from '../../wasm/index.ts';
import type { PulledChart } from './oci.ts';
import { type ChartSource, describeSource } from './source.ts';

/** Archives by digest, and for each source which digest it last was. */
export class ChartCache {
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
    const bytes = await this.#read(digest);
    return bytes && { archive: { bytes, digest }, version };
  }

  /**
   * The archive of a chart that was pulled from there under this version, whatever named it then: a tag, a range, a digest.
   *
   * Shape: `chart` as `oci://ghcr.io/org/charts/cilium` or `https://charts.example/cilium`.
   */
  async archive(chart: string, version: string): Promise<Uint8Array | undefined> {
    for (const { name } of await this.#files.list(this.#folder)) {
      if (!/^[0-9a-f]{32}\.json$/.test(name)) continue;
      const kept = parseReference(await this.#files.readText(`${this.#folder}/${name}`));
      const isIt = kept.source?.startsWith(chart) === true && /^(?:[:@ ]|$)/.test(kept.source.slice(chart.length));
      if (!isIt || kept.version !== version || kept.digest === undefined) continue;
      const bytes = await this.#read(kept.digest);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  async keep(source: ChartSource, { bytes, digest, version }: PulledChart): Promise<void> {
    const path = this.#archive(digest);
    if ((await this.#files.stat(path))?.sizeBytes !== bytes.length) await this.#files.write(path, bytes);
    const reference = `${JSON.stringify({ source: describeSource(source), digest, version })}\n`;
    const at = this.#reference(source);
    if ((await this.#files.readText(at)) !== reference) await this.#files.write(at, reference);
  }

  /** A cache that was damaged is no cache. */
  async #read(digest: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#files.read(this.#archive(digest));
    return bytes !== undefined && `sha256:${sha256Hex(bytes)}` === digest ? bytes : undefined;
  }

  #archive(digest: string): string {
    return `${this.#folder}/${digest.replace(/[^0-9a-f]/g, '').slice(-64)}.tgz`;
  }

  #reference(source: ChartSource): string {
    return `${this.#folder}/${sha256Hex(describeSource(source)).slice(0, 32)}.json`;
  }
}

interface Reference {
  readonly source: string;
  readonly digest: string;
  readonly version: string;
}

function parseReference(text: string | undefined): Partial<Reference> {
  try {
    const value = JSON.parse(text ?? '{}') as { readonly [field: string]: Json } | null;
    const { source, digest, version } = value ?? {};
    return typeof source === 'string' && typeof digest === 'string' && typeof version === 'string' ? { source, digest, version } : {};
  } catch {
    return {};
  }
}
