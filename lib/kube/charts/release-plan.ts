import type { Json, Place } from '../../base/index.ts';
import type { ChartSource } from './source.ts';

/** One part of a release's values; later parts win. */
export type ValuesLayer =
  /** `spec.values` of this HelmRelease, as its file has it. */
  | {
      readonly kind: 'helm-release';
      readonly text: string;
      /** The line of the file on which `text` begins. */
      readonly firstLine: number;
      /** The object as JSON where patches of the tree change it; then `text` only says where values stand. */
      readonly patched?: string;
      readonly place: Place;
      readonly substitution?: Substitution;
    }
  /** A key of a ConfigMap or Secret. With a `targetPath` its text is one value, without it is a whole file. */
  | {
      readonly kind: 'reference';
      readonly object: ObjectReference;
      readonly key: string;
      readonly targetPath?: string;
      readonly isOptional: boolean;
      /** The text is the value as it is, without the syntax of `--set`. */
      readonly isLiteral: boolean;
      readonly place: Place;
    }
  /** A values file. */
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  /** One value for one place, in the syntax of `--set`. */
  | {
      readonly kind: 'set';
      readonly origin: string;
      readonly targetPath: string;
      readonly text: string;
      /** The text is the value as it is. */
      readonly isLiteral: boolean;
    }
  /** Written inline; `origin` names the file. */
  | { readonly kind: 'inline'; readonly origin: string; readonly values: { readonly [key: string]: Json | undefined } };

export type CrdPolicy = 'skip' | 'create' | 'create-replace';

/** What Flux puts in for `${name}` before it applies. */
export interface Substitution {
  readonly variables: Readonly<Record<string, string>>;
  readonly from: readonly (ObjectReference & { readonly isOptional: boolean })[];
}

export interface ObjectReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly namespace: string;
}

/** What is to be installed, and from where; nothing has been fetched yet. */
export interface ReleasePlan {
  /** Name of the Helm release. */
  readonly name: string;
  /** Where its objects go. */
  readonly namespace: string;
  /** Where its record is kept. */
  readonly storageNamespace: string;
  readonly source: ChartSource;
  /** The chart's name for people. */
  readonly chart: string;
  readonly version: string;
  /** Names of releases in the same list that come first. */
  readonly needs: readonly string[];
  /** `crds`: only its CustomResourceDefinitions belong to bootstrap. */
  readonly role: 'release' | 'crds';
  /** Whether bootstrap installs it; Flux installs the others. */
  readonly isBootstrap: boolean;
  readonly values: readonly ValuesLayer[];
  /** What becomes of the chart's `crds/` folder. */
  readonly crds: CrdPolicy;
  /** The HelmRelease that Flux will run it from; its labels go onto each object. Absent for releases that only a helmfile knows. */
  readonly origin?: { readonly name: string; readonly namespace: string };
  readonly areHooksDisabled: boolean;
  readonly timeoutMs: number;
  /** Default: true. */
  readonly shouldWait?: boolean;
  /** Values are not held against the chart's schema. Default: false. */
  readonly isSchemaSkipped?: boolean;
  /** What an upgrade does otherwise than the first install. */
  readonly upgrade?: Partial<Pick<ReleasePlan, 'crds' | 'areHooksDisabled' | 'timeoutMs' | 'shouldWait' | 'isSchemaSkipped'>>;
  /** Files of the chart that are its default values, in place of values.yaml. */
  readonly valuesFiles?: { readonly paths: readonly string[]; readonly isMissingIgnored: boolean };
  /** Whether hooks go through the post-renderers too. Default: true. */
  readonly areHooksPostRendered?: boolean;
  /** The HelmRelease or the helmfile. */
  readonly place: Place;
  /** Commands that helmfile would run around this release; they are listed, never run. */
  readonly hooks: readonly string[];
}
