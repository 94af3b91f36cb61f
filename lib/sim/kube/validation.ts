import { type Cause, invalid } from './errors.ts';
import type { Kind } from './kinds.ts';
import { matchesSelector } from './selectors.ts';
import { canonical, equal, isEmpty, listAt, type Obj, objAt, textAt } from './value.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dataKey = /^[-._a-zA-Z0-9]+$/;
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/**
 * The checks that users of bootstrap meet; the texts are the API server's.
 * Source: kubernetes pkg/apis/{core,apps,batch,rbac,apiextensions}/validation
 */
export function validate(kind: Kind, object: Obj, before: Obj | undefined): void {
  const causes: Cause[] = [];
  const name = textAt(object, 'metadata', 'name');
  const required = (field: string, more = '') => causes.push({ reason: 'FieldValueRequired', message: `Required value${more}`, field });
  const wrong = (field: string, value: unknown, why: string) =>
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${typeof value === 'string' ? JSON.stringify(value) : canonical(value as Obj)}: ${why}`,
      field,
    });

  if (name === '') required('metadata.name', ': name or generateName is required');
  else if (kind.group !== 'rbac.authorization.k8s.io' && before === undefined) {
    if (kind.kind === 'Namespace' || kind.kind === 'Service') {
      if (!label.test(name) || name.length > 63) wrong('metadata.name', name, labelRule);
    } else if (!subdomain.test(name)) wrong('metadata.name', name, subdomainRule);
  }

  const spec = objAt(object, 'spec');
  switch (kind.kind) {
    case 'ConfigMap':
    case 'Secret':
      for (const key of Object.keys(objAt(object, 'data')))
        if (!dataKey.test(key))
          wrong(
            `data[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          );
      if (kind.kind === 'Secret' && before && before.type !== object.type) wrong('type', textAt(object, 'type'), 'field is immutable');
      if (before?.immutable === true && !equal(before.data, object.data))
        causes.push({ reason: 'FieldValueForbidden', message: 'Forbidden: field is immutable when `immutable` is set', field: 'data' });
      break;
    case 'Deployment':
    case 'DaemonSet':
    case 'StatefulSet':
    case 'ReplicaSet': {
      if (kind.group !== 'apps') break;
      const labels = objAt(spec, 'template', 'metadata', 'labels');
      if (isEmpty(spec.selector)) required('spec.selector');
      else if (!matchesSelector(spec.selector, labels))
        wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
      if (before && !equal(objAt(before, 'spec').selector, spec.selector))
        wrong('spec.selector', objAt(spec, 'selector'), 'field is immutable');
      validatePodSpec(objAt(spec, 'template', 'spec'), 'spec.template.spec', required);
      break;
    }
    case 'Pod':
      validatePodSpec(spec, 'spec', required);
      break;
    case 'Job':
      validatePodSpec(objAt(spec, 'template', 'spec'), 'spec.template.spec', required);
      if (before && !equal(objAt(before, 'spec').template, spec.template))
        wrong('spec.template', objAt(spec, 'template'), 'field is immutable');
      break;
    case 'Service':
      if (isEmpty(spec.ports) && spec.clusterIP !== 'None' && spec.type !== 'ExternalName') required('spec.ports');
      break;
    case 'ClusterRoleBinding':
    case 'RoleBinding':
      if (before && !equal(before.roleRef, object.roleRef)) wrong('roleRef', objAt(object, 'roleRef'), 'cannot change roleRef');
      break;
    case 'CustomResourceDefinition': {
      const expected = `${textAt(spec, 'names', 'plural')}.${textAt(spec, 'group')}`;
      if (name !== expected) wrong('metadata.name', name, `must be spec.names.plural+"."+spec.group`);
      if (listAt(spec, 'versions').length === 0) required('spec.versions', ': must have at least one version');
      break;
    }
    default:
      break;
  }
  if (causes.length > 0) throw invalid(kind, name, causes);
}

function validatePodSpec(spec: Obj, path: string, required: (field: string) => void): void {
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) required(`${path}.containers`);
  containers.forEach((container, index) => {
    if (textAt(container, 'name') === '') required(`${path}.containers[${index}].name`);
    if (textAt(container, 'image') === '') required(`${path}.containers[${index}].image`);
  });
}
