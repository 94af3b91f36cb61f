import { qosClass } from './defaults.ts';
import type { Kind } from './kinds.ts';
import type { KubeState } from './state.ts';
import { child, listAt, type Obj, objAt, textAt, type Value } from './value.ts';

/**
 * What only the server decides about a new object, after the owners were written: nobody owns it. Changes the draft.
 * Source: kubernetes pkg/registry/<group>/<kind>/strategy.go PrepareForCreate
 */
export function prepare(kind: Kind, draft: Obj, state: KubeState): void {
  switch (`${kind.group}/${kind.kind}`) {
    case '/Namespace':
      child(draft, 'spec').finalizers ??= ['kubernetes'];
      child(draft, 'status').phase = 'Active';
      return;
    case '/Pod':
      podAdmission(child(draft, 'spec'));
      draft.status = { phase: 'Pending', qosClass: qosClass(objAt(draft, 'spec')) };
      return;
    case '/Service':
      allocateAddress(draft, state);
      return;
    case 'batch/Job':
      jobLabels(draft);
      return;
    case 'apiextensions.k8s.io/CustomResourceDefinition':
      draft.status = {
        conditions: null,
        acceptedNames: { plural: '', kind: '' },
        storedVersions: listAt(draft, 'spec', 'versions')
          .filter((version) => objAt(version).storage === true)
          .map((version) => textAt(version, 'name')),
      };
      return;
    default:
      return;
  }
}

const priorities: Readonly<Record<string, number>> = { 'system-node-critical': 2_000_001_000, 'system-cluster-critical': 2_000_000_000 };

/** Source: kubernetes plugin/pkg/admission/{priority,defaulttolerationseconds} */
export function podAdmission(spec: Obj): void {
  spec.priority ??= priorities[textAt(spec, 'priorityClassName')] ?? 0;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
  const tolerations = listAt(spec, 'tolerations');
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const has = tolerations.some(
      (one) => (textAt(one, 'key') === key || textAt(one, 'key') === '') && ['NoExecute', ''].includes(textAt(one, 'effect')),
    );
    if (!has) spec.tolerations = [...listAt(spec, 'tolerations'), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }];
  }
}

/** `stringData` is only ever written. */
export function encodeStrings(kind: Kind, draft: Obj): void {
  if (kind.kind !== 'Secret' || kind.group !== '' || draft.stringData === undefined) return;
  const plain = Object.entries(objAt(draft, 'stringData'));
  if (plain.length > 0) {
    const data = child(draft, 'data');
    for (const [key, value] of plain) data[key] = Buffer.from(String(value)).toString('base64');
  }
  delete draft.stringData;
}

function allocateAddress(draft: Obj, state: KubeState): void {
  const spec = child(draft, 'spec');
  if (spec.type === 'ExternalName') return;
  if (textAt(spec, 'clusterIP') === '') {
    const next = (state.kernel.store.get<number>('kube/next-address') ?? 10) + 1;
    state.kernel.store.set('kube/next-address', next);
    spec.clusterIP = `10.96.${next >> 8}.${next & 255}`;
  }
  spec.clusterIPs ??= [spec.clusterIP as Value];
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
}

function jobLabels(draft: Obj): void {
  const uid = textAt(draft, 'metadata', 'uid');
  const spec = child(draft, 'spec');
  if (spec.manualSelector === true) return;
  const labels = child(child(child(spec, 'template'), 'metadata'), 'labels');
  spec.selector ??= { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
  const own: Obj = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': textAt(draft, 'metadata', 'name'),
    'controller-uid': uid,
    'job-name': textAt(draft, 'metadata', 'name'),
  };
  Object.assign(labels, own);
  Object.assign(child(child(draft, 'metadata'), 'labels'), own);
}
