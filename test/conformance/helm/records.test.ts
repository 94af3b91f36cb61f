import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { archiveOf, recordCases } from '../../oracle/helm/record-cases.ts';
import { engine, never } from '../../unit/wasm/engine.ts';

interface Recorded {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly release: string;
}

const recorded = JSON.parse(readFileSync(new URL('./records.json', import.meta.url), 'utf8')) as Readonly<Record<string, Recorded>>;
const helm = engine();
const json = (release: string): unknown => JSON.parse(gunzipSync(Buffer.from(release, 'base64')).toString());

test.each(recordCases)("the record of $name is what Helm's SDK writes", async (chart) => {
  const archive = { bytes: archiveOf(chart), digest: chart.name };
  const values = chart.recordValues as never;
  const rendering = await helm.render({ archive, release: { name: 'rel', namespace: 'default' }, values }, never);
  const release = await helm.encodeRecord(
    {
      name: 'rel',
      namespace: 'default',
      version: 1,
      info: {
        first_deployed: '2026-01-01T00:00:00Z',
        last_deployed: '2026-01-01T00:00:00Z',
        description: 'Install complete',
        status: 'deployed',
        ...(rendering.notes === '' ? {} : { notes: rendering.notes }),
      },
      config: rendering.values,
      manifest: rendering.manifest,
      hooks: rendering.hooks,
    },
    archive,
    never,
  );
  const expected = recorded[chart.name];
  expect(json(release)).toEqual(json(expected?.release ?? ''));
  expect(release).toBe(expected?.release);
});

test('records that Helm wrote are read, and given another status as Helm would', async () => {
  const { release = '' } = recorded.subchart ?? {};
  const decoded = await helm.decodeRecord(release, never);
  expect(decoded).toMatchObject({
    name: 'rel',
    namespace: 'default',
    version: 1,
    applyMethod: 'ssa',
    config: { child: { a: 'given' } },
    chart: { name: 'subchart', version: '0.1.0' },
  });
  expect(decoded.objects.map(({ object }) => object.kind)).toEqual(['ConfigMap', 'ConfigMap']);
  const superseded = await helm.restatusRecord(release, 'superseded', 'by revision 2', never);
  const before = json(release) as { info: object };
  expect(json(superseded)).toEqual({ ...before, info: { ...before.info, status: 'superseded', description: 'by revision 2' } });
});
