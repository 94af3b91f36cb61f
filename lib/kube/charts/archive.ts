import { gunzipSync } from 'node:zlib';
import { entriesOfTar } from '../../format/index.ts';

/** Of Helm's loader: MaxDecompressedChartSize and MaxDecompressedFileSize of pkg/chart/loader/archive. */
const chartLimitBytes = 100 * 1024 * 1024;
const fileLimitBytes = 5 * 1024 * 1024;
/** Headers and padding, which Helm does not count. */
const unpackedLimitBytes = chartLimitBytes + 32 * 1024 * 1024;

/**
 * Why an archive must not be kept, before anything reads charts: links, devices, places outside of the chart, and what grows too large.
 * The engine looks again, and at more, whenever it renders one.
 *
 * Shape: undefined when there is nothing against it.
 */
export function refusalOfArchive(archive: Uint8Array): string | undefined {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) return 'does not appear to be a gzipped archive';
  let unpacked: Uint8Array;
  try {
    unpacked = gunzipSync(archive, { maxOutputLength: unpackedLimitBytes });
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    return isTooLarge ? tooLarge : `cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`;
  }
  let sizeBytes = 0;
  for (const { path, content, type } of entriesOfTar(unpacked)) {
    if (type === 'link') return `chart archive contains a link: "${path}"`;
    if (type === 'device') return `chart archive contains a device: "${path}"`;
    if (/^(?:[/\\]|[A-Za-z]:)/.test(path)) return `chart illegally contains absolute paths: "${path}"`;
    if (path.split(/[/\\]/).includes('..')) return 'chart illegally references parent directory';
    if (type === 'file' && content.length > fileLimitBytes)
      return `decompressed chart file "${path}" is larger than the maximum file size ${fileLimitBytes}`;
    sizeBytes += content.length;
    if (sizeBytes > chartLimitBytes) return tooLarge;
  }
  return undefined;
}

const tooLarge = `decompressed chart is larger than the maximum size ${chartLimitBytes}`;
