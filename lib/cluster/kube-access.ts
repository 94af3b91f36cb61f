import { type Clock, type Dial, type Files, Secret, TkError } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import {
  createKubeClient,
  createKubeReader,
  type Kubeconfig,
  type KubeReader,
  type KubeWriter,
  kubeconfigTrusts,
  parseKubeconfig,
  targetOf,
} from '../kube/index.ts';
import { clusterFailure } from './failures.ts';

/** Opens clients over the kubeconfig of the repository. */
export interface KubeAccess {
  /** The file as it is now. Failure: `cluster/no-kubeconfig`, `cluster/kubeconfig-foreign`. */
  kubeconfig(): Promise<Kubeconfig>;
  reader(): Promise<KubeReader>;
  writer(): Promise<KubeWriter>;
  /** Each control plane's own API server, dialled directly. */
  eachApiServer(): Promise<readonly ApiServer[]>;
}

export interface ApiServer {
  readonly node: string;
  readonly kube: KubeReader;
}

export interface KubeAccessParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly dial: Dial;
  readonly clock: Clock;
  /** PEM of this cluster's Kubernetes CA; undefined when no bundle of secrets is at hand. */
  readonly kubernetesCa: () => Promise<string | undefined>;
}

export const apiServerUrl = (address: string): string => `https://${address.includes(':') ? `[${address}]` : address}:6443`;

/** Clients are kept for as long as the kubeconfig does not change: each has its own discovery cache. */
export function createKubeAccess({ model, files, dial, clock, kubernetesCa }: KubeAccessParts): KubeAccess {
  const writers = new Map<string, KubeWriter>();
  const readers = new Map<string, KubeReader>();
  let lastText: string | undefined;
  let lastParsed: Kubeconfig | undefined;
  let isOurs = false;

  const kubeconfig = async (): Promise<Kubeconfig> => {
    const path = model.paths.kubeconfig;
    const text = await files.readText(path);
    if (text === undefined) throw new TkError(clusterFailure('cluster/no-kubeconfig', { path }));
    if (text !== lastText) {
      writers.clear();
      readers.clear();
      lastText = text;
      lastParsed = undefined;
      isOurs = false;
    }
    const parsed = (lastParsed ??= parseKubeconfig(new Secret(text), { path }));
    // Once for each kubeconfig: the bundle of secrets does not become another cluster's in the middle of a run, and to open it costs.
    if (!isOurs) {
      const ca = await kubernetesCa();
      if (ca !== undefined && !kubeconfigTrusts(parsed, ca))
        throw new TkError(clusterFailure('cluster/kubeconfig-foreign', { path, server: parsed.server }));
      isOurs = ca !== undefined && text === lastText;
    }
    return parsed;
  };
  const kept = <T>(cache: Map<string, T>, server: string, make: () => T): T => {
    const known = cache.get(server);
    if (known) return known;
    const made = make();
    cache.set(server, made);
    return made;
  };
  const readerAt = (config: Kubeconfig, server: string) =>
    kept(readers, server, () => createKubeReader({ dial, clock, target: targetOf(config, server) }));

  return {
    kubeconfig,
    async reader() {
      const config = await kubeconfig();
      return readerAt(config, config.server);
    },
    async writer() {
      const config = await kubeconfig();
      return kept(writers, config.server, () => createKubeClient({ dial, clock, target: targetOf(config) }));
    },
    async eachApiServer() {
      const config = await kubeconfig();
      return model.nodes
        .filter((node) => node.role === 'controlplane')
        .map((node) => ({ node: node.name, kube: readerAt(config, apiServerUrl(node.address)) }));
    },
  };
}
