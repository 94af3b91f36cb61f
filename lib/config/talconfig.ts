import { dirname, isAbsolute, join, relative } from 'node:path/posix';
import { type Failure, hidden, type Place, placeOf, type SourceFile, type Span, throwIfAny, TkError, type World } from '../base/index.ts';
import { type DataPath, goFormatted, parseYaml } from '../format/index.ts';
import { talconfigSchema, talhelperDefaultTalosVersion } from '../upstream/tables.ts';
import { inPlace } from './inline-patch.ts';
import { checkTalconfig } from './talconfig-checks.ts';
import { type EnvironmentOptions, loadEnvironment } from './talconfig-environment.ts';
import { oncePerVariable, substituteText, substituteYaml } from './talconfig-envsubst.ts';
import { talconfigFailure } from './talconfig-failures.ts';
import {
  isPlainMap,
  originalPlace,
  type Plain,
  type PlainMap,
  placeIn,
  readBySchema,
  spanIn,
  type TalconfigSource,
} from './talconfig-read.ts';

/** A patch in the order in which talhelper applies it: those of the group, of the node, of the cluster. */
export interface TalconfigPatch {
  readonly from: 'group' | 'node' | 'cluster';
  /** What is read. Places in it are shown where they stand in the file that holds it. */
  readonly file: SourceFile;
  /** Holds Go templates: rendered first, then `finish` fills in variables (only of files; those of talconfig.yaml are filled in already). */
  readonly isTemplate: boolean;
  finish(rendered: string): string;
}

export interface TalconfigNode {
  readonly hostname: string;
  readonly ipAddresses: readonly string[];
  readonly controlPlane: boolean;
  readonly installDisk?: string;
  readonly installDiskSelector?: PlainMap;
  readonly ignoreHostname: boolean;
  /** Every key that a group may have too, merged: what the node says replaces what its group says. */
  readonly configs: PlainMap;
  readonly certSans: readonly string[];
  readonly patches: readonly TalconfigPatch[];
  /** Files whose documents are appended after all patches. */
  readonly extraManifests: readonly TalconfigPatch[];
  readonly machineFiles: readonly PlainMap[];
  readonly fileNameTemplate?: string;
  readonly declaredAt: Span;
}

export interface Talconfig {
  readonly source: TalconfigSource;
  readonly clusterName: string;
  /** With its `v`. */
  readonly talosVersion: string;
  /** With its `v`. */
  readonly kubernetesVersion: string;
  readonly endpoint: string;
  readonly domain?: string;
  readonly allowSchedulingOnControlPlanes: boolean;
  readonly additionalMachineCertSans: readonly string[];
  readonly additionalApiServerCertSans: readonly string[];
  readonly inlineManifests: readonly { readonly name: string; readonly contents: string }[];
  readonly clusterPodNets: readonly string[];
  readonly clusterSvcNets: readonly string[];
  readonly cniConfig?: PlainMap;
  readonly patches: readonly TalconfigPatch[];
  readonly imageFactory: {
    readonly registryUrl: string;
    readonly schematicEndpoint: string;
    readonly protocol: string;
    readonly installerUrlTemplate?: string;
    readonly imageUrlTemplate?: string;
  };
  readonly nodes: readonly TalconfigNode[];
  /** Deprecations and the like; never fatal. */
  readonly warnings: readonly Failure[];
  /** Absolute paths of everything that was read. */
  readonly inputs: readonly string[];
  /** Values of variables, and texts of decrypted files: they may be secrets, so no message quotes them. */
  filledIn(): readonly string[];
}

export const defaultSecretFiles: readonly string[] = ['talsecret.yaml', 'talsecret.sops.yaml', 'talsecret.yml', 'talsecret.sops.yml'];

/** Places and messages name files relative to `root`. */
export type TalconfigOptions = EnvironmentOptions;

/**
 * Reads a talconfig.yaml with everything that it refers to.
 *
 * Failure: all problems of all files at once: `talconfig/…`, `format/…`.
 * Source: talhelper v3.1.17 pkg/config/loader.go
 */
export async function readTalconfig(files: Pick<World['files'], 'readText'>, options: TalconfigOptions): Promise<Talconfig> {
  const failures: Failure[] = [];
  const inputs: string[] = [options.path];
  const shown = (path: string) => (path.startsWith(`${options.root}/`) ? relative(options.root, path) : path);
  const text = await files.readText(options.path);
  if (text === undefined) throw new TkError(talconfigFailure('talconfig/missing-file', { path: shown(options.path), neededBy: 'tk' }));
  const original: SourceFile = { path: shown(options.path), text: text.replace(/^\uFEFF/, '') };
  const folder = dirname(options.path);

  const loaded = await loadEnvironment(files, options);
  const filledIn = new Set<string>();
  const environment = new Proxy(loaded.variables, {
    get(variables, name) {
      const value = variables[String(name)];
      if (value !== undefined) filledIn.add(value);
      return value;
    },
  });
  failures.push(...loaded.failures);
  inputs.push(...loaded.inputs);

  const substituted = substituteYaml(original, environment);
  failures.push(...substituted.failures);
  const parsed = parseYaml({ path: original.path, text: substituted.text }, { version: 'go' });
  for (const failure of parsed.failures) {
    failures.push(failure.where ? { ...failure, where: originalPlace({ original, substituted }, failure.where) } : failure);
  }
  const [document] = parsed.documents;
  throwIfAny(oncePerVariable(failures));
  if (!document)
    throw new TkError(
      talconfigFailure('talconfig/required', { path: 'clusterName' }, { where: placeOf({ file: original, start: 0, end: 1 }) }),
    );
  const source: TalconfigSource = { original, substituted, document };
  const warnings: Failure[] = [];
  const root = readBySchema(source, talconfigSchema(), failures, warnings);

  /** Text of an `@file`; undefined, with a failure, when it does not exist. */
  const readReference = async (
    reference: string,
    at: readonly (string | number)[],
    { mayLieInRoot = false } = {},
  ): Promise<SourceFile | undefined> => {
    const name = reference.replace(/^@/, '').trim();
    let path = isAbsolute(name) ? name : join(folder, name);
    let content = await files.readText(path);
    if (content === undefined && mayLieInRoot && !isAbsolute(name)) {
      path = join(options.root, name);
      content = await files.readText(path);
    }
    if (content === undefined) {
      failures.push(
        talconfigFailure('talconfig/missing-file', { path: shown(path), neededBy: original.path }, { where: placeIn(source, at, 'value') }),
      );
      return undefined;
    }
    inputs.push(path);
    const file: SourceFile = { path: shown(path), text: content };
    const plain = await options.decrypt(file);
    if (plain === content) return file;
    for (const text of textsIn(plain, path)) filledIn.add(text);
    return hidden({ ...file, text: plain });
  };
  /** With its variables filled in; places in it are those of the file as it was written. */
  const filled = (file: SourceFile): SourceFile => {
    if (!file.text.includes('$')) return file;
    const done = substituteYaml(file, environment);
    failures.push(...done.failures);
    const written: SourceFile = { path: file.path, text: file.text };
    return {
      path: file.path,
      text: done.text,
      ...(file.shown === undefined ? { written: file.text } : {}),
      shown(found) {
        const place = originalPlace({ original: written, substituted: done }, found);
        return place.kind === 'file' && file.shown ? file.shown(place) : place;
      },
    };
  };
  const contentOf = async (value: string, skipEnvsubst: boolean, at: readonly (string | number)[]): Promise<string> => {
    if (!value.startsWith('@') || value.trim() === '@') return value;
    const file = await readReference(value, at);
    if (file === undefined) return '';
    if (skipEnvsubst) return file.text;
    // talhelper writes the file anew before it fills in variables; what is no YAML, which it refuses, stays as it is.
    const formatted = goFormatted(file.text);
    const text = filled(file).text;
    return formatted === undefined ? text : substituteText(formatted, environment, file).text;
  };
  const patchOf = async (
    value: string,
    from: TalconfigPatch['from'],
    at: readonly (string | number)[],
  ): Promise<TalconfigPatch | undefined> => {
    if (isBarePath(value)) {
      // Talos' own loader reads it from where talhelper was started, as it is: nothing is filled in.
      const file = await readReference(value, at, { mayLieInRoot: true });
      return file && { from, file, isTemplate: false, finish: (rendered) => rendered };
    }
    if (!value.startsWith('@')) {
      const isTemplate = value.includes('{{');
      return { from, file: inPlace(source, at, value), isTemplate, finish: (rendered) => rendered };
    }
    const file = await readReference(value, at);
    if (file === undefined || file.text.trim() === '') return undefined;
    const isTemplate = file.text.includes('{{');
    // Templates see the file as it is; variables are filled in after them.
    if (isTemplate) return { from, file, isTemplate, finish: (rendered) => filled({ ...hidden(file), text: rendered }).text };
    return { from, file: filled(file), isTemplate, finish: (rendered) => rendered };
  };
  const patchesOf = async (
    value: Plain | undefined,
    from: TalconfigPatch['from'],
    at: readonly (string | number)[],
  ): Promise<TalconfigPatch[]> => {
    const patches: TalconfigPatch[] = [];
    for (const [index, one] of textsOf(value).entries()) {
      const patch = await patchOf(one, from, [...at, index]);
      if (patch) patches.push(patch);
    }
    return patches;
  };
  const manifestsOf = async (
    value: Plain | undefined,
    from: TalconfigPatch['from'],
    at: readonly (string | number)[],
  ): Promise<TalconfigPatch[]> => {
    const manifests: TalconfigPatch[] = [];
    for (const [index, one] of textsOf(value).entries()) {
      const file = await readReference(one, [...at, index]);
      if (file) manifests.push({ from, file, isTemplate: file.text.includes('{{'), finish: (rendered) => rendered });
    }
    return manifests;
  };
  const machineFilesOf = async (value: Plain | undefined, at: readonly (string | number)[]): Promise<PlainMap[]> => {
    const machineFiles: PlainMap[] = [];
    for (const [index, one] of listOf(value).entries()) {
      if (!isPlainMap(one)) continue;
      const { skipEnvsubst, ...rest } = one;
      machineFiles.push({ ...rest, content: await contentOf(textOf(one['content']), skipEnvsubst === true, [...at, index, 'content']) });
    }
    return machineFiles;
  };

  const groups = {
    controlPlane: await readGroup('controlPlane'),
    worker: await readGroup('worker'),
  };
  async function readGroup(name: 'controlPlane' | 'worker') {
    const configs = isPlainMap(root[name]) ? root[name] : {};
    return {
      configs,
      patches: await patchesOf(configs['patches'], 'group', [name, 'patches']),
      extraManifests: await manifestsOf(configs['extraManifests'], 'group', [name, 'extraManifests']),
      machineFiles: await machineFilesOf(configs['machineFiles'], [name, 'machineFiles']),
    };
  }

  const nodes: TalconfigNode[] = [];
  for (const [index, node] of listOf(root['nodes']).entries()) {
    if (!isPlainMap(node)) continue;
    const controlPlane = node['controlPlane'] === true;
    const group = controlPlane ? groups.controlPlane : groups.worker;
    const at = ['nodes', index] as const;
    const own = {
      patches: await patchesOf(node['patches'], 'node', [...at, 'patches']),
      extraManifests: await manifestsOf(node['extraManifests'], 'node', [...at, 'extraManifests']),
      machineFiles: await machineFilesOf(node['machineFiles'], [...at, 'machineFiles']),
    };
    const configs = mergeConfigs(node, group.configs);
    const groupSans = node['overrideMachineCertSANs'] === true ? [] : textsOf(group.configs['certSANs']);
    nodes.push({
      hostname: textOf(node['hostname']),
      ipAddresses: textOf(node['ipAddress'])
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
      controlPlane,
      ...(textOf(node['installDisk']) === '' ? {} : { installDisk: textOf(node['installDisk']) }),
      ...(isPlainMap(node['installDiskSelector']) ? { installDiskSelector: node['installDiskSelector'] } : {}),
      ignoreHostname: node['ignoreHostname'] === true,
      configs,
      certSans: [...textsOf(node['certSANs']), ...groupSans],
      patches:
        node['overridePatches'] === true && own.patches.length > 0
          ? own.patches
          : [...(node['overridePatches'] === true ? [] : group.patches), ...own.patches],
      extraManifests: [...own.extraManifests, ...(node['overrideExtraManifests'] === true ? [] : group.extraManifests)],
      machineFiles: own.machineFiles.length > 0 ? own.machineFiles : group.machineFiles,
      ...(textOf(configs['filenameTmpl']) === '' ? {} : { fileNameTemplate: textOf(configs['filenameTmpl']) }),
      declaredAt: spanIn(source, [...at, 'hostname'], 'value'),
    });
  }

  const inlineManifests: { name: string; contents: string }[] = [];
  for (const [index, manifest] of listOf(root['inlineManifests']).entries()) {
    if (!isPlainMap(manifest)) continue;
    const contents = await contentOf(textOf(manifest['contents']), manifest['skipEnvsubst'] === true, [
      'inlineManifests',
      index,
      'contents',
    ]);
    inlineManifests.push({ name: textOf(manifest['name']), contents });
  }

  const factory = isPlainMap(root['imageFactory']) ? root['imageFactory'] : {};
  const talosVersion = textOf(root['talosVersion']) || talhelperDefaultTalosVersion;
  const talconfig: Talconfig = {
    source,
    clusterName: textOf(root['clusterName']),
    talosVersion: withV(talosVersion),
    kubernetesVersion: withV(textOf(root['kubernetesVersion'])),
    endpoint: textOf(root['endpoint']),
    ...(textOf(root['domain']) === '' ? {} : { domain: textOf(root['domain']) }),
    allowSchedulingOnControlPlanes: root['allowSchedulingOnMasters'] === true || root['allowSchedulingOnControlPlanes'] === true,
    additionalMachineCertSans: textsOf(root['additionalMachineCertSans']),
    additionalApiServerCertSans: textsOf(root['additionalApiServerCertSans']),
    inlineManifests,
    clusterPodNets: textsOf(root['clusterPodNets']),
    clusterSvcNets: textsOf(root['clusterSvcNets']),
    ...(isPlainMap(root['cniConfig']) ? { cniConfig: root['cniConfig'] } : {}),
    patches: await patchesOf(root['patches'], 'cluster', ['patches']),
    imageFactory: {
      registryUrl: textOf(factory['registryURL']) || 'factory.talos.dev',
      schematicEndpoint: textOf(factory['schematicEndpoint']) || '/schematics',
      protocol: textOf(factory['protocol']) || 'https',
      ...(textOf(factory['installerURLTmpl']) === '' ? {} : { installerUrlTemplate: textOf(factory['installerURLTmpl']) }),
      ...(textOf(factory['ISOURLTmpl']) === '' ? {} : { imageUrlTemplate: textOf(factory['ISOURLTmpl']) }),
    },
    nodes,
    warnings: [],
    inputs,
    filledIn: () => [...filledIn],
  };
  const checked = checkTalconfig(talconfig, root);
  throwIfAny([...oncePerVariable(failures), ...checked.failures]);
  return { ...talconfig, warnings: [...warnings, ...checked.warnings] };
}

/** Where a key of the file was written; undefined when it is not there. */
export function talconfigPlace({ source }: Pick<Talconfig, 'source'>, path: DataPath): Place | undefined {
  return source.document.has(path) ? placeIn(source, path, 'key') : undefined;
}

/** A patch that is the path of its file, without an `@`. Source: pkg/machinery/config/configpatcher/load.go */
const isBarePath = (value: string): boolean => value !== '' && !/^[@[{]|[\n ]/.test(value);

/**
 * A key that the node says anything about replaces the group's, maps and lists included; only patches, manifests and names of certificates
 * add up. False, zero and the empty text say nothing.
 *
 * Source: talhelper v3.1.17 pkg/config/nodeconfigs.go
 */
function mergeConfigs(node: PlainMap, group: PlainMap): PlainMap {
  const merged: PlainMap = { ...group };
  for (const [key, value] of Object.entries(node)) {
    if (value === false || value === '' || value === 0) continue;
    if (key === 'machineSpec' && isPlainMap(value) && Object.values(value).every((one) => one === '' || one === false)) continue;
    merged[key] = value;
  }
  return merged;
}

/** Every text that a file of data holds as a value; a file of anything else is left to whoever reads it. */
function textsIn(text: string, path: string): string[] {
  const texts: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  for (const { value } of parseYaml({ path, text }, { version: 'go', confidential: true }).documents) walk(value);
  return texts;
}

function withV(version: string): string {
  return version === '' || version.startsWith('v') ? version : `v${version}`;
}

function textOf(value: Plain | undefined): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: Plain | undefined): readonly Plain[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: Plain | undefined): string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}
