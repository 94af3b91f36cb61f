import type { Failure, Files } from '../../../base/index.ts';
import type { NodeModel } from '../../../config/index.ts';
import type { ClusterView } from '../../cluster.ts';
import type { Connections } from '../../connections.ts';
import type { KubeAccess } from '../../kube-access.ts';

export const doctorAreas = [
  'inputs',
  'keys',
  'reachability',
  'clocks',
  'certificates',
  'etcd',
  'kubernetes',
  'flux',
  'drift',
  'runs',
] as const;
export type DoctorArea = (typeof doctorAreas)[number];

/** One thing that is not as it should be, and the command that mends it. */
export interface Finding {
  readonly area: DoctorArea;
  /** `error`: something does not work now. `warning`: it works still. */
  readonly level: 'error' | 'warning';
  readonly node?: string;
  readonly failure: Failure;
  readonly mend: string;
}

export interface DoctorParts {
  readonly cluster: Pick<
    ClusterView,
    | 'model'
    | 'isSandbox'
    | 'configuration'
    | 'machineConfigs'
    | 'releases'
    | 'machines'
    | 'kubernetes'
    | 'kubeconfig'
    | 'lifecycle'
    | 'gates'
    | 'controlPlanes'
  >;
  readonly connections: Connections;
  readonly access: KubeAccess;
  readonly files: Files;
  readonly now: () => number;
  /** Where the journals lie. */
  readonly stateDirectory: string;
  readonly identity: string;
  /** PEM of each authority of the cluster, by its name; empty when no bundle of secrets is at hand. */
  readonly authorities: () => Promise<ReadonlyMap<string, string>>;
  /** PEM of the client certificate in the talosconfig. */
  readonly talosCertificate: () => Promise<string | undefined>;
}

export interface Doctor {
  /** Looks at one part. Never fails for what it finds. Shape: errors first. */
  examine(area: DoctorArea, nodes: readonly NodeModel[], signal: AbortSignal): Promise<readonly Finding[]>;
}

/** More than this, and certificates that are made now are not valid there yet. */
export const clockToleranceMs = 60_000;

export type Note = (level: Finding['level'], failure: Failure, mend: string, node?: string) => void;
