import { whenAsked } from '../base/index.ts';
import type { Cluster, ClusterView } from './cluster.ts';
import { lifecycleViewOf } from './lifecycle/view.ts';
import { kubernetesUpgradeViewOf } from './kubernetes-upgrade/view.ts';
import { operationsViewOf } from './operations/operations.ts';

/**
 * The same cluster with the methods left out that change something. New objects, not casts: a plan or a dry run cannot reach what
 * is not there, however it looks for it.
 */
export function viewOf(cluster: Cluster): ClusterView {
  return whenAsked<ClusterView>({
    name: () => cluster.name,
    model: () => cluster.model,
    settings: () => cluster.settings,
    isSandbox: () => cluster.isSandbox,
    nodes: () => cluster.nodes,
    controlPlanes: () => cluster.controlPlanes,
    workers: () => cluster.workers,
    find: () => (selector) => cluster.find(selector),
    configuration: () => ({ plan: (signal) => cluster.configuration.plan(signal) }),
    machineConfigs: () => ({
      generate: (signal, places) => cluster.machineConfigs.generate(signal, places),
      of: (node, signal) => cluster.machineConfigs.of(node, signal),
      talosconfig: (request) => cluster.machineConfigs.talosconfig(request),
      differences: (generated) => cluster.machineConfigs.differences(generated),
      explain: (nodes, question, signal) => cluster.machineConfigs.explain(nodes, question, signal),
    }),
    machines: () => ({
      select: (selector) => cluster.machines.select(selector),
      read: (node, use) => cluster.machines.read(node, use),
      state: (node, signal) => cluster.machines.state(node, signal),
      preflight: (node, signal) => cluster.machines.preflight(node, signal),
      preflightCluster: (reports, signal) => cluster.machines.preflightCluster(reports, signal),
      compareConfig: (node, signal) => cluster.machines.compareConfig(node, signal),
      differences: (node, wanted, signal) => cluster.machines.differences(node, wanted, signal),
      dryRun: (node, mode, signal) => cluster.machines.dryRun(node, mode, signal),
      installed: (node) => cluster.machines.installed(node),
    }),
    etcd: () => ({
      target: () => cluster.etcd.target(),
      evidence: (signal, among) => cluster.etcd.evidence(signal, among),
      started: (node) => cluster.etcd.started(node),
      joined: (among) => cluster.etcd.joined(among),
    }),
    kubeconfig: () => ({
      state: () => cluster.kubeconfig.state(),
      apiServerReady: (node) => cluster.kubeconfig.apiServerReady(node),
      answers: () => cluster.kubeconfig.answers(),
    }),
    kubernetes: () => ({
      reader: () => cluster.kubernetes.reader(),
      eachApiServer: () => cluster.kubernetes.eachApiServer(),
      isReachable: (signal) => cluster.kubernetes.isReachable(signal),
      namespaces: () => cluster.kubernetes.namespaces(),
      bootstrapSecrets: () => cluster.kubernetes.bootstrapSecrets(),
      secretsLeftOut: () => cluster.kubernetes.secretsLeftOut(),
      fluxRoot: (signal) => cluster.kubernetes.fluxRoot(signal),
      nodesRegistered: () => cluster.kubernetes.nodesRegistered(),
      nodesReady: () => cluster.kubernetes.nodesReady(),
      fluxReconciled: () => cluster.kubernetes.fluxReconciled(),
      crdsServed: (names) => cluster.kubernetes.crdsServed(names),
    }),
    releases: () => ({
      forBootstrap: () => cluster.releases.forBootstrap(),
      state: (release, signal) => cluster.releases.state(release, signal),
      crds: (signal) => cluster.releases.crds(signal),
    }),
    health: () => cluster.health,
    lifecycle: () => lifecycleViewOf(cluster.lifecycle),
    gates: () => cluster.gates,
    inventory: () => ({ path: cluster.inventory.path, discover: (address, signal) => cluster.inventory.discover(address, signal) }),
    operations: () => operationsViewOf(cluster.operations),
    kubernetesUpgrade: () => kubernetesUpgradeViewOf(cluster.kubernetesUpgrade),
    pins: () => ({
      plan: (wanted, options) => cluster.pins.plan(wanted, options),
      overridden: (wanted, signal, options) => cluster.pins.overridden(wanted, signal, options),
    }),
  });
}
