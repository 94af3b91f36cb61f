import { forbidden, internalError } from './errors.ts';
import { builtIn, type Kind, resourceName } from './kinds.ts';
import { matchesSelector } from './selectors.ts';
import type { KubeState } from './state.ts';
import { listAt, type Obj, objAt, textAt, type Value } from './value.ts';

const namespaces = builtIn('v1', 'Namespace');
const services = builtIn('v1', 'Service');
const pods = builtIn('v1', 'Pod');
const configurations = [
  builtIn('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
  builtIn('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
];

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/**
 * The namespace lives, and every webhook that wants to see the object can be asked. Webhooks of the simulation agree with everything,
 * once they answer: their pods have to be Ready, then they refuse connections for a while, then their certificate is not trusted yet.
 * Source: apiserver pkg/admission/plugin/{namespace/lifecycle,webhook}
 */
export function admit(state: KubeState, kind: Kind, object: Obj, operation: Operation): void {
  const namespace = textAt(object, 'metadata', 'namespace');
  if (operation === 'CREATE' && kind.isNamespaced) {
    const its = state.get(namespaces, undefined, namespace);
    if (its && textAt(its, 'status', 'phase') === 'Terminating') {
      const name = textAt(object, 'metadata', 'name');
      const error = forbidden(
        `${resourceName(kind)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
        kind,
        name,
      );
      throw Object.assign(error, {
        details: {
          ...error.details,
          causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
        },
      });
    }
  }
  // The API server never asks webhooks about the configurations of webhooks.
  if (kind.group === 'admissionregistration.k8s.io') return;
  for (const configuration of configurations)
    for (const owner of state.list(configuration))
      for (const webhook of listAt(owner, 'webhooks')) if (isAsked(state, webhook, kind, object, operation)) ask(state, webhook);
}

function isAsked(state: KubeState, webhook: Value, kind: Kind, object: Obj, operation: Operation): boolean {
  const fits = (list: readonly Value[], value: string) => list.includes('*') || list.includes(value);
  const rule = listAt(webhook, 'rules').some(
    (one) =>
      fits(listAt(one, 'operations'), operation) &&
      fits(listAt(one, 'apiGroups'), kind.group) &&
      fits(listAt(one, 'apiVersions'), kind.version) &&
      fits(listAt(one, 'resources'), kind.plural),
  );
  if (!rule || !matchesSelector(objAt(webhook).objectSelector, objAt(object, 'metadata', 'labels'))) return false;
  if (!kind.isNamespaced && kind !== namespaces) return true;
  const owner = kind === namespaces ? object : state.get(namespaces, undefined, textAt(object, 'metadata', 'namespace'));
  return matchesSelector(objAt(webhook).namespaceSelector, objAt(owner, 'metadata', 'labels'));
}

function ask(state: KubeState, webhook: Value): void {
  const trouble = webhookTrouble(state, objAt(webhook, 'clientConfig'));
  const name = textAt(webhook, 'name');
  const isDown = state.kernel.fault('kube/webhook', { webhook: name });
  const told = isDown ? `dial tcp 10.96.0.9:443: connect: connection refused` : trouble;
  if (told === undefined || textAt(webhook, 'failurePolicy') === 'Ignore') return;
  const service = objAt(webhook, 'clientConfig', 'service');
  const host = `${textAt(service, 'name')}.${textAt(service, 'namespace')}.svc`;
  throw internalError(
    `failed calling webhook "${name}": failed to call webhook: Post "https://${host}:${String(service.port ?? 443)}${textAt(service, 'path')}?timeout=${String(objAt(webhook).timeoutSeconds ?? 10)}s": ${told}`,
  );
}

/** Why the service behind a webhook does not answer; undefined when it does. */
export function webhookTrouble(state: KubeState, clientConfig: Obj): string | undefined {
  const service = objAt(clientConfig, 'service');
  const name = textAt(service, 'name');
  if (name === '') return undefined;
  const namespace = textAt(service, 'namespace');
  const found = state.get(services, namespace, name);
  if (!found) return `service "${name}" not found`;
  const selector = objAt(found, 'spec', 'selector');
  const readySince = state
    .list(pods, namespace)
    .filter((pod) => matchesSelector({ matchLabels: selector }, objAt(pod, 'metadata', 'labels')))
    .map((pod) => state.kernel.store.get<number>(readyKey(pod)))
    .filter((at) => at !== undefined);
  if (readySince.length === 0) return `no endpoints available for service "${name}"`;
  const ageMs = state.kernel.clock.monotonicMs() - Math.min(...readySince);
  const [refusesMs, untrustedMs] = state.timings.webhookRefusesMs;
  const ip = textAt(found, 'spec', 'clusterIP');
  if (ageMs < refusesMs) return `dial tcp ${ip}:443: connect: connection refused`;
  if (ageMs < refusesMs + untrustedMs) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  return undefined;
}

/** Since when a pod is Ready, on the monotonic clock; absent while it is not. */
export const readyKey = (pod: Obj): string => `kube/ready/${textAt(pod, 'metadata', 'uid')}`;
