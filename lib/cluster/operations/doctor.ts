import { throwIfAborted, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { examineCertificates } from './doctor/certificates.ts';
import { examineDrift } from './doctor/drift.ts';
import { examineEtcd } from './doctor/etcd.ts';
import type { Doctor, DoctorArea, DoctorParts, Finding, Note } from './doctor/finding.ts';
import { examineFlux } from './doctor/flux.ts';
import { examineKubernetes } from './doctor/kubernetes.ts';
import { examineClocks, examineReachability } from './doctor/machines.ts';
import { examineInputs, examineKeys } from './doctor/repository.ts';
import { examineRuns } from './doctor/runs.ts';

/** What is wrong with a repository and its cluster. Reads only. */
export function createDoctor(parts: DoctorParts): Doctor {
  const examinations: Readonly<Record<DoctorArea, (nodes: readonly NodeModel[], note: Note, signal: AbortSignal) => Promise<void>>> = {
    inputs: (_nodes, note, signal) => examineInputs(parts, note, signal),
    keys: (_nodes, note) => examineKeys(parts, note),
    reachability: (nodes, note, signal) => examineReachability(parts, nodes, note, signal),
    clocks: (nodes, note, signal) => examineClocks(parts, nodes, note, signal),
    certificates: (nodes, note, signal) => examineCertificates(parts, nodes, note, signal),
    etcd: (_nodes, note, signal) => examineEtcd(parts, note, signal),
    kubernetes: (_nodes, note, signal) => examineKubernetes(parts, note, signal),
    flux: (_nodes, note, signal) => examineFlux(parts, note, signal),
    drift: (nodes, note, signal) => examineDrift(parts, nodes, note, signal),
    runs: (_nodes, note) => examineRuns(parts, note),
  };
  return {
    async examine(area, nodes, signal) {
      const findings: Finding[] = [];
      const note: Note = (level, failure, mend, node) =>
        void findings.push({ area, level, failure, mend, ...(node === undefined ? {} : { node }) });
      try {
        await examinations[area](nodes, note, signal);
      } catch (error) {
        throwIfAborted(signal, `looking at ${area}`);
        if (!(error instanceof TkError)) throw error;
        for (const failure of error.failures) note('error', failure, mends[failure.code] ?? mendsOfArea[area]);
      }
      return findings.toSorted((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'));
    },
  };
}

/** What mends a failure that another part told. */
const mends: Readonly<Record<string, string>> = {
  'cluster/no-credentials': 'npx tk talos:generate-config',
  'cluster/no-kubeconfig': 'npx tk talos:kubeconfig',
  'cluster/kubeconfig-foreign': 'npx tk talos:kubeconfig',
  'cluster/secrets-lost': 'npx tk talos:gensecret --from-controlplane-config FILE',
  'cluster/plaintext-secret': 'npx tk sops encrypt FILE',
  'host/dial': 'npx tk talos:services',
};
const mendsOfArea: Readonly<Record<DoctorArea, string>> = {
  inputs: 'npx tk configure',
  keys: 'npx tk configure',
  reachability: 'npx tk talos:health',
  clocks: 'npx tk talos:logs SERVICE=timed',
  certificates: 'npx tk talos:talosconfig --rotate',
  etcd: 'npx tk talos:etcd-status',
  kubernetes: 'npx tk talos:health',
  flux: 'npx tk flux:reconcile',
  drift: 'npx tk talos:diff --live',
  runs: 'npx tk resume',
};
