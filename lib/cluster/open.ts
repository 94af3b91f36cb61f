import { posix } from 'node:path';
import { type Redactor, Secret, TkError, whenAsked, type World } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import { createBootstrapSecrets } from './bootstrap-secrets.ts';
import type { Cluster, ClusterView } from './cluster.ts';
import { compareConfigs } from './compare-configs.ts';
import { configDifferences } from './config-differences.ts';
import { createConfiguration } from './configuration.ts';
import { createConnections } from './connections.ts';
import { createCredentials, trustOf } from './credentials.ts';
import { createEtcd } from './etcd.ts';
import { createHealth } from './health.ts';
import { createInventory } from './inventory.ts';
import { createKubeAccess } from './kube-access.ts';
import { createKubeconfig } from './kubeconfig.ts';
import { createFluxRoot } from './flux-root.ts';
import { createKubernetes } from './kubernetes.ts';
import { createLastLooks } from './last-looks.ts';
import { createLifecycle } from './lifecycle/create-lifecycle.ts';
import { createMachineConfigs } from './machine-configs.ts';
import { createMachines } from './machines.ts';
import { findNode } from './nodes.ts';
import { createDoctor } from './operations/doctor.ts';
import type { Doctor } from './operations/doctor/finding.ts';
import { createOperations } from './operations/operations.ts';
import { createKubernetesUpgrade } from './kubernetes-upgrade/create.ts';
import { createPins } from './pins/create.ts';
import { createReleases, helmEngineOf } from './releases.ts';
import { createBundleStore } from './secrets-bundle.ts';
import type { SecretsBundle } from '../talos/machine-config.ts';
import type { Settings } from './settings.ts';
import type { Vault } from './vault.ts';
import { viewOf } from './view.ts';

export interface ClusterParts {
  readonly world: World;
  readonly model: ClusterModel;
  readonly settings: Settings;
  readonly vault: Vault;
  readonly isSandbox: boolean;
  /** The compressed Helm engine. */
  readonly helmModule: () => Promise<Uint8Array>;
  /** What the engine answered before, by what it was asked: for many clusters in one process. Absent: nothing is remembered. */
  readonly chartMemo?: Map<string, Promise<string>>;
  /** Absolute; pulled charts are kept below it. */
  readonly cacheDirectory: string;
  /** Takes the cluster's keys out of everything that a run says and writes. */
  readonly redactor?: Redactor;
  /** As in `ConfigurationParts`. */
  readonly shippedTemplates?: string;
}

export interface OpenedCluster {
  /** For probes, plans and tasks that only read: there is no method in it that changes anything. */
  readonly view: ClusterView;
  readonly full: Cluster;
  /** What intents in the journal belong to. */
  readonly identity: string;
  /** Every key of the bundle of secrets, for whoever has to keep them out of something; empty when there is none. */
  readonly secretValues: () => Promise<readonly string[]>;
}

/** What more than one part of a cluster is made from, or more than one is made of. */
interface SharedParts {
  readonly ofLifecycle: ReturnType<typeof createLifecycle>;
  readonly releases: ReturnType<typeof createReleases>;
  readonly doctor: Doctor;
}

/** Joins the six rooms. Nothing is made, read or dialled before it is asked for. */
export function openCluster({
  world,
  model,
  settings,
  vault,
  isSandbox,
  helmModule,
  chartMemo,
  cacheDirectory,
  redactor,
  shippedTemplates,
}: ClusterParts): OpenedCluster {
  const { files, dial, clock, env, exec } = world;
  const engine = helmEngineOf(world, helmModule, chartMemo);
  const bundles = createBundleStore({ model, files, vault, world, ...(redactor === undefined ? {} : { redactor }) });
  const kubernetesCa = async () => (await bundles.existing())?.certs.k8s.certificate;
  const credentials = createCredentials({ model, world, bundle: () => bundles.existing() });
  const lastLooks = createLastLooks(clock);
  const connections = createConnections({ model, dial, clock, credentials, lastLook: lastLooks.before });
  const access = createKubeAccess({ model, files, dial, clock, kubernetesCa });
  const machineConfigs = createMachineConfigs({ model, world, vault, bundles, engine });
  const differences = async (running: Secret<string>, wanted: Secret<string>) =>
    configDifferences(running, wanted, await bundles.secretValues());
  const identity = `${model.name} ${model.endpoint}`;
  const parts: SharedParts = whenAsked({
    ofLifecycle: () =>
      createLifecycle({
        model,
        clock,
        files,
        random: world.random,
        connections,
        lastLooks,
        access,
        configOf: freshConfigs(machineConfigs),
        configuredGates: settings.gates ?? [],
        cacheDirectory,
      }),
    releases: () =>
      createReleases({
        model,
        settings,
        files,
        dial,
        clock,
        env,
        exec,
        engine,
        access,
        cache: `${cacheDirectory}/charts`,
        vault,
        isSandbox,
      }),
    doctor: () =>
      createDoctor({
        // What it looks at is what everybody else is given, itself included.
        get cluster() {
          return full;
        },
        connections,
        access,
        files,
        now: () => clock.now(),
        stateDirectory: posix.dirname(cacheDirectory),
        identity,
        authorities: async () => authoritiesOf(await bundles.existing()),
        talosCertificate: async () => certificateOf(await files.readText(model.paths.talosconfig)),
      }),
  });
  const full: Cluster = whenAsked({
    name: () => model.name,
    model: () => model,
    settings: () => settings,
    isSandbox: () => isSandbox,
    nodes: () => model.nodes,
    controlPlanes: () => model.nodes.filter((node) => node.role === 'controlplane'),
    workers: () => model.nodes.filter((node) => node.role === 'worker'),
    find: () => (selector) => findNode(model.nodes, selector, model.vip),
    configuration: () =>
      createConfiguration({
        model,
        world,
        vault,
        isSandbox,
        stateDirectory: posix.dirname(cacheDirectory),
        ...(shippedTemplates === undefined ? {} : { shippedTemplates }),
        afterApply: () => parts.releases.readAgain(),
      }),
    machineConfigs: () => machineConfigs,
    machines: () =>
      createMachines({
        model,
        clock,
        connections,
        configOf: (node, signal) => machineConfigs.of(node, signal),
        compare: compareConfigs,
        differences,
        answers: async (host, port, signal) => {
          try {
            const response = await dial.http({
              target: { protocol: 'https', host, port, tls: { insecureSkipVerify: true } },
              method: 'GET',
              path: '/',
              headers: {},
              signal,
            });
            for await (const _ of response.body) break;
            return true;
          } catch {
            return false;
          }
        },
      }),
    etcd: () => createEtcd({ model, connections }),
    kubeconfig: () => createKubeconfig({ model, files, dial, clock, connections, access, kubernetesCa, env }),
    kubernetes: () =>
      createKubernetes({
        model,
        files,
        access,
        secrets: createBootstrapSecrets({ model, files, vault, access }),
        root: createFluxRoot({ model, files, access }),
        now: () => clock.now(),
      }),
    releases: () => parts.releases,
    lifecycle: () => parts.ofLifecycle.lifecycle,
    gates: () => parts.ofLifecycle.gates,
    inventory: () => createInventory({ model, files, connections }),
    operations: () =>
      createOperations({
        nodes: model.nodes,
        connections,
        access,
        clock,
        files,
        root: model.paths.root,
        doctor: parts.doctor,
        compare: differences,
        secretValues: () => bundles.secretValues(),
        kubernetesCa,
      }),
    kubernetesUpgrade: () => createKubernetesUpgrade({ model, clock, connections, access }),
    pins: () => createPins({ model, world, vault, machineConfigs }),
    health: () => createHealth({ model, connections, access, hasCni: () => hasCni(model, machineConfigs) }),
  });
  return { view: viewOf(full), full, identity, secretValues: () => bundles.secretValues() };
}

function authoritiesOf(bundle: SecretsBundle | undefined): ReadonlyMap<string, string> {
  if (bundle === undefined) return new Map();
  const { os, k8s, etcd, k8sAggregator } = bundle.certs;
  return new Map([
    ['Talos', os.certificate],
    ['Kubernetes', k8s.certificate],
    ['etcd', etcd.certificate],
    ['the aggregation layer', k8sAggregator.certificate],
  ]);
}

const certificateOf = (talosconfig: string | undefined): string | undefined =>
  talosconfig === undefined ? undefined : trustOf(new Secret(talosconfig))?.certificate;

/**
 * Configs as the inventory makes them now: files that were generated before it was changed would bring back what it no longer wants.
 * Without the keys to generate any, the files have to do.
 */
function freshConfigs(machineConfigs: Cluster['machineConfigs']) {
  let generated: Promise<ReadonlyMap<string, Secret<string>>> | undefined;
  return async (node: NodeModel, signal: AbortSignal): Promise<Secret<string>> => {
    generated ??= machineConfigs
      .generate(signal)
      .then(
        ({ files }) => new Map(files.flatMap((file) => (file.node === undefined ? [] : [[file.node.name as string, file.text] as const]))),
      );
    try {
      const fresh = (await generated).get(node.name);
      if (fresh !== undefined) return fresh;
    } catch (error) {
      generated = undefined;
      if (signal.aborted || !(error instanceof TkError)) throw error;
    }
    return machineConfigs.of(node, signal);
  };
}

/** A repository with a Flux tree brings its own network; otherwise Talos brings flannel, unless the config says `none`. */
async function hasCni(model: ClusterModel, machineConfigs: Cluster['machineConfigs']): Promise<boolean> {
  if (model.paths.kubernetes !== undefined) return true;
  const [first] = model.nodes.filter((node) => node.role === 'controlplane');
  if (first === undefined) return false;
  const text = (await machineConfigs.of(first, new AbortController().signal)).reveal();
  const hasDocuments = /^kind: KubeClusterConfig$/m.test(text);
  return hasDocuments ? /^kind: KubeFlannelCNIConfig$/m.test(text) : !/^\s+cni:\s*\n\s+name: none\s*$/m.test(text);
}
