import { type Condition, count, holds, never, notYet, type Observation } from '../base/index.ts';
import type { KubeReader } from './client.ts';
import { conditionOf, describeRef, fieldsAt, type KindRef, type KubeObject, listAt, type ObjectRef, textAt } from './object.ts';
import { isTransient } from './retry.ts';
import { readinessOf, type WaitOptions } from './workloads.ts';

const pollMs = 2000;
const crdKind: KindRef = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
const nodeKind: KindRef = { apiVersion: 'v1', kind: 'Node' };

/** `/readyz` of this API server answers 200. */
export function apiServerReady(kube: KubeReader, options: WaitOptions): Condition<void> {
  return {
    description: `the API server at ${kube.server}`,
    intervalMs: pollMs,
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<void>> {
      await kube.ready(signal);
      return holds(undefined);
    },
  };
}

/**
 * The definitions are Established, and every API server that is given serves every version of them that is to be served: one knows
 * a new kind seconds before the next one does.
 */
export function crdsServed(
  servers: readonly { readonly node: string; readonly kube: KubeReader }[],
  names: readonly string[],
  options: WaitOptions,
): Condition<number> {
  return {
    description: count(names.length, 'CustomResourceDefinition'),
    intervalMs: pollMs,
    see: 'kubectl get customresourcedefinitions',
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<number>> {
      const [first] = servers;
      if (!first) return notYet('no API server is known');
      const definitions: KubeObject[] = [];
      for (const name of names) {
        const definition = await first.kube.get({ ...crdKind, name }, signal);
        if (!definition) return notYet(`\`${name}\` does not exist`);
        const readiness = readinessOf(definition);
        if (readiness.state === 'failed') return never(readiness.failure);
        if (readiness.state === 'waiting') return notYet(`\`${name}\` is ${readiness.seen}`);
        definitions.push(definition);
      }
      const kinds = definitions.flatMap(kindsOf);
      for (const { node, kube } of servers)
        for (const kind of kinds)
          if (!(await kube.serves(kind, signal)))
            return notYet(`the API server on \`${node}\` does not serve ${kind.kind} of ${kind.apiVersion}`);
      return holds(names.length);
    },
  };
}

/** The kinds that a definition promises to serve. */
export function kindsOf(definition: KubeObject): readonly KindRef[] {
  const spec = fieldsAt(definition, 'spec');
  const kind = textAt(fieldsAt(spec, 'names'), 'kind') ?? '';
  return listAt(spec, 'versions')
    .map((version) => fieldsAt(version))
    .filter((version) => version.served === true)
    .map((version) => ({ apiVersion: `${textAt(spec, 'group')}/${textAt(version, 'name')}`, kind }));
}

/** These nodes have registered, Ready or not. */
export function nodesRegistered(kube: KubeReader, names: readonly string[], options: WaitOptions): Condition<readonly KubeObject[]> {
  return nodesThat('registered', () => true, kube, names, options);
}

/** These nodes are Ready. A node that does not exist is not. */
export function nodesReady(kube: KubeReader, names: readonly string[], options: WaitOptions): Condition<readonly KubeObject[]> {
  return nodesThat('Ready', isNodeReady, kube, names, options);
}

export const isNodeReady = (node: KubeObject): boolean => conditionOf(node, 'Ready')?.status === 'True';

function nodesThat(
  word: string,
  test: (node: KubeObject) => boolean,
  kube: KubeReader,
  names: readonly string[],
  options: WaitOptions,
): Condition<readonly KubeObject[]> {
  return {
    description: `${count(names.length, 'node')} to be ${word}`,
    intervalMs: pollMs,
    see: 'kubectl get nodes -o wide',
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<readonly KubeObject[]>> {
      const known = new Map((await kube.list(nodeKind, {}, signal)).items.map((node) => [node.metadata.name, node]));
      const missing = names.filter((name) => {
        const node = known.get(name);
        return !node || !test(node);
      });
      const [first] = missing;
      if (first === undefined) return holds(names.map((name) => known.get(name) as KubeObject));
      const node = known.get(first);
      const why = node ? (conditionOf(node, 'Ready')?.message ?? 'no condition') : 'not registered';
      return notYet(`${names.length - missing.length} of ${names.length} ${word}; ${first}: ${why}`);
    },
  };
}

/**
 * A condition of `status.conditions` is True for the present generation: what Flux, cert-manager and most operators write.
 */
export function conditionTrue(kube: KubeReader, ref: ObjectRef, type: string, options: WaitOptions): Condition<KubeObject> {
  return {
    description: `${describeRef(ref)} to be ${type}`,
    intervalMs: pollMs,
    see: `kubectl ${ref.namespace === undefined ? '' : `-n ${ref.namespace} `}describe ${ref.kind.toLowerCase()} ${ref.name}`,
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<KubeObject>> {
      const object = await kube.get(ref, signal);
      if (!object) return notYet('does not exist');
      const condition = conditionOf(object, type);
      if (!condition) return notYet(`has no condition ${type} yet`);
      const isCurrent = (condition.observedGeneration ?? object.metadata.generation ?? 0) >= (object.metadata.generation ?? 0);
      if (condition.status === 'True' && isCurrent) return holds(object);
      return notYet(
        isCurrent ? [condition.reason, condition.message].filter((text) => text !== '').join(': ') : 'not seen by its controller yet',
      );
    },
  };
}

export function objectGone(kube: KubeReader, ref: ObjectRef, options: WaitOptions): Condition<void> {
  return {
    description: `${describeRef(ref)} to go away`,
    intervalMs: pollMs,
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<void>> {
      const object = await kube.get(ref, signal);
      if (!object) return holds(undefined);
      const finalizers = listAt(object, 'metadata', 'finalizers').map(String);
      return notYet(finalizers.length === 0 ? 'still there' : `waits for ${finalizers.join(', ')}`);
    },
  };
}
