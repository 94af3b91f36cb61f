import type { Failure } from '../../base/index.ts';

/** With their `v`. */
export interface WantedPins {
  readonly talos?: string;
  readonly kubernetes?: string;
}

/** One written version that has to follow. */
export interface PinEdit {
  /** Relative to the repository. */
  readonly path: string;
  readonly line: number;
  /** As it is written: with or without `v`. Absent: the file does not name it yet, and gets the key. */
  readonly from?: string;
  readonly to: string;
  /** `kubernetes_version`, `kubernetesVersion`, `spec.kubernetes.version` */
  readonly key: string;
}

export interface PinPlan {
  readonly wanted: WantedPins;
  /** In the order of their files. Empty: everything that can be written says so already. */
  readonly edits: readonly PinEdit[];
  /** `pin/*`: a version that comes from where tk does not write. */
  readonly warnings: readonly Failure[];
}

/** Where the repository writes which versions its cluster runs. */
export interface PinsView {
  /**
   * What has to be written so that the next `generate-config` makes configs of these versions: the inputs, what is rendered from them
   * and read by the generator, and the versions that an upgrade controller in the Flux tree is told. Reads files alone.
   *
   * `isForwardOnly`: what names a newer version stays. Default false.
   */
  plan(wanted: WantedPins, options?: { readonly isForwardOnly?: boolean }): Promise<PinPlan>;
  /**
   * What the repository would still generate otherwise, with the place that says so: a patch of one node, a cluster patch.
   * Shape: `pin/overridden`, one for each node and part. Failure: as `MachineConfigs.generate`.
   */
  overridden(wanted: WantedPins, signal: AbortSignal, options?: { readonly isForwardOnly?: boolean }): Promise<readonly Failure[]>;
}

export interface Pins extends PinsView {
  /** Writes the versions in place: comments, order, quotes and line ends stay. */
  follow(plan: PinPlan): Promise<void>;
}
