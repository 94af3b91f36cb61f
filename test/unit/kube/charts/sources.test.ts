import { expect, test } from 'vitest';
import { Secret, TkError } from '../../../../lib/base/index.ts';
import { ChartCache, type ChartSource, pullChart, type PullPorts } from '../../../../lib/kube/index.ts';
import { createMemoryFiles, createRegistry, type RegistryOptions, type SimRegistry } from '../../../../lib/sim/index.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import { dialTo, pullPorts, quickClock, signal } from './rig.ts';

const cilium: ChartSource = { kind: 'oci', repository: 'quay.io/cilium/charts/cilium', tag: '1.19.6' };
const certManager: ChartSource = { kind: 'index', url: 'https://charts.jetstack.io', chart: 'cert-manager', version: 'v1.20.4' };

interface Rig {
  readonly ports: PullPorts;
  readonly registry: SimRegistry;
  readonly seen: string[];
  readonly clock: ReturnType<typeof quickClock>;
}

function rig(options: Partial<RegistryOptions> = {}, more: Partial<PullPorts> = {}): Rig {
  const clock = quickClock();
  const registry = createRegistry({ clock, ...options });
  const seen: string[] = [];
  const files = createMemoryFiles(clock.now);
  return {
    registry,
    seen,
    clock,
    ports: pullPorts(registry.handler, files, { clock, dial: dialTo(registry.handler, seen), cache: '/cache', ...more }),
  };
}

/** One thing that goes wrong at one place, for as long as it is asked for. */
const broken = (point: string, kind: string, facts: object = {}): Partial<RegistryOptions> => ({
  fault: (asked) => (asked === `registry/${point}` ? { kind, facts: facts as never } : undefined),
});

const credentials = (username: string, password: string): PullPorts['credentials'] => ({
  of: () => Promise.resolve({ username, password: new Secret(password), from: '~/.docker/config.json' }),
});

test('an anonymous pull gets a token, a manifest and the archive', async () => {
  const { ports, seen, registry } = rig();
  const pulled = await pullChart(cilium, ports, signal);
  expect({ version: pulled.version, from: pulled.from }).toEqual({ version: '1.19.6', from: 'source' });
  expect(seen.map((line) => line.replace(/sha256:[0-9a-f]+/, 'sha256:…'))).toEqual([
    'GET https://quay.io:443/v2/cilium/charts/cilium/manifests/1.19.6',
    'GET https://quay.io:443/token?service=quay.io&scope=repository%3Acilium%2Fcharts%2Fcilium%3Apull',
    'GET https://quay.io:443/v2/cilium/charts/cilium/manifests/1.19.6',
    'GET https://quay.io:443/v2/cilium/charts/cilium/blobs/sha256:…',
  ]);
  expect(registry.standIns()).toEqual([]);
});

test('docker.io, a plus in a version, a range and a digest', async () => {
  const { ports, seen } = rig();
  await pullChart({ kind: 'oci', repository: 'docker.io/coredns', tag: '1.0.0+build.1' }, ports, signal);
  expect(seen[0]).toBe('GET https://registry-1.docker.io:443/v2/library/coredns/manifests/1.0.0_build.1');
  const newest = await pullChart({ kind: 'oci', repository: 'ghcr.io/x/cilium', range: '>=1.19.0, <1.20.0' }, ports, signal);
  expect(newest.version).toBe('1.19.6');
  const manifest = await ports.dial.http({
    target: { protocol: 'https', host: 'ghcr.io', port: 443 },
    method: 'GET',
    path: '/token?scope=repository:x/cilium:pull',
    headers: {},
    signal,
  });
  expect(manifest.status).toBe(200);
});

test('a sandbox serves charts that were pulled for real in place of stand-ins, whatever named them', async () => {
  const real = (name: string) => ({ name, version: '3.1.4', description: 'the real one', files: { 'templates/a.yaml': 'a: b\n' } });
  const outside = rig({ charts: [real('web'), real('gateway'), real('own')] });
  const web: ChartSource = { kind: 'oci', repository: 'ghcr.io/home/charts/web', tag: '3.1.4' };
  const gateway: ChartSource = { kind: 'oci', repository: 'docker.io/home/gateway', range: '3.x' };
  const own: ChartSource = { kind: 'index', url: 'https://charts.example/stable', chart: 'own', version: '3.1.4' };
  const pulled = new Map<ChartSource, string>();
  for (const source of [web, gateway, own]) pulled.set(source, (await pullChart(source, outside.ports, signal)).archive.digest);

  const cache = new ChartCache(outside.ports.files, '/cache');
  const sandbox = rig(
    {
      cached: (chart, version) => cache.archive(chart, version),
      listed: () => Promise.resolve(['web', 'gateway', 'own'].map((chart) => ({ chart, version: '3.1.4' }))),
    },
    { areChartsMadeUp: true },
  );
  const digestOf = async (source: ChartSource) => (await pullChart(source, sandbox.ports, signal)).archive.digest;
  for (const [source, digest] of pulled) expect(await digestOf(source)).toBe(digest);
  expect(await digestOf({ ...web, digest: `sha256:${'0'.repeat(64)}` })).toBe(pulled.get(web));
  expect(sandbox.registry.standIns()).toEqual([]);
  // Another version, and the same name elsewhere, are other charts.
  expect(await digestOf({ ...web, tag: '3.1.5' })).not.toBe(pulled.get(web));
  expect(sandbox.registry.standIns()).toEqual(['web']);
  expect(await digestOf({ ...own, url: 'https://charts.example/incubator' } as ChartSource)).not.toBe(pulled.get(own));
  // What the simulator has itself is made for its machines.
  expect(await cache.archive('oci://quay.io/cilium/charts/cilium', '1.19.6')).toBeUndefined();
  // A damaged archive is none.
  for (const { name } of await outside.ports.files.list('/cache'))
    if (name.endsWith('.tgz')) await outside.ports.files.write(`/cache/${name}`, 'damaged');
  expect(await cache.archive('oci://ghcr.io/home/charts/web', '3.1.4')).toBeUndefined();
});

test('credentials answer a token service and a basic challenge', async () => {
  const credential = { username: 'robot', password: 'hunter22' };
  for (const authentication of ['token', 'basic'] as const) {
    const { ports } = rig({ credential, authentication }, { credentials: credentials('robot', 'hunter22') });
    expect((await pullChart(cilium, ports, signal)).version).toBe('1.19.6');
    expect((await pullChart(certManager, ports, signal)).version).toBe('v1.20.4');
  }
});

test('with a warm cache nothing needs the network, and a damaged cache is no cache', async () => {
  const { ports, registry } = rig();
  const first = await pullChart(cilium, ports, signal);
  await pullChart(certManager, ports, signal);
  const dark = { ...ports, dial: { ...ports.dial, http: () => Promise.reject(refused('quay.io')) } };
  expect((await pullChart(cilium, dark, signal)).archive).toEqual(first.archive);
  expect((await pullChart(cilium, dark, signal)).from).toBe('offline');
  expect((await pullChart(certManager, dark, signal)).from).toBe('offline');
  const [archive = { name: '' }] = (await ports.files.list('/cache')).filter(({ name }) => name === `${first.archive.digest.slice(7)}.tgz`);
  await ports.files.write(`/cache/${archive.name}`, 'damaged');
  await expect(pullChart(cilium, dark, signal)).rejects.toThrow('chart/source-unreachable');
  expect((await pullChart(cilium, ports, signal)).archive).toEqual(first.archive);
  expect(registry.counts()).toMatchObject({ blob: 2 });
});

test('what a digest names is not asked for twice', async () => {
  const { ports, seen } = rig();
  const { digest } = await digestOfManifest(ports);
  const source: ChartSource = { kind: 'oci', repository: 'quay.io/cilium/charts/cilium', digest };
  await pullChart(source, ports, signal);
  seen.length = 0;
  expect((await pullChart(source, ports, signal)).from).toBe('cache');
  expect(seen).toEqual([]);
});

test('a chart that is not known is stood in for, and named', async () => {
  const { ports, registry } = rig();
  await pullChart({ kind: 'oci', repository: 'ghcr.io/somebody/charts/immich', tag: '0.1.0' }, ports, signal);
  expect(registry.standIns()).toEqual(['immich']);
});

test('versions that a repository pins are offered by an index and by tags, whether the chart is known or not', async () => {
  const listed = () =>
    Promise.resolve([
      { chart: 'cilium', version: '1.17.2' },
      { chart: 'immich', version: '0.9.3' },
    ]);
  const { ports, registry } = rig({ listed });
  const from = (chart: string, version: string): ChartSource => ({ kind: 'index', url: 'https://charts.example.org', chart, version });
  expect((await pullChart(from('cilium', '1.17.2'), ports, signal)).version).toBe('1.17.2');
  expect(registry.standIns()).toEqual([]);
  expect((await pullChart(from('immich', '0.9.x'), ports, signal)).version).toBe('0.9.3');
  expect(registry.standIns()).toEqual(['immich']);
  const ranged: ChartSource = { kind: 'oci', repository: 'quay.io/cilium/charts/cilium', range: '~1.17' };
  expect((await pullChart(ranged, ports, signal)).version).toBe('1.17.2');
  await expect(pullChart(from('cilium', '1.17.3'), ports, signal)).rejects.toMatchObject({ failure: { code: 'chart/version-not-found' } });
});

test('429 and 503 are waited out as the registry asks', async () => {
  let left = 2;
  const { ports, clock } = rig({
    fault: (point) =>
      point === 'registry/request' && left-- > 0
        ? { kind: left === 1 ? 'rate-limited' : 'unavailable', facts: { retryAfterSeconds: 7 } }
        : undefined,
  });
  expect((await pullChart(cilium, ports, signal)).from).toBe('source');
  expect(clock.slept).toEqual([7000, 1000]);
});

test('every way in which a chart cannot be had is told with what to do', async () => {
  const cases: readonly (readonly [string, ChartSource, Rig])[] = [
    ['nothing listens', cilium, rig({}, { dial: dialing(() => refused('quay.io')) })],
    ['a chart that does not exist', { kind: 'oci', repository: 'ghcr.io/x/charts/nope', tag: '1.0.0' }, rig({ hasStandIns: false })],
    ['a tag that does not exist', cilium, rig(broken('manifest', 'missing-tag'))],
    ['a range that nothing meets', { kind: 'oci', repository: 'quay.io/cilium/charts/cilium', range: '>=2.0.0' }, rig()],
    ['a manifest that is not the one announced', cilium, rig(broken('manifest', 'wrong-digest'))],
    ['an archive that is not the one announced', cilium, rig(broken('blob', 'wrong-digest'))],
    ['a layer of 2 GB', cilium, rig(broken('manifest', 'huge-layer'))],
    ['no credentials', cilium, rig({ credential: { username: 'robot', password: 'hunter22' } })],
    [
      'wrong credentials',
      cilium,
      rig({ credential: { username: 'robot', password: 'hunter22' } }, { credentials: credentials('robot', 'wrong-one') }),
    ],
    [
      'wrong credentials, basic',
      cilium,
      rig(
        { credential: { username: 'robot', password: 'hunter22' }, authentication: 'basic' },
        { credentials: credentials('robot', 'wrong-one') },
      ),
    ],
    ['no end to 429', cilium, rig(broken('request', 'rate-limited', { retryAfterSeconds: 5 }))],
    ['no end to 503', cilium, rig(broken('request', 'unavailable'))],
    ['an index without the chart', { ...certManager, chart: 'nope' }, rig()],
    ['an index without the version', { ...certManager, version: 'v9.9.9' }, rig()],
    ['an archive that the index does not mean', certManager, rig(broken('archive', 'wrong-digest'))],
    ['a repository that wants a login', certManager, rig({ credential: { username: 'robot', password: 'hunter22' } })],
    ['a page in place of an answer', cilium, rig({}, { dial: answering(200, 'text/html', '<html>captive portal</html>') })],
    ['a page in place of an index', certManager, rig({}, { dial: answering(200, 'text/html', '<html>\n<p>: [') })],
    ['an answer without an end', certManager, rig({}, { dial: endless() })],
    [
      'a redirect to itself',
      certManager,
      rig({}, { dial: answering(302, 'text/html', '', { location: 'https://charts.jetstack.io/index.yaml' }) }),
    ],
    ['a folder that is not there', { kind: 'folder', root: '/repo', path: 'charts/none' }, rig()],
  ];
  const told: string[] = [];
  for (const [name, source, { ports }] of cases) {
    const failure = await pullChart(source, ports, signal).then(
      () => undefined,
      (error: unknown) => (error instanceof TkError ? error.failure : error),
    );
    told.push(
      `## ${name}\n\n${failure === undefined ? 'no failure' : failure instanceof Error ? failure.stack : renderFailure(failure as never)}\n`,
    );
    expect(await ports.files.list('/cache')).toEqual([]);
  }
  await expect(told.join('\n').replace(/[0-9a-f]{64}/g, '…')).toMatchFileSnapshot('../../../golden/charts/source-failures.md');
});

const refused = (host: string): TkError => new TkError({ code: 'host/dial', facts: { host, port: 443, reason: 'refused' } });
const dialing = (error: () => Error): PullPorts['dial'] => ({ talos: () => Promise.reject(error()), http: () => Promise.reject(error()) });
const answering = (status: number, type: string, body: string, headers: object = {}): PullPorts['dial'] =>
  dialTo(() => Promise.resolve({ status, headers: { 'content-type': type, ...headers }, body }));
const endless = (): PullPorts['dial'] =>
  dialTo(() =>
    Promise.resolve({
      status: 200,
      body: (async function* () {
        for (;;) yield new Uint8Array(4 * 1024 * 1024);
      })(),
    }),
  );

async function digestOfManifest(ports: PullPorts): Promise<{ readonly digest: string }> {
  const get = (path: string, headers = {}) =>
    ports.dial.http({ target: { protocol: 'https', host: 'quay.io', port: 443 }, method: 'GET', path, headers, signal });
  const reply = await get('/token?scope=repository:cilium/charts/cilium:pull');
  let text = '';
  for await (const part of reply.body) text += Buffer.from(part).toString();
  const { token } = JSON.parse(text) as { token: string };
  const manifest = await get('/v2/cilium/charts/cilium/manifests/1.19.6', { authorization: `Bearer ${token}` });
  return { digest: String(manifest.headers['docker-content-digest']) };
}
