import { webhookTrouble } from './admission.ts';
import { budgetOf, isPodReady } from './eviction.ts';
import { apiVersionOf, builtIn, type Kind } from './kinds.ts';
import { makeObject } from './make-object.ts';
import { trackUpdate } from './managers.ts';
import { builtInType } from './schema.ts';

import { kindsOfDefinition, type KubeState, servedKey } from './state.ts';
import { equal, listAt, type Obj, objAt, textAt, type Value } from './value.ts';
import { selects, stopPod } from './workloads.ts';

const namespaces = builtIn('v1', 'Namespace');
const serviceAccounts = builtIn('v1', 'ServiceAccount');
const configMaps = builtIn('v1', 'ConfigMap');
const services = builtIn('v1', 'Service');
const endpointSlices = builtIn('discovery.k8s.io/v1', 'EndpointSlice');
const endpoints = builtIn('v1', 'Endpoints');
const pods = builtIn('v1', 'Pod');
const budgets = builtIn('policy/v1', 'PodDisruptionBudget');
const definitions = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const apiServices = builtIn('apiregistration.k8s.io/v1', 'APIService');

const nameOf = (object: Obj): string => textAt(object, 'metadata', 'name');
const namespaceOf = (object: Obj): string => textAt(object, 'metadata', 'namespace');
const isEnding = (object: Obj): boolean => objAt(object, 'metadata').deletionTimestamp !== undefined;

/** The service account and the CA that every namespace gets, and the end of those that are deleted. */
export function syncNamespaces(state: KubeState): 'again' | void {
  let isWaiting = false;
  for (const namespace of state.list(namespaces)) {
    const name = nameOf(namespace);
    if (isEnding(namespace)) {
      if (!empty(state, namespace)) isWaiting = true;
      continue;
    }
    if (!state.get(serviceAccounts, name, 'default')) makeObject(state, serviceAccounts, { name: 'default', namespace: name });
    if (!state.get(configMaps, name, 'kube-root-ca.crt'))
      makeObject(state, configMaps, { name: 'kube-root-ca.crt', namespace: name }, { data: { 'ca.crt': state.host.kubernetesCa() ?? '' } });
  }
  if (isWaiting) return 'again';
}

/** Whether nothing is left in it, so that it went away. */
function empty(state: KubeState, namespace: Obj): boolean {
  let left = 0;
  for (const kind of state.allKinds()) {
    if (!kind.isNamespaced || kind.isVirtual) continue;
    for (const object of state.list(kind, nameOf(namespace))) {
      left += 1;
      if (kind === pods) stopPod(state, object);
      else if (listAt(object, 'metadata', 'finalizers').length === 0) {
        state.remove(kind, object);
        left -= 1;
      } else if (!isEnding(object))
        state.put(kind, {
          ...object,
          metadata: { ...objAt(object, 'metadata'), deletionTimestamp: state.timestamp(), deletionGracePeriodSeconds: 0 },
        });
    }
  }
  if (left === 0) state.remove(namespaces, namespace);
  return left === 0;
}

/** A definition is accepted and established some time after it was made, and each API server serves it later still. */
export function syncDefinitions(state: KubeState): void {
  for (const definition of state.list(definitions)) {
    const name = nameOf(definition);
    if (isEnding(definition)) continue;
    const isEstablished = listAt(definition, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Established');
    const key = `kube/establishing/${name}`;
    if (isEstablished || state.kernel.store.get(key)) continue;
    state.kernel.store.set(key, true);
    const fault = state.kernel.fault('kube/crd-establish', { name });
    const inMs = state.between('crd', state.timings.establishMs) + Number(fault?.facts.lateMs ?? 0);
    state.kernel.schedule({ atMs: state.kernel.clock.monotonicMs() + inMs, model: 'kube', kind: 'established', key: name });
  }
}

export function established(state: KubeState, name: string): void {
  state.kernel.store.delete(`kube/establishing/${name}`);
  const definition = state.get(definitions, undefined, name);
  if (!definition) return;
  const spec = objAt(definition, 'spec');
  const now = state.timestamp();
  const condition = (type: string, reason: string, message: string): Obj => ({
    lastTransitionTime: now,
    message,
    reason,
    status: 'True',
    type,
  });
  const next: Obj = {
    ...definition,
    status: {
      acceptedNames: objAt(spec, 'names'),
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      storedVersions: listAt(spec, 'versions')
        .filter((version) => objAt(version).storage === true)
        .map((version) => textAt(version, 'name')),
    },
  };
  const its = {
    group: definitions.group,
    kind: definitions.kind,
    type: builtInType(definitions.group, definitions.kind),
    resets: () => false,
  };
  const writer = { manager: 'kube-apiserver', apiVersion: apiVersionOf(definitions), subresource: 'status', time: now };
  state.put(definitions, trackUpdate({ ...definition, status: { ...objAt(definition, 'status'), conditions: [] } }, next, its, writer));
  const nowMs = state.kernel.clock.monotonicMs();
  for (const node of ['-', ...state.host.apiServers()]) {
    const fault = state.kernel.fault('kube/crd-lag', { node, name });
    state.kernel.store.set(
      servedKey(name, node),
      nowMs + (node === '-' ? 0 : state.between(`lag/${node}`, state.timings.serveLagMs) + Number(fault?.facts.lateMs ?? 0)),
    );
  }
}

/** A definition that goes takes its objects along. */
export function removeObjectsOf(state: KubeState, definition: Obj): void {
  for (const kind of kindsOfDefinition(definition)) for (const object of state.list(kind)) state.remove(kind, object);
  for (const key of state.kernel.store.keys(`kube/served/${nameOf(definition)}/`)) state.kernel.store.delete(key);
}

/** Objects whose owners are gone go too. Source: kubernetes pkg/controller/garbagecollector */
export function collectGarbage(state: KubeState): void {
  const gone = new Set(state.kernel.store.keys('kube/gone/').map((key) => key.slice('kube/gone/'.length)));
  if (gone.size > 0) {
    for (const kind of state.allKinds()) {
      if (kind.isVirtual) continue;
      for (const object of state.list(kind)) {
        const owners = listAt(object, 'metadata', 'ownerReferences');
        if (owners.length === 0 || !owners.every((owner) => gone.has(textAt(owner, 'uid')))) continue;
        if (kind === pods) stopPod(state, object);
        else if (listAt(object, 'metadata', 'finalizers').length === 0) state.remove(kind, object);
        else if (!isEnding(object))
          state.put(kind, {
            ...object,
            metadata: { ...objAt(object, 'metadata'), deletionTimestamp: state.timestamp(), deletionGracePeriodSeconds: 0 },
          });
      }
    }
    for (const uid of gone) state.kernel.store.delete(`kube/gone/${uid}`);
  }
  if (state.kernel.store.get('kube/foreground')) foreground(state);
}

/** An owner that is deleted in the foreground waits for what it owns. */
function foreground(state: KubeState): void {
  state.kernel.store.delete('kube/foreground');
  for (const kind of state.allKinds()) {
    if (kind.isVirtual) continue;
    for (const object of state.list(kind)) {
      if (!isEnding(object)) continue;
      const finalizers = listAt(object, 'metadata', 'finalizers');
      if (!finalizers.includes('foregroundDeletion')) continue;
      const uid = textAt(object, 'metadata', 'uid');
      let left = 0;
      for (const other of state.allKinds()) {
        if (other.isVirtual) continue;
        for (const dependent of state.list(other)) {
          if (!listAt(dependent, 'metadata', 'ownerReferences').some((owner) => textAt(owner, 'uid') === uid)) continue;
          left += 1;
          if (other === pods) stopPod(state, dependent);
          else if (listAt(dependent, 'metadata', 'finalizers').length === 0) state.remove(other, dependent);
        }
      }
      if (left > 0) {
        state.kernel.store.set('kube/foreground', true);
        continue;
      }
      const rest = finalizers.filter((one) => one !== 'foregroundDeletion');
      if (rest.length === 0) state.remove(kind, object);
      else state.put(kind, { ...object, metadata: { ...objAt(object, 'metadata'), finalizers: rest } });
    }
  }
}

/** Source: kubernetes pkg/controller/endpointslice, pkg/controller/endpoint */
export function syncEndpoints(state: KubeState): void {
  const all = state.list(pods);
  for (const service of state.list(services)) {
    const selector = objAt(service, 'spec', 'selector');
    giveAddress(state, service);
    if (Object.keys(selector).length === 0) continue;
    const namespace = namespaceOf(service);
    const mine = all.filter(
      (pod) => namespaceOf(pod) === namespace && !isEnding(pod) && textAt(pod, 'status', 'podIP') !== '' && selects(selector, pod),
    );
    const ports = listAt(service, 'spec', 'ports').map((port): Obj => {
      const target = objAt(port).targetPort;
      return {
        name: textAt(port, 'name'),
        protocol: textAt(port, 'protocol'),
        port: typeof target === 'number' ? target : Number(objAt(port).port),
      };
    });
    const list = mine.map(
      (pod): Obj => ({
        addresses: [textAt(pod, 'status', 'podIP')],
        conditions: { ready: isPodReady(pod), serving: isPodReady(pod), terminating: false },
        nodeName: textAt(pod, 'spec', 'nodeName'),
        targetRef: { kind: 'Pod', namespace, name: nameOf(pod), uid: textAt(pod, 'metadata', 'uid') },
      }),
    );
    const sliceName = `${nameOf(service)}-${textAt(service, 'metadata', 'uid').slice(0, 5)}`;
    const owner: Value[] = [
      {
        apiVersion: 'v1',
        kind: 'Service',
        name: nameOf(service),
        uid: textAt(service, 'metadata', 'uid'),
        controller: true,
        blockOwnerDeletion: true,
      },
    ];
    write(
      state,
      endpointSlices,
      sliceName,
      service,
      { addressType: 'IPv4', endpoints: list, ports },
      { labels: { 'kubernetes.io/service-name': nameOf(service) }, ownerReferences: owner },
    );
    const addressesOf = (isReady: boolean) =>
      mine
        .filter((pod) => isPodReady(pod) === isReady)
        .map(
          (pod): Obj => ({
            ip: textAt(pod, 'status', 'podIP'),
            nodeName: textAt(pod, 'spec', 'nodeName'),
            targetRef: { kind: 'Pod', namespace, name: nameOf(pod), uid: textAt(pod, 'metadata', 'uid') },
          }),
        );
    const [ready, waiting] = [addressesOf(true), addressesOf(false)];
    const subset: Obj = {
      ...(ready.length === 0 ? {} : { addresses: ready }),
      ...(waiting.length === 0 ? {} : { notReadyAddresses: waiting }),
      ports,
    };
    write(state, endpoints, nameOf(service), service, mine.length === 0 ? {} : { subsets: [subset] }, {
      labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    });
  }
}

function write(state: KubeState, kind: Kind, name: string, service: Obj, content: Obj, metadata: Obj): void {
  const namespace = namespaceOf(service);
  const before = state.get(kind, namespace, name);
  if (!before) {
    makeObject(state, kind, { ...metadata, name, namespace }, content);
    return;
  }
  const { apiVersion: _apiVersion, kind: _kind, metadata: old = {}, ...rest } = before;
  if (!equal(rest, content)) state.put(kind, { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: old, ...content });
}

/** Cilium's address pool, for services that ask for one address by name. */
function giveAddress(state: KubeState, service: Obj): void {
  if (textAt(service, 'spec', 'type') !== 'LoadBalancer' || listAt(service, 'status', 'loadBalancer', 'ingress').length > 0) return;
  const annotations = objAt(service, 'metadata', 'annotations');
  const wanted = annotations['lbipam.cilium.io/ips'] ?? annotations['io.cilium/lb-ipam-ips'];
  if (typeof wanted !== 'string') return;
  state.put(services, {
    ...service,
    status: {
      ...objAt(service, 'status'),
      loadBalancer: { ingress: wanted.split(',').map((ip): Obj => ({ ip: ip.trim(), ipMode: 'VIP' })) },
    },
  });
}

/** Source: kubernetes v1.35 pkg/controller/disruption/disruption.go (updatePdbStatus, buildDisruptedPodMap) */
export function syncBudgets(state: KubeState): void {
  for (const budget of state.list(budgets)) {
    const before = objAt(budget, 'status');
    // A disruption is counted until its pod is really on its way.
    const disrupted = Object.fromEntries(
      Object.entries(objAt(before, 'disruptedPods')).filter(([name]) => {
        const pod = state.get(pods, namespaceOf(budget), name);
        return pod !== undefined && objAt(pod, 'metadata').deletionTimestamp === undefined;
      }),
    );
    const { expected, healthy, desired, allowed } = budgetOf(state, { ...budget, status: { ...before, disruptedPods: disrupted } });
    const generation = Number(objAt(budget, 'metadata').generation ?? 1);
    const isSame =
      before.expectedPods === expected &&
      before.currentHealthy === healthy &&
      before.desiredHealthy === desired &&
      before.disruptionsAllowed === allowed &&
      before.observedGeneration === generation &&
      equal(objAt(before, 'disruptedPods'), disrupted);
    if (isSame) continue;
    const isAllowed = allowed > 0;
    const status = isAllowed ? 'True' : 'False';
    const old = listAt(before, 'conditions').find((one) => textAt(one, 'type') === 'DisruptionAllowed');
    state.put(budgets, {
      ...budget,
      status: {
        observedGeneration: generation,
        disruptionsAllowed: allowed,
        currentHealthy: healthy,
        desiredHealthy: desired,
        expectedPods: expected,
        ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
        conditions: [
          {
            type: 'DisruptionAllowed',
            status,
            reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
            message: '',
            lastTransitionTime: textAt(old ?? {}, 'status') === status ? textAt(old ?? {}, 'lastTransitionTime') : state.timestamp(),
            observedGeneration: generation,
          },
        ],
      },
    });
  }
}

/** An aggregated API is available when the service behind it answers. */
export function syncApiServices(state: KubeState): 'again' | void {
  let isWaiting = false;
  for (const apiService of state.list(apiServices)) {
    const service = objAt(apiService, 'spec', 'service');
    const trouble = textAt(service, 'name') === '' ? undefined : webhookTrouble(state, { service });
    const isAvailable = trouble === undefined;
    if (!isAvailable) isWaiting = true;
    const before = listAt(apiService, 'status', 'conditions')[0];
    if (before !== undefined && (textAt(before, 'status') === 'True') === isAvailable) continue;
    const condition: Obj = isAvailable
      ? { lastTransitionTime: state.timestamp(), message: 'all checks passed', reason: 'Passed', status: 'True', type: 'Available' }
      : { lastTransitionTime: state.timestamp(), message: trouble, reason: 'FailedDiscoveryCheck', status: 'False', type: 'Available' };
    state.put(apiServices, { ...apiService, status: { conditions: [condition] } });
  }
  if (isWaiting) return 'again';
}
