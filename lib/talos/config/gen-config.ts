import type { SourceFile } from '../../base/index.ts';
import { defaultKubernetesVersion, isSwitchedOn, talosDefaults } from '../../upstream/tables.ts';
import { type BaseInput, generateBase, type MachineRole } from './base.ts';
import type { ConfigDocument } from './document.ts';
import { renderMachineConfig, talosctlStyle } from './encode.ts';
import type { Layer } from './generate-request.ts';
import { installerImage } from './images.ts';
import type { KeptValue } from './merge.ts';
import { contractOf } from './minor.ts';
import { applyPatch, loadPatch } from './patch.ts';
import type { SecretsBundle } from './secrets-bundle.ts';

/** The flags of `talosctl gen config`. */
export interface ClusterConfigsRequest
  extends Omit<BaseInput, 'contract' | 'kubernetesVersion' | 'installImage' | 'bundle' | 'machineCertSans' | 'apiServerCertSans'> {
  readonly bundle: SecretsBundle;
  /** `v1.14.1`; its minor is the contract. */
  readonly talosVersion: string;
  /** With or without `v`; default: the one of that Talos. */
  readonly kubernetesVersion?: string;
  /** Default: the factory's image without extensions from 1.14 on, the published one before. */
  readonly installImage?: string;
  readonly additionalSans?: readonly string[];
  readonly patches?: readonly SourceFile[];
  readonly controlPlanePatches?: readonly SourceFile[];
  readonly workerPatches?: readonly SourceFile[];
}

export interface ClusterConfig {
  readonly role: MachineRole;
  readonly text: string;
  readonly documents: readonly ConfigDocument[];
  readonly layers: readonly Layer[];
  readonly kept: readonly KeptValue[];
}

/**
 * `tk machineconfig gen`: one configuration for each role, patched for all roles first, then for the role.
 *
 * Source: cmd/talosctl/cmd/mgmt/gen/config.go; pkg/machinery/config/bundle
 */
export function generateClusterConfigs(request: ClusterConfigsRequest): {
  readonly controlplane: ClusterConfig;
  readonly worker: ClusterConfig;
} {
  const contract = contractOf(request.talosVersion);
  const talosVersion = request.talosVersion.replace(/^(?!v)/, 'v');
  const { additionalSans, patches, controlPlanePatches, workerPatches, talosVersion: _, ...rest } = request;
  const input: BaseInput = {
    ...rest,
    contract,
    installDisk: request.installDisk ?? talosDefaults.installDisk,
    kubernetesVersion: (request.kubernetesVersion ?? defaultKubernetesVersion[contract]).replace(/^v/, ''),
    installImage:
      request.installImage ??
      (isSwitchedOn('unattendedInstallDocument', contract)
        ? installerImage({ schematicId: talosDefaults.emptySchematic, talosVersion })
        : `${talosDefaults.images.installer}:${talosVersion}`),
    ...(additionalSans === undefined ? {} : { machineCertSans: additionalSans, apiServerCertSans: additionalSans }),
  };
  const make = (role: MachineRole, own: readonly SourceFile[]): ClusterConfig => {
    let documents: readonly ConfigDocument[] = generateBase(input, role);
    const layers: Layer[] = [{ origin: 'generated', kind: 'generated', documents }];
    const kept: KeptValue[] = [];
    for (const [files, kind] of [
      [patches ?? [], 'cluster patch'],
      [own, 'group patch'],
    ] as const) {
      for (const file of files) {
        const patched = applyPatch(documents, loadPatch(file, contract), contract);
        documents = patched.documents;
        kept.push(...patched.kept);
        layers.push({ origin: file.path, kind, file, documents });
      }
    }
    return { role, text: renderMachineConfig(documents, talosctlStyle(contract)), documents, layers, kept };
  };
  return { controlplane: make('controlplane', controlPlanePatches ?? []), worker: make('worker', workerPatches ?? []) };
}
