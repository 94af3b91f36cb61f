import { posix } from 'node:path';
import { type Files, repositoryName, withoutMiddle } from '../../../base/index.ts';
import { conditionOf, type KubeObject, type KubeReader } from '../../../kube/index.ts';
import { shortRevision } from '../../flux.ts';
import { fields, text } from '../../lifecycle/node-mark.ts';
import { operationFailure } from '../failures.ts';
import type { DoctorParts, Note } from './finding.ts';

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** In the order in which they depend on each other. Source: fluxcd/flux2 manifests */
const sources: readonly Kind[] = ['GitRepository', 'OCIRepository', 'HelmRepository', 'Bucket', 'HelmChart'].map((kind) => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind,
}));
const kustomization: Kind = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
const helmRelease: Kind = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' };

/** Reasons that speak of another object, which has a line of its own. Source: kustomize-controller, helm-controller api */
const waitsForOthers = new Set(['DependencyNotReady', 'ArtifactFailed', 'SourceNotReady']);

/** What Flux says of what it reconciles. Nothing where it is not installed, and nothing where no API server answers. */
export async function examineFlux(parts: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  // Why there is no kubeconfig, or no answer, is told where Kubernetes is looked at.
  const kube = await readyReader(parts, signal);
  if (kube === undefined) return;
  const lists = await Promise.all([...sources, kustomization, helmRelease].map((kind) => listOf(kube, kind, signal)));
  const all = lists.flat();
  const names = new Map(all.map((object) => [nameOf(object), object]));
  for (const object of all) {
    if (fields(object['spec'])['suspend'] === true)
      note(
        'warning',
        operationFailure('doctor/flux-suspended', whoOf(object)),
        `flux resume ${resumeWord(object)} -n ${namespaceOf(object)}`,
      );
    else noteUnready(object, note);
  }
  for (const object of all) if (object.kind === kustomization.kind) noteRevision(object, names, note);
  await noteCommit(parts, all, note);
}

async function readyReader({ cluster, access }: DoctorParts, signal: AbortSignal): Promise<KubeReader | undefined> {
  if ((await cluster.kubeconfig.state()).state !== 'right') return undefined;
  const kube = await access.reader();
  return kube.ready(signal).then(
    () => kube,
    () => undefined,
  );
}

async function listOf(kube: KubeReader, kind: Kind, signal: AbortSignal): Promise<readonly KubeObject[]> {
  if (!(await kube.serves(kind, signal))) return [];
  // Items of a list carry neither.
  return (await kube.list(kind, {}, signal)).items.map((item) => ({ ...item, ...kind }));
}

function noteUnready(object: KubeObject, note: Note): void {
  const ready = conditionOf(object, 'Ready');
  const { observedGeneration } = (object['status'] ?? {}) as { readonly observedGeneration?: number };
  const isCurrent = observedGeneration === undefined || observedGeneration === object.metadata.generation;
  // A HelmRepository of an OCI registry is a mere address, without a status.
  if (ready === undefined && object.kind === 'HelmRepository' && fields(object['spec'])['type'] === 'oci') return;
  if (ready?.status === 'True' && isCurrent) return;
  const reason = ready?.reason ?? '';
  if (waitsForOthers.has(reason)) return;
  const message = ready?.status === 'True' ? 'the newest change was not looked at yet' : (ready?.message ?? '');
  note(
    ready?.status === 'False' && reason !== 'Progressing' ? 'error' : 'warning',
    operationFailure('doctor/flux-not-ready', { ...whoOf(object), reason, message: withoutMiddle(message, 300) }),
    object.kind === kustomization.kind
      ? `npx tk flux:reconcile ${object.metadata.name} NAMESPACE=${namespaceOf(object)}`
      : `kubectl -n ${namespaceOf(object)} describe ${object.kind.toLowerCase()} ${object.metadata.name}`,
  );
}

/** What was applied is what the source has. One that is not ready has said so already. */
function noteRevision(object: KubeObject, names: ReadonlyMap<string, KubeObject>, note: Note): void {
  if (fields(object['spec'])['suspend'] === true || conditionOf(object, 'Ready')?.status !== 'True') return;
  const reference = fields(fields(object['spec'])['sourceRef']);
  const source = names.get(`${text(reference['kind'])} ${text(reference['namespace']) || namespaceOf(object)}/${text(reference['name'])}`);
  const offered = revisionOf(source);
  const applied = text(fields(object['status'])['lastAppliedRevision']);
  if (offered === '' || applied === '' || offered === applied) return;
  note(
    'warning',
    operationFailure('doctor/flux-behind', { ...whoOf(object), applied: shortRevision(applied), offered: shortRevision(offered) }),
    `npx tk flux:reconcile ${object.metadata.name} NAMESPACE=${namespaceOf(object)}`,
  );
}

/** The branch that Flux follows is checked out here at another commit: what lies here is not what the cluster has. */
async function noteCommit({ files, cluster }: DoctorParts, all: readonly KubeObject[], note: Note): Promise<void> {
  const here = await gitHead(files, cluster.model.paths.root);
  if (here === undefined) return;
  const remotes = await gitRemotes(files, cluster.model.paths.root);
  for (const source of all.filter(({ kind, metadata }) => kind === 'GitRepository' && metadata.namespace === 'flux-system')) {
    const url = text(fields(source['spec'])['url']);
    // Flux may follow the repositories of others, too.
    if (remotes.length > 0 && !remotes.includes(repositoryName(url))) continue;
    const branch =
      text(fields(fields(source['spec'])['ref'])['branch']) ||
      text(fields(fields(source['spec'])['ref'])['name']).replace('refs/heads/', '');
    const [, commit] = /(?:@|\/)(?:sha1:)?([0-9a-f]{40})$/.exec(revisionOf(source)) ?? [];
    if (branch !== here.branch || commit === undefined || commit === here.commit) continue;
    note(
      'warning',
      operationFailure('doctor/flux-other-commit', { ...whoOf(source), branch, theirs: commit.slice(0, 7), ours: here.commit.slice(0, 7) }),
      'git pull --rebase && git push',
    );
  }
}

async function gitRemotes(files: Files, root: string): Promise<readonly string[]> {
  const config = (await files.readText(posix.join(root, '.git/config')).catch(() => undefined)) ?? '';
  return [...config.matchAll(/^\s*url\s*=\s*(\S+)/gm)].map(([, url = '']) => repositoryName(url));
}

/** Undefined: no repository of git here, or none of its branches is checked out. */
async function gitHead(files: Files, root: string): Promise<{ readonly branch: string; readonly commit: string } | undefined> {
  const head = await files.readText(posix.join(root, '.git/HEAD')).catch(() => undefined);
  const [, ref = '', branch = ''] = /^ref: (refs\/heads\/(\S+))/.exec(head ?? '') ?? [];
  if (ref === '') return undefined;
  const loose = (await files.readText(posix.join(root, '.git', ref)))?.trim();
  const packed =
    loose ??
    (await files.readText(posix.join(root, '.git/packed-refs')))
      ?.split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(' ')[0];
  return packed === undefined || !/^[0-9a-f]{40}$/.test(packed) ? undefined : { branch, commit: packed };
}

const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? 'default';
const nameOf = (object: KubeObject): string => `${object.kind} ${namespaceOf(object)}/${object.metadata.name}`;
const whoOf = (object: KubeObject) => ({ kind: object.kind, namespace: namespaceOf(object), name: object.metadata.name });
const revisionOf = (source: KubeObject | undefined): string => text(fields(fields(source?.['status'])['artifact'])['revision']);

/** As the command-line tool of Flux calls them. */
function resumeWord({ kind, metadata: { name } }: KubeObject): string {
  const words: Readonly<Record<string, string>> = {
    GitRepository: 'source git',
    OCIRepository: 'source oci',
    HelmRepository: 'source helm',
    HelmChart: 'source chart',
    Bucket: 'source bucket',
  };
  return `${words[kind] ?? kind.toLowerCase()} ${name}`;
}
