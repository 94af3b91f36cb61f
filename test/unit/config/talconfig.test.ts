import { expect, test } from 'vitest';
import { type Failure, TkError } from '../../../lib/base/index.ts';
import { loadTalconfig, type TalconfigOptions } from '../../../lib/config/index.ts';

const head = 'clusterName: home\ntalosVersion: v1.13.9\nkubernetesVersion: v1.36.0\nendpoint: https://192.168.42.120:6443\n';
const node = 'nodes:\n  - hostname: cp-1\n    ipAddress: 192.168.42.10\n    controlPlane: true\n    installDisk: /dev/sda\n';

const load = (text: string, files: Record<string, string> = {}, options: Partial<TalconfigOptions> = {}) => {
  const contents: Record<string, string> = { '/repo/talos/talconfig.yaml': text };
  for (const [name, content] of Object.entries(files)) contents[`/repo/talos/${name}`] = content;
  return loadTalconfig(
    { readText: async (path) => contents[path] },
    { root: '/repo', path: '/repo/talos/talconfig.yaml', decrypt: async (file) => file.text, ...options },
  );
};

const shown = ({ code, facts, where }: Failure) =>
  `${code} ${JSON.stringify(facts)}${where?.kind === 'file' ? ` ${where.path}:${where.line}:${where.column} «${where.excerpt?.text.trim() ?? ''}»` : ''}`;

async function problems(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof TkError) return error.failures.map(shown);
    throw error;
  }
  return [];
}

test('misspelt and removed keys are named with their place, where talhelper says nothing', async () => {
  const text = `${head}domian: cluster.home\nallowSchedulingOnMaster: true\n${node}    installDisc: /dev/sdb\n    configPatches: []\n    networkInterfaces:\n      - interface: eth0\n        adresses: [10.0.0.1/24]\n    schematic:\n      customization:\n        extraKernelArg: [a]\nwroker: {}\n`;
  expect(await problems(load(text))).toEqual([
    'talconfig/unknown-key {"key":"domian","at":"","suggestion":"domain"} talos/talconfig.yaml:5:1 «domian: cluster.home»',
    'talconfig/unknown-key {"key":"allowSchedulingOnMaster","at":"","suggestion":"allowSchedulingOnMasters"} talos/talconfig.yaml:6:1 «allowSchedulingOnMaster: true»',
    'talconfig/unknown-key {"key":"installDisc","at":"nodes[0]","suggestion":"installDisk"} talos/talconfig.yaml:12:5 «installDisc: /dev/sdb»',
    'talconfig/removed-key {"key":"configPatches","replacement":"patches"} talos/talconfig.yaml:13:5 «configPatches: []»',
    'talconfig/unknown-key {"key":"adresses","at":"nodes[0].networkInterfaces[0]","suggestion":"addresses"} talos/talconfig.yaml:16:9 «adresses: [10.0.0.1/24]»',
    'talconfig/unknown-key {"key":"extraKernelArg","at":"nodes[0].schematic.customization","suggestion":"extraKernelArgs"} talos/talconfig.yaml:19:9 «extraKernelArg: [a]»',
    'talconfig/unknown-key {"key":"wroker","at":"","suggestion":"worker"} talos/talconfig.yaml:20:1 «wroker: {}»',
  ]);
});

test('a key that resembles none is a warning, and one that holds an anchor for the rest of the file is nothing', async () => {
  const text = `${head}x-anything: 1\nshared: &shared\n  customization:\n    extraKernelArgs: [a]\nstableHostname: true\n${node}    schematic: *shared\n    networkInterfaces:\n      - interface: eth0\n        driver: i40e\n`;
  const talconfig = await load(text);
  expect(talconfig.warnings.map(shown)).toEqual([
    'talconfig/unknown-key {"key":"stableHostname","at":""} talos/talconfig.yaml:9:1 «stableHostname: true»',
    'talconfig/unknown-key {"key":"driver","at":"nodes[0].networkInterfaces[0]"} talos/talconfig.yaml:18:9 «driver: i40e»',
  ]);
  expect(talconfig.nodes[0]?.configs['schematic']).toEqual({ customization: { extraKernelArgs: ['a'] } });
});

test('a patch that is a path without an @ is read as it is, from beside the talconfig or from the repository', async () => {
  const text = `${head}patches: [patches/raw.yaml, talos/patches/raw.yaml, patches/missing.yaml]\n${node}`;
  const raw = 'machine:\n  sysctls:\n    $patch: delete\n';
  const work = load(text.replace(', patches/missing.yaml', ''), { 'patches/raw.yaml': raw });
  expect((await work).patches.map(({ file, isTemplate }) => [file.path, file.text, isTemplate])).toEqual([
    ['talos/patches/raw.yaml', raw, false],
    ['talos/patches/raw.yaml', raw, false],
  ]);
  expect(await problems(load(text, { 'patches/raw.yaml': raw }))).toEqual([
    expect.stringContaining('talconfig/missing-file {"path":"patches/missing.yaml"'),
  ]);
});

test('all problems of all nodes come at once', async () => {
  const text = `clusterName: ""\ntalosVersion: v1.13.9\nkubernetesVersion: v1.37.0\nendpoint: 192.168.42.120\nclusterPodNets: [10.42.0.0]\nnodes:\n  - hostname: cp_1\n    ipAddress: 192.168.42.10, nowhere!\n    controlPlane: true\n  - hostname: w\n    ipAddress: 192.168.42.10\n    controlPlane: false\n    installDisk: /dev/sda\n    nameservers: [x]\n    nodeTaints: {a: b}\n  - hostname: w\n    controlPlane: false\n    installDisk: /dev/sda\n`;
  expect(await problems(load(text))).toEqual([
    'talconfig/required {"path":"clusterName"} talos/talconfig.yaml:1:1 «clusterName: ""»',
    'talconfig/invalid {"path":"endpoint","value":"192.168.42.120","expected":"a URL such as `https://192.168.1.10:6443`"} talos/talconfig.yaml:4:11 «endpoint: 192.168.42.120»',
    'talconfig/incompatible-kubernetes {"talos":"v1.13.9","kubernetes":"v1.37.0","lowest":"1.31","highest":"1.36"} talos/talconfig.yaml:3:20 «kubernetesVersion: v1.37.0»',
    'talconfig/invalid {"path":"clusterPodNets[0]","value":"10.42.0.0","expected":"a network such as `10.244.0.0/16`"} talos/talconfig.yaml:5:18 «clusterPodNets: [10.42.0.0]»',
    'talconfig/invalid {"path":"nodes[0].hostname","value":"cp_1","expected":"a host name"} talos/talconfig.yaml:7:15 «- hostname: cp_1»',
    'talconfig/invalid {"path":"nodes[0].ipAddress","value":"nowhere!","expected":"an address or a domain"} talos/talconfig.yaml:8:16 «ipAddress: 192.168.42.10, nowhere!»',
    'talconfig/required {"path":"nodes[0].installDisk"} talos/talconfig.yaml:7:5 «- hostname: cp_1»',
    'talconfig/invalid {"path":"nodes[1].nameservers[0]","value":"x","expected":"an address"} talos/talconfig.yaml:14:19 «nameservers: [x]»',
    'talconfig/invalid {"path":"nodes[1].nodeTaints.a","value":"b","expected":"the effect of a taint, such as `NoSchedule`"} talos/talconfig.yaml:15:21 «nodeTaints: {a: b}»',
    'talconfig/required {"path":"nodes[2].ipAddress"} talos/talconfig.yaml:16:5 «- hostname: w»',
    'talconfig/duplicate-node {"what":"hostname","value":"w","first":"w"} talos/talconfig.yaml:16:15 «- hostname: w»',
    'talconfig/duplicate-node {"what":"address","value":"192.168.42.10","first":"cp_1"} talos/talconfig.yaml:11:16 «ipAddress: 192.168.42.10»',
  ]);
});

test('variables: files win over the process, later files over earlier ones, comments are left alone', async () => {
  const text = `${head.replace('home', '$NAME')}domain: \${DOMAIN:-cluster.lan} # \${NOT_SET}\n${node}    nodeAnnotations:\n      a: "$A"\n      b: cost-$$5\n      c: \${C:+there}\n      d: \${D-unset}\n      e: x\${A}y\n`;
  const talconfig = await load(
    text,
    { 'talenv.yaml': '---\nA: one # not this\nNAME: first\n', 'talenv.sops.yaml': 'NAME: \'last\'\nC="yes"\n' },
    { environment: { A: 'process', NAME: 'process' } },
  );
  expect([talconfig.clusterName, talconfig.domain, talconfig.nodes[0]?.configs['nodeAnnotations']]).toEqual([
    'last',
    'cluster.lan',
    { a: 'one', b: 'cost-$5', c: 'there', d: 'unset', e: 'xoney' },
  ]);
});

test('variables that cannot be filled in are named as they were written', async () => {
  const text = `${head}${node}    nodeLabels:\n      a: $MISSING\n      b: "\${EMPTY}"\n      c: \${X^^}\n      d: \${X:-\${Y}}\n      e: \${X:-}\n      f: \${#X}\n`;
  expect(await problems(load(text, { 'talenv.yaml': 'EMPTY: ""\nX: x\n' }))).toEqual([
    'talconfig/variable-not-set {"name":"MISSING"} talos/talconfig.yaml:11:10 «a: $MISSING»',
    'talconfig/variable-empty {"name":"EMPTY"} talos/talconfig.yaml:12:11 «b: "${EMPTY}"»',
    'talconfig/variable-syntax {"text":"${X^^}","reason":"this operator does not exist here; talhelper reads over it and takes the whole value"} talos/talconfig.yaml:13:10 «c: ${X^^}»',
    'talconfig/variable-syntax {"text":"${#X}","reason":"a variable has a name of letters, digits and underscores"} talos/talconfig.yaml:16:10 «f: ${#X}»',
  ]);
});

test('an environment file that holds more than flat lines is refused, where talhelper loads nothing of it', async () => {
  expect(await problems(load(`${head}${node}`, { 'talenv.yaml': 'A: 1\nnested:\n  - x\n' }))).toEqual([
    'talconfig/env-file {"path":"talos/talenv.yaml","line":3}',
  ]);
});

test('the value of a variable never shows in a message', async () => {
  const text = `${head}${node}    nameservers: ["\${TOKEN}"]\n`;
  const said = (await problems(load(text, { 'talenv.yaml': 'TOKEN: not an address\n' }))).join('\n');
  expect(said).toBe(
    'talconfig/invalid {"path":"nodes[0].nameservers[0]","value":"a value from the environment","expected":"an address"} talos/talconfig.yaml:10:5 «nameservers: ["${TOKEN}"]»',
  );
});

test('files that are not there are named where they are asked for', async () => {
  const text = `${head}${node}    patches:\n      - "@./none.yaml"\n    machineFiles:\n      - content: "@none.conf"\n        permissions: 0644\n        path: /var/a\n        op: create\n`;
  expect(await problems(load(text))).toEqual([
    'talconfig/missing-file {"path":"talos/none.yaml","neededBy":"talos/talconfig.yaml"} talos/talconfig.yaml:11:9 «- "@./none.yaml"»',
    'talconfig/missing-file {"path":"talos/none.conf","neededBy":"talos/talconfig.yaml"} talos/talconfig.yaml:13:18 «- content: "@none.conf"»',
  ]);
});

test('deprecated keys and a floating version are warnings', async () => {
  const text = `${head.replace('talosVersion: v1.13.9\n', '')}additionalMachineCertSans: [a]\n${node}    machineDisks:\n      - device: /dev/sdb\n        partitions: []\n`;
  expect((await load(text)).warnings.map(({ code, facts }) => `${code} ${JSON.stringify(facts)}`)).toEqual([
    'talconfig/floating-version {"version":"v1.13.9"}',
    'talconfig/deprecated {"key":"additionalMachineCertSans","replacement":"certSANs"}',
    'talconfig/deprecated {"key":"machineDisks","replacement":"userVolumes"}',
  ]);
});

test('a talconfig of workers alone is a warning, because nothing can bootstrap it', async () => {
  const { warnings } = await load(`${head}${node.replace('controlPlane: true', 'controlPlane: false')}`);
  expect(warnings.map(({ code, facts }) => `${code} ${JSON.stringify(facts)}`)).toEqual(['talconfig/no-control-plane {"nodes":1}']);
  expect((await load(`${head}${node}`)).warnings).toEqual([]);
});

test('an endpoint that nobody means is a warning, because Talos takes it', async () => {
  const odd = (endpoint: string) => load(`${head.replace('https://192.168.42.120:6443', endpoint)}${node}`);
  for (const endpoint of ['https://192.168.42.120/24:6443', 'http://192.168.42.120:6443', 'https://home.arpa:6443/path']) {
    expect((await odd(endpoint)).warnings.map(({ code, facts }) => `${code} ${JSON.stringify(facts)}`)).toEqual([
      `talconfig/invalid {"path":"endpoint","value":"${endpoint}","expected":"a URL such as \`https://192.168.1.10:6443\`"}`,
    ]);
  }
  for (const endpoint of [
    '192.168.42.120:6443',
    'home.arpa',
    'https://192.168.42.120:66443',
    'https://:6443',
    'https://a:1:2',
    'https://a b',
  ])
    expect(await problems(odd(endpoint))).toEqual([expect.stringContaining('talconfig/invalid {"path":"endpoint"')]);
});

test('a Talos that tk makes nothing for is refused at its place, with those that it knows', async () => {
  for (const version of ['v1.1.2', 'v1.15.0', 'v0.14.3'])
    expect(await problems(load(`${head.replace('v1.13.9', version)}${node}`))).toEqual([
      `talconfig/invalid {"path":"talosVersion","value":"${version}","expected":"a version from 1.2 to 1.14"} talos/talconfig.yaml:2:15 «talosVersion: ${version}»`,
    ]);
});

test('names of extensions are checked from 1.9 on: of what the factory has for older Talos nothing is known', async () => {
  const withExtension = (talos: string, kubernetes: string) =>
    `${head.replace('v1.13.9', talos).replace('v1.36.0', kubernetes)}${node}    schematic: { customization: { systemExtensions: { officialExtensions: [siderolabs/i915-ucode] } } }\n`;
  expect(await problems(load(withExtension('v1.8.4', 'v1.31.4')))).toEqual([]);
  expect(await problems(load(withExtension('v1.13.9', 'v1.36.0')))).toEqual([
    expect.stringContaining('talconfig/not-in-factory {"what":"extension","name":"siderolabs/i915-ucode"'),
  ]);
});

test('an image is named by its registry and its path, without a tag', async () => {
  const problemsOf = async (image: string) => (await problems(load(`${head}${node}    talosImageURL: ${image}\n`))).length;
  for (const image of ['ghcr.io/siderolabs/installer', 'factory.home.arpa:5000/installer/0a1b', 'localhost/a', 'docker.io/library/a'])
    expect([image, await problemsOf(image)]).toEqual([image, 0]);
  for (const image of [
    'ghcr.io/a/b:v1',
    'ghcr.io/a/b@sha256:0a',
    'ghcr.io/a/',
    'ghcr.io//b',
    'siderolabs/installer',
    'ghcr.io/A/b',
    'docker.io/a',
  ])
    expect([image, await problemsOf(image)]).toEqual([image, 1]);
});

test('a broken file is named at its line', async () => {
  expect(await problems(load(`${head}nodes: [\n`))).toEqual([expect.stringMatching(/^format\/syntax .* talos\/talconfig\.yaml:\d+:\d+/)]);
  expect(await problems(load(`${head}clusterName: again\n${node}`))).toEqual([
    expect.stringContaining('format/duplicate-key {"key":"clusterName"} talos/talconfig.yaml:5:1'),
  ]);
});

test('extensions and overlays are looked up for the version, unless somebody knows better', async () => {
  const schematic = `    schematic:\n      overlay: { name: rpi_genric, image: siderolabs/sbc-raspberrypi }\n      customization:\n        systemExtensions:\n          officialExtensions: [siderolabs/i915, siderolabs/isci-tools]\n`;
  expect(await problems(load(`${head}${node}${schematic}`))).toEqual([
    'talconfig/not-in-factory {"what":"extension","name":"siderolabs/isci-tools","version":"v1.13.9","suggestion":"siderolabs/iscsi-tools"} talos/talconfig.yaml:14:49 «officialExtensions: [siderolabs/i915, siderolabs/isci-tools]»',
    'talconfig/not-in-factory {"what":"overlay","name":"rpi_genric","version":"v1.13.9","suggestion":"rpi_generic"} talos/talconfig.yaml:11:24 «overlay: { name: rpi_genric, image: siderolabs/sbc-raspberrypi }»',
  ]);
  expect(await problems(load(`${head}${node}${schematic}    noSchematicValidate: true\n`))).toEqual([]);
  expect(await problems(load(`${head}imageFactory: { registryURL: factory.home.arpa }\n${node}${schematic}`))).toEqual([]);
});

test('a variable that has the name of what every object has is not set', async () => {
  expect(await problems(load(`${head}domain: \${constructor}\n${node}`))).toEqual([
    'talconfig/variable-not-set {"name":"constructor"} talos/talconfig.yaml:5:9 «domain: ${constructor}»',
  ]);
});

test('a variable is told where it stands, whatever comments stand above it', async () => {
  expect(await problems(load(`${head}# a long comment about nothing\n# and another\ndomain: \${UNSET} # why\n${node}`))).toEqual([
    'talconfig/variable-not-set {"name":"UNSET"} talos/talconfig.yaml:7:9 «domain: ${UNSET} # why»',
  ]);
});

test('a variable that many places use is missing once', async () => {
  expect(
    await problems(load(`${head}domain: \${UNSET}\nadditionalApiServerCertSans: [ "\${UNSET}", "\${OTHER}", "\${UNSET}" ]\n${node}`)),
  ).toEqual([
    'talconfig/variable-not-set {"name":"UNSET","uses":3} talos/talconfig.yaml:5:9 «domain: ${UNSET}»',
    expect.stringMatching(/^talconfig\/variable-not-set {"name":"OTHER"} talos\/talconfig.yaml:6:/),
  ]);
});

test('as long as nothing that it was made of changes, a talconfig is the same object', async () => {
  const files: Record<string, string> = {
    '/repo/talconfig.yaml': `${head}${node}patches: ["@./a.yaml"]\ndomain: \${DOMAIN}\n`,
    '/repo/a.yaml': 'machine: {}\n',
  };
  const again = (domain: string) =>
    loadTalconfig(
      { readText: async (path) => files[path] },
      { root: '/repo', path: '/repo/talconfig.yaml', decrypt: async (file) => file.text, environment: { DOMAIN: domain } },
    );
  const first = await again('a.home');
  expect(await again('a.home')).toBe(first);
  expect((await again('b.home')).domain).toBe('b.home');
  files['/repo/a.yaml'] = 'machine: { sysctls: { a: b } }\n';
  expect((await again('b.home')).patches[0]?.file.text).toBe(files['/repo/a.yaml']);
  files['/repo/talenv.yaml'] = 'DOMAIN: c.home\n';
  expect((await again('b.home')).domain).toBe('c.home');
});

test('the content of a file that is no YAML stays as it is, and one of YAML is written anew as talhelper does', async () => {
  const text = `${head}${node}    machineFiles:\n      - { content: "@./a.conf", path: /var/a, permissions: 0o600, op: create }\n      - { content: "@./b.yaml", path: /var/b, permissions: 0o600, op: create }\n`;
  const files = { 'a.conf': '[Unit]\nAfter=${WHAT:-x}\n[Service]\nType=oneshot\n', 'b.yaml': '# why\na:   ${WHAT:-x} # this\n\nb:\n- 1\n' };
  expect((await load(text, files)).nodes[0]?.machineFiles.map((file) => file['content'])).toEqual([
    '[Unit]\nAfter=x\n[Service]\nType=oneshot\n',
    'a: x\nb:\n  - 1\n',
  ]);
});
