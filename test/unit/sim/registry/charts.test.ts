import { expect, test } from 'vitest';
import { packChart, simulatedCharts, standInFor } from '../../../../lib/sim/index.ts';
import { engine, never } from '../../wasm/engine.ts';

const helm = engine();
const render = async (name: string, values: object = {}) => {
  const folder = simulatedCharts.get(name) ?? standInFor(name);
  const { archive, digest } = packChart(folder, folder.version);
  const rendering = await helm.render(
    {
      archive: { bytes: archive, digest },
      release: { name, namespace: 'kube-system' },
      values: values as never,
      lookup: () => Promise.resolve(undefined),
    },
    never,
  );
  const words = (object: { kind?: unknown; metadata?: unknown }) => `${String(object.kind)} ${(object.metadata as { name: string }).name}`;
  return {
    objects: rendering.objects.map(({ object }) => words(object)),
    crds: rendering.crds.map(({ object }) => words(object)),
    hooks: rendering.hooks.map(({ kind, name: hook, events, weight = 0 }) => `${events.join()} ${weight} ${kind} ${hook}`),
    rendering,
  };
};

test('the simulated charts carry the names and kinds of the real ones', async () => {
  const seen: Record<string, unknown> = {};
  for (const name of [...simulatedCharts.keys(), 'a-chart-nobody-knows']) {
    const { objects, crds, hooks } = await render(name, name === 'cert-manager' ? { crds: { enabled: true } } : {});
    seen[name] = { objects, ...(crds.length > 0 ? { crds } : {}), ...(hooks.length > 0 ? { hooks } : {}) };
  }
  await expect(JSON.stringify(seen, null, 2)).toMatchFileSnapshot('../../../golden/sim-charts/objects.json');
});

test('cilium keeps the certificates that are in the cluster', async () => {
  const folder = simulatedCharts.get('cilium');
  if (folder === undefined) throw new Error('no cilium');
  const { archive, digest } = packChart(folder, folder.version);
  const request = { archive: { bytes: archive, digest }, release: { name: 'cilium', namespace: 'kube-system' } };
  const secretsOf = (objects: readonly { object: { kind?: unknown; metadata?: unknown; data?: unknown } }[]) =>
    new Map(
      objects.filter(({ object }) => object.kind === 'Secret').map(({ object }) => [(object.metadata as { name: string }).name, object]),
    );
  const asked: string[] = [];
  const first = await helm.render({ ...request, lookup: ({ kind, name }) => Promise.resolve(void asked.push(`${kind} ${name}`)) }, never);
  const kept = secretsOf(first.objects);
  const second = await helm.render({ ...request, lookup: ({ name }) => Promise.resolve(kept.get(name) as never) }, never);
  expect(asked).toEqual(['Secret cilium-ca', 'Secret hubble-server-certs']);
  expect(secretsOf(second.objects)).toEqual(kept);
});

test('a file mode written as 0400 reaches the cluster as 256', async () => {
  const { rendering } = await render('cilium');
  const envoy = rendering.objects.find(({ object }) => object.kind === 'DaemonSet' && JSON.stringify(object).includes('envoy-config'));
  expect(JSON.stringify(envoy?.object)).toContain('"defaultMode":256');
});

test('a chart is packed into the same bytes each time', () => {
  const digests = [...simulatedCharts.values()].map((folder) => packChart(folder, folder.version).digest);
  expect(digests).toEqual([...simulatedCharts.values()].map((folder) => packChart(folder, folder.version).digest));
  expect(new Set(digests).size).toBe(simulatedCharts.size);
});
