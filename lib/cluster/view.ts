import type { Cluster, ClusterView } from './cluster.ts';
import { lifecycleViewOf } from './lifecycle/view.ts';
import { kubernetesUpgradeViewOf } from './kubernetes-upgrade/view.ts';
import { operationsViewOf } from './operations/operations.ts';

/**
 * The same cluster with the methods left out that change something. New objects, not casts: a plan or a dry run cannot reach what
 * is not there, however it looks for it.
 */
export function viewOf(cluster: Cluster): ClusterView {
  const { configuration, machineConfigs, machines, etcd, kubeconfig, kubernetes, releases, pins } = cluster;
  return {
    name: cluster.name,
    model: cluster.model,
    settings: cluster.settings,
    isSandbox: cluster.isSandbox,
    nodes: cluster.nodes,
    controlPlanes: cluster.controlPlanes,
    workers: cluster.workers,
    find: (selector) => cluster.find(selector),
    configuration: { plan: (signal) => configuration.plan(signal) },
    machineConfigs: {
      generate: (signal) => machineConfigs.generate(signal),
      of: (node, signal) => machineConfigs.of(node, signal),
      talosconfig: (request) => machineConfigs.talosconfig(request),
      differences: (generated) => machineConfigs.differences(generated),
      explain: (nodes, question, signal) => machineConfigs.explain(nodes, question, signal),
    },
    machines: {
      select: (selector) => machines.select(selector),
      read: (node, use) => machines.read(node, use),
      state: (node, signal) => machines.state(node, signal),
      preflight: (node, signal) => machines.preflight(node, signal),
      preflightCluster: (reports, signal) => machines.preflightCluster(reports, signal),
      compareConfig: (node, signal) => machines.compareConfig(node, signal),
      differences: (node, wanted, signal) => machines.differences(node, wanted, signal),
      dryRun: (node, mode, signal) => machines.dryRun(node, mode, signal),
      installed: (node) => machines.installed(node),
    },
    etcd: {
      target: () => etcd.target(),
      evidence: (signal, among) => etcd.evidence(signal, among),
      started: (node) => etcd.started(node),
      joined: (among) => etcd.joined(among),
    },
    kubeconfig: {
      state: () => kubeconfig.state(),
      apiServerReady: (node) => kubeconfig.apiServerReady(node),
      answers: () => kubeconfig.answers(),
    },
    kubernetes: {
      reader: () => kubernetes.reader(),
      eachApiServer: () => kubernetes.eachApiServer(),
      isReachable: (signal) => kubernetes.isReachable(signal),
      namespaces: () => kubernetes.namespaces(),
      bootstrapSecrets: () => kubernetes.bootstrapSecrets(),
      fluxRoot: () => kubernetes.fluxRoot(),
      nodesRegistered: () => kubernetes.nodesRegistered(),
      nodesReady: () => kubernetes.nodesReady(),
      fluxReconciled: () => kubernetes.fluxReconciled(),
      crdsServed: (names) => kubernetes.crdsServed(names),
    },
    releases: {
      forBootstrap: () => releases.forBootstrap(),
      state: (release, signal) => releases.state(release, signal),
      crds: (signal) => releases.crds(signal),
    },
    health: cluster.health,
    lifecycle: lifecycleViewOf(cluster.lifecycle),
    gates: cluster.gates,
    inventory: { path: cluster.inventory.path, discover: (address, signal) => cluster.inventory.discover(address, signal) },
    operations: operationsViewOf(cluster.operations),
    kubernetesUpgrade: kubernetesUpgradeViewOf(cluster.kubernetesUpgrade),
    pins: {
      plan: (wanted, options) => pins.plan(wanted, options),
      overridden: (wanted, signal, options) => pins.overridden(wanted, signal, options),
    },
  };
}
