import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Failure, type SourceFile, TkError } from '../../../../lib/base/index.ts';
import { generatorInput } from '../../../../lib/cluster/generator-input.ts';
import { clusterModelOf, loadTalconfig } from '../../../../lib/config/index.ts';
import { explainField, generateMachineConfigs, parseSecretsBundle, plainDocument } from '../../../../lib/talos/machine-config.ts';

const bundleText = readFileSync(new URL('../../../conformance/machineconfig/bundles/talosctl-1.14.yaml', import.meta.url), 'utf8');
const bundle = parseSecretsBundle({ path: 'talsecret.yaml', text: bundleText });

const talconfig = (rest: string, version = 'v1.14.1') => `clusterName: home
talosVersion: ${version}
kubernetesVersion: v1.35.0
endpoint: https://192.168.42.120:6443
nodes:
  - hostname: cp-1
    ipAddress: 192.168.42.10
    controlPlane: true
    installDiskSelector:
      serial: S1
      type: nvme
    networkInterfaces:
      - deviceSelector:
          hardwareAddr: AA:bb:cc:dd:ee:01
        dhcp: true
        vip:
          ip: 192.168.42.120
  - hostname: worker-1
    ipAddress: 192.168.42.20
    controlPlane: false
    installDisk: /dev/sda
${rest}`;

async function generate(
  text: string,
  options: { hardening?: boolean; files?: Record<string, string>; decrypt?: (file: SourceFile) => Promise<string> } = {},
) {
  const contents: Record<string, string> = { '/repo/talos/talconfig.yaml': text };
  for (const [name, content] of Object.entries(options.files ?? {})) contents[`/repo/talos/${name}`] = content;
  const files = { readText: async (path: string) => contents[path] };
  const decrypt = options.decrypt ?? (async (file: SourceFile) => file.text);
  const loaded = await loadTalconfig(files, { root: '/repo', path: '/repo/talos/talconfig.yaml', decrypt });
  return {
    loaded,
    configs: await generateMachineConfigs(
      { cluster: generatorInput(loaded, { hardening: options.hardening ?? true }), bundle },
      { withLayers: true },
    ),
  };
}

/** Code, facts and place of everything that was wrong. */
async function problems(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    return error.failures.map(
      ({ code, facts, where }) =>
        `${code} ${JSON.stringify(facts)}${where?.kind === 'file' ? ` ${where.path}:${where.line}:${where.column}` : ''}`,
    );
  }
  return [];
}

test('a patch that the contract has no room for is refused once, where it was written', async () => {
  const text = talconfig('patches:\n  - |-\n    machine:\n      kubelet:\n        extraArgs:\n          a: b\n  - "@old.yaml"\n');
  expect(await problems(generate(text, { files: { 'old.yaml': 'cluster:\n  discovery:\n    enabled: false\n' } }))).toEqual([
    'talos-config/conflict {"document":"DiscoveryServiceConfig default","field":"cluster.discovery"} talos/old.yaml:2:3',
    'talos-config/conflict {"document":"KubeletConfig","field":"machine.kubelet"} talos/talconfig.yaml:25:7',
  ]);
});

test('what 1.14 switches on for new clusters stays off for one that was there before', async () => {
  const kinds = async (hardening: boolean) =>
    (await generate(talconfig(''), { hardening })).configs[0]?.documents.map(({ kind, name }) => `${kind} ${name}`.trim()) ?? [];
  const before = await kinds(false);
  expect((await kinds(true)).filter((kind) => !before.includes(kind))).toEqual(['VolumeConfig EPHEMERAL', 'SecurityProfileConfig']);
});

test('the same input gives the same bytes', async () => {
  const [first, second] = [await generate(talconfig('')), await generate(talconfig(''))];
  expect(first.configs.map(({ text }) => text)).toEqual(second.configs.map(({ text }) => text));
});

test('an install disk selector becomes an expression of 1.14, a label keeps the role of a control plane', async () => {
  const { configs } = await generate(talconfig('controlPlane:\n  nodeLabels:\n    zone: a\n  kernelModules:\n    - name: zfs\n'));
  const documents = configs[0]?.documents ?? [];
  const find = (kind: string) => documents.find((document) => document.kind === kind);
  const plain = (kind: string) => {
    const document = find(kind);
    return document && plainDocument(document);
  };
  expect(plain('UnattendedInstallConfig')).toEqual({
    apiVersion: 'v1alpha1',
    kind: 'UnattendedInstallConfig',
    installer: { image: 'factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:v1.14.1' },
    provisioning: {
      diskSelector: { match: 'glob("S1", disk.serial) && disk.transport != "" && disk.transport == "nvme" && !disk.readonly' },
      wipe: false,
    },
  });
  expect(plain('KubeNodeConfig')).toMatchObject({
    labels: { 'node-role.kubernetes.io/control-plane': '', zone: 'a' },
    taints: { 'node-role.kubernetes.io/control-plane': 'NoSchedule' },
  });
  expect(plain('KernelModuleConfig')).toEqual({ apiVersion: 'v1alpha1', kind: 'KernelModuleConfig', name: 'zfs' });
});

test('documents of kinds that nobody knows pass byte for byte, and can be patched as plain maps', async () => {
  const kept = 'apiVersion: v1alpha1\nkind: QuantumConfig # of tomorrow\nspin:   "up"\n';
  const { configs } = await generate(talconfig('patches:\n  - "@future.yaml"\n'), { files: { 'future.yaml': kept } });
  expect(configs[1]?.text).toContain(`---\n${kept}`);
  const patched = await generate(
    talconfig('patches:\n  - "@future.yaml"\n  - |-\n    apiVersion: v1alpha1\n    kind: QuantumConfig\n    colour: red\n'),
    { files: { 'future.yaml': kept } },
  );
  expect(patched.configs[1]?.text).toContain('kind: QuantumConfig\nspin: up\ncolour: red\n');
});

test('the model of a talconfig knows what a run needs', async () => {
  const { loaded } = await generate(talconfig(''));
  const paths = {
    root: '/repo',
    talconfig: '/repo/talos/talconfig.yaml',
    clusterConfig: '/repo/talos/clusterconfig',
    talosconfig: '/t',
    kubeconfig: '/k',
  };
  const model = clusterModelOf(loaded, paths, () => 'f'.repeat(64));
  expect({
    ...model,
    nodes: model.nodes.map(({ declaredAt, ...node }) => ({
      ...node,
      line: declaredAt.file.text.slice(0, declaredAt.start).split('\n').length,
    })),
    paths: 0,
  }).toEqual({
    name: 'home',
    source: 'talconfig.yaml',
    endpoint: 'https://192.168.42.120:6443',
    vip: '192.168.42.120',
    talosVersion: 'v1.14.1',
    kubernetesVersion: 'v1.35.0',
    podSubnets: ['10.244.0.0/16'],
    serviceSubnets: ['10.96.0.0/12'],
    nodes: [
      {
        name: 'cp-1',
        address: '192.168.42.10',
        addresses: ['192.168.42.10'],
        role: 'controlplane',
        disk: { by: 'selector', selector: { serial: 'S1', type: 'nvme' } },
        macAddresses: ['aa:bb:cc:dd:ee:01'],
        talosVersion: 'v1.14.1',
        schematicId: 'f'.repeat(64),
        secureBoot: false,
        line: 6,
      },
      {
        name: 'worker-1',
        address: '192.168.42.20',
        addresses: ['192.168.42.20'],
        role: 'worker',
        disk: { by: 'path', path: '/dev/sda' },
        macAddresses: [],
        talosVersion: 'v1.14.1',
        schematicId: 'f'.repeat(64),
        secureBoot: false,
        line: 18,
      },
    ],
    paths: 0,
  });
});

test('explain names every step that set a field, and where', async () => {
  const text = talconfig(
    '    patches:\n      - |-\n        machine:\n          sysctls:\n            vm.max_map_count: "1"\npatches:\n  - "@all.yaml"\nworker:\n  patches:\n    - |-\n      machine:\n        sysctls:\n          vm.max_map_count: "2"\n',
    'v1.13.9',
  );
  const { configs } = await generate(text, { files: { 'all.yaml': '# for all\nmachine:\n  sysctls:\n    vm.max_map_count: "3"\n' } });
  const layers = configs[1]?.layers ?? [];
  const shown = (question: string) => {
    return explainField(layers, question, '1.13').flatMap(({ document, path, value, layers: steps }) => [
      document,
      path.join(' > '),
      value,
      ...steps.map(
        ({ kind, where, value: then }) => `${kind}${where?.kind === 'file' ? ` ${where.path}:${where.line}` : ''} ${JSON.stringify(then)}`,
      ),
    ]);
  };
  expect(shown('machine.sysctls.vm.max_map_count')).toEqual([
    'v1alpha1',
    'machine > sysctls > vm.max_map_count',
    '3',
    'group patch talos/talconfig.yaml:34 "2"',
    'node patch talos/talconfig.yaml:26 "1"',
    'cluster patch talos/all.yaml:4 "3"',
  ]);
  expect(shown('HostnameConfig.hostname')).toEqual(['HostnameConfig', 'hostname', 'worker-1', 'node "worker-1"']);
  expect(shown('machine.install.disk')).toEqual(['v1alpha1', 'machine > install > disk', '/dev/sda', 'node "/dev/sda"']);
  expect(shown('machine.time')).toEqual(['v1alpha1', '', undefined]);
});

test('settings that no document can carry are named instead of dropped, and the token of a cloud address is kept', async () => {
  const text = `clusterName: home
talosVersion: v1.13.9
kubernetesVersion: v1.36.0
endpoint: https://192.168.42.120:6443
nodes:
  - hostname: cp-1
    ipAddress: 192.168.42.10
    controlPlane: true
    installDisk: /dev/sda
    networkInterfaces:
      - interface: eth0
        dhcp: true
        dhcpOptions: { routeMetric: 1, ipv6: true, duidv6: "0001" }
        vip: { ip: 10.0.0.5, hcloud: { apiToken: t0ken } }
        vlans:
          - vlanId: 7
            addresses: [10.7.0.1/24]
            routes: [{ network: 10.8.0.0/40, gateway: 10.7.0.254 }]
      - interface: bond0
        bond: { interfaces: [eth1], mode: active-backup, primary: eth1 }
`;
  const { configs } = await generate(text);
  expect(configs[0]?.lost.map(({ index, path, reason }) => `${index} ${path}: ${reason}`)).toEqual([
    '0 dhcpOptions.duidv6: write a DHCPv6Config with `duidRaw`',
    '1 bond.primary: no document can say it',
    '0 vlans[0].routes[0]: its network or its gateway is no address',
  ]);
  const address = configs[0]?.documents.find(({ kind }) => kind === 'HCloudVIPConfig');
  expect(address && plainDocument(address)).toEqual({
    apiVersion: 'v1alpha1',
    kind: 'HCloudVIPConfig',
    name: '10.0.0.5',
    link: 'eth0',
    apiToken: 't0ken',
  });
});

test('a JSON patch that Talos refuses comes back as the strategic patch that does the same', async () => {
  const patch =
    'patches:\n  - |-\n    - op: add\n      path: /machine/kubelet/extraArgs\n      value: {a: b}\n    - op: remove\n      path: /cluster/apiServer/admissionControl\n    - op: replace\n      path: /machine/certSANs/0\n      value: x\n';
  const failures = await problems(generate(talconfig(patch, 'v1.13.9')));
  expect(failures[0]).toBe(
    `talos-config/json-patch-refused ${JSON.stringify({
      documents: 5,
      equivalent: 'machine:\n  kubelet:\n    extraArgs:\n      a: b\ncluster:\n  apiServer:\n    admissionControl:\n      $patch: delete\n',
      remainder: ['replace /machine/certSANs/0'],
    })} talos/talconfig.yaml:24:5`,
  );
});

test('a failure in a patch points at the line and column of the file that people wrote, and shows no value of a variable', async () => {
  const text = talconfig(
    'patches:\n  - |-\n    machine: # a comment\n      kubelet:\n        extraArg: {a: "${SECRET}"}\n  - "machine: {tpye: ${SECRET}}"\n  - "@./wrong.yaml"\n  - "@./secret.sops.yaml"\n',
    'v1.13.9',
  );
  const files: Record<string, string> = {
    'talenv.yaml': 'SECRET: sup3r-s3cret\n',
    'wrong.yaml': '# what it is for: ${UNSET}\nmachine:\n  token: ${SECRET}\n  sysctl: {a: ${SECRET}}\n',
    'secret.sops.yaml': 'machine:\n  tokn: sup3r-s3cret\nsops: {}\n',
  };
  const decrypt = async (file: SourceFile) => file.text.replace(/^sops: .*\n/m, '');
  const where = (failure: Failure) =>
    failure.where?.kind === 'file'
      ? `${String(failure.facts['key'])} ${failure.where.path}:${failure.where.line}:${failure.where.column} «${failure.where.excerpt?.text ?? ''}»`
      : '';
  const error: unknown = await generate(text, { files, decrypt }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TkError);
  expect((error as TkError).failures.map(where)).toEqual([
    'extraArg talos/talconfig.yaml:26:9 «        extraArg: {a: "${SECRET}"}»',
    'tpye talos/talconfig.yaml:27:3 «  - "machine: {tpye: ${SECRET}}"»',
    'sysctl talos/wrong.yaml:4:3 «  sysctl: {a: ${SECRET}}»',
    'tokn talos/secret.sops.yaml:2:3 «»',
  ]);
});

test('the strategic form of a refused JSON patch holds the names of variables, not their values', async () => {
  const operations = '- op: add\n  path: /machine/token\n  value: ${SECRET}\n';
  const text = talconfig(
    `patches:\n  - |-\n${operations.replace(/^(?=.)/gm, '    ')}  - "@./one.yaml"\n  - "@./two.sops.yaml"\n`,
    'v1.13.9',
  );
  const files = { 'talenv.yaml': 'SECRET: sup3r-s3cret\n', 'one.yaml': operations, 'two.sops.yaml': `# sops\n${operations}` };
  const decrypt = async (file: SourceFile) => file.text.replace('# sops\n', '');
  const error: unknown = await generate(text, { files, decrypt }).catch((thrown: unknown) => thrown);
  expect((error as TkError).failures.slice(0, 3).map(({ facts }) => facts['equivalent'])).toEqual([
    'machine:\n  token: ${SECRET}\n',
    'machine:\n  token: ${SECRET}\n',
    undefined,
  ]);
});

test('a bundle that only has an AES-CBC secret keeps it under the key that data was encrypted with', async () => {
  const old = parseSecretsBundle({
    path: 'talsecret.yaml',
    text: bundleText.replace('secretboxencryptionsecret', 'aescbcencryptionsecret'),
  });
  for (const version of ['v1.13.9', 'v1.14.1']) {
    const contents: Record<string, string> = { '/repo/talconfig.yaml': talconfig('', version) };
    const loaded = await loadTalconfig(
      { readText: async (path) => contents[path] },
      { root: '/repo', path: '/repo/talconfig.yaml', decrypt: async (file) => file.text },
    );
    const [config] = await generateMachineConfigs({ cluster: generatorInput(loaded, { hardening: true }), bundle: old });
    const secret = old.aescbcEncryptionSecret?.reveal() ?? '';
    if (version === 'v1.13.9') expect(config?.text).toContain(`  aescbcEncryptionSecret: ${secret}\n`);
    else expect(config?.text.replace(/\s+/g, ' ')).toContain(`- aescbc: keys: - name: key1 secret: ${secret} `);
  }
});

test("a template that asks for what the configuration does not have is refused by name, where talhelper stops at Go's types", async () => {
  const text = talconfig(
    'patches:\n  - |-\n    machine:\n      nodeLabels:\n        host: "{{ .MachineConfig.Network.Hostname }}"\n',
    'v1.12.0',
  );
  const files = { readText: async (path: string) => (path === '/repo/talconfig.yaml' ? text : undefined) };
  const loaded = await loadTalconfig(files, { root: '/repo', path: '/repo/talconfig.yaml', decrypt: async (file) => file.text });
  const work = generateMachineConfigs(
    { cluster: generatorInput(loaded, { hardening: true }), bundle },
    { renderTemplate: async (template) => template.replace(/\{\{.*\}\}/, '<no value>') },
  );
  expect(await problems(work)).toEqual([
    'talos-config/template-field-missing {"fields":[".MachineConfig.Network.Hostname"]} talconfig.yaml:26:19',
  ]);
});

test('a template in a comment of a patch may ask for anything', async () => {
  const text = talconfig(
    'patches:\n  - |-\n    machine:\n      # {{ .MachineConfig.MachineNetwork }}\n      nodeLabels:\n        a: b\n',
    'v1.12.0',
  );
  const files = { readText: async (path: string) => (path === '/repo/talconfig.yaml' ? text : undefined) };
  const loaded = await loadTalconfig(files, { root: '/repo', path: '/repo/talconfig.yaml', decrypt: async (file) => file.text });
  const [config] = await generateMachineConfigs(
    { cluster: generatorInput(loaded, { hardening: true }), bundle },
    { renderTemplate: async (template) => template.replace(/\{\{.*\}\}/, '<no value>') },
  );
  expect(config?.text).toContain('a: b\n');
});

test('a deprecated field is a warning with its place, where talhelper stops', async () => {
  const patch = 'machine:\n  install:\n    extensions:\n      - image: ghcr.io/siderolabs/i915:1\n';
  const { configs } = await generate(talconfig('patches: ["@p.yaml"]\n', 'v1.12.0'), { files: { 'p.yaml': patch } });
  expect(
    configs.map(({ warnings }) =>
      warnings.map(({ code, facts, where }) => [code, facts, where?.kind === 'file' ? `${where.path}:${where.line}` : '']),
    ),
  ).toEqual(
    [0, 1].map(() => [
      ['talos-config/deprecated', { field: 'machine.install.extensions', replacement: expect.any(String) }, 'talos/p.yaml:3'],
    ]),
  );
});

test('what has moved by the target version is named with its new home, all at once and each at its place', async () => {
  const patch = `machine:
  kubelet:
    extraConfig: { serializeImagePulls: false }
  network:
    nameservers: [1.1.1.1]
  sysctls:
    a.b: "1"
cluster:
  allowSchedulingOnControlPlanes: true
  apiServer:
    admissionControl:
      $$patch: delete
  network:
    cni:
      $$patch: delete
`;
  const work = generate(talconfig('patches: ["@p.yaml"]\n'), { files: { 'p.yaml': patch } });
  // The deletion stops this patch as a whole, as it does in Talos.
  expect(await problems(work)).toEqual([
    'talos-config/patch-delete-missing {"document":"v1alpha1","path":"cluster.apiServer.admissionControl","movedTo":["KubeAdmissionControlConfig","KubeAuthorizerConfig"]} talos/p.yaml:12:7',
  ]);
  const moved = generate(talconfig('patches: ["@p.yaml", "@q.yaml"]\n'), {
    files: {
      'p.yaml': 'machine:\n  kubelet:\n    extraArgs:\n      $$patch: delete\n',
      'q.yaml': patch.slice(0, patch.indexOf('  apiServer')),
    },
  });
  expect(await problems(moved)).toEqual([
    'talos-config/patch-delete-missing {"document":"v1alpha1","path":"machine.kubelet.extraArgs","movedTo":["KubeletConfig","KubeCredentialProviderConfig"]} talos/p.yaml:4:7',
    'talos-config/conflict {"document":"ResolverConfig","field":"machine.network.nameservers"} talos/q.yaml:5:5',
    'talos-config/conflict {"document":"KubeNodeConfig","field":"cluster.allowSchedulingOnControlPlanes"} talos/q.yaml:9:3',
    'talos-config/conflict {"document":"KubeletConfig","field":"machine.kubelet"} talos/q.yaml:2:3',
  ]);
});

test('interfaces that Talos refuses in their old form are refused in the documents that are made of them, too', async () => {
  const interfaces = `nodes:
  - hostname: cp-1
    ipAddress: 10.0.0.1
    controlPlane: true
    installDisk: /dev/sda
    networkInterfaces:
      - interface: eth0
        addresses: [nowhere]
        routes: [{ metric: 5 }]
      - interface: bond0
        bond: { interfaces: [eth0], mode: 802.3ad, adActorSystem: "00:00:00:00:00:01", updelay: 100 }
      - { interface: eth1, deviceSelector: {} }
`;
  const head = 'clusterName: home\nkubernetesVersion: v1.34.0\nendpoint: https://10.0.0.1:6443\n';
  const rules = [
    '[networking.os.device] "eth0": bonded/bridged interface shouldn\'t have any addressing methods configured',
    '[networking.os.device.addresses] "eth0": failed to parse IP address "nowhere"',
    '[networking.os.device.route[0]]: either network or gateway should be set',
    "bond.upDelay can't be set if miiMon is zero",
    'bond.adActorSystem is not supported',
    '[networking.os.device.interface], [networking.os.device.deviceSelector]: config sections are mutually exclusive',
    '[networking.os.device.deviceSelector]: config section should contain at least one field',
  ];
  for (const [version, document] of [
    ['v1.11.6', 'v1alpha1'],
    ['v1.13.9', 'networkInterfaces'],
  ]) {
    const failures = await problems(generate(`${head}talosVersion: ${version}\n${interfaces}`));
    expect(failures.map((failure) => failure.replace(/ talos\/.*$/, ''))).toEqual(
      rules.map((rule) => `talos-config/invalid ${JSON.stringify({ document, rule })}`),
    );
  }
});
