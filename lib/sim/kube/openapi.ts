import { apiVersionOf, type Kind } from './kinds.ts';
import type { Obj, Value } from './value.ts';

/**
 * The smallest OpenAPI that kubectl is content with: it looks whether PATCH knows `fieldValidation` before it trusts the server to
 * validate, and takes every object for an open one.
 * Source: cli-runtime pkg/resource/query_param_verifier_v3.go
 */
const parameters: Value = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(
  (name): Obj => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } }),
);

export function openApiV3Root(kinds: readonly Kind[]): Obj {
  const paths: Obj = {};
  for (const kind of kinds) {
    const path = (kind.group === '' ? 'api/' : 'apis/') + apiVersionOf(kind);
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${kinds.length}` };
  }
  return { paths };
}

export function openApiV3(kinds: readonly Kind[], apiVersion: string): Obj | undefined {
  const mine = kinds.filter((kind) => apiVersionOf(kind) === apiVersion && !kind.isVirtual);
  if (mine.length === 0) return undefined;
  const paths: Obj = {};
  const schemas: Obj = {};
  for (const kind of mine) {
    const { group, version } = kind;
    const id: Obj = { group, version, kind: kind.kind };
    const root = `${group === '' ? '/api/' : '/apis/'}${apiVersion}${kind.isNamespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}/{name}`;
    paths[root] = { patch: { 'x-kubernetes-action': 'patch', 'x-kubernetes-group-version-kind': id, parameters, responses: {} } };
    schemas[schemaName(kind)] = { type: 'object', 'x-kubernetes-group-version-kind': [id], 'x-kubernetes-preserve-unknown-fields': true };
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1' }, paths, components: { schemas } };
}

const schemaName = ({ group, version, kind }: Kind): string =>
  `${group === '' ? 'io.k8s.api.core' : group.split('.').reverse().join('.')}.${version}.${kind}`;

export const openApiV2 = (gitVersion: string): Obj => ({
  swagger: '2.0',
  info: { title: 'Kubernetes', version: gitVersion },
  paths: {},
  definitions: {},
});
