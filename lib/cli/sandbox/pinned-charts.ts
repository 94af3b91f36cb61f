import { posix } from 'node:path';
import type { Files } from '../../base/index.ts';

/** A chart by its last name, and a version of it that somebody pins. */
export interface PinnedChart {
  readonly chart: string;
  readonly version: string;
}

const chartLine = /^[ \t]*(?:- )?chart:[ \t]*["']?(?:[\w.:-]*\/)*([\w.-]+)["']?[ \t]*(?:#.*)?$/gm;
const versionLine = /^[ \t]*(?:- )?version:[ \t]*["']?([^"'\n#{}]+?)["']?[ \t]*(?:#.*)?$/gm;
/** Of a chart of which any version will do. */
const unpinned = '0.0.1';
/** Larger files are data. */
const largestBytes = 256 * 1024;

/**
 * What the files of a repository pin: every chart that one names with every version that stands in the same file. Too many are harmless:
 * a repository of charts that is made up for a sandbox has to list those that will be asked for.
 *
 * Shape: for a range, the lowest version that it names.
 */
export async function pinnedCharts(files: Files, root: string): Promise<readonly PinnedChart[]> {
  const found = new Map<string, PinnedChart>();
  for await (const text of textsBelow(root, files)) {
    const charts = [...text.matchAll(chartLine)].map(([, chart = '']) => chart);
    if (charts.length === 0) continue;
    const versions = [...text.matchAll(versionLine)].flatMap(([, version = '']) => lowestOf(version) ?? []);
    for (const chart of charts) {
      for (const version of versions.length === 0 ? [unpinned] : versions) found.set(`${chart} ${version}`, { chart, version });
    }
  }
  return [...found.values()];
}

async function* textsBelow(folder: string, files: Files): AsyncGenerator<string> {
  for (const { name, kind } of await files.list(folder)) {
    const path = posix.join(folder, name);
    if (kind === 'directory' && !name.startsWith('.') && name !== 'node_modules') yield* textsBelow(path, files);
    if (kind !== 'file' || !/\.(?:ya?ml|gotmpl)$/.test(name) || ((await files.stat(path))?.sizeBytes ?? 0) > largestBytes) continue;
    yield (await files.readText(path)) ?? '';
  }
}

function lowestOf(range: string): string | undefined {
  const exact = /^v?\d+\.\d+\.\d+[\w.+-]*$/.exec(range.trim());
  if (exact !== null) return exact[0];
  const [, major, minor = '0', patch = '0'] = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(range) ?? [];
  return major === undefined ? undefined : `${major}.${minor}.${patch}`;
}
