import { hasCode } from '../../base/index.ts';
import type { KubeObject, KubeReader, KubeWriter } from '../../kube/index.ts';

/** Source: Talos pkg/machinery/constants/constants.go */
export const inventoryOf = { namespace: 'kube-system', name: 'talos-bootstrap-manifests-inventory' } as const;

/** Which inventory an object belongs to. Source: go-kubernetes kubernetes/ssa/inventory.go */
export const inventoryMark = 'config.k8s.io/owning-inventory';

export interface InventoryRef {
  /** As the inventory writes it: `kube-system_kube-proxy_apps_DaemonSet`. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly group: string;
  readonly kind: string;
}

/** What Talos has put into this cluster, as it remembers it. */
export interface Inventory {
  readonly refs: readonly InventoryRef[];
  /** The ConfigMap; absent when there is none yet. */
  readonly object?: KubeObject;
  /** Which version of a kind is served; undefined when none is. */
  servedAs(group: string, kind: string, signal: AbortSignal): Promise<string | undefined>;
}

const rbacGroup = 'rbac.authorization.k8s.io';
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', ...inventoryOf } as const;

/** Source: fluxcd/cli-utils pkg/object/objmetadata.go */
export function keyOf({ apiVersion, kind, metadata: { namespace = '', name } }: KubeObject): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return [namespace, group === rbacGroup ? name.replaceAll(':', '__') : name, group, kind].join('_');
}

function refOfKey(key: string): InventoryRef | undefined {
  const [, namespace = '', name = '', group = '', kind = ''] = /^([^_]*)_(.+)_([^_]*)_([^_]+)$/.exec(key) ?? [];
  return kind === '' ? undefined : { key, namespace, name: name.replaceAll('__', ':'), group, kind };
}

export async function loadInventory(kube: KubeReader, signal: AbortSignal): Promise<Inventory> {
  const object = await kube.get(configMap, signal);
  const keys = Object.keys((object?.['data'] ?? {}) as object);
  let served: readonly string[] | undefined;
  return {
    refs: keys.flatMap((key) => refOfKey(key) ?? []),
    ...(object === undefined ? {} : { object }),
    async servedAs(group, kind, until) {
      served ??= (await kube.capabilities(until)).apiVersions;
      const found = served.find(
        (one) => one.endsWith(`/${kind}`) && (group === '' ? /^[^/]+\/[^/]+$/.test(one) : one.startsWith(`${group}/`)),
      );
      return found?.slice(0, -kind.length - 1);
    },
  };
}

/** Writes nothing when nothing changed. */
export async function writeInventory(kube: KubeWriter, { object }: Inventory, keys: readonly string[], signal: AbortSignal): Promise<void> {
  const before = Object.keys((object?.['data'] ?? {}) as object);
  if (object !== undefined && before.length === keys.length && keys.every((key) => before.includes(key))) return;
  const data = Object.fromEntries(keys.map((key) => [key, '']));
  if (object !== undefined) {
    await kube.replace({ ...object, data }, signal);
    return;
  }
  const { namespace, name } = inventoryOf;
  try {
    await kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data }, signal);
  } catch (error) {
    // A machine wrote it meanwhile: what it knows stays in it.
    if (!hasCode(error, 'kube/exists')) throw error;
    await writeInventory(kube, await loadInventory(kube, signal), keys, signal);
  }
}
