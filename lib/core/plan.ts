/** One call that would change something outside of this process. */
export interface MutatingCall {
  /** Whom it is addressed to: a machine, a server, a file. */
  readonly target: string;
  /** In the words of the protocol. */
  readonly call: string;
}

/** One line of a plan. `unknown`: the facts for the decision could not be had. */
export type PlannedStep =
  | {
      readonly decision: 'run';
      readonly title: string;
      readonly reason?: string;
      readonly node?: string;
      readonly calls?: readonly MutatingCall[];
    }
  | { readonly decision: 'skip'; readonly title: string; readonly reason: string; readonly node?: string }
  | { readonly decision: 'unknown'; readonly title: string; readonly reason: string; readonly node?: string };
