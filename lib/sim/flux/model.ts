import type { SimKernel } from '../kernel.ts';
import type { SimulatedKube } from '../kube/model.ts';
import { numberAt, objAt, textAt } from '../kube/value.ts';
import type { FluxContext, FluxOptions } from './context.ts';
import { reconcileHelmRelease } from './helm-release.ts';
import { reconcileInstance } from './instance.ts';
import { reconcileKustomization } from './kustomization.ts';
import { reconcileExternalSecret, isExternalSecret } from './external-secrets.ts';
import { reconcileGit, reconcileHelmChart, reconcileHelmRepository, reconcileOci } from './sources.ts';

type Reconciler = (context: FluxContext, namespace: string, name: string) => Promise<void>;

const reconcilers: Readonly<Record<string, Reconciler>> = {
  FluxInstance: reconcileInstance,
  GitRepository: reconcileGit,
  OCIRepository: reconcileOci,
  HelmRepository: reconcileHelmRepository,
  Kustomization: reconcileKustomization,
  HelmRelease: reconcileHelmRelease,
  HelmChart: reconcileHelmChart,
  ExternalSecret: reconcileExternalSecret,
};

/** What a real Flux would have had that this one had not. */
export interface FluxModel {
  /** Addresses that nothing was fetched from. */
  absent(): readonly string[];
  /** Kinds whose definitions were made up. */
  standIns(): readonly string[];
}

const groups = /^(fluxcd\.controlplane\.io|source\.toolkit\.fluxcd\.io|kustomize\.toolkit\.fluxcd\.io|helm\.toolkit\.fluxcd\.io)\//;
const noticedMs = 300;

/**
 * Flux on a simulated cluster: flux-operator, source-, kustomize- and helm-controller. They work while their pods are ready; each
 * object that wants attention has one stored timer.
 */
export function createFluxModel(kernel: SimKernel, kube: SimulatedKube, options: FluxOptions): FluxModel {
  const { state } = kube;
  const [absent, standIns] = [new Set<string>(), new Set<string>()];
  const context: FluxContext = {
    ...options,
    kernel,
    kube,
    state,
    absent,
    standIns,
    requeue(kind, namespace, name, inMs) {
      const key = `${namespace}/${name}`;
      kernel.cancel('flux', kind, key);
      kernel.schedule({ atMs: kernel.clock.monotonicMs() + inMs, model: 'flux', kind, key });
    },
  };

  state.onChange(({ type, resource, object, before }) => {
    if (type === 'ADDED' && isExternalSecret(object))
      context.requeue('ExternalSecret', textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'), noticedMs);
    if (type === 'DELETED' || !groups.test(resource)) return;
    const kind = textAt(object, 'kind');
    if (!(kind in reconcilers)) return;
    const asked = (one: unknown) => textAt(objAt(one, 'metadata', 'annotations'), 'reconcile.fluxcd.io/requestedAt');
    const isNews =
      before === undefined ||
      numberAt(before, 'metadata', 'generation') !== numberAt(object, 'metadata', 'generation') ||
      asked(before) !== asked(object);
    if (isNews) context.requeue(kind, textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'), noticedMs);
    // Whoever reads from a source looks again as soon as it has something new.
    const revision = (one: unknown) => textAt(objAt(one, 'status', 'artifact'), 'revision');
    if (!isNews && revision(before) !== revision(object)) wakeReaders(context, kind, textAt(object, 'metadata', 'name'));
  });

  kernel.register({
    name: 'flux',
    onTimer({ kind, key = '' }) {
      const slash = key.indexOf('/');
      const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)];
      const reconcile = reconcilers[kind];
      if (!reconcile) return;
      if (!kube.isServing()) {
        context.requeue(kind, namespace, name, 2000);
        return;
      }
      // A process that dies while it works finds this appointment when it comes back.
      context.requeue(kind, namespace, name, 60_000);
      void kernel.clock.whileBusy(() => reconcile(context, namespace, name));
    },
  });
  return { absent: () => [...absent].sort(), standIns: () => [...standIns].sort() };
}

function wakeReaders(context: FluxContext, sourceKind: string, source: string): void {
  const readers =
    sourceKind === 'GitRepository' ? ['Kustomization', 'kustomize.toolkit.fluxcd.io'] : ['HelmRelease', 'helm.toolkit.fluxcd.io'];
  const [kindName = '', itsGroup = ''] = readers;
  const kind = context.state.kinds('-').find((one) => one.kind === kindName && one.group === itsGroup);
  if (!kind) return;
  for (const reader of context.state.list(kind)) {
    const spec = objAt(reader, 'spec');
    const names = [textAt(spec, 'sourceRef', 'name'), textAt(spec, 'chartRef', 'name'), textAt(spec, 'chart', 'spec', 'sourceRef', 'name')];
    if (names.includes(source))
      context.requeue(kindName, textAt(reader, 'metadata', 'namespace'), textAt(reader, 'metadata', 'name'), noticedMs);
  }
}
