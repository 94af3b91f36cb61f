import { join } from 'node:path';
import { type Files, remembered, Secret } from '../../base/index.ts';
import { parseYamlBulk } from '../../format/index.ts';
import { openSops, parseIdentities, plainTextOf } from '../../secrets/index.ts';
import {
  createFluxModel,
  createKubeModel,
  type FluxModel,
  type FluxOptions,
  type KubeHost,
  repositoryOfFiles,
  type SimKernel,
  type SimulatedKube,
} from '../../sim/index.ts';

/** The simulated Kubernetes, with a Flux in it that reconciles the repository as it lies in `root`. */
export function simulatedKube(
  kernel: SimKernel,
  host: KubeHost,
  files: Files,
  root: string,
  standInCharts: () => readonly string[] = () => [],
): SimulatedKube & { readonly flux: FluxModel } {
  const kube = createKubeModel(kernel, host);
  const flux = createFluxModel(kernel, kube, {
    repository: repositoryOfFiles(files, root),
    decrypt: decryptor(kernel, files, root),
    standInCharts,
  });
  return { ...kube, flux };
}

/** SOPS files open with the key that was planted in the cluster, and with no other. */
function decryptor(kernel: SimKernel, files: Files, root: string): FluxOptions['decrypt'] {
  const ports = { random: kernel.random('flux/sops'), clock: kernel.clock };
  // Flux opens the same few files every time that it looks at the repository.
  const opened = remembered(
    async (path: string, text: string, ageKeys: readonly string[]) => {
      const identities = ageKeys.flatMap((key) => parseIdentities(new Secret(key), 'age.agekey'));
      const { documents } = await openSops({ path, text }, { identities, searched: [] }, ports);
      return parseYamlBulk(plainTextOf(path, documents), { path }) as Awaited<ReturnType<FluxOptions['decrypt']>>;
    },
    { keyOf: (path, text, ageKeys) => [path, text, ...ageKeys].join('\0'), limit: 20 },
  );
  return async (file, ageKeys) => {
    const text = await files.readText(join(root, file));
    if (text === undefined) throw new Error(`open ${file}: no such file or directory`);
    try {
      return await opened(file, text, ageKeys);
    } catch {
      throw new Error('cannot get sops data key: Error getting data key: 0 successful groups required, got 0');
    }
  };
}
