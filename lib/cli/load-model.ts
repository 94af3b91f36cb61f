import { join } from 'node:path';
import { throwIfAny, TkError, type World } from '../base/index.ts';
import {
  type ClusterModel,
  clusterModelOf,
  loadClusterInputs,
  loadTalconfig,
  type Repository,
  sourceDisagreements,
  type Talconfig,
  talconfigPaths,
} from '../config/index.ts';
import { schematicId, schematicOf } from '../talos/machine-config.ts';
import { cliFailure } from './failures.ts';
import { createVault } from './vault.ts';

/**
 * What cluster the repository describes.
 *
 * Failure: everything that is wrong with the inputs at once; `usage/no-cluster` for a repository of tasks alone.
 */
export async function loadModel(world: World, repository: Repository): Promise<ClusterModel> {
  switch (repository.source.kind) {
    case 'none':
      throw new TkError(cliFailure('usage/no-cluster', { command: 'tk' }));
    case 'cluster.yaml': {
      const loaded = await loadClusterInputs(world.files, repository.root);
      throwIfAny(loaded.failures);
      return loaded.model as ClusterModel;
    }
    case 'talconfig.yaml': {
      const paths = await talconfigPaths(world.files, repository.root, join(repository.root, repository.source.path));
      const talconfig = await loadRepositoryTalconfig(world, repository.root, paths.talconfig);
      const model = clusterModelOf(talconfig, paths, (schematic) =>
        schematic === undefined ? undefined : schematicId(schematicOf(schematic as never)),
      );
      if (repository.source.besides) {
        const beside = await loadClusterInputs(world.files, repository.root);
        throwIfAny(beside.failures);
        throwIfAny(sourceDisagreements(beside.model as ClusterModel, model));
      }
      return model;
    }
  }
}

/** The talconfig at that absolute path, with the keys and the variables of this machine. Failure: `talconfig/*`. */
export function loadRepositoryTalconfig(world: World, root: string, path: string): Promise<Talconfig> {
  const vault = createVault(world, root);
  return loadTalconfig(world.files, {
    root,
    path,
    environment: new Proxy({}, { get: (_target, name) => world.env.get(String(name)) }),
    decrypt: async (file) => (vault.isEncrypted(file) ? (await vault.decrypt(file)).reveal() : file.text),
  });
}
