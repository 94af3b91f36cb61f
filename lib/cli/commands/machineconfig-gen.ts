import { resolve } from 'node:path';
import { throwIfAny, TkError } from '../../base/index.ts';
import {
  type ClusterConfigsRequest,
  generateClusterConfigs,
  generateTalosconfig,
  parseSecretsBundle,
  type SecretsBundle,
  talosConfigFailure,
  validateMachineConfig,
} from '../../talos/machine-config.ts';
import { createVault } from '../vault.ts';
import type { CommandContext } from './command.ts';
import { readNamed, requiredText, rootOrFolder, textOf } from './inputs.ts';
import { noteKept, noteWarnings, patchesOf } from './machineconfig.ts';

/** Nothing is written unless both configs are valid for their version. Failure: `talos-config/*`, `secrets/*`. */
export async function run(context: CommandContext): Promise<number> {
  const { values, world } = context;
  const bundle = await readBundle(context);
  const clusterName = requiredText(values, 'name');
  const endpoint = checkedEndpoint(requiredText(values, 'endpoint'));
  const talosVersion = requiredText(values, 'talos-version');
  const { controlplane, worker } = generateClusterConfigs({
    clusterName,
    endpoint,
    bundle,
    talosVersion,
    ...optional(context),
    patches: await patchesOf(context, 'patch'),
    controlPlanePatches: await patchesOf(context, 'patch-control-plane'),
    workerPatches: await patchesOf(context, 'patch-worker'),
  });
  const checked = [controlplane, worker].map(({ role, text }) => validateMachineConfig({ path: `${role}.yaml`, text }, { talosVersion }));
  throwIfAny(checked.flatMap(({ failures }) => failures));
  for (const { kept } of [controlplane, worker]) noteKept(context, kept);
  for (const { warnings } of checked) await noteWarnings(context, warnings);
  const folder = requiredText(values, 'out');
  const talosconfigPath = resolve(context.directory, folder, 'talosconfig');
  const standing = await world.files.readText(talosconfigPath);
  const talosconfig = await generateTalosconfig(world, bundle, {
    clusterName,
    endpoints: [],
    ...(standing === undefined ? {} : { existing: { path: talosconfigPath, text: standing } }),
  });
  const texts = { 'controlplane.yaml': controlplane.text, 'worker.yaml': worker.text, talosconfig: talosconfig.text.reveal() };
  for (const [name, text] of Object.entries(texts))
    await world.files.write(resolve(context.directory, folder, name), text, { mode: 0o600 });
  context.note(`wrote controlplane.yaml, worker.yaml and talosconfig to ${folder}`);
  return 0;
}

function optional({ values }: CommandContext): Partial<ClusterConfigsRequest> {
  const kubernetesVersion = textOf(values, 'kubernetes-version');
  const installDisk = textOf(values, 'install-disk');
  const installImage = textOf(values, 'install-image');
  const additionalSans = values.get('additional-sans');
  const dnsDomain = textOf(values, 'dns-domain');
  return {
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(installDisk === undefined ? {} : { installDisk }),
    ...(installImage === undefined ? {} : { installImage }),
    ...(additionalSans === undefined ? {} : { additionalSans }),
    ...(dnsDomain === undefined ? {} : { dnsDomain }),
  };
}

async function readBundle(context: CommandContext): Promise<SecretsBundle> {
  const file = await readNamed(context, requiredText(context.values, 'secrets'), '--secrets');
  const vault = createVault(context.world, await rootOrFolder(context));
  return parseSecretsBundle(vault.isEncrypted(file) ? { path: file.path, text: (await vault.decrypt(file)).reveal() } : file);
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== 'https:' || url.hostname === '')
    throw new TkError(talosConfigFailure('talos-config/endpoint-invalid', { endpoint }));
  return endpoint;
}
