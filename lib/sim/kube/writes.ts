import { admit } from './admission.ts';
import { alreadyExists, ApiError, badRequest, invalid, notFound, preconditionFailed, staleObject, unsupportedMediaType } from './errors.ts';
import { setDefaults } from './defaults.ts';
import { pathOf } from './fields.ts';
import { encodeStrings, prepare } from './prepare.ts';
import { apiVersionOf, builtIn, type Kind } from './kinds.ts';
import { applyConfiguration, trackUpdate, type TypeOfObject } from './managers.ts';
import { jsonPatch, JsonPatchRefused, mergePatch, strategicPatch, unfittingPatch } from './patches.ts';
import { builtInType, customType, type MergeType } from './schema.ts';
import { definitionVersion, type KubeState } from './state.ts';
import { applySchema } from './structural.ts';
import { child, clone, equal, isObj, listAt, type Obj, objAt, textAt, type Value } from './value.ts';
import { validate } from './validation.ts';

/** Who writes, and how. */
export interface Actor {
  readonly fieldManager: string;
  readonly isDryRun: boolean;
  /** Default of the API server: `Warn`. */
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Collects the `Warning` headers of the answer. */
  readonly warnings: string[];
}

export interface Place {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
}

export type PatchKind = 'apply' | 'merge' | 'json' | 'strategic';

export interface DeleteRequest {
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagation: string;
}

const namespaceKind = builtIn('v1', 'Namespace');
const definitionKind = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const podKind = builtIn('v1', 'Pod');

/** Kinds without `metadata.generation`. */
const ungenerated = new Set(
  'ConfigMap Secret ServiceAccount Service Namespace Node Event Endpoints Lease ClusterRole ClusterRoleBinding Role RoleBinding PersistentVolume PersistentVolumeClaim StorageClass LimitRange ResourceQuota CSINode CSIDriver RuntimeClass VolumeAttachment APIService CertificateSigningRequest PodTemplate ControllerRevision'.split(
    ' ',
  ),
);
const hasGeneration = (kind: Kind) => kind.definition !== undefined || !ungenerated.has(kind.kind);
/** Their status may be sent along when they are made. */
const keepsStatus = new Set(['Node', 'Namespace']);

/**
 * Everything that changes objects on a client's behalf: the order of checks is the API server's.
 * Source: apiserver pkg/endpoints/handlers/{create,update,patch,delete}.go, pkg/registry/generic/registry/store.go
 */
export function createWrites(state: KubeState) {
  const types = new Map<string, { revision: string; type: MergeType; schema: Obj | undefined }>();
  const schemaOf = (kind: Kind): { type: MergeType; schema: Obj | undefined } => {
    if (kind.definition === undefined) {
      const key = `${kind.group}/${kind.kind}`;
      const known = types.get(key) ?? { revision: '', type: builtInType(kind.group, kind.kind), schema: undefined };
      types.set(key, known);
      return known;
    }
    const definition = state.get(definitionKind, undefined, kind.definition) ?? {};
    const revision = textAt(definition, 'metadata', 'resourceVersion');
    const key = `${kind.definition}/${kind.version}`;
    const cached = types.get(key);
    if (cached?.revision === revision) return cached;
    const schema = objAt(definitionVersion(definition, kind.version), 'schema').openAPIV3Schema;
    const made = { revision, type: customType(schema), schema: isObj(schema) ? schema : undefined };
    types.set(key, made);
    return made;
  };
  const typeOf = (kind: Kind, subresource: string): TypeOfObject => {
    const status = pathOf('status');
    const hasStatus = kind.subresources.includes('status') && !keepsStatus.has(kind.kind);
    return {
      group: kind.group,
      kind: kind.kind,
      type: schemaOf(kind).type,
      resets: subresource === 'status' ? (path) => !path.startsWith(status) : (path) => hasStatus && path.startsWith(status),
    };
  };
  const writerOf = (place: Place, actor: Actor) => ({
    manager: actor.fieldManager,
    apiVersion: apiVersionOf(place.kind),
    subresource: place.subresource,
    time: state.timestamp(),
  });
  const live = ({ kind, namespace, name }: Place) => state.get(kind, namespace, name);

  const checkBody = (place: Place, body: Obj): void => {
    const { kind } = place;
    const given = { apiVersion: textAt(body, 'apiVersion'), kind: textAt(body, 'kind') };
    if (given.apiVersion !== '' && given.apiVersion !== apiVersionOf(kind))
      throw badRequest(`the API version in the data (${given.apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`);
    if (given.kind !== '' && given.kind !== kind.kind)
      throw badRequest(
        `${given.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: converting (v1.${given.kind}) to (v1.${kind.kind}): unknown conversion`,
      );
    const namespace = textAt(body, 'metadata', 'namespace');
    if (kind.isNamespaced && namespace !== '' && namespace !== place.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  };

  /** Schema of a custom resource; what is unknown is dropped, warned about, or refused. */
  const conform = (place: Place, object: Obj, actor: Actor): Obj => {
    const { schema } = schemaOf(place.kind);
    if (!schema) return object;
    const { object: conformed, unknown, causes } = applySchema(object, schema);
    if (unknown.length > 0 && actor.fieldValidation === 'Strict')
      throw badRequest(
        `${place.kind.kind} in version ${JSON.stringify(place.kind.version)} cannot be handled as a ${place.kind.kind}: strict decoding error: ${unknown.map((path) => `unknown field "${path}"`).join(', ')}`,
      );
    if (actor.fieldValidation === 'Warn') for (const path of unknown) actor.warnings.push(`unknown field "${path}"`);
    if (causes.length > 0) throw invalid(place.kind, place.name, causes);
    return conformed;
  };

  const store = (kind: Kind, object: Obj, actor: Actor): Obj => (actor.isDryRun ? object : state.put(kind, object));

  /** Fills in a new object, checks and stores it. `track` writes the owners before anything that the server decides by itself. */
  const insert = (place: Place, body: Obj, actor: Actor, track: (draft: Obj) => Obj): Obj => {
    const { kind } = place;
    if (kind.isNamespaced && !state.get(namespaceKind, undefined, place.namespace)) throw notFound(namespaceKind, place.namespace);
    let draft = clone(body);
    draft.apiVersion = apiVersionOf(kind);
    draft.kind = kind.kind;
    const metadata = child(draft, 'metadata');
    if (kind.isNamespaced) metadata.namespace = place.namespace;
    else delete metadata.namespace;
    if (textAt(metadata, 'name') === '' && textAt(metadata, 'generateName') !== '')
      metadata.name = textAt(metadata, 'generateName') + suffix();
    for (const key of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'resourceVersion', 'generation'])
      delete metadata[key];
    metadata.uid = state.newUid();
    metadata.creationTimestamp = state.timestamp();
    if (hasGeneration(kind)) metadata.generation = 1;
    if (kind.subresources.includes('status') && !keepsStatus.has(kind.kind)) delete draft.status;
    setDefaults(kind, draft);
    draft = conform({ ...place, name: textAt(metadata, 'name') }, draft, actor);
    draft = track(draft);
    encodeStrings(kind, draft);
    prepare(kind, draft, state);
    admit(state, kind, draft, 'CREATE');
    validate(kind, draft, undefined);
    const name = textAt(draft, 'metadata', 'name');
    if (state.get(kind, place.namespace, name)) throw alreadyExists(kind, name);
    if (!actor.isDryRun)
      state.kernel.emit({
        kind: 'kube/created',
        facts: { kind: kind.kind, namespace: place.namespace, name, manager: actor.fieldManager },
      });
    return store(kind, draft, actor);
  };

  /** Checks and stores a changed object; `next` already carries its owners. */
  const update = (place: Place, before: Obj, next: Obj, actor: Actor): Obj => {
    const { kind } = place;
    let draft = clone(next);
    const metadata = child(draft, 'metadata');
    const old = objAt(before, 'metadata');
    for (const key of [
      'name',
      'namespace',
      'uid',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'generation',
      'resourceVersion',
    ]) {
      if (old[key] === undefined) delete metadata[key];
      else metadata[key] = old[key];
    }
    if (place.subresource !== 'status') {
      setDefaults(kind, draft);
      encodeStrings(kind, draft);
      draft = conform(place, draft, actor);
      validate(kind, draft, before);
    }
    if (hasGeneration(kind) && changesMeaning(kind, before, draft)) child(draft, 'metadata').generation = Number(old.generation ?? 0) + 1;
    if (place.subresource === '') admit(state, kind, draft, 'UPDATE');
    const isDone =
      old.deletionTimestamp !== undefined &&
      listAt(draft, 'metadata', 'finalizers').length === 0 &&
      kind !== podKind &&
      kind !== namespaceKind;
    if (isDone) return actor.isDryRun ? draft : state.remove(kind, draft);
    if (sameButForTimes(before, draft)) return before;
    if (!actor.isDryRun && place.subresource === '')
      state.kernel.emit({
        kind: 'kube/updated',
        facts: { kind: kind.kind, namespace: place.namespace, name: place.name, manager: actor.fieldManager },
      });
    return store(kind, draft, actor);
  };

  /** The part of `next` that a write to this place may change, on top of what there is. */
  const confine = (place: Place, before: Obj, next: Obj): Obj => {
    if (place.subresource === 'status') return { ...before, status: next.status ?? {} };
    if (place.subresource === '' && place.kind.subresources.includes('status') && !keepsStatus.has(place.kind.kind)) {
      const { status: _ignored, ...rest } = next;
      return before.status === undefined ? rest : { ...rest, status: before.status };
    }
    if (place.kind.kind === 'Service') return next;
    return next;
  };

  const keepAddresses = (place: Place, before: Obj, next: Obj): Obj => {
    if (place.kind.kind !== 'Service' || place.kind.group !== '') return next;
    const old = objAt(before, 'spec');
    const spec = { ...objAt(next, 'spec') };
    for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
      if ((spec[key] === undefined || spec[key] === '') && old[key] !== undefined) spec[key] = old[key];
    return { ...next, spec };
  };

  const suffix = () => [...state.kernel.random('kube/names').bytes(5)].map((byte) => 'bcdfghjklmnpqrstvwxz2456789'[byte % 27]).join('');

  return {
    typeOf,

    create(place: Place, body: Obj, actor: Actor): Obj {
      checkBody(place, body);
      if (textAt(body, 'metadata', 'resourceVersion') !== '')
        throw badRequest('resourceVersion should not be set on objects to be created');
      return insert(place, body, actor, (draft) => {
        encodeStrings(place.kind, draft);
        return trackUpdate(undefined, draft, typeOf(place.kind, place.subresource), writerOf(place, actor));
      });
    },

    replace(place: Place, body: Obj, actor: Actor): Obj {
      checkBody(place, body);
      const name = textAt(body, 'metadata', 'name');
      if (name !== '' && name !== place.name)
        throw badRequest(`the name of the object (${name}) does not match the name on the URL (${place.name})`);
      const before = live(place);
      if (!before) throw notFound(place.kind, place.name);
      checkVersion(place, before, body);
      const draft = clone(body);
      draft.apiVersion = apiVersionOf(place.kind);
      draft.kind = place.kind.kind;
      if (place.subresource !== 'status') {
        setDefaults(place.kind, draft);
        encodeStrings(place.kind, draft);
      }
      const next = keepAddresses(place, before, confine(place, before, draft));
      return update(
        place,
        before,
        trackUpdate(before, carryIdentity(before, next), typeOf(place.kind, place.subresource), writerOf(place, actor)),
        actor,
      );
    },

    patch(place: Place, how: PatchKind, patch: Value, force: boolean, actor: Actor): { readonly object: Obj; readonly isNew: boolean } {
      const before = live(place);
      if (how === 'apply') {
        if (!isObj(patch)) throw badRequest('error decoding YAML: an object is expected');
        if (textAt(patch, 'apiVersion') === '' || textAt(patch, 'kind') === '')
          throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(patch)}'`);
        checkBody(place, patch);
        if (listAt(patch, 'metadata', 'managedFields').length > 0) throw badRequest('metadata.managedFields must be nil');
        const config: Obj = {
          ...patch,
          metadata: { ...objAt(patch, 'metadata'), name: place.name, ...(place.kind.isNamespaced ? { namespace: place.namespace } : {}) },
        };
        const its = typeOf(place.kind, place.subresource);
        if (!before) {
          if (place.subresource !== '') throw notFound(place.kind, place.name);
          const { object } = applyConfiguration(undefined, config, its, writerOf(place, actor), force);
          return { object: insert(place, object, actor, (draft) => draft), isNew: true };
        }
        const version = textAt(patch, 'metadata', 'resourceVersion');
        if (version !== '') checkVersion(place, before, patch);
        const { object, isNoop } = applyConfiguration(before, config, its, writerOf(place, actor), force);
        return { object: isNoop ? before : update(place, before, confine(place, before, object), actor), isNew: false };
      }
      if (!before) throw notFound(place.kind, place.name);
      const next = patched(place, before, how, patch);
      checkVersion(place, before, next);
      const draft = clone(next);
      if (place.subresource !== 'status') {
        setDefaults(place.kind, draft);
        encodeStrings(place.kind, draft);
      }
      const confined = keepAddresses(place, before, confine(place, before, draft));
      return {
        object: update(
          place,
          before,
          trackUpdate(before, carryIdentity(before, confined), typeOf(place.kind, place.subresource), writerOf(place, actor)),
          actor,
        ),
        isNew: false,
      };
    },

    /** What the answer shows: the object while it is still there, a Status once it is gone. */
    delete(place: Place, request: DeleteRequest, actor: Actor): Obj {
      const { kind } = place;
      const before = live(place);
      if (!before) throw notFound(kind, place.name);
      const metadata = objAt(before, 'metadata');
      if (request.uid !== undefined && request.uid !== metadata.uid)
        throw preconditionFailed(kind, place.name, request.uid, textAt(metadata, 'uid'));
      admit(state, kind, before, 'DELETE');
      if (actor.isDryRun) return before;
      state.kernel.emit({ kind: 'kube/deleted', facts: { kind: kind.kind, namespace: place.namespace, name: place.name } });
      const finalizers = listAt(metadata, 'finalizers').map(String);
      if (request.propagation === 'Foreground' && !finalizers.includes('foregroundDeletion')) {
        finalizers.push('foregroundDeletion');
        state.kernel.store.set('kube/foreground', true);
      }
      if (request.propagation === 'Orphan') orphan(textAt(metadata, 'uid'));
      const spec = objAt(before, 'spec');
      const graceSeconds =
        kind === podKind && textAt(spec, 'nodeName') !== ''
          ? (request.gracePeriodSeconds ?? Number(spec.terminationGracePeriodSeconds ?? 30))
          : 0;
      const staysForAWhile = finalizers.length > 0 || graceSeconds > 0 || kind === namespaceKind;
      if (!staysForAWhile) {
        state.remove(kind, before);
        return successOf(kind, before);
      }
      if (metadata.deletionTimestamp !== undefined) return before;
      const marked: Obj = {
        ...before,
        metadata: {
          ...metadata,
          ...(finalizers.length === 0 ? {} : { finalizers }),
          deletionTimestamp: state.timestamp(),
          ...(kind === namespaceKind ? {} : { deletionGracePeriodSeconds: graceSeconds }),
          ...(metadata.generation === undefined ? {} : { generation: Number(metadata.generation) + 1 }),
        },
        ...(kind === namespaceKind ? { status: { ...objAt(before, 'status'), phase: 'Terminating' } } : {}),
      };
      return state.put(kind, marked);
    },
  };

  function patched(place: Place, before: Obj, how: Exclude<PatchKind, 'apply'>, patch: Value): Obj {
    switch (how) {
      case 'merge':
        return mergePatch(before, patch) as Obj;
      case 'json':
        return jsonPatched(before, Array.isArray(patch) ? patch : []);
      case 'strategic':
        if (place.kind.definition !== undefined)
          throw unsupportedMediaType(['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']);
        return strategicPatch(before, patch, schemaOf(place.kind).type) as Obj;
    }
  }

  function orphan(uid: string): void {
    for (const kind of state.allKinds()) {
      if (kind.isVirtual) continue;
      for (const object of state.list(kind)) {
        const owners = listAt(object, 'metadata', 'ownerReferences');
        if (!owners.some((owner) => textAt(owner, 'uid') === uid)) continue;
        const { ownerReferences: _owners, ...metadata } = objAt(object, 'metadata');
        const rest = owners.filter((owner) => textAt(owner, 'uid') !== uid);
        state.put(kind, { ...object, metadata: { ...metadata, ...(rest.length === 0 ? {} : { ownerReferences: rest }) } });
      }
    }
  }
}

export type Writes = ReturnType<typeof createWrites>;

function jsonPatched(before: Obj, operations: readonly Value[]): Obj {
  try {
    return jsonPatch(before, operations);
  } catch (error) {
    throw error instanceof JsonPatchRefused ? unfittingPatch() : error;
  }
}

function checkVersion(place: Place, before: Obj, body: Obj): void {
  const given = textAt(body, 'metadata', 'resourceVersion');
  if (given !== '' && given !== textAt(before, 'metadata', 'resourceVersion')) throw staleObject(place.kind, place.name);
  const uid = textAt(body, 'metadata', 'uid');
  if (uid !== '' && uid !== textAt(before, 'metadata', 'uid'))
    throw new ApiError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${place.kind.plural} "${place.name}": Precondition failed: UID in precondition: ${uid}, UID in object meta: ${textAt(before, 'metadata', 'uid')}`,
      {
        name: place.name,
        kind: place.kind.plural,
      },
    );
}

/** Fields of the metadata that nobody can change count as unchanged. */
function carryIdentity(before: Obj, next: Obj): Obj {
  const old = objAt(before, 'metadata');
  const metadata = { ...objAt(next, 'metadata') };
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp', 'generation', 'resourceVersion'])
    if (old[key] !== undefined) metadata[key] = old[key];
  return { ...next, metadata };
}

const changesMeaning = (kind: Kind, before: Obj, after: Obj): boolean => {
  const meaning = (object: Obj): Obj => {
    const { metadata: _metadata, status: _status, ...rest } = object;
    return kind.definition !== undefined && !kind.subresources.includes('status') ? { ...rest, status: object.status ?? null } : rest;
  };
  return !equal(meaning(before), meaning(after));
};

/** Owners whose fields are the same but whose time is not do not make a new version. */
function sameButForTimes(before: Obj, after: Obj): boolean {
  const timeless = (object: Obj): Obj => {
    const metadata = objAt(object, 'metadata');
    return {
      ...object,
      metadata: { ...metadata, managedFields: listAt(metadata, 'managedFields').map((entry): Obj => ({ ...objAt(entry), time: '' })) },
    };
  };
  return equal(timeless(before), timeless(after));
}

const successOf = (kind: Kind, object: Obj): Obj => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: {
    name: textAt(object, 'metadata', 'name'),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: textAt(object, 'metadata', 'uid'),
  },
});
