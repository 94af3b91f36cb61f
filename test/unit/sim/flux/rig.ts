import { gzipSync } from 'node:zlib';
import { minutes, waitFor } from '../../../../lib/base/index.ts';
import { conditionOf, conditionTrue, crdsServed, type KubeObject, workloadReady } from '../../../../lib/kube/index.ts';
import { createFluxModel, type FluxModel, type FluxOptions, repositoryOfFiles } from '../../../../lib/sim/index.ts';
import { type KubeRig, kubeRig, never } from '../kube/rig.ts';

export interface FluxRig extends KubeRig {
  readonly model: FluxModel;
  /** Installs flux-operator and a FluxInstance that follows `ref`. */
  install(ref?: string): Promise<void>;
  /** `reason: message` of Ready; waits until it is not in progress any more. */
  verdict(kind: 'GitRepository' | 'Kustomization' | 'HelmRelease' | 'OCIRepository', name: string, namespace?: string): Promise<string>;
}

export const groups = {
  GitRepository: 'source.toolkit.fluxcd.io/v1',
  OCIRepository: 'source.toolkit.fluxcd.io/v1',
  Kustomization: 'kustomize.toolkit.fluxcd.io/v1',
  HelmRelease: 'helm.toolkit.fluxcd.io/v2',
};

const manager = { fieldManager: 'helm-controller' };

export async function fluxRig(files: Readonly<Record<string, string>>, options: Partial<FluxOptions> = {}): Promise<FluxRig> {
  const rig = await kubeRig({
    cni: 'flannel',
    files: Object.fromEntries(Object.entries(files).map(([path, text]) => [`/repo/${path}`, text])),
  });
  const { client, world, kernel, kube } = rig;
  const model = createFluxModel(kernel, kube, {
    repository: repositoryOfFiles(rig.files, '/repo'),
    decrypt: async () => {
      throw new Error('cannot get sops data key: Error getting data key: 0 successful groups required, got 0');
    },
    ...options,
  });
  rig.up({ name: 'cp-1' }, { name: 'worker-1' });
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } }, manager, never);
  return {
    ...rig,
    model,
    async install(ref = 'refs/heads/main') {
      const name = 'fluxinstances.fluxcd.controlplane.io';
      await client.apply(definition('fluxcd.controlplane.io', 'FluxInstance', 'fluxinstances', 'v1'), manager, never);
      await client.apply(deployment('flux-operator', 'flux-system'), manager, never);
      await waitFor(crdsServed([{ node: 'cp-1', kube: client }], [name], { deadlineMs: minutes(1) }), world.clock, never);
      await client.apply(
        {
          apiVersion: 'fluxcd.controlplane.io/v1',
          kind: 'FluxInstance',
          metadata: { name: 'flux', namespace: 'flux-system' },
          spec: {
            sync: {
              kind: 'GitRepository',
              url: 'https://git.example.org/home-ops.git',
              ref,
              path: 'kubernetes/flux/cluster',
              interval: '1h',
            },
          },
        },
        manager,
        never,
      );
      await waitFor(
        workloadReady(
          client,
          { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'flux-system', name: 'flux-operator' },
          { deadlineMs: minutes(2) },
        ),
        world.clock,
        never,
      );
      await waitFor(
        conditionTrue(
          client,
          { apiVersion: 'fluxcd.controlplane.io/v1', kind: 'FluxInstance', namespace: 'flux-system', name: 'flux' },
          'Ready',
          { deadlineMs: minutes(5) },
        ),
        world.clock,
        never,
      );
    },
    async verdict(kind, name, namespace = 'flux-system') {
      const ref = { apiVersion: groups[kind], kind, name, namespace };
      for (let turn = 0; turn < 200; turn += 1) {
        const object = await client.get(ref, never);
        const ready = object && conditionOf(object, 'Ready');
        if (ready && ready.status !== 'Unknown' && !/DependencyNotReady|ArtifactFailed|SourceNotReady/.test(ready.reason))
          return `${ready.reason}: ${ready.message}`;
        await world.clock.sleep(1000);
      }
      return 'nothing in 200 s';
    },
  };
}

export function definition(group: string, kind: string, plural: string, version: string, scope = 'Namespaced'): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

export function deployment(name: string, namespace: string, replicas = 1): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: `example.org/${name}:1` }] } },
    },
  };
}

/** What Helm leaves behind: the record of revision 1 with the objects that it stands for. */
export function releaseRecord(name: string, namespace: string, manifest = ''): KubeObject {
  const record = { name, namespace, manifest, version: 1, info: { status: 'deployed' }, chart: { metadata: { name, version: '1.0.0' } } };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: { name: `sh.helm.release.v1.${name}.v1`, namespace, labels: { name, owner: 'helm', status: 'deployed', version: '1' } },
    data: { release: Buffer.from(gzipSync(JSON.stringify(record)).toString('base64')).toString('base64') },
  };
}
