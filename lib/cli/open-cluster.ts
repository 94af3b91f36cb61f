import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redactor, World } from '../base/index.ts';
import { type OpenedCluster, openCluster, type Settings, type Vault } from '../cluster/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { packageRoot } from './tasks/place.ts';
import { createVault } from './vault.ts';

export interface ClusterOptions {
  readonly world: World;
  readonly model: ClusterModel;
  readonly settings: Settings;
  /** Default: by the keys of this machine. */
  readonly vault?: Vault;
  readonly isSandbox: boolean;
  /** As in `openCluster`. */
  readonly chartMemo?: Map<string, Promise<string>>;
  readonly cacheDirectory: string;
  /** As in `openCluster`. */
  readonly redactor?: Redactor;
}

/** The cluster of a repository over this World, with what only the composition root knows: keys, and the engine's own file. */
export function openRepositoryCluster(options: ClusterOptions): Promise<OpenedCluster> {
  return openCluster({
    ...options,
    vault: options.vault ?? createVault(options.world, options.model.paths.root),
    helmModule,
    shippedTemplates,
  });
}

/** What `configure` renders where a repository has no templates of its own. */
export const shippedTemplates = join(packageRoot, 'templates/config');

/** The compressed Helm engine. */
export const helmModule = (): Promise<Uint8Array> => readFile(join(import.meta.dirname, '../wasm/helm.wasm.br'));
