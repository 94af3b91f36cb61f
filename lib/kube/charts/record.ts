import { calendarTime } from '../../pki/index.ts';
import type { DecodedRecord, HelmEngine } from '../../wasm/index.ts';
import type { KubeReader, KubeWriter } from '../client.ts';
import type { KubeObject } from '../object.ts';

/** What Flux applies as: applied under another name, a field that a later chart drops would survive its apply. */
export const fieldManager = 'helm-controller';

/** One revision of a release as the cluster keeps it. */
export interface StoredRecord {
  readonly secret: KubeObject;
  /** `data.release` without Kubernetes' own base64. */
  readonly data: string;
  readonly revision: number;
  /** `deployed`, `failed`, `superseded`, `uninstalled`, `pending-install`, … */
  readonly status: string;
  /** Seconds since the epoch, of the last change. */
  readonly changedAt: number;
  /** Names the post-renderers that its objects went through. Absent: somebody else wrote the record. */
  readonly postRendered?: string;
}

/** Helm's record says what a chart rendered to after the post-renderers, and nothing of these. */
const postRenderedMark = 'talos-tk/post-rendered';

/**
 * Every revision of a release, oldest first.
 * Source: helm pkg/storage/driver/secrets.go
 */
export async function listRecords(
  kube: KubeReader,
  name: string,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly StoredRecord[]> {
  const { items } = await kube.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace, labelSelector: `owner=helm,name=${name}` }, signal);
  return items
    .map((secret): StoredRecord => {
      const labels = secret.metadata.labels ?? {};
      const postRendered = secret.metadata.annotations?.[postRenderedMark];
      const encoded = (secret.data as Record<string, string> | undefined)?.release ?? '';
      return {
        secret,
        data: Buffer.from(encoded, 'base64').toString(),
        revision: Number(labels.version ?? 0),
        status: labels.status ?? 'unknown',
        changedAt: Number(labels.modifiedAt ?? labels.createdAt ?? 0),
        ...(postRendered === undefined ? {} : { postRendered }),
      };
    })
    .sort((a, b) => a.revision - b.revision);
}

export interface RecordToWrite {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly status: string;
  readonly data: string;
  readonly nowMs: number;
  readonly postRendered: string;
}

/** The secret that holds one revision; labels are what Helm looks for, and where Flux reads the status. */
export async function writeRecord(
  kube: KubeWriter,
  { name, namespace, revision, status, data, nowMs, postRendered }: RecordToWrite,
  signal: AbortSignal,
): Promise<void> {
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      namespace,
      labels: { name, owner: 'helm', status, version: String(revision), createdAt: String(Math.floor(nowMs / 1000)) },
      annotations: { [postRenderedMark]: postRendered },
    },
    data: { release: Buffer.from(data).toString('base64') },
  };
  await kube.apply(secret, { fieldManager, force: true }, signal);
}

/** Gives an older revision another status, as Helm does when the next one is there. */
export async function restatus(
  kube: KubeWriter,
  engine: HelmEngine,
  record: StoredRecord,
  status: string,
  description: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = record.secret.metadata;
  const data = await engine.restatusRecord(record.data, status, description, signal);
  const value = {
    metadata: { labels: { status, modifiedAt: String(Math.floor(nowMs / 1000)) } },
    data: { release: Buffer.from(data).toString('base64') },
  };
  const ref = { apiVersion: 'v1', kind: 'Secret', name, ...(namespace === undefined ? {} : { namespace }) };
  await kube.patch(ref, { type: 'merge', value, fieldManager }, signal);
}

export const decode = (engine: HelmEngine, record: StoredRecord, signal: AbortSignal): Promise<DecodedRecord> =>
  engine.decodeRecord(record.data, signal);

export const isPending = (status: string): boolean => status.startsWith('pending-');

/** `2026-11-21T12:00:00Z` */
export function timestamp(ms: number): string {
  const { year, month, day, hour, minute, second } = calendarTime(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
}
