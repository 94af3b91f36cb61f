import type { Clock, Json } from '../../base/index.ts';
import type { DecodedRecord } from '../../wasm/index.ts';
import type { KubeReader } from '../client.ts';
import { refOf } from '../object.ts';
import { isEqualJson, isOwned, placed, toKubeObject } from './objects.ts';
import type { ReleasePorts } from './prepare.ts';
import { pullRelease } from './source-access.ts';
import { decode, isPending, listRecords, type StoredRecord } from './record.ts';
import type { ReleasePlan } from './release-plan.ts';
import { nameOfPostRenderers } from './post-render.ts';
import { resolveRelease } from './values.ts';

export type ReleaseState =
  | { readonly state: 'absent' }
  | { readonly state: 'equal'; readonly revision: number }
  /** `because` completes "differs: …". */
  | { readonly state: 'differs'; readonly revision: number; readonly because: string }
  /** Somebody began an install, upgrade or rollback and has not finished. */
  | { readonly state: 'pending'; readonly revision: number; readonly status: string; readonly ageMs: number };

/**
 * What is in the cluster, held against what is wanted: chart, version and values by the record, objects by looking for each.
 * Changes nothing and, where a version is pinned, pulls nothing.
 */
export async function releaseState(plan: ReleasePlan, kube: KubeReader, ports: ReleasePorts, signal: AbortSignal): Promise<ReleaseState> {
  const records = await listRecords(kube, plan.name, plan.storageNamespace, signal);
  const state = await stateOf(plan, records, kube, ports, signal);
  const [stale] = staleRecords(records);
  if (state.state !== 'equal' || stale === undefined) return state;
  return { state: 'differs', revision: state.revision, because: `revision ${stale.revision} still says deployed` };
}

/** A run that died after it wrote the new record, and before it retired the one before. */
export const staleRecords = (records: readonly StoredRecord[]): readonly StoredRecord[] =>
  records.slice(0, -1).filter(({ status }) => status === 'deployed');

/** `records` are those of this release, oldest first. */
export async function stateOf(
  plan: ReleasePlan,
  records: readonly StoredRecord[],
  kube: KubeReader,
  ports: ReleasePorts,
  signal: AbortSignal,
): Promise<ReleaseState> {
  const last = records.at(-1);
  if (last === undefined || last.status === 'uninstalled') return { state: 'absent' };
  const { revision } = last;
  if (isPending(last.status)) return { state: 'pending', revision, status: last.status, ageMs: ageMs(last, ports.clock) };
  const differs = (because: string): ReleaseState => ({ state: 'differs', revision, because });
  if (last.status !== 'deployed') return differs(`revision ${revision} is ${last.status}`);
  const record = await decode(ports.engine, last, signal);
  const wanted = await wantedVersion(plan, ports, signal);
  const present = record.chart?.version ?? '';
  if (wanted !== undefined && !isSameVersion(present, wanted)) return differs(`chart ${present}, wanted ${wanted}`);
  const { values, postRenderers } = await resolveRelease(plan, ports.engine, ports.readReference, signal);
  if (!isEqualJson((record.config ?? {}) as Json, values.reveal() as Json)) return differs('values changed');
  // A record without the mark is Flux's own, which looks after its post-renderers itself.
  if ((last.postRendered ?? nameOfPostRenderers(postRenderers.reveal())) !== nameOfPostRenderers(postRenderers.reveal()))
    return differs('post-renderers changed');
  const missing = await firstMissing(record, plan, kube, signal);
  return missing === undefined ? { state: 'equal', revision } : differs(missing);
}

async function wantedVersion(plan: ReleasePlan, ports: ReleasePorts, signal: AbortSignal): Promise<string | undefined> {
  const { source } = plan;
  if (source.kind === 'oci' && source.tag !== undefined && isVersion(source.tag)) return source.tag;
  if (source.kind === 'index' && source.version !== undefined && isVersion(source.version)) return source.version;
  const { archive } = await pullRelease(plan, ports, signal);
  return (await ports.engine.inspect(archive, signal)).metadata.version;
}

const isVersion = (text: string): boolean => /^v?\d+\.\d+\.\d+[\w.+-]*$/.test(text);
const isSameVersion = (a: string, b: string): boolean => a.replace(/^v/, '') === b.replace(/^v/, '').replaceAll('_', '+');

async function firstMissing(record: DecodedRecord, plan: ReleasePlan, kube: KubeReader, signal: AbortSignal): Promise<string | undefined> {
  for (const rendered of record.objects) {
    const object = toKubeObject(rendered);
    if (object === undefined) continue;
    const words = `${object.kind.toLowerCase()} ${object.metadata.name}`;
    if (!(await kube.serves(object, signal))) return `${words} is missing`;
    const live = await kube.get(refOf(await placed(object, plan.namespace, kube, signal)), signal);
    if (live === undefined) return `${words} is missing`;
    if (!isOwned(live, plan)) return `${words} belongs to nobody`;
  }
  return undefined;
}

const ageMs = ({ changedAt }: StoredRecord, clock: Clock): number => Math.max(0, clock.now() - changedAt * 1000);
