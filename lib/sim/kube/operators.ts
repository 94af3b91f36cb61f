import { builtIn } from './kinds.ts';
import { makeObject } from './make-object.ts';
import type { KubeState } from './state.ts';
import { numberAt, type Obj } from './value.ts';

const definitions = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const deployments = builtIn('apps/v1', 'Deployment');

interface OpenKind {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly versions: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly shortNames?: readonly string[];
}

/** A definition that takes every field; the first version is the one stored. */
export function openDefinition({ group, kind, plural, versions, scope, shortNames = [] }: OpenKind): Obj {
  const ready: Obj = { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
  const message: Obj = { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' };
  return {
    spec: {
      group,
      scope,
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, shortNames: [...shortNames] },
      conversion: { strategy: 'None' },
      versions: versions.map(
        (name, index): Obj => ({
          name,
          served: true,
          storage: index === 0,
          additionalPrinterColumns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }, ready, message],
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        }),
      ),
    },
  };
}

export function ensureDefinition(state: KubeState, its: OpenKind): void {
  const name = `${its.plural}.${its.group}`;
  if (!state.get(definitions, undefined, name)) makeObject(state, definitions, { name, generation: 1 }, openDefinition(its));
}

/** What Cilium's operator makes when it starts. Source: cilium pkg/k8s/apis/cilium.io/client/register.go v1.19 */
const ciliumKinds: readonly OpenKind[] = (
  [
    ['CiliumNetworkPolicy', 'ciliumnetworkpolicies', 'v2', 'Namespaced', 'cnp'],
    ['CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies', 'v2', 'Cluster', 'ccnp'],
    ['CiliumCIDRGroup', 'ciliumcidrgroups', 'v2,v2alpha1', 'Cluster', 'ccg'],
    ['CiliumEndpoint', 'ciliumendpoints', 'v2', 'Namespaced', 'cep'],
    ['CiliumIdentity', 'ciliumidentities', 'v2', 'Cluster', 'ciliumid'],
    ['CiliumNode', 'ciliumnodes', 'v2', 'Cluster', 'cn'],
    ['CiliumNodeConfig', 'ciliumnodeconfigs', 'v2', 'Namespaced', ''],
    ['CiliumLoadBalancerIPPool', 'ciliumloadbalancerippools', 'v2,v2alpha1', 'Cluster', 'ippools'],
    ['CiliumL2AnnouncementPolicy', 'ciliuml2announcementpolicies', 'v2alpha1', 'Cluster', 'l2announcement'],
    ['CiliumBGPClusterConfig', 'ciliumbgpclusterconfigs', 'v2,v2alpha1', 'Cluster', 'cbgpcluster'],
    ['CiliumBGPPeerConfig', 'ciliumbgppeerconfigs', 'v2,v2alpha1', 'Cluster', 'cbgppeer'],
    ['CiliumBGPAdvertisement', 'ciliumbgpadvertisements', 'v2,v2alpha1', 'Cluster', 'cbgpadvert'],
    ['CiliumBGPNodeConfig', 'ciliumbgpnodeconfigs', 'v2,v2alpha1', 'Cluster', 'cbgpnode'],
    ['CiliumPodIPPool', 'ciliumpodippools', 'v2alpha1', 'Cluster', 'cpip'],
  ] as const
).map(([kind, plural, versions, scope, short]) => ({
  group: 'cilium.io',
  kind,
  plural,
  versions: versions.split(','),
  scope,
  shortNames: short === '' ? [] : [short],
}));

/** Definitions that a workload brings at run time: they appear only when it is up. */
export function syncOperators(state: KubeState): void {
  const operator = state.get(deployments, 'kube-system', 'cilium-operator');
  if (operator && (numberAt(operator, 'status', 'readyReplicas') ?? 0) > 0) for (const kind of ciliumKinds) ensureDefinition(state, kind);
}

/** Source: Talos internal/app/machined/pkg/controllers/k8s/templates/talos-service-account-crd.yaml */
export const talosServiceAccount: OpenKind = {
  group: 'talos.dev',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  versions: ['v1alpha1'],
  scope: 'Namespaced',
  shortNames: ['tsa'],
};
