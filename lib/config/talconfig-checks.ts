import { type Failure, relatedPlace, suggestionFor } from '../base/index.ts';
import { addressOf, endpointError, networkOf, versionOf } from '../format/index.ts';
import {
  compatibility,
  hasFactoryLists,
  officialExtensions,
  officialOverlays,
  talosDefaults,
  type TalosMinor,
} from '../upstream/tables.ts';
import { talconfigFailure } from './talconfig-failures.ts';
import { type Plain, type PlainMap, isPlainMap, placeIn, quotable } from './talconfig-read.ts';
import type { Talconfig, TalconfigNode } from './talconfig.ts';

type Path = readonly (string | number)[];

/** What talhelper checks, and what it does not: doubles, and keys that have no effect. Source: talhelper v3.1.17 pkg/config/validator.go */
export function checkTalconfig(
  talconfig: Talconfig,
  root: PlainMap,
): { readonly failures: readonly Failure[]; readonly warnings: readonly Failure[] } {
  const failures: Failure[] = [];
  const warnings: Failure[] = [];
  const at = (path: Path, part: 'key' | 'value' = 'value') => ({ where: placeIn(talconfig.source, path, part) });
  const invalid = (path: Path, value: string, expected: string) =>
    failures.push(
      talconfigFailure('talconfig/invalid', { path: pathText(path), value: quotable(talconfig.source, path, value), expected }, at(path)),
    );
  const required = (path: Path, value: string) => {
    if (value === '') failures.push(talconfigFailure('talconfig/required', { path: pathText(path) }, at(path, 'key')));
    return value !== '';
  };

  required(['clusterName'], talconfig.clusterName);
  if (required(['endpoint'], talconfig.endpoint)) checkEndpoint();
  if (required(['kubernetesVersion'], talconfig.kubernetesVersion)) checkVersions();
  if (root['talosVersion'] === undefined) {
    warnings.push(talconfigFailure('talconfig/floating-version', { version: talconfig.talosVersion }, at([], 'key')));
  }
  // talhelper generates such a file without a word.
  if (talconfig.nodes.length > 0 && !talconfig.nodes.some(({ controlPlane }) => controlPlane))
    warnings.push(talconfigFailure('talconfig/no-control-plane', { nodes: talconfig.nodes.length }, at(['nodes'], 'key')));
  if (talconfig.nodes.length === 0) failures.push(talconfigFailure('talconfig/required', { path: 'nodes' }, at(['nodes'], 'key')));
  if (talconfig.domain !== undefined && !isDomain(talconfig.domain)) invalid(['domain'], talconfig.domain, 'a domain');
  for (const key of ['clusterPodNets', 'clusterSvcNets'] as const) {
    talconfig[key].forEach((network, index) => {
      if (!networkOf(network)) invalid([key, index], network, 'a network such as `10.244.0.0/16`');
    });
  }
  if (root['additionalMachineCertSans'] !== undefined) {
    warnings.push(
      talconfigFailure(
        'talconfig/deprecated',
        { key: 'additionalMachineCertSans', replacement: 'certSANs' },
        at(['additionalMachineCertSans'], 'key'),
      ),
    );
  }
  checkCni();
  talconfig.inlineManifests.forEach(({ name, contents }, index) => {
    required(['inlineManifests', index, 'name'], name);
    required(['inlineManifests', index, 'contents'], contents);
  });
  talconfig.nodes.forEach((node, index) => checkNode(node, ['nodes', index]));
  checkDoubles();
  return { failures, warnings };

  function checkVersions() {
    const kubernetes = versionOf(talconfig.kubernetesVersion);
    const talos = versionOf(talconfig.talosVersion);
    if (!talos) return void invalid(['talosVersion'], talconfig.talosVersion, 'a version of Talos');
    if (!kubernetes) return void invalid(['kubernetesVersion'], talconfig.kubernetesVersion, 'a version of Kubernetes');
    const known = compatibility[`${talos.major}.${talos.minor}` as TalosMinor];
    if (!known)
      return void invalid(
        ['talosVersion'],
        talconfig.talosVersion,
        `a version from ${Object.keys(compatibility)[0]} to ${Object.keys(compatibility).at(-1)}`,
      );
    const [lowest, highest] = known.kubernetes;
    const minor = kubernetes.minor;
    if (minor < Number(lowest.split('.')[1]) || minor > Number(highest.split('.')[1])) {
      failures.push(
        talconfigFailure(
          'talconfig/incompatible-kubernetes',
          { talos: talconfig.talosVersion, kubernetes: talconfig.kubernetesVersion, lowest, highest },
          at(['kubernetesVersion']),
        ),
      );
    }
  }

  /** Talos takes any URL that has a host; what nobody means is a warning. */
  function checkEndpoint() {
    const isRefused = endpointError(talconfig.endpoint) !== undefined;
    if (!isRefused && isUsualEndpoint(talconfig.endpoint)) return;
    const list = isRefused ? failures : warnings;
    const value = quotable(talconfig.source, ['endpoint'], talconfig.endpoint);
    const expected = 'a URL such as `https://192.168.1.10:6443`';
    list.push(talconfigFailure('talconfig/invalid', { path: 'endpoint', value, expected }, at(['endpoint'])));
  }

  function checkCni() {
    const cni = talconfig.cniConfig;
    if (!cni) return;
    const name = String(cni['name'] ?? '');
    if (!['flannel', 'custom', 'none'].includes(name)) invalid(['cniConfig', 'name'], name, 'one of `flannel`, `custom` and `none`');
    const urls = Array.isArray(cni['urls']) ? cni['urls'] : [];
    if (name === 'custom' && urls.length === 0) required(['cniConfig', 'urls'], '');
    if (name !== 'custom' && urls.length > 0) invalid(['cniConfig', 'urls'], 'urls', `a key that goes with \`name: ${name}\``);
    urls.forEach((url, index) => {
      if (!/^https?:\/\/[^/]+/.test(String(url))) invalid(['cniConfig', 'urls', index], String(url), 'a URL');
    });
  }

  function checkNode(node: TalconfigNode, path: Path) {
    if (required([...path, 'hostname'], node.hostname) && !isHostname(node.hostname))
      invalid([...path, 'hostname'], node.hostname, 'a host name');
    if (node.ipAddresses.length === 0) required([...path, 'ipAddress'], '');
    for (const address of node.ipAddresses)
      if (!addressOf(address) && !isDomain(address)) invalid([...path, 'ipAddress'], address, 'an address or a domain');
    if (node.installDisk === undefined && node.installDiskSelector === undefined) required([...path, 'installDisk'], '');
    if (node.installDiskSelector?.['name'] !== undefined)
      invalid(
        [...path, 'installDiskSelector', 'name'],
        textOf(node.installDiskSelector['name']),
        'a way to select a disk: Talos selects by serial, model, size and the like',
      );
    const configs = node.configs;
    const place = (key: string, ...rest: Path): Path => {
      const own: Path = [...path, key, ...rest];
      // A key that came from the group has its place there.
      return talconfig.source.document.has([...path, key]) ? own : [node.controlPlane ? 'controlPlane' : 'worker', key, ...rest];
    };
    textsOf(configs['nameservers']).forEach((server, index) => {
      if (!addressOf(server)) invalid(place('nameservers', index), server, 'an address');
    });
    const image = textOf(configs['talosImageURL']);
    if (image !== '' && !isImageName(image)) invalid(place('talosImageURL'), image, 'the name of an image without tag and digest');
    for (const [label, value] of Object.entries(mapOf(configs['nodeLabels']))) {
      const text = String(value);
      if (!isLabelKey(label)) invalid(place('nodeLabels', label), label, 'the name of a label');
      else if (!text.includes('{{') && !isLabelValue(text)) invalid(place('nodeLabels', label), text, 'the value of a label');
    }
    for (const [taint, value] of Object.entries(mapOf(configs['nodeTaints']))) {
      const effect = String(value).split(':').at(-1) ?? '';
      if (!['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect))
        invalid(place('nodeTaints', taint), String(value), 'the effect of a taint, such as `NoSchedule`');
    }
    if (configs['machineDisks'] !== undefined) {
      warnings.push(
        talconfigFailure('talconfig/deprecated', { key: 'machineDisks', replacement: 'userVolumes' }, at(place('machineDisks'), 'key')),
      );
    }
    if (node.extraManifests.length > 0) {
      warnings.push(
        talconfigFailure('talconfig/deprecated', { key: 'extraManifests', replacement: 'patches' }, at(place('extraManifests'), 'key')),
      );
    }
    node.machineFiles.forEach((file, index) => {
      const op = textOf(file['op']);
      if (!['create', 'append', 'overwrite'].includes(op))
        invalid(place('machineFiles', index, 'op'), op, 'one of `create`, `append` and `overwrite`');
      const target = textOf(file['path']);
      if (!target.startsWith('/')) invalid(place('machineFiles', index, 'path'), target, 'an absolute path');
    });
    for (const [index, device] of listOf(configs['networkInterfaces']).entries()) {
      const old = [
        ...(mapOf(device)['cidr'] === undefined ? [] : [place('networkInterfaces', index, 'cidr')]),
        // talhelper drops the one of a VLAN where there are documents for it; below 1.12 Talos still reads it.
        ...listOf(mapOf(device)['vlans']).flatMap((vlan, position) =>
          mapOf(vlan)['cidr'] === undefined || (versionOf(talconfig.talosVersion)?.minor ?? 0) < 12
            ? []
            : [place('networkInterfaces', index, 'vlans', position, 'cidr')],
        ),
      ];
      for (const key of old)
        failures.push(talconfigFailure('talconfig/removed-key', { key: 'cidr', replacement: 'addresses' }, at(key, 'key')));
    }
    if (Object.keys(mapOf(configs['schematic'])).length > 0)
      checkSchematic(mapOf(configs['schematic']), place, configs['noSchematicValidate'] === true);
    checkSpec(mapOf(configs['machineSpec']), place);
    checkFirewall(mapOf(configs['ingressFirewall']), place);
    for (const key of ['volumes', 'userVolumes', 'extensionServices'] as const) {
      const seen = new Set<string>();
      listOf(configs[key]).forEach((one, index) => {
        const name = textOf(mapOf(one)['name']);
        if (!required(place(key, index, 'name'), name) || key === 'extensionServices') return;
        if (seen.has(name)) invalid(place(key, index, 'name'), name, 'a name that only one volume has');
        seen.add(name);
      });
    }
  }

  function checkSchematic(schematic: PlainMap, place: (key: string, ...rest: Path) => Path, isTrusted: boolean) {
    const seen = new Set<string>();
    const extensions = mapOf(mapOf(schematic['customization'])['systemExtensions'])['officialExtensions'];
    textsOf(extensions).forEach((name, index) => {
      if (seen.has(name)) invalid(place('schematic', 'customization', 'systemExtensions', 'officialExtensions', index), name, 'named once');
      seen.add(name);
    });
    const bootloader = textOf(mapOf(schematic['customization'])['bootloader']);
    if (bootloader !== '' && !['dual-boot', 'sd-boot', 'grub'].includes(bootloader))
      invalid(place('schematic', 'customization', 'bootloader'), bootloader, 'one of `dual-boot`, `sd-boot` and `grub`');
    if (!isTrusted && talconfig.imageFactory.registryUrl === talosDefaults.factory) checkFactory(schematic, place);
    const overlay = mapOf(schematic['overlay']);
    if ((textOf(overlay['image']) === '') !== (textOf(overlay['name']) === ''))
      required(place('schematic', 'overlay', textOf(overlay['image']) === '' ? 'image' : 'name'), '');
  }

  /** A factory of one's own may offer more. */
  function checkFactory(schematic: PlainMap, place: (key: string, ...rest: Path) => Path) {
    const minor = /^v(\d+\.\d+)\./.exec(talconfig.talosVersion)?.[1] as TalosMinor | undefined;
    if (minor === undefined || !(minor in compatibility) || !hasFactoryLists(minor)) return;
    const missing = (what: 'extension' | 'overlay', name: string, known: readonly string[], path: Path) => {
      const suggestion = suggestionFor(name, known);
      failures.push(
        talconfigFailure(
          'talconfig/not-in-factory',
          { what, name: quotable(talconfig.source, path, name), version: talconfig.talosVersion, ...(suggestion ? { suggestion } : {}) },
          at(path),
        ),
      );
    };
    const extensions = officialExtensions(minor);
    textsOf(mapOf(mapOf(schematic['customization'])['systemExtensions'])['officialExtensions']).forEach((name, index) => {
      if (!extensions.includes(name))
        missing('extension', name, extensions, place('schematic', 'customization', 'systemExtensions', 'officialExtensions', index));
    });
    const overlay = mapOf(schematic['overlay']);
    const overlays = officialOverlays(minor);
    const name = textOf(overlay['name']);
    if (name !== '' && textOf(overlay['image']) !== '' && !overlays.some((one) => one.name === name && one.image === overlay['image'])) {
      missing(
        'overlay',
        name,
        overlays.map((one) => one.name),
        place('schematic', 'overlay', 'name'),
      );
    }
  }

  function checkSpec(spec: PlainMap, place: (key: string, ...rest: Path) => Path) {
    const method = textOf(spec['bootMethod']) || 'iso';
    const suffix = textOf(spec['imageSuffix']);
    const suffixes: Readonly<Record<string, readonly string[]>> = {
      iso: ['iso'],
      'disk-image': ['raw.zst', 'raw.xz', 'raw.tar.gz', 'vhd.xz', 'raw.gz', 'ova', 'qcow2'],
      pxe: [],
    };
    const allowed = suffixes[method];
    if (!allowed) invalid(place('machineSpec', 'bootMethod'), method, 'one of `iso`, `disk-image` and `pxe`');
    else if (suffix !== '' && !allowed.includes(suffix)) invalid(place('machineSpec', 'imageSuffix'), suffix, `a suffix of ${method}`);
  }

  function checkFirewall(firewall: PlainMap, place: (key: string, ...rest: Path) => Path) {
    listOf(firewall['rules']).forEach((rule, index) => {
      required(place('ingressFirewall', 'rules', index, 'name'), textOf(mapOf(rule)['name']));
      if (listOf(mapOf(mapOf(rule)['portSelector'])['ports']).length === 0)
        required(place('ingressFirewall', 'rules', index, 'portSelector', 'ports'), '');
    });
  }

  function checkDoubles() {
    for (const [what, valuesOf] of [
      ['hostname', (node: TalconfigNode) => [node.hostname]],
      ['address', (node: TalconfigNode) => node.ipAddresses],
    ] as const) {
      const users = new Map<string, number>();
      talconfig.nodes.forEach((node, index) => {
        for (const value of valuesOf(node)) {
          const before = users.get(value);
          if (value === '') continue;
          if (before === undefined) users.set(value, index);
          else {
            const other = talconfig.nodes[before];
            const path = ['nodes', index, what === 'hostname' ? 'hostname' : 'ipAddress'];
            const place = placeIn(talconfig.source, path, 'value');
            const first = quotable(talconfig.source, ['nodes', before, 'hostname'], other?.hostname ?? '');
            const related = other ? [relatedPlace(other.declaredAt, `first used here by \`${first}\``)] : [];
            failures.push(
              talconfigFailure(
                'talconfig/duplicate-node',
                { what, value: quotable(talconfig.source, path, value), first },
                { where: place.kind === 'file' ? { ...place, related } : place },
              ),
            );
          }
        }
      });
    }
  }
}

const pathText = (path: Path) =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '');
const textOf = (value: Plain | undefined) => (typeof value === 'string' ? value : '');
const mapOf = (value: Plain | undefined): PlainMap => (isPlainMap(value) ? value : {});
const listOf = (value: Plain | undefined): readonly Plain[] => (Array.isArray(value) ? value : []);
const textsOf = (value: Plain | undefined) => listOf(value).filter((one) => typeof one === 'string');

function isUsualEndpoint(text: string): boolean {
  return /^https:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?\/?$/.test(text);
}

/** With the registry before it, and as short names of Docker's registry are written in full. Source: distribution/reference ParseNamed */
function isImageName(text: string): boolean {
  const slash = text.indexOf('/');
  const [domain, path] = [text.slice(0, Math.max(0, slash)), text.slice(slash + 1)];
  const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
  const isDomain = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`).test(domain);
  const isPath = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(path);
  const isRegistry = /[.:A-Z]/.test(domain) || domain === 'localhost';
  return (
    isDomain && isPath && isRegistry && domain !== 'index.docker.io' && (domain !== 'docker.io' || path.includes('/')) && text.length <= 255
  );
}

function isHostname(text: string): boolean {
  return (
    text.length <= 255 && /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/.test(text)
  );
}

function isDomain(text: string): boolean {
  return text.length <= 255 && /^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}(?:\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*[._]?$/.test(text);
}

function isLabelKey(text: string): boolean {
  return /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text);
}

function isLabelValue(text: string): boolean {
  return text === '' || /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text);
}
