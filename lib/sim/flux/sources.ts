import { createHash } from 'node:crypto';
import { repositoryName } from '../../base/index.ts';
import { type FluxContext, isRunning, say, secretData } from './context.ts';
import { durationMs, setReady } from './conditions.ts';
import { fluxKind, group } from './flux-kinds.ts';
import type { Kind } from '../kube/kinds.ts';
import type { KubeState } from '../kube/state.ts';
import { objAt, textAt, type Obj } from '../kube/value.ts';

const retryMs = 30_000;

/** Source: fluxcd/source-controller internal/controller/gitrepository_controller.go */
export async function reconcileGit(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state, repository } = context;
  const kind = fluxKind(state, group.source, 'GitRepository');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  if (!isRunning(context, 'source-controller')) return context.requeue('GitRepository', namespace, name, 2000);
  const fail = (reason: string, message: string) => {
    setReady(state, kind, object, { status: 'False', reason, message });
    say(context, 'flux/source-failed', { name, reason });
    context.requeue('GitRepository', namespace, name, retryMs);
  };
  const secret = textAt(object, 'spec', 'secretRef', 'name');
  const credentials = secret === '' ? undefined : secretData(state, namespace, secret);
  if (secret !== '' && !credentials)
    return fail('AuthenticationFailed', `failed to get secret '${namespace}/${secret}': secrets "${secret}" not found`);
  const url = textAt(object, 'spec', 'url');
  if (url.startsWith('ssh://')) {
    if (!credentials)
      return fail('AuthenticationFailed', `failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required`);
    const keys = objAt(credentials, 'data');
    for (const field of ['identity', 'known_hosts'])
      if (keys[field] === undefined)
        return fail(
          'AuthenticationFailed',
          `failed to configure authentication options: invalid 'ssh' auth option: '${field}' is required`,
        );
  }
  const ref = objAt(object, 'spec', 'ref');
  if (urlOutside(context, url) !== undefined) return standIn(context, kind, object, url);
  const full = textAt(ref, 'name') || `refs/heads/${textAt(ref, 'branch') || 'master'}`;
  const branch = full.replace(/^refs\/(heads|tags)\//, '');
  if (!(await repository.hasRef(branch))) {
    const why = textAt(ref, 'name') === '' ? `couldn't find remote ref "refs/heads/${branch}"` : `couldn't find remote ref "${full}"`;
    return fail('GitOperationFailed', `failed to checkout and determine revision: unable to clone '${url}': ${why}`);
  }
  const revision = `${textAt(ref, 'name') === '' ? branch : full}@sha1:${await repository.revision()}`;
  setReady(
    state,
    kind,
    object,
    { status: 'True', reason: 'Succeeded', message: `stored artifact for revision '${revision}'` },
    { artifact: artifactOf(context, 'gitrepository', namespace, name, revision) },
  );
  say(context, 'flux/source-ready', { name, revision });
  context.requeue('GitRepository', namespace, name, durationMs(textAt(object, 'spec', 'interval'), 3_600_000));
}

/** Nobody here knows what another repository has: it has what is asked for, under a commit that its address makes. */
function standIn(context: FluxContext, kind: Kind, object: Obj, url: string): void {
  context.absent.add(url);
  const [namespace, name, ref] = [
    textAt(object, 'metadata', 'namespace'),
    textAt(object, 'metadata', 'name'),
    objAt(object, 'spec', 'ref'),
  ];
  const wanted = textAt(ref, 'name') || textAt(ref, 'semver') || textAt(ref, 'tag') || textAt(ref, 'branch') || 'master';
  const commit = textAt(ref, 'commit') || createHash('sha1').update(`${url}@${wanted}`).digest('hex');
  const revision = `${wanted}@sha1:${commit}`;
  const message = `stored artifact for revision '${revision}'`;
  const artifact = artifactOf(context, 'gitrepository', namespace, name, revision);
  setReady(context.state, kind, object, { status: 'True', reason: 'Succeeded', message }, { artifact });
  context.requeue('GitRepository', namespace, name, durationMs(textAt(object, 'spec', 'interval'), 3_600_000));
}

/** Charts in registries. Whether a chart exists is the registry's business; here its reference is enough. */
export async function reconcileOci(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = fluxKind(state, group.source, 'OCIRepository');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  if (!isRunning(context, 'source-controller')) return context.requeue('OCIRepository', namespace, name, 2000);
  const secret = textAt(object, 'spec', 'secretRef', 'name');
  if (secret !== '' && !secretData(state, namespace, secret)) {
    setReady(state, kind, object, {
      status: 'False',
      reason: 'AuthenticationFailed',
      message: `failed to get credential from '${namespace}/${secret}': secrets "${secret}" not found`,
    });
    return context.requeue('OCIRepository', namespace, name, retryMs);
  }
  const tag = textAt(object, 'spec', 'ref', 'tag') || textAt(object, 'spec', 'ref', 'semver') || 'latest';
  const digest =
    textAt(object, 'spec', 'ref', 'digest') ||
    `sha256:${createHash('sha256')
      .update(`${textAt(object, 'spec', 'url')}:${tag}`)
      .digest('hex')}`;
  const fault = context.kernel.fault('flux/oci', { url: textAt(object, 'spec', 'url'), tag });
  if (fault) {
    const message = `failed to pull artifact from '${textAt(object, 'spec', 'url')}': GET ${textAt(object, 'spec', 'url').replace('oci://', 'https://')}/manifests/${tag}: MANIFEST_UNKNOWN: manifest unknown`;
    setReady(state, kind, object, { status: 'False', reason: 'OCIPullFailed', message });
    return context.requeue('OCIRepository', namespace, name, retryMs);
  }
  const revision = `${tag}@${digest}`;
  setReady(
    state,
    kind,
    object,
    { status: 'True', reason: 'Succeeded', message: `stored artifact for digest '${revision}'` },
    { artifact: artifactOf(context, 'ocirepository', namespace, name, revision) },
  );
  context.requeue('OCIRepository', namespace, name, durationMs(textAt(object, 'spec', 'interval'), 900_000));
}

export async function reconcileHelmRepository(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = fluxKind(state, group.source, 'HelmRepository');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  if (!isRunning(context, 'source-controller')) return context.requeue('HelmRepository', namespace, name, 2000);
  // A registry has no index: helm-controller asks it itself.
  if (textAt(object, 'spec', 'type') === 'oci') return;
  const revision = `sha256:${createHash('sha256')
    .update(textAt(object, 'spec', 'url'))
    .digest('hex')}`;
  setReady(
    state,
    kind,
    object,
    { status: 'True', reason: 'Succeeded', message: `stored artifact: revision '${revision}'` },
    { artifact: artifactOf(context, 'helmrepository', namespace, name, revision) },
  );
}

/** A chart that is an object of its own; what is in it stands in anyway. */
export async function reconcileHelmChart(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = fluxKind(state, group.source, 'HelmChart');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  if (!isRunning(context, 'source-controller')) return context.requeue('HelmChart', namespace, name, 2000);
  const [chart, version] = [textAt(object, 'spec', 'chart'), textAt(object, 'spec', 'version') || '*'];
  setReady(
    state,
    kind,
    object,
    { status: 'True', reason: 'ChartPullSucceeded', message: `pulled '${chart}' chart with version '${version}'` },
    { artifact: artifactOf(context, 'helmchart', namespace, name, version) },
  );
}

/**
 * The address of a source that is not this repository: Flux was told to follow another one too. Undefined for the repository itself,
 * which is what the instance of flux-operator follows, or else the source that is named after Flux' own namespace.
 */
export function placeOutside(context: FluxContext, namespace: string, reference: Obj): string | undefined {
  const { state } = context;
  const kind = fluxKind(state, group.source, textAt(reference, 'kind'));
  const source = kind && state.get(kind, textAt(reference, 'namespace') || namespace, textAt(reference, 'name'));
  return urlOutside(context, textAt(source, 'spec', 'url'));
}

function urlOutside({ state }: FluxContext, url: string): string | undefined {
  if (url === '') return undefined;
  const instances = fluxKind(state, 'fluxcd.controlplane.io', 'FluxInstance');
  const followed = (instances === undefined ? [] : state.list(instances)).map((one) => textAt(one, 'spec', 'sync', 'url'));
  const roots = ['GitRepository', 'OCIRepository'].flatMap((one) => {
    const rootKind = fluxKind(state, group.source, one);
    return (rootKind && textAt(state.get(rootKind, 'flux-system', 'flux-system'), 'spec', 'url')) || [];
  });
  const named = [...followed, ...roots].filter((one) => one !== '');
  const own = (named.length > 0 ? named : startUrls(state)).map(repositoryName);
  return own.length === 0 || own.includes(repositoryName(url)) ? undefined : url;
}

/** What Kustomizations follow that nobody applied but themselves. */
function startUrls(state: KubeState): readonly string[] {
  const kustomizations = fluxKind(state, group.kustomize, 'Kustomization');
  const repositories = fluxKind(state, group.source, 'GitRepository');
  if (kustomizations === undefined || repositories === undefined) return [];
  return state.list(kustomizations, 'flux-system').flatMap((one) => {
    const [name, by] = [textAt(one, 'metadata', 'name'), objAt(one, 'metadata', 'labels')[`${group.kustomize}/name`]];
    if (by !== undefined && by !== name) return [];
    const source = objAt(one, 'spec', 'sourceRef');
    if (textAt(source, 'kind') !== 'GitRepository') return [];
    return textAt(state.get(repositories, textAt(source, 'namespace') || 'flux-system', textAt(source, 'name')), 'spec', 'url') || [];
  });
}

function artifactOf({ state }: FluxContext, kind: string, namespace: string, name: string, revision: string): Obj {
  const digest = createHash('sha256').update(revision).digest('hex');
  const path = `${kind}/${namespace}/${name}/${digest.slice(0, 12)}.tar.gz`;
  return {
    digest: `sha256:${digest}`,
    lastUpdateTime: state.timestamp(),
    path,
    revision,
    size: 4096,
    url: `http://source-controller.flux-system.svc.cluster.local./${path}`,
  };
}
