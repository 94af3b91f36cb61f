/** Objects and patches as post-renderers write them; kustomize's own answer is recorded. */
export interface PatchCase {
  readonly name: string;
  /** One YAML document each. */
  readonly objects: readonly string[];
  /** The fields of a kustomization: `patches`, `images`. */
  readonly kustomize: object;
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: apps
  labels: { tier: front, app: web }
  annotations: { note: kept }
spec:
  replicas: 1
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1 } }
  template:
    metadata: { labels: { app: web } }
    spec:
      initContainers:
        - { name: init, image: "busybox:1.36", command: [sh, -c, "true"] }
      containers:
        - name: web
          image: ghcr.io/home/web:1.0.0@sha256:aaaa
          args: [--a, --b]
          env:
            - { name: ONE, value: "1" }
            - { name: TWO, value: "2" }
          ports:
            - { name: http, containerPort: 80 }
            - { name: dns, containerPort: 53, protocol: UDP }
          volumeMounts:
            - { name: data, mountPath: /data }
        - { name: side, image: busybox }
      volumes:
        - { name: data, emptyDir: {} }
      tolerations:
        - { key: a, operator: Exists }
`;
const service = `apiVersion: v1
kind: Service
metadata: { name: web, namespace: apps }
spec:
  selector: { app: web }
  ports:
    - { name: http, port: 80, targetPort: http }
    - { name: dns, port: 53, protocol: UDP }
`;
const cron = `apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: apps }
spec:
  schedule: "0 3 * * *"
  jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: job, image: "docker.io/library/job:2" }] } } } }
`;
const custom = `apiVersion: example.com/v1
kind: Thing
metadata: { name: thing, namespace: apps }
spec:
  list: [{ name: a, v: 1 }, { name: b, v: 2 }]
  map: { one: 1, two: 2 }
  image: ghcr.io/home/web:1.0.0
`;
const all = [deployment, service, cron, custom];
const patch = (name: string, text: string, target?: object, objects: readonly string[] = all): PatchCase => ({
  name,
  objects,
  kustomize: { patches: [{ patch: text, ...(target === undefined ? {} : { target }) }] },
});
const merge = (kind: string, apiVersion: string, name: string, body: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\n${body}`;
const ofDeployment = (body: string) => merge('Deployment', 'apps/v1', 'web', body);

export const patchCases: readonly PatchCase[] = [
  patch('a field', ofDeployment('spec: { replicas: 3 }'), { kind: 'Deployment' }),
  patch('without a target', `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: apps }\nspec: { replicas: 4 }\n`),
  // A null for an annotation becomes the text "null" in kustomize 5.8.1, a defect that nobody can want.
  patch('null takes away', ofDeployment('spec: { strategy: null, template: { spec: { tolerations: null } } }'), { kind: 'Deployment' }),
  patch(
    'a container by name',
    ofDeployment('spec: { template: { spec: { containers: [{ name: web, image: other, securityContext: { privileged: true } }] } } }'),
    { kind: 'Deployment' },
  ),
  patch(
    'a container more',
    ofDeployment('spec: { template: { spec: { containers: [{ name: extra, image: x }, { name: last, image: y }] } } }'),
    { kind: 'Deployment' },
  ),
  patch('a container less', ofDeployment('spec: { template: { spec: { containers: [{ name: side, $patch: delete }] } } }'), {
    kind: 'Deployment',
  }),
  patch(
    'env, mounts and volumes',
    ofDeployment(
      'spec: { template: { spec: { hostUsers: false, containers: [{ name: web, env: [{ name: TWO, value: "22" }, { name: THREE, value: "3" }], volumeMounts: [{ name: conf, mountPath: /conf, subPath: x }] }], volumes: [{ name: conf, configMap: { name: c } }] } } }',
    ),
    { kind: 'Deployment', name: 'web' },
  ),
  patch(
    'arguments are replaced',
    ofDeployment('spec: { template: { spec: { containers: [{ name: web, args: [--c] }], tolerations: [{ key: b, operator: Exists }] } } }'),
    { kind: 'Deployment' },
  ),
  patch(
    'ports by number and protocol',
    ofDeployment(
      'spec: { template: { spec: { containers: [{ name: web, ports: [{ containerPort: 53, protocol: UDP, name: domain }, { containerPort: 9090, name: metrics }] }] } } }',
    ),
    { kind: 'Deployment' },
  ),
  patch(
    'ports of a service',
    merge('Service', 'v1', 'web', 'spec: { type: LoadBalancer, ports: [{ name: http, port: 80, nodePort: 30080 }] }'),
    { kind: 'Service' },
  ),
  patch('a mapping replaced', ofDeployment('spec: { strategy: { $patch: replace, type: Recreate } }'), { kind: 'Deployment' }),
  patch('a list replaced', ofDeployment('spec: { template: { spec: { containers: [{ $patch: replace }, { name: only, image: x }] } } }'), {
    kind: 'Deployment',
  }),
  patch('an object deleted', ofDeployment('$patch: delete'), { kind: 'Deployment' }),
  patch(
    'lists of custom kinds are replaced',
    merge('Thing', 'example.com/v1', 'thing', 'spec: { list: [{ name: c }], map: { two: null, three: 3 } }'),
    { kind: 'Thing' },
  ),
  patch(
    'inside of a cron job',
    merge(
      'CronJob',
      'batch/v1',
      'nightly',
      'spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: job, env: [{ name: A, value: b }] }] } } } } }',
    ),
    { kind: 'CronJob' },
  ),
  patch(
    'operations',
    '- { op: replace, path: /spec/replicas, value: 5 }\n- { op: add, path: /metadata/annotations/a~1b, value: c }\n- { op: remove, path: /spec/template/spec/containers/1 }\n- { op: add, path: /spec/template/spec/containers/0/args/-, value: --z }\n- { op: add, path: /spec/template/spec/containers/0/args/0, value: --first }\n',
    { kind: 'Deployment' },
  ),
  patch(
    'test, copy and move',
    '- { op: test, path: /spec/map/one, value: 1 }\n- { op: copy, from: /spec/map/one, path: /spec/map/copy }\n- { op: move, from: /spec/map/two, path: /spec/moved }\n',
    { kind: 'Thing' },
  ),
  patch('operations as JSON', '[{"op": "replace", "path": "/spec/list/1/v", "value": {"deep": [1]}}]', {
    group: 'example.com',
    version: 'v1',
    kind: 'Thing',
  }),
  patch('by labels', '- { op: add, path: /metadata/labels/found, value: "yes" }', { labelSelector: 'app=web,tier in (front, back),!gone' }),
  patch('by labels, nobody', '- { op: add, path: /metadata/labels/found, value: "yes" }', { labelSelector: 'app!=web' }, [deployment]),
  patch('by annotations', '- { op: add, path: /metadata/annotations/found, value: "yes" }', { annotationSelector: 'note=kept' }),
  patch('names are expressions', '- { op: add, path: /metadata/labels, value: { a: b } }', { kind: 'Service|Thing', name: 'w.*' }),
  patch('names are whole', '- { op: add, path: /metadata/labels, value: { a: b } }', { name: 'thin' }, [custom]),
  patch('by namespace', '- { op: add, path: /metadata/labels, value: { a: b } }', { namespace: 'apps', kind: 'Service' }),
  {
    name: 'several patches in order',
    objects: all,
    kustomize: {
      patches: [
        { patch: ofDeployment('spec: { replicas: 7 }'), target: { kind: 'Deployment' } },
        {
          patch: '- { op: test, path: /spec/replicas, value: 7 }\n- { op: replace, path: /spec/replicas, value: 8 }',
          target: { kind: 'Deployment' },
        },
      ],
    },
  },
  {
    name: 'images',
    objects: all,
    kustomize: {
      images: [
        { name: 'ghcr.io/home/web', newTag: '2.0.0' },
        { name: 'busybox', newName: 'mirror/busybox' },
        { name: 'docker.io/library/job', digest: 'sha256:bbbb' },
      ],
    },
  },
  {
    name: 'an image by digest and name',
    objects: [deployment],
    kustomize: { images: [{ name: 'ghcr.io/home/web', newName: 'x/y', digest: 'sha256:cccc' }] },
  },
  { name: 'an image that is not there', objects: [deployment], kustomize: { images: [{ name: 'nobody', newTag: '1' }] } },
  patch('a path that is not there', '- { op: replace, path: /spec/nope/deep, value: 1 }', { kind: 'Thing' }),
  patch('a test that fails', '- { op: test, path: /spec/map/one, value: 2 }', { kind: 'Thing' }),
];
