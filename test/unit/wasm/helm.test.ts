import { createPrivateKey, X509Certificate } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Failure, TkError } from '../../../lib/base/index.ts';
import { packTar } from '../../../lib/format/index.ts';
import { renderFailure } from '../../../lib/ui/index.ts';
import { type ChartArchive, createHelmEngine } from '../../../lib/wasm/index.ts';
import { oddArchive } from './odd-archives.ts';
import { committedModule, computeHere, engine, fixedRandom, never, stillClock } from './engine.ts';

const helm = engine();
const chartYaml = 'apiVersion: v2\nname: web\nversion: 1.0.0\n';
const pack = (files: Readonly<Record<string, string>>, root = 'web'): ChartArchive => {
  const entries = Object.entries({ 'Chart.yaml': chartYaml, ...files }).map(([path, content]) => ({ path: `${root}/${path}`, content }));
  return { bytes: gzipSync(packTar(entries)), digest: JSON.stringify(files) };
};
const template = (text: string, more: Readonly<Record<string, string>> = {}): ChartArchive => pack({ 'templates/a.yaml': text, ...more });
const release = { name: 'web', namespace: 'apps' };
const failureOf = async (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('nothing failed')),
    (error: unknown) => (error instanceof TkError ? error.failure : Promise.reject(error)),
  );

test('nothing is loaded before the first chart, and the module only once', async () => {
  const compute = computeHere();
  let loads = 0;
  const lazy = createHelmEngine({
    compute,
    random: fixedRandom,
    clock: stillClock,
    moduleBytes() {
      loads += 1;
      return committedModule();
    },
  });
  expect([compute.calls, loads]).toEqual([0, 0]);
  for (const text of ['a: 1', 'b: 2', 'c: 3']) await lazy.parseYaml(text, never);
  expect(compute.calls - loads).toBe(3);
  expect(loads).toBeLessThanOrEqual(1);
});

test('an equal call of a run with a memo is answered from it, a failed one is asked again', async () => {
  const compute = computeHere();
  const memo = new Map<string, Promise<string>>();
  const quick = createHelmEngine({ compute, random: fixedRandom, clock: stillClock, moduleBytes: committedModule, memo });
  const archive = template('kind: ConfigMap\nmetadata: { name: {{ randAlphaNum 8 }} }\n');
  const first = await quick.render({ archive, release }, never);
  const calls = compute.calls;
  expect(await quick.render({ archive, release }, never)).toEqual(first);
  expect(compute.calls).toBe(calls);
});

test('objects arrive as Kubernetes reads them', async () => {
  const archive = template(
    'apiVersion: v1\nkind: List\nitems:\n- { kind: A, metadata: { name: a }, mode: 0400, on: yes, big: 9007199254740993, f: 1e3 }\n- { kind: B, metadata: { name: b } }\n---\n# nothing\n',
  );
  expect((await helm.render({ archive, release }, never)).objects.map(({ object }) => object)).toEqual([
    { kind: 'A', metadata: { name: 'a' }, mode: 256, true: true, big: 9007199254740992, f: 1000 },
    { kind: 'B', metadata: { name: 'b' } },
  ]);
});

test('files of the chart take the place of its values.yaml, and a schema can be passed over', async () => {
  const archive = template('kind: X\nv: {{ toJson .Values }}\n', {
    'values.yaml': 'a: 1\nb: { c: 1, d: 1 }\n',
    'values-prod.yaml': 'b: { c: 2 }\n',
    'values.schema.json': '{"required":["never"]}',
  });
  const valuesOf = async (paths: readonly string[], ignoreMissing = false) => {
    const { objects } = await helm.render({ archive, release, valuesFiles: { paths, ignoreMissing }, skipSchema: true }, never);
    return objects[0]?.object.v;
  };
  expect(await valuesOf(['values.yaml', './values-prod.yaml'])).toEqual({ a: 1, b: { c: 2, d: 1 } });
  expect(await valuesOf(['values-prod.yaml', 'gone.yaml'], true)).toEqual({ b: { c: 2 } });
  expect(await failureOf(valuesOf(['gone.yaml']))).toEqual({
    code: 'chart/invalid',
    facts: { reason: "no values file found at path 'gone.yaml'" },
  });
  expect(await failureOf(helm.render({ archive, release }, never))).toMatchObject({ code: 'chart/values-schema' });
});

test('a schema that refers to others on the web is checked with what the host brings', async () => {
  const documents: Readonly<Record<string, string>> = {
    'https://schemas.example/v1/values.json':
      '{"$schema":"http://json-schema.org/draft-07/schema","$id":"https://schemas.example/v1/values.json","properties":{"port":{"$ref":"parts/port.json#/definitions/port"},"host":{"$ref":"#/definitions/host"}},"definitions":{"host":{"type":"string"}}}',
    'https://schemas.example/v1/parts/port.json': '{"definitions":{"port":{"type":"integer","maximum":65535}}}',
  };
  const asked: string[] = [];
  const render = (schema: string, values: object, known: Readonly<Record<string, string>> = documents) =>
    helm.render(
      {
        archive: template('kind: X\n', { 'values.schema.json': schema }),
        release,
        values: values as never,
        fetchSchema: (url) => {
          asked.push(url);
          return Promise.resolve(known[url]);
        },
      },
      never,
    );
  for (const schema of [
    '{"$ref":"https://schemas.example/v1/values.json"}',
    '{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"https://schemas.example/v1/values.json"}',
  ]) {
    expect((await render(schema, { port: 80, host: 'a' })).objects).toHaveLength(1);
    const refused = await failureOf(render(schema, { port: 70_000, host: 1 }));
    expect(refused.code).toBe('chart/values-schema');
    expect(JSON.stringify(refused.facts)).toMatch(/\/host.*got number, want string.*\/port|\/port.*\/host/);
  }
  expect(asked.slice(0, 2)).toEqual(Object.keys(documents));
  expect(await failureOf(render('{"$ref":"https://schemas.example/gone.json"}', {}, {}))).toMatchObject({ code: 'chart/values-schema' });
});

test("objects are written as Kubernetes' own writer writes them", async () => {
  expect(await helm.toYaml([{ b: '0400', a: [1, 'yes', null] }, {}], never)).toEqual(['a:\n- 1\n- "yes"\n- null\nb: "0400"\n', '{}\n']);
  expect(await helm.toYaml([], never)).toEqual([]);
});

test('look-ups are answered round by round until the chart asks for nothing new', async () => {
  const archive = template(
    '{{- $first := lookup "v1" "ConfigMap" "apps" "first" }}\nkind: ConfigMap\nmetadata: { name: x }\ndata:\n  next: {{ (lookup "v1" "Secret" "apps" $first.data.next).data.v | default "none" }}\n  count: {{ len (lookup "v1" "Pod" "" "").items | quote }}\n  gone: {{ lookup "v1" "Secret" "apps" "gone" | toJson | quote }}\n'
      .replace('$first.data.next', '(dig "data" "next" "?" $first)')
      .replace('(lookup "v1" "Secret" "apps" (dig', '(dig "data" (dict) (lookup "v1" "Secret" "apps" (dig')
      .replace('$first)).data.v', '$first))).v')
      .replace('(lookup "v1" "Pod" "" "").items', '(dig "items" (list) (lookup "v1" "Pod" "" ""))'),
  );
  const rounds: string[] = [];
  const rendering = await helm.render(
    {
      archive,
      release,
      async lookup({ kind, name }) {
        rounds.push(`${kind} ${name}`);
        if (name === 'first') return { data: { next: 'second' } };
        if (name === 'second') return { data: { v: 'found' } };
        return kind === 'Pod' ? { items: [{}, {}] } : undefined;
      },
    },
    never,
  );
  expect(rounds).toEqual(['ConfigMap first', 'Secret ?', 'Pod ', 'Secret gone', 'Secret second']);
  expect(rendering.objects[0]?.object.data).toEqual({ next: 'found', count: '2', gone: '{}' });
});

test('a chart that never stops asking is stopped', async () => {
  const archive = template('{{- $_ := lookup "v1" "Secret" "apps" (randAlphaNum 12) }}\nkind: X\n');
  const failure = await failureOf(
    createHelmEngine({ compute: computeHere(), random: drawing(), clock: stillClock, moduleBytes: committedModule }).render(
      { archive, release, lookup: () => Promise.resolve(undefined) },
      never,
    ),
  );
  expect(failure).toEqual({ code: 'chart/lookup-endless', facts: { kinds: ['Secret'] } });
});

const drawing = () => {
  let drawn = 0;
  return { ...fixedRandom, bytes: (count: number) => new Uint8Array(count).fill((drawn += 1)) };
};

test('one seed gives one render, another seed another', async () => {
  const archive = template(
    'kind: X\nmetadata: { name: {{ randAlphaNum 20 }}, ca: {{ (genCAWithKey "x" 1 (genPrivateKey "ed25519")).Cert | sha256sum }} }\n',
  );
  const render = async (random = fixedRandom) =>
    (
      await createHelmEngine({ compute: computeHere(), random, clock: stillClock, moduleBytes: committedModule }).render(
        { archive, release },
        never,
      )
    ).manifest;
  const first = await render();
  expect(await render(drawing())).not.toBe(first);
});

test('after a trap the next chart renders as if nothing had been', async () => {
  const failure = await failureOf(helm.render({ archive: template('a: {{ repeat 4000000000 "x" }}'), release }, never));
  expect(failure).toMatchObject({ code: 'chart/engine-trapped', facts: { during: 'render' } });
  expect((await helm.render({ archive: template('kind: X\n'), release }, never)).manifest).toBe(
    '---\n# Source: web/templates/a.yaml\nkind: X\n\n',
  );
});

test('Go templates with sprig, as talhelper and others write them', async () => {
  const render = (text: string, data: unknown, more = {}) =>
    helm.renderGoTemplate({ name: 'patch.yaml.tpl', text, data: data as never, ...more }, never);
  expect(
    await render('{{ .name | upper }}-{{ add .index 1 }} {{ if eq .index 2 }}two{{ end }} {{ .big }} {{ .f }}', {
      name: 'cp',
      index: 2,
      big: 12345678,
      f: 1.5,
    }),
  ).toBe('CP-3 two 12345678 1.5');
  expect(
    await render('{{ range $i, $n := .nodes }}{{ $i }}={{ $n.ip }};{{ end }}{{ toYaml .nodes }}', { nodes: [{ ip: 'a' }, { ip: 'b' }] }),
  ).toBe('0=a;1=b;- ip: a\n- ip: b');
  expect(await render('{{ env "A" }} {{ expandenv "$A-${B}-$C" }}', {}, { env: { A: '1', B: '2' } })).toBe('1 1-2-');
  expect(await render('<< .x >> {{ .x }}', { x: 1 }, { delimiters: ['<<', '>>'] })).toBe('1 {{ .x }}');
  expect(await render('{{ template "p" . }}{{ include "p" . | upper }}', { x: 'y' }, { partials: { p: 'part {{ .x }} ' } })).toBe(
    'part y PART Y ',
  );
  expect(await render('{{ .missing }}', {})).toBe('<no value>');
  expect(await failureOf(render('line\n{{ .missing.deeper }}', {}, { missingKey: 'error' }))).toEqual({
    code: 'go-template/failed',
    facts: { name: 'patch.yaml.tpl', line: 2, column: 11, problem: '<.missing.deeper>: map has no entry for key "missing"' },
  });
  expect(await failureOf(render('{{ nope }}', {}))).toEqual({
    code: 'go-template/failed',
    facts: { name: 'patch.yaml.tpl', line: 1, problem: 'function "nope" not defined' },
  });
});

test('every chart that cannot be rendered is told with chart, file and line', async () => {
  const raw = (bytes: Uint8Array): ChartArchive => ({ bytes, digest: 'raw' });
  const tar = (path: string, content = 'x') =>
    raw(
      gzipSync(
        packTar([
          { path: 'web/Chart.yaml', content: chartYaml },
          { path, content },
        ]),
      ),
    );
  const bomb = gzipSync(
    packTar([
      { path: 'web/Chart.yaml', content: chartYaml },
      { path: 'web/templates/big.yaml', content: Buffer.alloc(6 * 1024 * 1024) },
    ]),
  );
  const many = gzipSync(
    packTar([
      { path: 'web/Chart.yaml', content: chartYaml },
      ...Array.from({ length: 26 }, (_, index) => ({ path: `web/f${index}`, content: Buffer.alloc(4 * 1024 * 1024) })),
    ]),
  );
  const cases: readonly (readonly [string, ChartArchive, object?])[] = [
    ['not an archive', raw(Buffer.from('<html>'))],
    ['cut off', raw(pack({ 'templates/a.yaml': 'x'.repeat(5000) }).bytes.slice(0, 60))],
    ['an empty archive', raw(gzipSync(packTar([])))],
    ['reaches outside', tar('web/../../etc/cron.d/x')],
    ['an absolute path', tar('web//etc/passwd')],
    ['a Windows path', tar('web\\C:\\x')],
    ['an absolute path in the archive', tar('/etc/cron.d/x')],
    ...(['hard link', 'symbolic link', 'character device', 'block device', 'pipe'] as const).map(
      (type) => [`a ${type}`, raw(oddArchive(type, chartYaml))] as const,
    ),
    ['one file too large', raw(bomb)],
    ['too large in all', raw(many)],
    ['no Chart.yaml', raw(gzipSync(packTar([{ path: 'web/values.yaml', content: '' }])))],
    ['a chart of the third kind', pack({ 'Chart.yaml': chartYaml.replace('v2', 'v3') })],
    ['a library', pack({ 'Chart.yaml': `${chartYaml}type: library\n` })],
    [
      'a missing dependency',
      pack({ 'Chart.yaml': `${chartYaml}dependencies: [{ name: gone, version: 1.x, repository: "https://charts.example" }]\n` }),
    ],
    ['a newer Kubernetes', pack({ 'Chart.yaml': `${chartYaml}kubeVersion: ">=1.99"\n` })],
    ['a required value', template('a: {{ required "set the host" .Values.host }}')],
    [
      'deep inside',
      template('a: 1\nb: {{ include "one" . }}', {
        'templates/_h.tpl': '{{ define "one" }}\n{{ include "two" . }}{{ end }}\n{{ define "two" }}{{ .Values.a.b.c }}{{ end }}',
      }),
    ],
    ['a syntax error', template('a: b\nc: {{ if }}')],
    ['an unknown template', template('a: {{ include "nope" . }}')],
    ['in tpl', template('a: {{ tpl "{{ .Values.x.y }}" . }}')],
    ['not YAML', template('a: b\n  c: d\n')],
    [
      'values that the schema refuses',
      pack({ 'values.schema.json': '{"properties":{"port":{"type":"integer"},"mode":{"enum":["a","b"]}},"required":["host"]}' }),
      { port: 'x', mode: 'c' },
    ],
    ['a schema that fetches', pack({ 'values.schema.json': '{"$ref":"https://schemas.example/x.json"}' })],
    ['a release name', template('a: b')],
  ];
  const told: string[] = [];
  for (const [name, archive, values = {}] of cases) {
    const named = name === 'a release name' ? { name: 'Web_1', namespace: 'apps' } : release;
    const failure = await failureOf(
      helm.render({ archive, release: named, values: values as never, capabilities: { kubeVersion: 'v1.37.0' } }, never),
    );
    told.push(`## ${name}\n\n${renderFailure(failure)}\n`);
  }
  await expect(told.join('\n')).toMatchFileSnapshot('../../golden/charts/render-failures.md');
});

test("certificates with RSA keys, which the host makes: as Helm's are, and the same for the same seed", async () => {
  const archive = template(`{{- $ca := genCA "own" 30 }}
{{- $cert := genSignedCert "web" (list "10.0.0.1") (list "web.home") 10 $ca }}
{{- $self := genSelfSignedCert "alone" nil nil 5 }}
kind: X
metadata: { name: x }
{{- range $name, $text := dict "ca" $ca.Cert "caKey" $ca.Key "cert" $cert.Cert "key" $cert.Key "self" $self.Cert "selfKey" $self.Key }}
{{ $name }}: {{ $text | quote }}
{{- end }}
`);
  const render = async () => (await helm.render({ archive, release }, never)).objects[0]?.object as Record<string, string>;
  const { ca = '', caKey = '', cert = '', key = '', self = '', selfKey = '' } = await render();
  const [authority, leaf, alone] = [ca, cert, self].map((pem) => new X509Certificate(pem)) as [
    X509Certificate,
    X509Certificate,
    X509Certificate,
  ];
  expect([authority.subject, leaf.subject, leaf.issuer, leaf.subjectAltName, alone.subject]).toEqual([
    'CN=own',
    'CN=web',
    'CN=own',
    'DNS:web.home, IP Address:10.0.0.1',
    'CN=alone',
  ]);
  expect([leaf.verify(authority.publicKey), alone.verify(alone.publicKey), leaf.verify(alone.publicKey)]).toEqual([true, true, false]);
  for (const [certificate, pem] of [
    [authority, caKey],
    [leaf, key],
    [alone, selfKey],
  ] as const) {
    expect(pem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(createPrivateKey(pem).asymmetricKeyDetails).toEqual({ modulusLength: 2048, publicExponent: 65537n });
    expect(certificate.checkPrivateKey(createPrivateKey(pem))).toBe(true);
  }
  expect((await render()).key).toBe(key);
});

test("a certificate that is asked for with the wrong arguments fails in Helm's words", async () => {
  const archive = template('a: {{ genSignedCert "web" nil nil 10 (dict) }}\n');
  expect(renderFailure(await failureOf(helm.render({ archive, release }, never)))).toContain(
    'wrong type for value; expected sprig.certificate; got map[string]interface {}',
  );
});
