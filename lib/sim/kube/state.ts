import type { Json } from '../../base/index.ts';
import type { SimKernel } from '../kernel.ts';
import type { KubeHost } from '../kube-door.ts';
import { calendarTime } from '../../pki/index.ts';
import { apiVersionOf, builtIn, builtInKinds, type Kind } from './kinds.ts';
import { listAt, type Obj, objAt, textAt } from './value.ts';

/** How long things take, milliseconds. The second number of a range is not reached. */
export interface KubeTimings {
  /** First pull of an image on a machine. */
  readonly imagePullMs: readonly [number, number];
  /** From a running container to a ready one. */
  readonly startMs: readonly [number, number];
  /** From a running CNI to a Node that says Ready. */
  readonly nodeReadyMs: readonly [number, number];
  readonly establishMs: readonly [number, number];
  /** How much later than Established an API server serves a new kind. */
  readonly serveLagMs: readonly [number, number];
  /** How long a webhook refuses connections after its pod is Ready, and how long its certificate is not trusted after that. */
  readonly webhookRefusesMs: readonly [number, number];
  readonly nodeGraceMs: number;
  readonly jobRunMs: readonly [number, number];
}

export const usualTimings: KubeTimings = {
  imagePullMs: [2000, 9000],
  startMs: [1000, 5000],
  nodeReadyMs: [500, 4000],
  establishMs: [50, 1500],
  serveLagMs: [0, 2000],
  webhookRefusesMs: [500, 3000],
  nodeGraceMs: 40_000,
  jobRunMs: [1000, 4000],
};

export interface Change {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `group/plural` */
  readonly resource: string;
  readonly object: Obj;
  readonly before?: Obj;
}

/** The one etcd behind all API servers. Objects that it hands out are frozen by agreement. */
export interface KubeState {
  readonly kernel: SimKernel;
  readonly host: KubeHost;
  readonly timings: KubeTimings;
  get(kind: Kind, namespace: string | undefined, name: string): Obj | undefined;
  list(kind: Kind, namespace?: string): Obj[];
  /** Stores with a new resourceVersion and returns what was stored. */
  put(kind: Kind, object: Obj): Obj;
  remove(kind: Kind, object: Obj): Obj;
  revision(): number;
  /** Undefined when the changes after that revision are not known any more. */
  changesSince(revision: number): readonly Change[] | undefined;
  onChange(listener: (change: Change) => void): void;
  /** Served by the API server of this node now. */
  kinds(node: string): readonly Kind[];
  /** Every kind that there is, whether or not each server has noticed. */
  allKinds(): readonly Kind[];
  /** RFC 3339 with seconds. */
  timestamp(): string;
  newUid(): string;
  between(stream: string, range: readonly [number, number]): number;
}

const keptChanges = 4000;
const crd = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

export function createKubeState(kernel: SimKernel, host: KubeHost, timings: KubeTimings): KubeState {
  const { store } = kernel;
  const history: Change[] = [];
  const listeners: ((change: Change) => void)[] = [];
  let custom: readonly Kind[] | undefined;
  /** By resource, then by version and namespace: controllers look at the same lists again and again. Forgotten with each change. */
  const lists = new Map<string, Map<string, readonly Obj[]>>();
  /** By node, once it serves every kind that there is. */
  const complete = new Map<string, readonly Kind[]>();
  const uids = kernel.random('kube/uid');

  const revision = () => store.get<number>('kube/revision') ?? 0;
  let forgottenBefore = revision();
  const resourceOf = ({ group, plural }: Kind) => `${group}/${plural}`;
  const folder = (kind: Kind, namespace?: string) => `kube/objects/${resourceOf(kind)}/${namespace === undefined ? '' : `${namespace}/`}`;
  const keyOf = (kind: Kind, namespace: string | undefined, name: string) =>
    `${folder(kind, kind.isNamespaced ? (namespace ?? '') : '-')}${name}`;
  const asVersion = (kind: Kind, object: Obj): Obj => {
    const apiVersion = apiVersionOf(kind);
    return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
  };

  const commit = (type: Change['type'], kind: Kind, object: Obj, before: Obj | undefined): Obj => {
    const next = revision() + 1;
    store.set('kube/revision', next);
    const stored: Obj = { ...object, metadata: { ...objAt(object, 'metadata'), resourceVersion: String(next) } };
    const key = keyOf(kind, textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'));
    if (type === 'DELETED') store.delete(key);
    else store.set(key, stored as Json);
    lists.delete(resourceOf(kind));
    const change: Change = {
      revision: next,
      type,
      resource: resourceOf(kind),
      object: stored,
      ...(before === undefined ? {} : { before }),
    };
    history.push(change);
    if (history.length > keptChanges) forgottenBefore = history.splice(0, keptChanges / 2).at(-1)?.revision ?? forgottenBefore;
    if (kind === crd) {
      custom = undefined;
      complete.clear();
    }
    for (const listener of listeners) listener(change);
    return stored;
  };

  const state: KubeState = {
    kernel,
    host,
    timings,
    get(kind, namespace, name) {
      const found = store.get<Json>(keyOf(kind, namespace, name)) as Obj | undefined;
      return found === undefined ? undefined : asVersion(kind, found);
    },
    list(kind, namespace) {
      const resource = resourceOf(kind);
      const place = `${kind.version} ${kind.isNamespaced ? (namespace ?? '*') : '*'}`;
      let known = lists.get(resource);
      if (!known) lists.set(resource, (known = new Map()));
      let found = known.get(place);
      if (!found) {
        const keys = store.keys(folder(kind, kind.isNamespaced ? namespace : undefined));
        found = keys.map((key) => asVersion(kind, store.get<Json>(key) as Obj));
        known.set(place, found);
      }
      return found.slice();
    },
    put(kind, object) {
      const before = state.get(kind, textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'));
      return commit(before === undefined ? 'ADDED' : 'MODIFIED', kind, object, before);
    },
    remove: (kind, object) => commit('DELETED', kind, object, object),
    revision,
    changesSince(since) {
      if (since < forgottenBefore) return undefined;
      let index = history.length;
      while (index > 0 && (history[index - 1] as Change).revision > since) index -= 1;
      return history.slice(index);
    },
    onChange: (listener) => void listeners.push(listener),
    allKinds() {
      custom ??= state.list(crd).flatMap(kindsOfDefinition);
      return custom.length === 0 ? builtInKinds : [...builtInKinds, ...custom];
    },
    kinds(node) {
      const known = complete.get(node);
      if (known) return known;
      const nowMs = kernel.clock.monotonicMs();
      const all = state.allKinds();
      const served = all.filter(({ definition }) => {
        if (definition === undefined) return true;
        const fromMs = store.get<number>(servedKey(definition, node)) ?? store.get<number>(servedKey(definition, '-'));
        return fromMs !== undefined && fromMs <= nowMs;
      });
      if (served.length === all.length) complete.set(node, all);
      return served;
    },
    timestamp: () => formatTime(kernel.clock.now()),
    newUid() {
      const hex = Buffer.from(uids.bytes(16)).toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
    between: (stream, [from, to]) => Math.round(from + kernel.random(`kube/${stream}`).fraction() * (to - from)),
  };
  return state;
}

/** From when on the API server of a node serves a definition; `-` for those that are not named. */
export const servedKey = (definition: string, node: string): string => `kube/served/${definition}/${node}`;

export function formatTime(ms: number): string {
  const { year, month, day, hour, minute, second } = calendarTime(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
}

export function kindsOfDefinition(definition: Obj): readonly Kind[] {
  const spec = objAt(definition, 'spec');
  const names = objAt(spec, 'names');
  return listAt(spec, 'versions')
    .filter((version) => objAt(version).served === true)
    .map((version) => ({
      group: textAt(spec, 'group'),
      version: textAt(version, 'name'),
      kind: textAt(names, 'kind'),
      plural: textAt(names, 'plural'),
      singular: textAt(names, 'singular') || textAt(names, 'kind').toLowerCase(),
      shortNames: listAt(names, 'shortNames').map(String),
      categories: listAt(names, 'categories').map(String),
      isNamespaced: textAt(spec, 'scope') === 'Namespaced',
      subresources: Object.keys(objAt(version, 'subresources')),
      isVirtual: false,
      definition: textAt(definition, 'metadata', 'name'),
    }));
}

/** The version of its definition that a kind comes from. */
export const definitionVersion = (definition: Obj, version: string): Obj =>
  objAt(listAt(definition, 'spec', 'versions').find((one) => textAt(one, 'name') === version));
