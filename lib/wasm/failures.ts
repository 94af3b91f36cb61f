import { failuresOf } from '../base/index.ts';

/** One sentence of a values schema: where in the values, and what is wrong there, as Helm says it. */
export interface SchemaProblem {
  readonly [field: string]: string | undefined;
  /** The chart or subchart whose schema it is. */
  readonly chart: string;
  /** JSON pointer into that chart's values; empty for the values as a whole. */
  readonly pointer: string;
  readonly problem: string;
}

export type WasmFailures = {
  /** Not a chart archive, or one that reaches outside of itself, holds links or unpacks too large. */
  'chart/archive': { reason: string; chart?: string };
  /** An archive without a usable chart in it. */
  'chart/invalid': { reason: string; chart?: string };
  'chart/dependency': { reason: string; chart?: string };
  'chart/release-name': { reason: string };
  /** Values that are not YAML, or not a mapping. */
  'chart/values': { reason: string; chart?: string };
  /** One of the parts that a HelmRelease's values are made of; `layer` counts from zero. */
  'chart/values-layer': { layer: number; reason: string };
  'chart/values-schema': { problems: readonly SchemaProblem[] };
  'chart/kubernetes-version': { needs: string; has: string; chart?: string };
  /** A template that fails. The place is the innermost one; `through` are the places that led there, outermost first. */
  'chart/template': { file: string; line?: number; column?: number; problem: string; through: readonly string[]; chart?: string };
  /** A template rendered, and what came out is not YAML. */
  'chart/manifest': { file: string; problem: string; chart?: string };
  /** A release record that cannot be read or written. */
  'chart/record': { reason: string };
  /** `lookup` asked for something new after every answer. */
  'chart/lookup-endless': { kinds: readonly string[]; chart?: string };
  /** The engine died: out of memory, or a defect in it. */
  'chart/engine-trapped': { during: string; reason: string; chart?: string };
  /** The engine answered what it should never answer. */
  'chart/engine': { during: string; reason: string };
  /** A Go template that is not part of a chart. */
  'go-template/failed': { name: string; line?: number; column?: number; problem: string };
};

export const wasmFailure = failuresOf<WasmFailures>();
