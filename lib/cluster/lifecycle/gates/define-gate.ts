import type { NodeModel } from '../../../config/index.ts';
import type { KubeReader } from '../../../kube/index.ts';
import type { DisruptionKind } from '../lifecycle.ts';

/** What a gate of tasks.config.ts is asked about. It can only look. */
export interface GateQuestion {
  readonly node: NodeModel;
  readonly kind: DisruptionKind;
  readonly kube: KubeReader;
  readonly signal: AbortSignal;
}

export type GateVerdict =
  | { readonly state: 'passed'; readonly seen: string }
  /** `skipped`: it does not apply here, for example because the operator is not installed. */
  | { readonly state: 'skipped'; readonly because: string }
  | { readonly state: 'refused'; readonly problems: readonly string[]; readonly help?: string };

export interface GateDefinition {
  /** What `--override` and the journal call it. */
  readonly name: string;
  check(question: GateQuestion): Promise<GateVerdict>;
}

/** A gate with its name, as settings hold it. `undefined` check: the built-in gate of this name is not asked. */
export interface ConfiguredGate {
  readonly name: string;
  readonly check?: GateDefinition['check'];
}

/**
 * A question of your own before any machine is taken away:
 *
 *     defineGate({
 *       name: 'nas',
 *       async check({ kube, signal }) {
 *         const job = await kube.get({ apiVersion: 'batch/v1', kind: 'Job', namespace: 'backup', name: 'nas' }, signal);
 *         return job ? refusedBecause('the backup to the NAS is running') : passed('no backup is running');
 *       },
 *     })
 */
export function defineGate(definition: GateDefinition): ConfiguredGate {
  return definition;
}

export const passed = (seen: string): GateVerdict => ({ state: 'passed', seen });
export const refusedBecause = (problem: string | readonly string[], help?: string): GateVerdict => ({
  state: 'refused',
  problems: typeof problem === 'string' ? [problem] : problem,
  ...(help === undefined ? {} : { help }),
});
export const skipped = (because: string): GateVerdict => ({ state: 'skipped', because });
