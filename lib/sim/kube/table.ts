import type { Kind } from './kinds.ts';
import { isObj, listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';

interface Column {
  readonly name: string;
  readonly type?: 'string' | 'integer' | 'date';
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority?: 0 | 1;
  cell(object: Obj, nowMs: number): Value;
}

const parseMs = (text: string): number => {
  const [, y, mo, d, h, mi, s] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(text) ?? [];
  if (y === undefined) return Number.NaN;
  // Days since the epoch of a proleptic Gregorian date.
  const [year, month] = Number(mo) <= 2 ? [Number(y) - 1, Number(mo) + 9] : [Number(y), Number(mo) - 3];
  const era = Math.floor(year / 400);
  const days =
    era * 146_097 +
    (year - era * 400) * 365 +
    Math.floor((year - era * 400) / 4) -
    Math.floor((year - era * 400) / 100) +
    Math.floor((153 * month + 2) / 5) +
    Number(d) -
    1 -
    719_468;
  return days * 86_400_000 + Number(h) * 3_600_000 + Number(mi) * 60_000 + Number(s) * 1000;
};

/** Source: apimachinery pkg/util/duration HumanDuration */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  return `${Math.floor(days / 365)}y`;
}

const age: Column = {
  name: 'Age',
  cell: (object, nowMs) => {
    const created = parseMs(textAt(object, 'metadata', 'creationTimestamp'));
    return Number.isNaN(created) ? '<unknown>' : humanDuration(nowMs - created);
  },
};
const name: Column = { name: 'Name', cell: (object) => textAt(object, 'metadata', 'name') };
const text = (title: string, read: (object: Obj) => Value | undefined, priority: 0 | 1 = 0): Column => ({
  name: title,
  priority,
  cell: (object) => read(object) ?? '<none>',
});
/** A count in a column that upstream declares as text. */
const counted = (title: string, read: (object: Obj) => number | undefined): Column => ({
  name: title,
  cell: (object) => read(object) ?? 0,
});
const number = (title: string, read: (object: Obj) => number | undefined): Column => ({
  name: title,
  type: 'integer',
  cell: (object) => read(object) ?? 0,
});
const orNone = (value: string): string => (value === '' ? '<none>' : value);

export const labelsText = (labels: Obj): string =>
  orNone(
    Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(','),
  );
const selectorText = (object: Obj): string => labelsText(objAt(object, 'spec', 'selector', 'matchLabels'));
const containers = (object: Obj): Value[] => listAt(object, 'spec', 'template', 'spec', 'containers');
const templateColumns = [
  text(
    'Containers',
    (object) =>
      containers(object)
        .map((one) => textAt(one, 'name'))
        .join(','),
    1,
  ),
  text(
    'Images',
    (object) =>
      containers(object)
        .map((one) => textAt(one, 'image'))
        .join(','),
    1,
  ),
  text('Selector', selectorText, 1),
];

const nodeStatus = (node: Obj): string => {
  const ready = listAt(node, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  const words = [ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady'];
  if (objAt(node, 'spec').unschedulable === true) words.push('SchedulingDisabled');
  return words.join(',');
};
const nodeRoles = (node: Obj): string =>
  orNone(
    Object.keys(objAt(node, 'metadata', 'labels'))
      .filter((key) => key.startsWith('node-role.kubernetes.io/'))
      .map((key) => key.slice('node-role.kubernetes.io/'.length))
      .sort()
      .join(','),
  );
const nodeAddress = (type: string) => (node: Obj) =>
  textAt(listAt(node, 'status', 'addresses').find((one) => textAt(one, 'type') === type) ?? {}, 'address') || '<none>';

const podStatus = (pod: Obj): string => {
  if (objAt(pod, 'metadata').deletionTimestamp !== undefined) return 'Terminating';
  for (const status of listAt(pod, 'status', 'containerStatuses')) {
    const waiting = textAt(objAt(status, 'state', 'waiting'), 'reason');
    if (waiting !== '') return waiting;
    const ended = textAt(objAt(status, 'state', 'terminated'), 'reason');
    if (ended !== '') return ended;
  }
  return textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Unknown';
};

const servicePorts = (service: Obj): string =>
  orNone(
    listAt(service, 'spec', 'ports')
      .map(
        (port) =>
          `${String(objAt(port).port)}${objAt(port).nodePort === undefined ? '' : `:${String(objAt(port).nodePort)}`}/${textAt(port, 'protocol')}`,
      )
      .join(','),
  );

const columns: Readonly<Record<string, readonly Column[]>> = {
  '/Namespace': [name, text('Status', (object) => textAt(object, 'status', 'phase')), age],
  '/Node': [
    name,
    text('Status', nodeStatus),
    text('Roles', nodeRoles),
    age,
    text('Version', (object) => textAt(object, 'status', 'nodeInfo', 'kubeletVersion')),
    text('Internal-IP', nodeAddress('InternalIP'), 1),
    text('External-IP', nodeAddress('ExternalIP'), 1),
    text('OS-Image', (object) => textAt(object, 'status', 'nodeInfo', 'osImage'), 1),
    text('Kernel-Version', (object) => textAt(object, 'status', 'nodeInfo', 'kernelVersion'), 1),
    text('Container-Runtime', (object) => textAt(object, 'status', 'nodeInfo', 'containerRuntimeVersion'), 1),
  ],
  '/Pod': [
    name,
    text(
      'Ready',
      (object) =>
        `${listAt(object, 'status', 'containerStatuses').filter((one) => objAt(one).ready === true).length}/${listAt(object, 'spec', 'containers').length}`,
    ),
    text('Status', podStatus),
    text('Restarts', (object) =>
      String(listAt(object, 'status', 'containerStatuses').reduce<number>((sum, one) => sum + (numberAt(one, 'restartCount') ?? 0), 0)),
    ),
    age,
    text('IP', (object) => orNone(textAt(object, 'status', 'podIP')), 1),
    text('Node', (object) => orNone(textAt(object, 'spec', 'nodeName')), 1),
    text('Nominated Node', (object) => orNone(textAt(object, 'status', 'nominatedNodeName')), 1),
    text('Readiness Gates', (object) => (listAt(object, 'spec', 'readinessGates').length === 0 ? '<none>' : '0/1'), 1),
  ],
  '/ConfigMap': [
    name,
    counted('Data', (object) => Object.keys(objAt(object, 'data')).length + Object.keys(objAt(object, 'binaryData')).length),
    age,
  ],
  '/Secret': [
    name,
    text('Type', (object) => textAt(object, 'type')),
    counted('Data', (object) => Object.keys(objAt(object, 'data')).length),
    age,
  ],
  '/ServiceAccount': [name, counted('Secrets', (object) => listAt(object, 'secrets').length), age],
  '/Service': [
    name,
    text('Type', (object) => textAt(object, 'spec', 'type')),
    text('Cluster-IP', (object) => orNone(textAt(object, 'spec', 'clusterIP'))),
    text(
      'External-IP',
      (object) =>
        listAt(object, 'status', 'loadBalancer', 'ingress')
          .map((one) => textAt(one, 'ip'))
          .join(',') || (textAt(object, 'spec', 'type') === 'LoadBalancer' ? '<pending>' : '<none>'),
    ),
    text('Port(s)', servicePorts),
    age,
    text('Selector', (object) => labelsText(objAt(object, 'spec', 'selector')), 1),
  ],
  'apps/Deployment': [
    name,
    text('Ready', (object) => `${numberAt(object, 'status', 'readyReplicas') ?? 0}/${numberAt(object, 'spec', 'replicas') ?? 0}`),
    counted('Up-to-date', (object) => numberAt(object, 'status', 'updatedReplicas')),
    counted('Available', (object) => numberAt(object, 'status', 'availableReplicas')),
    age,
    ...templateColumns,
  ],
  'apps/ReplicaSet': [
    name,
    number('Desired', (object) => numberAt(object, 'spec', 'replicas')),
    number('Current', (object) => numberAt(object, 'status', 'replicas')),
    number('Ready', (object) => numberAt(object, 'status', 'readyReplicas')),
    age,
    ...templateColumns,
  ],
  'apps/StatefulSet': [
    name,
    text('Ready', (object) => `${numberAt(object, 'status', 'readyReplicas') ?? 0}/${numberAt(object, 'spec', 'replicas') ?? 0}`),
    age,
    ...templateColumns.slice(0, 2),
  ],
  'apps/DaemonSet': [
    name,
    number('Desired', (object) => numberAt(object, 'status', 'desiredNumberScheduled')),
    number('Current', (object) => numberAt(object, 'status', 'currentNumberScheduled')),
    number('Ready', (object) => numberAt(object, 'status', 'numberReady')),
    number('Up-to-date', (object) => numberAt(object, 'status', 'updatedNumberScheduled')),
    number('Available', (object) => numberAt(object, 'status', 'numberAvailable')),
    text('Node Selector', (object) => labelsText(objAt(object, 'spec', 'template', 'spec', 'nodeSelector'))),
    age,
    ...templateColumns,
  ],
  'batch/Job': [
    name,
    text(
      'Status',
      (object) =>
        textAt(
          listAt(object, 'status', 'conditions').find(
            (one) => textAt(one, 'status') === 'True' && textAt(one, 'type') !== 'SuccessCriteriaMet',
          ) ?? {},
          'type',
        ) || 'Running',
    ),
    text('Completions', (object) => `${numberAt(object, 'status', 'succeeded') ?? 0}/${numberAt(object, 'spec', 'completions') ?? 1}`),
    text('Duration', (object) => {
      const [from, to] = [parseMs(textAt(object, 'status', 'startTime')), parseMs(textAt(object, 'status', 'completionTime'))];
      return Number.isNaN(from) || Number.isNaN(to) ? '' : humanDuration(to - from);
    }),
    age,
    ...templateColumns,
  ],
  'policy/PodDisruptionBudget': [
    name,
    text('Min Available', (object) => String(objAt(object, 'spec').minAvailable ?? 'N/A')),
    text('Max Unavailable', (object) => String(objAt(object, 'spec').maxUnavailable ?? 'N/A')),
    number('Allowed Disruptions', (object) => numberAt(object, 'status', 'disruptionsAllowed')),
    age,
  ],
  'apiextensions.k8s.io/CustomResourceDefinition': [
    name,
    { name: 'Created At', type: 'date', cell: (object) => textAt(object, 'metadata', 'creationTimestamp') },
  ],
};

/** Source: kubernetes pkg/printers/internalversion/printers.go v1.37, apiextensions-apiserver pkg/registry/customresource/tableconvertor */
export function tableOf(
  kind: Kind,
  objects: readonly Obj[],
  metadata: Obj,
  customColumns: readonly Value[],
  include: string,
  nowMs: number,
): Obj {
  const shown =
    kind.definition === undefined
      ? (columns[`${kind.group}/${kind.kind}`] ?? [name, age])
      : [name, ...(customColumns.length === 0 ? [age] : customColumns.map(customColumn))];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: shown.map(
      (column): Obj => ({
        name: column.name,
        type: column.type ?? 'string',
        format: column.name === 'Name' ? 'name' : '',
        description: '',
        priority: column.priority ?? 0,
      }),
    ),
    rows: objects.map(
      (object): Obj => ({
        cells: shown.map((column) => column.cell(object, nowMs)),
        ...(include === 'None'
          ? {}
          : {
              object:
                include === 'Object'
                  ? object
                  : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: objAt(object, 'metadata') },
            }),
      }),
    ),
  };
}

function customColumn(definition: Value): Column {
  const path = textAt(definition, 'jsonPath');
  const type = textAt(definition, 'type');
  const isDate = type === 'date';
  return {
    name: textAt(definition, 'name'),
    ...(type === 'integer' ? { type: 'integer' as const } : {}),
    priority: (numberAt(definition, 'priority') ?? 0) > 0 ? 1 : 0,
    cell(object, nowMs) {
      const found = readPath(object, path);
      if (found === undefined) return isDate ? '<unknown>' : null;
      return isDate && typeof found === 'string'
        ? humanDuration(nowMs - parseMs(found))
        : isObj(found) || Array.isArray(found)
          ? JSON.stringify(found)
          : type === 'integer'
            ? found
            : String(found);
    },
  };
}

/** `.status.conditions[?(@.type=="Ready")].status`: what printer columns use of JSONPath. */
function readPath(object: Obj, path: string): Value | undefined {
  let current: Value | undefined = object;
  for (const [, key, filter, wanted, index] of path.matchAll(
    /\.([\w\\./-]+?)(?=$|\.|\[)|\[\?\(@\.(\w+)\s*==\s*["']([^"']*)["']\)\]|\[(\d+|\*)\]/g,
  )) {
    if (key !== undefined) current = isObj(current) ? current[key.replaceAll('\\.', '.')] : undefined;
    else if (filter !== undefined) current = listAt(current).find((one) => objAt(one)[filter] === wanted);
    else current = listAt(current)[index === '*' ? 0 : Number(index)];
  }
  return current;
}
