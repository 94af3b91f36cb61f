import { setDefaults } from '../kube/defaults.ts';
import { builtIn } from '../kube/kinds.ts';
import { listAt, numberAt, type Obj, objAt, textAt } from '../kube/value.ts';
import { apply, type FluxContext, isRunning } from './context.ts';
import { setReady } from './conditions.ts';
import { ensureFluxKinds, fluxKind, kindFor } from './flux-kinds.ts';
import { applyKustomizePatches } from './patches.ts';

const deployments = builtIn('apps/v1', 'Deployment');
const manager = 'flux-operator';

/** Source: controlplaneio-fluxcd/flux-operator internal/controller/fluxinstance_controller.go */
export async function reconcileInstance(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = fluxKind(state, 'fluxcd.controlplane.io', 'FluxInstance');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  const again = (inMs: number) => context.requeue('FluxInstance', namespace, name, inMs);
  if (!isRunning(context, 'flux-operator')) return again(2000);
  const spec = objAt(object, 'spec');
  const components = listAt(spec, 'components').map(String);
  const progress = (message: string) => {
    setReady(state, kind, object, { status: 'Unknown', reason: 'Progressing', message });
    again(2000);
  };
  const refuse = (error: unknown) => {
    setReady(state, kind, object, {
      status: 'False',
      reason: 'ReconciliationFailed',
      message: error instanceof Error ? error.message : String(error),
    });
    again(10_000);
  };
  ensureFluxKinds(state, textAt(spec, 'distribution', 'version'));
  const version = 'v2.9.5';
  let wanted: readonly { readonly object: Obj }[];
  try {
    wanted = applyKustomizePatches(
      (components.length === 0
        ? ['source-controller', 'kustomize-controller', 'helm-controller', 'notification-controller']
        : components
      ).map((component) => ({ object: controller(component, namespace) })),
      listAt(spec, 'kustomize', 'patches'),
    );
    for (const { object: deployment } of wanted) apply(context, deployment, manager);
  } catch (error) {
    return refuse(error);
  }
  const late = wanted.find(({ object: one }) => {
    const found = state.get(deployments, namespace, textAt(one, 'metadata', 'name'));
    return (numberAt(found, 'status', 'availableReplicas') ?? 0) < 1;
  });
  if (late) return progress(`waiting for Deployment/${namespace}/${textAt(late.object, 'metadata', 'name')}`);
  const sync = objAt(spec, 'sync');
  if (Object.keys(sync).length > 0) {
    if (
      !kindFor(state, 'source.toolkit.fluxcd.io/v1', 'GitRepository') ||
      !kindFor(state, 'kustomize.toolkit.fluxcd.io/v1', 'Kustomization')
    )
      return progress('waiting for the CustomResourceDefinitions of Flux');
    try {
      for (const one of syncObjects(sync, namespace)) apply(context, one, manager);
    } catch (error) {
      return refuse(error);
    }
  }
  setReady(
    state,
    kind,
    object,
    { status: 'True', reason: 'ReconciliationSucceeded', message: 'Reconciliation finished in 5s' },
    { lastAppliedRevision: `${version}@sha256:${'0'.repeat(64)}`, lastAttemptedRevision: version },
  );
  again(3_600_000);
}

function controller(name: string, namespace: string): Obj {
  const labels: Obj = { app: name };
  const args = ['--watch-all-namespaces=true', '--log-level=info', '--log-encoding=json', '--enable-leader-election'];
  const deployment: Obj = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      labels: { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/component': name, 'app.kubernetes.io/managed-by': 'flux-operator' },
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'manager', image: `ghcr.io/fluxcd/${name}:v1.7.0`, args, volumeMounts: mountsOf(name) }],
          volumes: mountsOf(name).map((mount) => ({ name: textAt(mount, 'name'), emptyDir: {} })),
        },
      },
    },
  };
  setDefaults(deployments, deployment);
  const { status: _status, ...rest } = deployment;
  return rest;
}

/** Source: fluxcd source-controller, kustomize-controller and helm-controller, config/manager/deployment.yaml */
const mountsOf = (name: string): Obj[] =>
  name === 'source-controller'
    ? [
        { name: 'data', mountPath: '/data' },
        { name: 'tmp', mountPath: '/tmp' },
      ]
    : [{ name: 'temp', mountPath: '/tmp' }];

/** The root of everything: named after the namespace unless told. */
function syncObjects(sync: Obj, namespace: string): Obj[] {
  const name = textAt(sync, 'name') || namespace;
  const kind = textAt(sync, 'kind') || 'GitRepository';
  const interval = textAt(sync, 'interval') || '1m';
  const secret = textAt(sync, 'pullSecret');
  const ref: Obj = kind === 'OCIRepository' ? { tag: textAt(sync, 'ref') } : { name: textAt(sync, 'ref') };
  return [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind,
      metadata: { name, namespace },
      spec: { interval, url: textAt(sync, 'url'), ref, ...(secret === '' ? {} : { secretRef: { name: secret } }) },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name, namespace },
      spec: {
        interval,
        path: textAt(sync, 'path'),
        prune: true,
        retryInterval: '5m',
        timeout: '10m',
        wait: false,
        sourceRef: { kind, name },
      },
    },
  ];
}
