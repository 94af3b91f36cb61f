import type { ClusterModel, NodeModel } from '../../../config/index.ts';
import { compareVersions } from '../../../format/index.ts';
import type { NodeFacts } from '../../lifecycle/lifecycle.ts';
import { operationFailure } from '../failures.ts';
import type { DoctorParts, Note } from './finding.ts';

export async function examineDrift({ cluster }: DoctorParts, nodes: readonly NodeModel[], note: Note, signal: AbortSignal): Promise<void> {
  const surveyed = await cluster.lifecycle.survey(nodes, signal);
  const hasKubernetes = surveyed.some((one) => one.state === 'answered' && one.facts.kube !== undefined);
  for (const one of surveyed) {
    if (one.state === 'silent') continue;
    noteVersions(one.facts, cluster.model, note);
    if (hasKubernetes && one.facts.kube === undefined)
      note(
        'error',
        operationFailure('doctor/node-missing', { node: one.node.name }),
        `npx tk talos:logs NODE=${one.node.name} SERVICE=kubelet`,
        one.node.name,
      );
    const comparison = await cluster.machines.compareConfig(one.node, signal);
    if (comparison.state === 'differs')
      note(
        'warning',
        operationFailure('doctor/config', { node: one.node.name, changed: comparison.changed }),
        `npx tk talos:apply-node NODE=${one.node.name}`,
        one.node.name,
      );
  }
}

function noteVersions({ node, talosVersion, schematicId, kube }: NodeFacts, model: ClusterModel, note: Note): void {
  const { name } = node;
  const upgrade = `npx tk talos:upgrade-node NODE=${name}`;
  if (talosVersion !== node.talosVersion) {
    // Whoever is ahead is not sent back: the others follow, and the repository with them.
    const isAhead = compareVersions(talosVersion, node.talosVersion) > 0;
    const versions = { what: 'Talos', running: talosVersion, wanted: node.talosVersion } as const;
    const mend = isAhead ? `npx tk talos:upgrade TO=${talosVersion}` : upgrade;
    note('warning', operationFailure('doctor/version', { node: name, ...versions, ...(isAhead ? { isAhead } : {}) }), mend, name);
  }
  if (node.schematicId !== undefined && schematicId !== undefined && schematicId !== node.schematicId)
    note(
      'warning',
      operationFailure('doctor/version', { node: name, what: 'schematic', running: schematicId, wanted: node.schematicId }),
      upgrade,
      name,
    );
  if (kube === undefined) return;
  if (kube.kubeletVersion !== '' && kube.kubeletVersion !== model.kubernetesVersion) {
    const isAhead = compareVersions(kube.kubeletVersion, model.kubernetesVersion) > 0;
    const versions = { what: 'Kubernetes', running: kube.kubeletVersion, wanted: model.kubernetesVersion } as const;
    const mend = `npx tk talos:upgrade-k8s${isAhead ? ` TO=${kube.kubeletVersion}` : ''}`;
    note('warning', operationFailure('doctor/version', { node: name, ...versions, ...(isAhead ? { isAhead } : {}) }), mend, name);
  }
  if (kube.cordon.state !== 'none')
    note(
      'warning',
      operationFailure('doctor/cordon', { node: name, ...(kube.cordon.state === 'ours' ? { run: kube.cordon.run } : {}) }),
      kube.cordon.state === 'ours' ? `npx tk talos:uncordon NODE=${name}` : `npx tk talos:uncordon NODE=${name} --foreign`,
      name,
    );
  if (!kube.isReady) note('error', operationFailure('doctor/node-not-ready', { node: name }), `npx tk talos:services NODE=${name}`, name);
}
