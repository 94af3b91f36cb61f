import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packChart, simulatedCharts } from '../../../lib/sim/index.ts';
import { takeoverCases } from '../../oracle/helm/takeover-cases.ts';
import { engine, never } from '../../unit/wasm/engine.ts';

interface Recorded {
  readonly kubernetes: string;
  readonly helm: string;
  readonly releases: readonly {
    readonly chart: string;
    readonly installed: { readonly state: string; readonly revision: number; readonly objects: number };
    readonly helm: { readonly before: object; readonly after: object };
    readonly records: readonly string[];
    readonly objects: readonly {
      readonly object: string;
      readonly managers: readonly string[];
      readonly managersAfter: readonly string[];
      readonly isSameUid: boolean;
      readonly generation: readonly [before: number, after: number];
    }[];
  }[];
}

const json = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as T;
const recorded = json<Recorded>('./takeover.json');
const helm = engine();

test('the take-over was recorded on a real API server with the Helm that the module pins', () => {
  expect(recorded.kubernetes).toMatch(/^v1\.\d+\.\d+/);
  expect(recorded.helm).toBe(json<{ helm: string }>('../../../lib/wasm/helm.wasm.json').helm);
  expect(recorded.releases.map(({ chart }) => chart)).toEqual(takeoverCases.map(({ chart }) => chart));
});

test.each(takeoverCases)(
  "Helm's SDK upgrades $chart as helm-controller does, and no object changes",
  async ({ chart, namespace, values }) => {
    const release = recorded.releases.find((candidate) => candidate.chart === chart);
    const folder = simulatedCharts.get(chart);
    if (release === undefined || folder === undefined) throw new Error(chart);
    expect(release.helm).toEqual({
      before: { revision: 1, status: 'deployed', applyMethod: 'ssa', chart: folder.version },
      after: { revision: 2, status: 'deployed', applyMethod: 'ssa', description: 'Upgrade complete' },
    });
    expect(release.records).toEqual([`sh.helm.release.v1.${chart}.v1 superseded`, `sh.helm.release.v1.${chart}.v2 deployed`]);
    for (const { object, isSameUid, generation, managers, managersAfter } of release.objects) {
      expect({ object, isSameUid, generation: generation[1] }).toEqual({ object, isSameUid: true, generation: generation[0] });
      expect(
        managers.filter((manager) => manager.startsWith('helm-controller')),
        object,
      ).toEqual(['helm-controller Apply']);
      expect(managersAfter, object).toEqual(managers);
    }
    // The recording is of what the chart and the code still make today.
    const archive = { bytes: packChart(folder, folder.version).archive, digest: chart };
    const rendering = await helm.render({ archive, release: { name: chart, namespace }, values: values as never }, never);
    const kinds = (names: readonly string[]) => names.toSorted();
    expect(kinds(release.objects.map(({ object }) => object.split(' ')[0] ?? ''))).toEqual(
      kinds(rendering.objects.map(({ object }) => String(object.kind))),
    );
    expect(release.installed).toEqual({ state: 'installed', revision: 1, objects: rendering.objects.length });
  },
);
