import type { ClientCertificate } from '../../base/index.ts';
import { builtIn } from './kinds.ts';
import type { KubeState } from './state.ts';
import { listAt, type Obj, textAt, type Value } from './value.ts';

export interface Attributes {
  readonly verb: string;
  /** Empty for paths like `/readyz`. */
  readonly resource: string;
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
}

const rbac = 'rbac.authorization.k8s.io/v1';
const [clusterRoles, clusterBindings, roles, bindings] = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].map((kind) =>
  builtIn(rbac, kind),
) as [ReturnType<typeof builtIn>, ReturnType<typeof builtIn>, ReturnType<typeof builtIn>, ReturnType<typeof builtIn>];

/** Source: kubernetes plugin/pkg/auth/authorizer/rbac */
export function isAllowed(state: KubeState, client: ClientCertificate, attributes: Attributes): boolean {
  if (client.organizations.includes('system:masters') || client.organizations.includes('system:nodes')) return true;
  if (attributes.resource === '') return true;
  const names = (binding: Obj) =>
    listAt(binding, 'subjects').some((subject) =>
      textAt(subject, 'kind') === 'Group'
        ? client.organizations.includes(textAt(subject, 'name')) || textAt(subject, 'name') === 'system:authenticated'
        : textAt(subject, 'kind') === 'User' && textAt(subject, 'name') === client.commonName,
    );
  const rulesOf = (binding: Obj, namespace: string): Value[] => {
    const name = textAt(binding, 'roleRef', 'name');
    const role =
      textAt(binding, 'roleRef', 'kind') === 'Role' ? state.get(roles, namespace, name) : state.get(clusterRoles, undefined, name);
    return listAt(role, 'rules');
  };
  const grants = (rule: Value) => {
    const has = (list: string, value: string) => listAt(rule, list).some((one) => one === '*' || one === value);
    const limited = listAt(rule, 'resourceNames');
    return (
      has('verbs', attributes.verb) &&
      has('apiGroups', attributes.group) &&
      has('resources', attributes.resource) &&
      (limited.length === 0 || limited.includes(attributes.name))
    );
  };
  for (const binding of state.list(clusterBindings)) if (names(binding) && rulesOf(binding, '').some(grants)) return true;
  if (attributes.namespace === '') return false;
  return state
    .list(bindings, attributes.namespace)
    .some((binding) => names(binding) && rulesOf(binding, attributes.namespace).some(grants));
}
