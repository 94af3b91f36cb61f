/** One request of the recorded conversation; they build on each other, so their order matters. */
export interface RecordedRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly user?: string;
  readonly body?: unknown;
  /** Asked again until the answer contains this text: what the server does by itself a moment later. */
  readonly until?: string;
}

const json = 'application/json';
const applyType = 'application/apply-patch+yaml';
const merge = 'application/merge-patch+json';
const jsonPatchType = 'application/json-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

const get = (id: string, path: string, more: Partial<RecordedRequest> = {}): RecordedRequest => ({ id, method: 'GET', path, ...more });
const post = (id: string, path: string, body: unknown, more: Partial<RecordedRequest> = {}): RecordedRequest => ({
  id,
  method: 'POST',
  path,
  body,
  contentType: json,
  ...more,
});
const put = (id: string, path: string, body: unknown): RecordedRequest => ({ id, method: 'PUT', path, body, contentType: json });
const del = (id: string, path: string, body?: unknown): RecordedRequest => ({
  id,
  method: 'DELETE',
  path,
  ...(body === undefined ? {} : { body, contentType: json }),
});
const patch = (id: string, path: string, contentType: string, body: unknown): RecordedRequest => ({
  id,
  method: 'PATCH',
  path,
  contentType,
  body,
});
const apply = (id: string, path: string, manager: string, body: unknown, query = ''): RecordedRequest =>
  patch(id, `${path}?fieldManager=${manager}${query}`, applyType, body);

const namespaces = '/api/v1/namespaces';
const ns = `${namespaces}/demo`;
const maps = `${ns}/configmaps`;
const map = (name: string, data: unknown, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

const basics: readonly RecordedRequest[] = [
  post('namespace create', namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } }),
  post('namespace exists', namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } }),
  apply('namespace apply', `${namespaces}/applied`, 'tk', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'applied' } }),
  post('namespace bad name', namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'Bad_Name' } }),
  post('map create', maps, map('one', { a: '1', b: '2' }, { labels: { app: 'demo' } })),
  post('map exists', maps, map('one', {})),
  get('map get', `${maps}/one`),
  get('map missing', `${maps}/nothing`),
  post('map in missing namespace', `${namespaces}/nowhere/configmaps`, map('one', {})),
  post('map bad name', maps, map('Bad_Name', {})),
  post('map bad key', maps, map('keys', { 'a/b': '1' })),
  post('map without name', maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: {} }),
  post('map of another namespace', maps, map('two', {}, { namespace: 'other' })),
  post('map dry run', `${maps}?dryRun=All`, map('dry', { a: '1' })),
  get('map after dry run', `${maps}/dry`),
  post('map with field manager', `${maps}?fieldManager=somebody`, map('two', { a: '1' }, { labels: { app: 'other' } })),
  get('list', maps),
  get('list by label', `${maps}?labelSelector=app%3Ddemo`),
  get('list by labels in', `${maps}?labelSelector=app%20in%20(demo%2Cother)%2C!missing`),
  get('list by field', `${maps}?fieldSelector=metadata.name%3Dtwo`),
  get('list by bad field', `${maps}?fieldSelector=data.a%3D1`),
  get('table', maps, { accept: table }),
  get('table of one', `${maps}/one`, { accept: table }),
  put('replace stale', `${maps}/one`, map('one', { a: '9' }, { resourceVersion: '1' })),
  put('replace', `${maps}/one`, map('one', { a: '9', c: '3' })),
  put('replace same', `${maps}/one`, map('one', { a: '9', c: '3' })),
  put('replace other name', `${maps}/one`, map('two', {})),
  put('replace missing', `${maps}/nothing`, map('nothing', {})),
  patch('merge patch', `${maps}/one`, merge, { data: { a: null, d: '4' }, metadata: { labels: { tier: 'x' } } }),
  patch('json patch', `${maps}/one`, jsonPatchType, [
    { op: 'add', path: '/data/e', value: '5' },
    { op: 'remove', path: '/data/d' },
    { op: 'test', path: '/data/c', value: '3' },
  ]),
  patch('json patch failed test', `${maps}/one`, jsonPatchType, [{ op: 'test', path: '/data/c', value: 'wrong' }]),
  patch('strategic patch', `${maps}/one`, strategic, { metadata: { finalizers: ['example.org/hold'] } }),
  patch('patch missing', `${maps}/nothing`, merge, { data: {} }),
  patch('patch of unknown type', `${maps}/one`, 'text/plain', {}),
  del('delete held', `${maps}/one`),
  get('get held', `${maps}/one`),
  patch('delete released', `${maps}/one`, merge, { metadata: { finalizers: null } }),
  get('get released', `${maps}/one`),
  del('delete wrong uid', `${maps}/two`, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: '00000000-0000-0000-0000-000000000000' },
  }),
  del('delete', `${maps}/two`),
  del('delete missing', `${maps}/two`),
  get('unknown path', '/apis/nothing.example.org/v1/things'),
  get('unknown resource', '/api/v1/things'),
  { id: 'not allowed', method: 'PUT', path: maps, body: map('x', {}), contentType: json },
  get('forbidden list', maps, { user: 'bob' }),
  get('forbidden get', `${namespaces}/demo`, { user: 'bob' }),
  post('secret', `${ns}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, stringData: { token: 'abc' } }),
  patch('secret type is fixed', `${ns}/secrets/token`, merge, { type: 'other' }),
  get('secret table', `${ns}/secrets`, { accept: table }),
];

const ssaMaps: readonly RecordedRequest[] = [
  apply('apply create', `${maps}/ssa`, 'alpha', map('ssa', { a: '1', b: '2' }, { labels: { app: 'demo' } })),
  apply('apply again', `${maps}/ssa`, 'alpha', map('ssa', { a: '1', b: '2' }, { labels: { app: 'demo' } })),
  apply('apply change', `${maps}/ssa`, 'alpha', map('ssa', { a: '10', b: '2' }, { labels: { app: 'demo' } })),
  apply('apply conflict', `${maps}/ssa`, 'beta', map('ssa', { a: '11' })),
  apply('apply two conflicts', `${maps}/ssa`, 'beta', map('ssa', { a: '11', b: '12' })),
  apply('apply shared', `${maps}/ssa`, 'beta', map('ssa', { a: '10', c: '3' })),
  apply('apply conflicts with two', `${maps}/ssa`, 'gamma', map('ssa', { a: 'x', b: 'y' })),
  apply('apply force', `${maps}/ssa`, 'beta', map('ssa', { a: '11', c: '3' }), '&force=true'),
  apply('apply removes', `${maps}/ssa`, 'alpha', map('ssa', { a: '11' })),
  apply('apply nothing', `${maps}/ssa`, 'alpha', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ssa' } }),
  apply('apply dry run', `${maps}/ssa`, 'beta', map('ssa', { z: '26' }), '&dryRun=All'),
  patch('update beside apply', `${maps}/ssa?fieldManager=hand`, merge, { data: { a: 'hand', n: '1' } }),
  apply('apply conflicts with update', `${maps}/ssa`, 'beta', map('ssa', { a: '11', c: '3' })),
  patch('apply without manager', `${maps}/ssa`, applyType, map('ssa', {})),
  apply(
    'apply with managed fields',
    `${maps}/ssa`,
    'alpha',
    map('ssa', {}, { managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'v1' }] }),
  ),
  apply('apply in missing namespace', `${namespaces}/nowhere/configmaps/ssa`, 'alpha', map('ssa', {})),
  apply(
    'apply finalizer',
    `${maps}/ssa`,
    'alpha',
    map('ssa', { a: 'hand' }, { finalizers: ['example.org/a'], annotations: { note: 'x' } }),
  ),
  apply('apply other finalizer', `${maps}/ssa`, 'beta', map('ssa', { c: '3' }, { finalizers: ['example.org/b'] })),
  apply('apply drops finalizer', `${maps}/ssa`, 'alpha', map('ssa', { a: 'hand' })),
  apply(
    'apply owner',
    `${maps}/ssa`,
    'alpha',
    map(
      'ssa',
      { a: 'hand' },
      { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '11111111-1111-1111-1111-111111111111' }] },
    ),
  ),
  apply('apply secret', `${ns}/secrets/plain`, 'alpha', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'plain' },
    stringData: { token: 'abc' },
  }),
  put('reset owners', `${maps}/ssa`, map('ssa', { a: 'hand', c: '3' }, { managedFields: [{}] })),
];

const deployments = '/apis/apps/v1/namespaces/demo/deployments';
const webContainer = { name: 'web', image: 'nginx:1.29', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] };
const deployment = (spec: object) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
const selector = { matchLabels: { app: 'web' } };
const template = (containers: unknown[], more: object = {}) => ({ metadata: { labels: { app: 'web' } }, spec: { containers, ...more } });
const services = `${ns}/services`;
const service = (spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec });

const workloads: readonly RecordedRequest[] = [
  apply('deployment apply', `${deployments}/web`, 'alpha', deployment({ replicas: 2, selector, template: template([webContainer]) })),
  apply('deployment apply again', `${deployments}/web`, 'alpha', deployment({ replicas: 2, selector, template: template([webContainer]) })),
  apply('deployment replicas conflict', `${deployments}/web`, 'beta', deployment({ replicas: 3 })),
  apply(
    'deployment other env',
    `${deployments}/web`,
    'beta',
    deployment({ template: { spec: { containers: [{ name: 'web', env: [{ name: 'B', value: '2' }] }] } } }),
  ),
  apply(
    'deployment image conflict',
    `${deployments}/web`,
    'beta',
    deployment({ template: { spec: { containers: [{ name: 'web', image: 'nginx:2', env: [{ name: 'A', value: '3' }] }] } } }),
  ),
  apply(
    'deployment sidecar',
    `${deployments}/web`,
    'beta',
    deployment({ template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } }),
  ),
  apply('deployment gives up replicas', `${deployments}/web`, 'alpha', deployment({ selector, template: template([webContainer]) })),
  apply(
    'deployment port of other protocol',
    `${deployments}/web`,
    'alpha',
    deployment({
      selector,
      template: template([{ ...webContainer, ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP', name: 'udp' }] }], {
        volumes: [{ name: 'v', emptyDir: {} }],
      }),
    }),
  ),
  apply('deployment drops volume', `${deployments}/web`, 'alpha', deployment({ selector, template: template([webContainer]) })),
  patch('deployment strategic patch', `${deployments}/web`, strategic, {
    spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'C', value: '3' }] }] } } },
  }),
  patch('deployment strategic delete', `${deployments}/web`, strategic, {
    spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'C', $patch: 'delete' }] }] } } },
  }),
  patch('deployment selector is fixed', `${deployments}/web`, merge, {
    spec: { selector: { matchLabels: { app: 'other' } }, template: { metadata: { labels: { app: 'other' } } } },
  }),
  post('deployment without containers', deployments, { ...deployment({ selector, template: template([]) }), metadata: { name: 'empty' } }),
  post('deployment of other labels', deployments, {
    ...deployment({ selector: { matchLabels: { app: 'x' } }, template: template([webContainer]) }),
    metadata: { name: 'labels' },
  }),
  patch('deployment status', `${deployments}/web/status`, merge, { status: { replicas: 2, readyReplicas: 2 }, spec: { replicas: 9 } }),
  get('deployment scale', `${deployments}/web/scale`),
  patch('deployment scale up', `${deployments}/web/scale`, merge, { spec: { replicas: 4 } }),
  get('deployment table', deployments, { accept: table }),
  post('deployment create', deployments, { ...deployment({ selector, template: template([webContainer]) }), metadata: { name: 'made' } }),
  del('deployment delete foreground', `${deployments}/made`, { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground' }),
  apply(
    'service apply',
    `${services}/web`,
    'alpha',
    service({ clusterIP: '10.96.77.7', selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] }),
  ),
  apply('service other port', `${services}/web`, 'beta', service({ ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] })),
  apply(
    'service port conflict',
    `${services}/web`,
    'beta',
    service({
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'other', port: 80 },
      ],
    }),
  ),
  apply(
    'service selector conflict',
    `${services}/web`,
    'beta',
    service({ selector: { tier: 'x' }, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }),
  ),
  post('service without ports', services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'empty' }, spec: {} }),
  get('service table', services, { accept: table }),
  post('pod create', `${ns}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', labels: { app: 'pod' } },
    spec: { containers: [{ name: 'c', image: 'busybox' }] },
  }),
  post('daemonset', '/apis/apps/v1/namespaces/demo/daemonsets', {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: {
        metadata: { labels: { app: 'agent' } },
        spec: {
          hostNetwork: true,
          containers: [{ name: 'agent', image: 'agent:1', readinessProbe: { httpGet: { port: 80 } } }],
          volumes: [{ name: 'cfg', configMap: { name: 'cfg' } }],
        },
      },
    },
  }),
  post('job', '/apis/batch/v1/namespaces/demo/jobs', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'once', image: 'once:1' }] } } },
  }),
  apply('cluster role', '/apis/rbac.authorization.k8s.io/v1/clusterroles/reader', 'alpha', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  }),
  apply('role binding', '/apis/rbac.authorization.k8s.io/v1/namespaces/demo/rolebindings/bob', 'alpha', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'bob' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'User', name: 'bob' }],
  }),
  get('allowed by role', `${ns}/pods/one`, { user: 'bob' }),
  get('still forbidden', maps, { user: 'bob' }),
  post('webhook', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'check' },
    webhooks: [
      {
        name: 'check.example.org',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { name: 'check', namespace: 'demo', path: '/validate' } },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      },
    ],
  }),
  post('webhook service is missing', maps, map('checked', {}), { until: 'failed calling webhook' }),
  del('webhook delete', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check'),
];

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const widgets = '/apis/example.org/v1/namespaces/demo/widgets';
const widget = (spec: unknown, name = 'one') => ({ apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name }, spec });
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1 },
                  colour: { type: 'string', enum: ['red', 'blue'], default: 'red' },
                  tags: { type: 'array', items: { type: 'string' } },
                  set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, count: { type: 'integer' }, unit: { type: 'string' } },
                    },
                  },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  nested: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
                },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

const custom: readonly RecordedRequest[] = [
  get('kind before definition', widgets),
  post('definition bad name', crds, { ...definition, metadata: { name: 'wrong.example.org' } }),
  apply('definition apply', `${crds}/widgets.example.org`, 'alpha', definition),
  get('definition established', `${crds}/widgets.example.org`, { until: 'the initial names have been accepted' }),
  get('group of definition', '/apis/example.org/v1', { until: '"widgets"' }),
  get('empty list', widgets, { until: 'WidgetList' }),
  post('widget create', widgets, widget({ size: 1, tags: ['a'], free: { x: { y: 1 } }, nested: { a: '1' } })),
  post('widget without size', widgets, widget({}, 'two')),
  post('widget of wrong type', widgets, widget({ size: 'big' }, 'two')),
  post('widget too small', widgets, widget({ size: 0 }, 'two')),
  post('widget of wrong colour', widgets, widget({ size: 1, colour: 'green' }, 'two')),
  post('widget unknown field', widgets, widget({ size: 1, weight: 2 }, 'warned')),
  post('widget unknown field strict', `${widgets}?fieldValidation=Strict`, widget({ size: 1, weight: 2 }, 'strict')),
  apply(
    'widget apply',
    `${widgets}/ssa`,
    'alpha',
    widget({ size: 1, tags: ['a'], set: ['x'], parts: [{ name: 'p', count: 1 }], free: { x: { y: 1 } }, nested: { a: '1' } }, 'ssa'),
  ),
  apply(
    'widget apply other',
    `${widgets}/ssa`,
    'beta',
    widget(
      {
        size: 1,
        set: ['y'],
        parts: [
          { name: 'q', count: 2 },
          { name: 'p', unit: 'kg' },
        ],
        free: { z: 1 },
        nested: { b: '2' },
      },
      'ssa',
    ),
  ),
  apply('widget list conflict', `${widgets}/ssa`, 'beta', widget({ size: 1, tags: ['b'], parts: [{ name: 'p', count: 5 }] }, 'ssa')),
  apply('widget apply gives up', `${widgets}/ssa`, 'alpha', widget({ size: 1, parts: [{ name: 'p' }] }, 'ssa')),
  patch('widget merge patch', `${widgets}/one`, merge, { spec: { size: 2, tags: null } }),
  patch('widget strategic patch', `${widgets}/one`, strategic, { spec: { size: 3 } }),
  patch('widget status', `${widgets}/one/status`, merge, {
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    spec: { size: 99 },
  }),
  patch('widget ignores status', `${widgets}/one`, merge, { status: { conditions: [] } }),
  get('widget table', widgets, { accept: table }),
  get('widget unknown subresource', `${widgets}/one/scale`),
  del('widget delete', `${widgets}/one`),
  del('widgets delete all', widgets),
  get('widgets gone', widgets),
];

/** The resourceVersion of an earlier answer stands in the path as `{rv:<id>}`. */
const watches: readonly RecordedRequest[] = [
  post('watched create', maps, map('watched', { a: '1' }, { labels: { watch: 'yes' } }), { until: '"uid"' }),
  patch('watched change', `${maps}/watched`, merge, { data: { a: '2' } }),
  patch('watched leaves', `${maps}/watched`, merge, { metadata: { labels: { watch: 'no' } } }),
  patch('watched returns', `${maps}/watched`, merge, { metadata: { labels: { watch: 'yes' } } }),
  del('watched delete', `${maps}/watched`),
  get('watch since', `${maps}?watch=1&timeoutSeconds=1&resourceVersion={rv:watched create}`),
  get('watch by label', `${maps}?watch=1&timeoutSeconds=1&labelSelector=watch%3Dyes&resourceVersion={rv:watched create}`),
  get(
    'watch initial',
    `${ns}/secrets?watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
  ),
  get('watch one table', `${ns}/secrets?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dtoken`, { accept: table }),
];

const budgets = '/apis/policy/v1/namespaces/demo/poddisruptionbudgets';
const leases = '/apis/coordination.k8s.io/v1/namespaces/demo/leases';
const lease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  spec: {
    holderIdentity: 'tk-a/1',
    leaseDurationSeconds: 600,
    leaseTransitions: 1,
    acquireTime: '2026-01-05T08:00:00.000000Z',
    renewTime: '2026-01-05T08:00:00.000000Z',
  },
};

const endings: readonly RecordedRequest[] = [
  post('budget', '/apis/policy/v1/namespaces/demo/poddisruptionbudgets', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'pods' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'pod' } } },
  }),
  post('evict pending', `${ns}/pods/one/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'one' } }),
  post('evict missing', `${ns}/pods/one/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'one' } }),
  // Nobody plays the kubelet or the disruption controller here: what they would say is said by hand.
  post('budget pod', `${ns}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'two', labels: { app: 'pod' } },
    spec: { containers: [{ name: 'c', image: 'example.org/c:1' }] },
  }),
  patch('budget pod runs', `${ns}/pods/two/status`, merge, {
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }),
  patch('budget spent', `${budgets}/pods/status`, merge, {
    status: { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  }),
  post('evict refused by budget', `${ns}/pods/two/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'two' } }),
  post('second budget', budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'again' },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'pod' } } },
  }),
  post('evict with two budgets', `${ns}/pods/two/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'two' } }),
  post('lease create', leases, { ...lease, metadata: { name: 'talos-tk' } }),
  put('lease stale', `${leases}/talos-tk`, { ...lease, metadata: { name: 'talos-tk', resourceVersion: '1' } }),
  post('lease again', leases, { ...lease, metadata: { name: 'talos-tk' } }),
  patch('lease renewed', `${leases}/talos-tk`, merge, { spec: { renewTime: '2026-01-05T08:10:00.000000Z', leaseTransitions: 2 } }),
  patch('lease applied', `${leases}/talos-tk?fieldManager=tk`, applyType, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'talos-tk' },
    spec: { holderIdentity: 'tk-b/2' },
  }),
  del('secrets delete all', `${ns}/secrets`),
  get('secrets gone', `${ns}/secrets`),
  del('namespace delete', ns),
  post('create in ending namespace', maps, map('late', {})),
];

export const recordedRequests: readonly RecordedRequest[] = [...basics, ...ssaMaps, ...custom, ...workloads, ...watches, ...endings];
