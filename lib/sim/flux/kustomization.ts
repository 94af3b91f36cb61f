import { builtIn } from '../kube/kinds.ts';
import { mergePatch } from '../kube/patches.ts';
import { isObj, listAt, objAt, type Obj, textAt, type Value } from '../kube/value.ts';
import { apply, configMapData, decoded, type FluxContext, isRunning, remove, say, secretData, unmetDependency } from './context.ts';
import { durationMs, goDuration, isCurrent, readyOf, setReady } from './conditions.ts';
import { fluxKind, group, kindFor } from './flux-kinds.ts';
import { placeOutside } from './sources.ts';
import { standInForKind } from './stand-in-definitions.ts';
import { substituteObject } from './substitute.ts';

const manager = 'kustomize-controller';
const dependencyMs = 5000;
const deployments = builtIn('apps/v1', 'Deployment');

/** A failed reconciliation with the reason that the condition carries. */
class Refused extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = 'Refused';
    this.reason = reason;
  }
}

/** Source: fluxcd/kustomize-controller internal/controller/kustomization_controller.go */
export async function reconcileKustomization(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = fluxKind(state, group.kustomize, 'Kustomization');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  const again = (inMs: number) => context.requeue('Kustomization', namespace, name, inMs);
  if (!isRunning(context, manager)) return again(2000);
  if (objAt(object, 'spec').suspend === true) return;
  const spec = objAt(object, 'spec');
  const intervalMs = durationMs(textAt(spec, 'interval'), 3_600_000);
  const retryMs = durationMs(textAt(spec, 'retryInterval'), intervalMs);
  const fail = (reason: string, message: string, inMs: number, more: Obj = {}) => {
    setReady(state, kind, object, { status: 'False', reason, message }, more);
    say(context, 'flux/kustomization-failed', { name, reason });
    again(inMs);
  };

  const artifact = artifactOf(context, namespace, objAt(spec, 'sourceRef'));
  if (typeof artifact === 'string') return fail('ArtifactFailed', artifact, dependencyMs);
  const unmet = unmetDependency(context, kind, object, readyOf);
  if (unmet !== undefined) return fail('DependencyNotReady', unmet, dependencyMs);
  const revision = textAt(artifact, 'revision');
  const elsewhere = placeOutside(context, namespace, objAt(spec, 'sourceRef'));
  if (elsewhere !== undefined) context.absent.add(elsewhere);
  try {
    const objects = elsewhere === undefined ? await build(context, object) : [];
    const label: Obj = { [`${group.kustomize}/name`]: name, [`${group.kustomize}/namespace`]: namespace };
    const applied = applyInStages(
      context,
      objects.map((one) => ({
        ...one,
        metadata: { ...objAt(one, 'metadata'), labels: { ...objAt(one, 'metadata', 'labels'), ...label } },
      })),
    );
    if (applied === 'wait') return again(1000);
    const inventory = applied.map(entryOf);
    if (spec.prune === true) prune(context, object, inventory);
    const status: Obj = { inventory: { entries: inventory }, lastAttemptedRevision: revision };
    const waitsFor =
      spec.wait === true
        ? applied
        : listAt(spec, 'healthChecks')
            .map((check) => found(context, check))
            .filter((one) => one !== undefined);
    // One that applies itself does not wait for itself.
    const isItself = (one: Obj) =>
      textAt(one, 'kind') === 'Kustomization' &&
      textAt(one, 'metadata', 'name') === name &&
      textAt(one, 'metadata', 'namespace') === namespace;
    const late = waitsFor.find((one) => !isItself(one) && !isCurrent(freshOf(context, one)));
    if (late) return waitForHealth(context, object, late, revision, status, again, retryMs);
    state.kernel.store.delete(waitingKey(object));
    setReady(
      state,
      kind,
      object,
      { status: 'True', reason: 'ReconciliationSucceeded', message: `Applied revision: ${revision}` },
      { ...status, lastAppliedRevision: revision },
    );
    say(context, 'flux/kustomization-ready', { name, revision, objects: applied.length });
    again(intervalMs);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    fail(error instanceof Refused ? error.reason : 'ReconciliationFailed', error.message, retryMs, { lastAttemptedRevision: revision });
  }
}

const waitingKey = (object: Obj): string => `flux/health/${textAt(object, 'metadata', 'uid')}`;

function waitForHealth(
  context: FluxContext,
  object: Obj,
  late: Obj,
  revision: string,
  status: Obj,
  again: (inMs: number) => void,
  retryMs: number,
): void {
  const { state, kernel } = context;
  const kind = fluxKind(state, group.kustomize, 'Kustomization');
  if (!kind) return;
  const timeout = textAt(object, 'spec', 'timeout') || textAt(object, 'spec', 'interval');
  const key = waitingKey(object);
  const sinceMs = kernel.store.get<number>(key) ?? kernel.clock.monotonicMs();
  kernel.store.set(key, sinceMs);
  if (kernel.clock.monotonicMs() - sinceMs < durationMs(timeout, 300_000)) {
    setReady(
      state,
      kind,
      object,
      {
        status: 'Unknown',
        reason: 'Progressing',
        message: `Running health checks for revision ${revision} with a timeout of ${goDuration(durationMs(timeout, 300_000))}`,
      },
      status,
    );
    again(2000);
    return;
  }
  kernel.store.delete(key);
  const namespace = textAt(late, 'metadata', 'namespace');
  const message = `health check failed after ${goDuration(durationMs(timeout, 300_000))}: timeout waiting for: [${textAt(late, 'kind')}/${namespace === '' ? '' : `${namespace}/`}${textAt(late, 'metadata', 'name')} status: 'InProgress']`;
  setReady(state, kind, object, { status: 'False', reason: 'HealthCheckFailed', message }, status);
  again(retryMs);
}

function artifactOf({ state }: FluxContext, namespace: string, reference: Obj): Obj | string {
  const kind = fluxKind(state, group.source, textAt(reference, 'kind'));
  const where = textAt(reference, 'namespace') || namespace;
  const source = kind && state.get(kind, where, textAt(reference, 'name'));
  if (!source) return `Source '${textAt(reference, 'kind')}/${where}/${textAt(reference, 'name')}' not found`;
  const artifact = objAt(source, 'status').artifact;
  return isObj(artifact) ? artifact : 'Source artifact not found, retrying in 30s';
}

/** From files to objects: build, decryption, substitution, common metadata. */
async function build(context: FluxContext, kustomization: Obj): Promise<Obj[]> {
  const spec = objAt(kustomization, 'spec');
  const namespace = textAt(kustomization, 'metadata', 'namespace');
  const { objects: rendered, remote } = await context.repository
    .renderKustomization(textAt(spec, 'path') || '.', overlayOf(spec))
    .catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw message.startsWith('kustomization path not found')
        ? new Refused('ArtifactFailed', message)
        : new Refused('BuildFailed', `kustomize build failed: ${message}`);
    });
  for (const url of remote) context.absent.add(url);
  const keys = ageKeys(context, namespace, spec);
  const values = substitutions(context, namespace, spec);
  const common = objAt(spec, 'commonMetadata');
  const result: Obj[] = [];
  for (const { object, file, named } of rendered) {
    let plain = object;
    if (isObj(object.sops)) {
      const name = textAt(object, 'metadata', 'name');
      if (keys === undefined)
        throw new Refused(
          'BuildFailed',
          `${textAt(object, 'kind')}/${textAt(object, 'metadata', 'namespace') || namespace}/${name} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
        );
      const documents = await context.decrypt(file, keys).catch((error: unknown) => {
        say(context, 'flux/decryption-failed', { file });
        throw new Refused('BuildFailed', `decryption failed for '${name}': ${error instanceof Error ? error.message : String(error)}`);
      });
      const match = documents.find((one) => textAt(one, 'metadata', 'name') === named && textAt(one, 'kind') === textAt(object, 'kind'));
      if (!match)
        throw new Refused(
          'BuildFailed',
          `decryption failed for '${name}': cannot get sops data key: Error getting data key: 0 successful groups required, got 0`,
        );
      const { sops: _sops, ...rest } = match;
      plain = { ...rest, metadata: { ...objAt(match, 'metadata'), ...objAt(object, 'metadata') } };
    }
    const isKept =
      objAt(plain, 'metadata', 'annotations')[`${group.kustomize}/substitute`] === 'disabled' ||
      objAt(plain, 'metadata', 'labels')[`${group.kustomize}/substitute`] === 'disabled';
    if (values !== undefined && !isKept) {
      try {
        plain = substituteObject(plain, values);
      } catch (error) {
        throw new Refused(
          'BuildFailed',
          `post build failed for '${gvkOf(plain)}/${textAt(plain, 'metadata', 'name')}': ${(error as Error).message}`,
        );
      }
    }
    if (Object.keys(common).length > 0)
      plain = mergePatch(plain, { metadata: { labels: objAt(common, 'labels'), annotations: objAt(common, 'annotations') } }) as Obj;
    result.push(plain);
  }
  return result;
}

/** Source: kustomize kyaml/resid/gvk.go */
function gvkOf(object: Obj): string {
  const apiVersion = textAt(object, 'apiVersion');
  const slash = apiVersion.indexOf('/');
  return `${textAt(object, 'kind')}.${apiVersion.slice(slash + 1)}.${slash === -1 ? '[noGrp]' : apiVersion.slice(0, slash)}`;
}

/** What the controller writes into the kustomization.yaml. Source: fluxcd/pkg kustomize/kustomize_generator.go */
const overlayOf = (spec: Obj): Obj => ({
  patches: listAt(spec, 'patches'),
  components: listAt(spec, 'components'),
  images: listAt(spec, 'images'),
  namespace: textAt(spec, 'targetNamespace'),
  namePrefix: textAt(spec, 'namePrefix'),
  nameSuffix: textAt(spec, 'nameSuffix'),
});

/** Key files of the decryption Secret, or of the one that the controller was started with. */
function ageKeys(context: FluxContext, namespace: string, spec: Obj): readonly string[] | undefined {
  const named = textAt(spec, 'decryption', 'secretRef', 'name');
  const ofController = controllerArgument(context, 'sops-age-secret');
  if (named === '' && ofController === undefined) return undefined;
  const name = named || (ofController as string);
  const where = named === '' ? 'flux-system' : namespace;
  const secret = secretData(context.state, where, name);
  if (!secret) {
    if (named === '') return [];
    throw new Refused('BuildFailed', `cannot get decryption Secret '${where}/${name}': secrets "${name}" not found`);
  }
  return Object.keys(objAt(secret, 'data'))
    .filter((key) => key.endsWith('.agekey'))
    .map((key) => decoded(secret, key));
}

function controllerArgument({ state }: FluxContext, name: string): string | undefined {
  const deployment = state.list(deployments).find((one) => textAt(one, 'metadata', 'name') === manager);
  const args = listAt(deployment, 'spec', 'template', 'spec', 'containers').flatMap((container) => listAt(container, 'args').map(String));
  return args.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** Undefined when the Kustomization substitutes nothing. */
function substitutions(context: FluxContext, namespace: string, spec: Obj): Readonly<Record<string, string>> | undefined {
  if (!isObj(spec.postBuild)) return undefined;
  const values: Record<string, string> = {};
  for (const reference of listAt(spec, 'postBuild', 'substituteFrom')) {
    const name = textAt(reference, 'name');
    const isSecret = textAt(reference, 'kind') === 'Secret';
    const found = isSecret ? secretData(context.state, namespace, name) : configMapData(context.state, namespace, name);
    if (!found) {
      if (objAt(reference).optional === true) continue;
      throw new Refused(
        'BuildFailed',
        `post build failed: substitute from '${textAt(reference, 'kind')}/${name}' error: ${isSecret ? 'secrets' : 'configmaps'} "${name}" not found`,
      );
    }
    for (const key of Object.keys(objAt(found, 'data'))) values[key] = isSecret ? decoded(found, key) : textAt(found, 'data', key);
  }
  for (const [key, value] of Object.entries(objAt(spec, 'postBuild', 'substitute'))) values[key] = String(value);
  return values;
}

/** Definitions and namespaces first; what needs them waits until they are served. */
function applyInStages(context: FluxContext, objects: readonly Obj[]): Obj[] | 'wait' {
  const isFirst = (one: Obj) => ['Namespace', 'CustomResourceDefinition', 'ClusterRole', 'PriorityClass'].includes(textAt(one, 'kind'));
  const first = objects.filter(isFirst).map((one) => apply(context, one, manager));
  if (first.some((one) => !isCurrent(freshOf(context, one)))) return 'wait';
  // Everything is tried dry before anything is written, so that a missing kind changes nothing.
  const rest = objects.filter((one) => !isFirst(one));
  for (const one of rest) {
    if (kindFor(context.state, textAt(one, 'apiVersion'), textAt(one, 'kind'))) continue;
    if (standInForKind(context, one)) return 'wait';
    const where = textAt(one, 'metadata', 'namespace');
    throw new Error(
      `${textAt(one, 'kind')}/${where === '' ? '' : `${where}/`}${textAt(one, 'metadata', 'name')} dry-run failed: no matches for kind "${textAt(one, 'kind')}" in version "${textAt(one, 'apiVersion')}"`,
    );
  }
  return [...first, ...rest.map((one) => apply(context, one, manager))];
}

const freshOf = ({ state }: FluxContext, object: Obj): Obj => {
  const kind = kindFor(state, textAt(object, 'apiVersion'), textAt(object, 'kind'));
  return (kind && state.get(kind, textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'))) ?? {};
};

const found = (context: FluxContext, check: Value): Obj | undefined =>
  isObj(check)
    ? {
        apiVersion: textAt(check, 'apiVersion'),
        kind: textAt(check, 'kind'),
        metadata: { name: textAt(check, 'name'), namespace: textAt(check, 'namespace') },
        status: freshStatus(context, check),
      }
    : undefined;

const freshStatus = (context: FluxContext, check: Obj): Obj =>
  objAt(freshOf(context, { ...check, metadata: { name: textAt(check, 'name'), namespace: textAt(check, 'namespace') } }), 'status');

/** `namespace_name_group_Kind`. Source: cli-utils pkg/object ObjMetadata */
function entryOf(object: Obj): Obj {
  const apiVersion = textAt(object, 'apiVersion');
  const slash = apiVersion.indexOf('/');
  const itsGroup = slash === -1 ? '' : apiVersion.slice(0, slash);
  return {
    id: [
      textAt(object, 'metadata', 'namespace'),
      textAt(object, 'metadata', 'name').replaceAll(':', '__'),
      itsGroup,
      textAt(object, 'kind'),
    ].join('_'),
    v: apiVersion.slice(slash + 1),
  };
}

function prune(context: FluxContext, kustomization: Obj, inventory: readonly Obj[]): void {
  const kept = new Set(inventory.map((entry) => textAt(entry, 'id')));
  for (const entry of listAt(kustomization, 'status', 'inventory', 'entries')) {
    const id = textAt(entry, 'id');
    if (kept.has(id)) continue;
    const [namespace = '', name = '', itsGroup = '', kindName = ''] = id.split('_');
    const kind = kindFor(context.state, itsGroup === '' ? textAt(entry, 'v') : `${itsGroup}/${textAt(entry, 'v')}`, kindName);
    if (kind) remove(context, kind, namespace, name.replaceAll('__', ':'));
  }
}
