import type { Failure, SourceFile, Span } from '../../base/index.ts';
import type { TalosMinor } from '../../upstream/tables.ts';
import type { MachineRole } from './base.ts';
import type { ConfigDocument } from './document.ts';
import type { KeptValue } from './merge.ts';
import type { LostSetting } from './network-documents.ts';
import type { ConfigMap } from './value.ts';

/** A patch, or a file of extra documents, in the order in which it is applied. */
export interface GeneratorPatch {
  readonly from: 'group' | 'node' | 'cluster';
  readonly file: SourceFile;
  readonly isTemplate: boolean;
  /** What happens to a rendered template before it is read. */
  finish(rendered: string): string;
}

export interface GeneratorNode {
  readonly name: string;
  readonly role: MachineRole;
  readonly fileName: string;
  readonly installDisk?: string;
  readonly installDiskSelector?: ConfigMap;
  readonly installerImage: string;
  /** Kernel arguments that the installer has to be told: below 1.12, without UKI. */
  readonly extraKernelArgs: readonly string[];
  readonly useUki: boolean;
  /** Take the name that the network gives instead of `name`. */
  readonly ignoreHostname: boolean;
  readonly certSans: readonly string[];
  readonly nameservers: readonly string[];
  readonly disableSearchDomain: boolean;
  /** Values of the old form, as the talconfig has them. Absent: nothing is said. */
  readonly labels?: ConfigMap;
  readonly annotations?: ConfigMap;
  readonly taints?: ConfigMap;
  readonly disks?: readonly ConfigMap[];
  readonly files?: readonly ConfigMap[];
  readonly kernelModules?: readonly ConfigMap[];
  readonly networkInterfaces?: readonly ConfigMap[];
  readonly ingressFirewall?: ConfigMap;
  readonly extensionServices?: readonly ConfigMap[];
  readonly volumes?: readonly ConfigMap[];
  readonly userVolumes?: readonly ConfigMap[];
  readonly patches: readonly GeneratorPatch[];
  readonly extraManifests: readonly GeneratorPatch[];
  /** Where failures that have no better place belong. */
  readonly declaredAt: Span;
}

export interface GeneratorInput {
  readonly clusterName: string;
  readonly endpoint: string;
  readonly contract: TalosMinor;
  /** Without its `v`. */
  readonly kubernetesVersion: string;
  readonly dnsDomain?: string;
  readonly podSubnets?: readonly string[];
  readonly serviceSubnets?: readonly string[];
  readonly allowSchedulingOnControlPlanes: boolean;
  readonly machineCertSans: readonly string[];
  readonly apiServerCertSans: readonly string[];
  readonly cni?: ConfigMap;
  readonly inlineManifests: readonly { readonly name: string; readonly contents: string }[];
  /** Applied to each node after its own. */
  readonly patches: readonly GeneratorPatch[];
  readonly nodes: readonly GeneratorNode[];
  /**
   * What 1.14 switches on for new clusters: workload isolation and a /var without executables. False for a cluster that was made
   * before, so that moving to the contract changes nothing by itself.
   */
  readonly hardening: boolean;
  /** Takes out of a sentence what may be a secret; Talos' own sentences quote values. */
  redact?(sentence: string): string;
}

export interface GenerateOptions {
  /** Renders a Go template with sprig. Absent: a template is `talos-config/template-engine-missing`. */
  readonly renderTemplate?: (text: string, data: unknown, file: SourceFile) => Promise<string>;
  /** Keeps the state after each step, for `explain`. Default false. */
  readonly withLayers?: boolean;
  /** Also gives configurations that no node would take, to look at. Default false. */
  readonly unchecked?: boolean;
}

/** The documents as they stood after one step. */
export interface Layer {
  /** `generated`, `node`, or the path of the patch. */
  readonly origin: string;
  readonly kind: 'generated' | 'node' | 'group patch' | 'node patch' | 'cluster patch' | 'extra manifest';
  readonly file?: SourceFile;
  readonly documents: readonly ConfigDocument[];
}

export interface GeneratedMachineConfig {
  readonly name: string;
  readonly fileName: string;
  readonly text: string;
  readonly documents: readonly ConfigDocument[];
  readonly layers: readonly Layer[];
  /** Values that upstream's merge would have lost. */
  readonly kept: readonly KeptValue[];
  /** Settings that no document can carry. */
  readonly lost: readonly LostSetting[];
  /** Deprecated fields. */
  readonly warnings: readonly Failure[];
}
