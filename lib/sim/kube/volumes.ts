import { builtIn, type Kind } from './kinds.ts';
import { at, kubeletOf } from './kubelets.ts';
import { makeObject } from './make-object.ts';
import type { KubeState } from './state.ts';
import { listAt, type Obj, objAt, textAt, type Value } from './value.ts';

const claims = builtIn('v1', 'PersistentVolumeClaim');
const volumes = builtIn('v1', 'PersistentVolume');
const pods = builtIn('v1', 'Pod');
const classes = builtIn('storage.k8s.io/v1', 'StorageClass');
const drivers = builtIn('storage.k8s.io/v1', 'CSIDriver');
const attachments = builtIn('storage.k8s.io/v1', 'VolumeAttachment');

const provisionMs = 2000;
const attachMs = 1500;
const detachMs = 3000;
/** A volume of a machine that does not answer stays attached so long. Source: pkg/controller/volume/attachdetach maxWaitForUnmountDuration */
const silentDetachMs = 360_000;

const nameOf = (object: Obj): string => textAt(object, 'metadata', 'name');
const namespaceOf = (object: Obj): string => textAt(object, 'metadata', 'namespace');
const isOver = (pod: Obj): boolean => ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'));

/** Claims that a pod mounts, by name. */
const claimNames = (pod: Obj): string[] =>
  listAt(pod, 'spec', 'volumes').flatMap((volume) => textAt(objAt(volume, 'persistentVolumeClaim'), 'claimName') || []);

/** The driver that makes volumes of this claim's class, if it is one that attaches them. */
function driverOf(state: KubeState, claim: Obj): string | undefined {
  const asked = textAt(claim, 'spec', 'storageClassName');
  const all = state.list(classes);
  const isDefault = (one: Obj) => objAt(one, 'metadata', 'annotations')['storageclass.kubernetes.io/is-default-class'] === 'true';
  const found = asked === '' ? all.find(isDefault) : all.find((one) => nameOf(one) === asked);
  const driver = found && state.get(drivers, undefined, textAt(found, 'provisioner'));
  return driver && objAt(driver, 'spec').attachRequired !== false ? nameOf(driver) : undefined;
}

/** The bound volume of a claim, when a CSI driver attaches it. */
function volumeOf(state: KubeState, namespace: string, claim: string): Obj | undefined {
  const name = textAt(state.get(claims, namespace, claim) ?? {}, 'spec', 'volumeName');
  const volume = name === '' ? undefined : state.get(volumes, undefined, name);
  return volume && textAt(volume, 'spec', 'csi', 'driver') !== '' ? volume : undefined;
}

const attachmentsOf = (state: KubeState, volume: string): Obj[] =>
  state.list(attachments).filter((one) => textAt(one, 'spec', 'source', 'persistentVolumeName') === volume);

/**
 * Whether everything that a pod mounts is attached to its machine. Claims that no driver of this simulation serves wait for nothing.
 * Source: kubernetes pkg/kubelet/volumemanager
 */
export function hasVolumes(state: KubeState, pod: Obj): boolean {
  return claimNames(pod).every((name) => {
    const claim = state.get(claims, namespaceOf(pod), name);
    if (!claim || driverOf(state, claim) === undefined) return true;
    const volume = volumeOf(state, namespaceOf(pod), name);
    return (
      volume !== undefined &&
      attachmentsOf(state, nameOf(volume)).some(
        (one) =>
          textAt(one, 'spec', 'nodeName') === textAt(pod, 'spec', 'nodeName') && objAt(one, 'status').attached === true && !isEnding(one),
      )
    );
  });
}

const isEnding = (object: Obj): boolean => objAt(object, 'metadata').deletionTimestamp !== undefined;

/**
 * Volumes are made, attached where a pod needs them, and detached some time after the last one has gone; one that may be attached
 * only once waits for that.
 *
 * Source: kubernetes v1.35 pkg/controller/volume/{persistentvolume,attachdetach}, external-provisioner, external-attacher
 */
export function syncVolumes(state: KubeState): void {
  const once = (key: string, inMs: number, kind: string, data: { readonly [fact: string]: string }) => {
    const stored = `kube/volumes/${key}`;
    if (state.kernel.store.get(stored)) return;
    state.kernel.store.set(stored, true);
    at(state, inMs, kind, key, { ...data, stored });
  };
  for (const claim of state.list(claims)) {
    if (textAt(claim, 'spec', 'volumeName') !== '' || driverOf(state, claim) === undefined) continue;
    once(`claim/${textAt(claim, 'metadata', 'uid')}`, provisionMs, 'claim-bound', { namespace: namespaceOf(claim), name: nameOf(claim) });
  }
  const wanted = new Map<string, Set<string>>();
  for (const pod of state.list(pods)) {
    const node = textAt(pod, 'spec', 'nodeName');
    if (node === '' || isOver(pod)) continue;
    for (const claim of claimNames(pod)) {
      const volume = volumeOf(state, namespaceOf(pod), claim);
      if (volume) wanted.set(nameOf(volume), (wanted.get(nameOf(volume)) ?? new Set()).add(node));
    }
  }
  for (const [volume, nodes] of wanted) {
    for (const node of nodes) {
      const existing = attachmentsOf(state, volume);
      if (existing.some((one) => textAt(one, 'spec', 'nodeName') === node)) continue;
      const isShared = listAt(state.get(volumes, undefined, volume) ?? {}, 'spec', 'accessModes').some(
        (mode) => mode !== 'ReadWriteOnce' && mode !== 'ReadWriteOncePod',
      );
      // Multi-Attach: it stays where it is until it was detached there.
      if (existing.length > 0 && !isShared) continue;
      const attacher = textAt(state.get(volumes, undefined, volume) ?? {}, 'spec', 'csi', 'driver');
      const name = `csi-${hexOf(`${volume}/${node}`)}`;
      makeObject(
        state,
        attachments,
        { name, finalizers: [`external-attacher/${attacher.replaceAll('.', '-')}`] },
        {
          spec: { attacher, nodeName: node, source: { persistentVolumeName: volume } },
          status: { attached: false },
        },
      );
      at(state, attachMs, 'attached', name, { name });
    }
  }
  for (const one of state.list(attachments)) {
    const [volume, node] = [textAt(one, 'spec', 'source', 'persistentVolumeName'), textAt(one, 'spec', 'nodeName')];
    if (isEnding(one) || wanted.get(volume)?.has(node)) continue;
    const silent = kubeletOf(state, node)?.isUp === false;
    once(`detach/${textAt(one, 'metadata', 'uid')}`, silent ? silentDetachMs : 500, 'detach', { name: nameOf(one) });
  }
}

/** Timers of volumes; false when the timer is none of theirs. */
export function onVolumeTimer(state: KubeState, kind: string, data: Value | undefined): boolean {
  if (!['claim-bound', 'attached', 'detach', 'detached'].includes(kind)) return false;
  const name = textAt(data, 'name');
  const stored = textAt(data, 'stored');
  if (stored !== '') state.kernel.store.delete(stored);
  if (kind === 'claim-bound') {
    bind(state, textAt(data, 'namespace'), name);
    return true;
  }
  const attachment = state.get(attachments, undefined, name);
  if (!attachment) return true;
  if (kind === 'attached') state.put(attachments, { ...attachment, status: { attached: true } });
  else if (kind === 'detached') state.remove(attachments, attachment);
  else if (!isUsed(state, attachment)) {
    const fault = state.kernel.fault('kube/volume-detach', { volume: textAt(attachment, 'spec', 'source', 'persistentVolumeName') });
    const metadata = { ...objAt(attachment, 'metadata'), deletionTimestamp: state.timestamp(), deletionGracePeriodSeconds: 0 };
    state.put(attachments, { ...attachment, metadata });
    at(state, detachMs + Number(fault?.facts.lateMs ?? 0), 'detached', name, { name });
  }
  return true;
}

function isUsed(state: KubeState, attachment: Obj): boolean {
  const volume = textAt(attachment, 'spec', 'source', 'persistentVolumeName');
  return state
    .list(pods)
    .some(
      (pod) =>
        textAt(pod, 'spec', 'nodeName') === textAt(attachment, 'spec', 'nodeName') &&
        !isOver(pod) &&
        claimNames(pod).some((claim) => nameOf(volumeOf(state, namespaceOf(pod), claim) ?? {}) === volume),
    );
}

function bind(state: KubeState, namespace: string, name: string): void {
  const claim = state.get(claims, namespace, name);
  const driver = claim && driverOf(state, claim);
  if (!claim || driver === undefined || textAt(claim, 'spec', 'volumeName') !== '') return;
  const uid = textAt(claim, 'metadata', 'uid');
  const volume = `pvc-${uid}`;
  const spec = objAt(claim, 'spec');
  const capacity: Obj = { storage: textAt(spec, 'resources', 'requests', 'storage') || '1Gi' };
  makeObject(
    state,
    volumes,
    { name: volume, finalizers: ['kubernetes.io/pv-protection'] },
    {
      spec: {
        capacity,
        accessModes: listAt(spec, 'accessModes'),
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        csi: { driver, volumeHandle: volume },
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: textAt(spec, 'storageClassName'),
        volumeMode: 'Filesystem',
      },
      status: { phase: 'Bound' },
    },
  );
  state.put(claims, {
    ...claim,
    spec: { ...spec, volumeName: volume, volumeMode: 'Filesystem' },
    status: { phase: 'Bound', accessModes: listAt(spec, 'accessModes'), capacity },
  });
}

/** The claims of one pod of a StatefulSet, made if they are not there, as volumes of that pod. */
export function claimsOfSet(state: KubeState, set: Obj, ordinal: number): Obj[] {
  return listAt(set, 'spec', 'volumeClaimTemplates').map((template): Obj => {
    const short = textAt(template, 'metadata', 'name');
    const name = `${short}-${nameOf(set)}-${ordinal}`;
    if (!state.get(claims as Kind, namespaceOf(set), name))
      makeObject(
        state,
        claims,
        {
          name,
          namespace: namespaceOf(set),
          labels: objAt(set, 'spec', 'selector', 'matchLabels'),
          finalizers: ['kubernetes.io/pvc-protection'],
        },
        { spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', ...objAt(template, 'spec') }, status: { phase: 'Pending' } },
      );
    return { name: short, persistentVolumeClaim: { claimName: name } };
  });
}

function hexOf(text: string): string {
  let found = '';
  for (let part = 0; part < 8; part += 1) {
    let hash = 0x811c9dc5 ^ (part * 0x9e3779b1);
    for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
    found += hash.toString(16).padStart(8, '0');
  }
  return found;
}
