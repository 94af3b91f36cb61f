import type { Json } from '../../base/index.ts';
import type { SimKernel } from '../kernel.ts';
import type { MachineSpec } from '../spec.ts';
import { type ConfigView, type StaticPodName, viewConfig } from './config-view.ts';
import type { StaticPodRecord } from './static-pods.ts';

/** As the MachineStatus resource spells them. */
export type Stage = 'booting' | 'installing' | 'maintenance' | 'running' | 'rebooting' | 'shutting down' | 'resetting' | 'upgrading';

export type TalosMinor = '1.12' | '1.13' | '1.14';

/** One run of the machine, from power to power. `number` tells timers of an earlier run from this one's. */
export type BootState = {
  readonly id: string;
  readonly number: number;
  readonly startedAtMs: number;
  readonly version: string;
  /** Absent: firmware, as after a loss of power. */
  readonly by?: 'kexec';
};

export type Installed = {
  readonly version: string;
  readonly image: string;
  readonly schematicId: string;
  readonly disk: string;
  /** Firmware cannot start it, kexec can. */
  readonly needsKexec?: true;
};

export type SlotName = 'A' | 'B';

/**
 * The two boot entries of a system disk. `default` is what the next start takes, `running` is what this one took. `fallback` is
 * META's upgrade tag: where a start that fails goes back to; it goes away when the machine is running and ready.
 *
 *     upgrade ──▶ default: the other, fallback: this one ──start──▶ running: the other ──ready──▶ no fallback
 *                                                               └──fails──▶ default: fallback, start again
 *
 * Source: Talos v1.13.9 cmd/installer/pkg/install/install.go, internal/app/machined/revert.go,
 * internal/app/machined/pkg/controllers/runtime/drop_upgrade_fallback.go
 */
export type Slots = {
  readonly default: SlotName;
  readonly running: SlotName;
  readonly fallback?: SlotName;
  readonly A?: Installed;
  readonly B?: Installed;
};

/** An installer container of the lifecycle service, from its start until somebody starts the next one. */
export type InstallerRun = {
  readonly number: number;
  readonly image: string;
  readonly lines: readonly string[];
  /** Absent while it runs. */
  readonly exitCode?: number;
};

/** A pull that is under way; `failed` is what upstream says about it. */
export type PullState = { readonly doneBytes: number; readonly failed?: string };

/** Which member of which etcd the data directory belongs to. */
export type EtcdData = { readonly cluster: string; readonly memberId: string };

export type ServiceStateName =
  | 'Initialized'
  | 'Preparing'
  | 'Waiting'
  | 'Starting'
  | 'Running'
  | 'Stopping'
  | 'Finished'
  | 'Failed'
  | 'Skipped';

export type ServiceRecord = {
  readonly state: ServiceStateName;
  readonly events: readonly { readonly message: string; readonly state: ServiceStateName; readonly wallMs: number }[];
  /** Absent while nothing is known. */
  readonly healthy?: boolean;
  readonly healthMessage: string;
  readonly healthChangedMs: number;
};

type Parts = {
  power: 'on' | 'off';
  boot: BootState;
  stage: Stage;
  /** What answers on port 50000. */
  api: 'none' | 'maintenance' | 'configured';
  installed: Installed;
  'config/active': string;
  'config/persistent': string;
  /** What a trial goes back to. */
  'config/rollback': string;
  'time-synced': true;
  etcd: EtcdData;
  /** The API server of this machine answers. */
  'static-pods': true;
  /** The kubelet that runs, and how often one was started in this boot. */
  kubelet: { readonly image: string; readonly starts: number };
  /** When the kubelet registered the node. */
  registered: true;
  /** A mutation that must finish first: `apply`, `install`, `reboot`. */
  busy: string;
  'unattended-install': 'waiting' | 'installing' | 'installed';
  slots: Slots;
  installer: InstallerRun;
  /** META: an upgrade that runs at the next start, before anything else. */
  'staged-upgrade': { readonly image: string };
  images: readonly string[];
  /** How often each partition of the system disk was made anew. */
  partitions: Readonly<Record<string, number>>;
  pulls: Readonly<Record<string, PullState>>;
  /** A snapshot lies there for the next bootstrap. */
  'etcd-snapshot': 'whole' | 'bare' | 'broken';
  meta: Readonly<Record<string, string>>;
};

/** The stored state of one machine, by part. */
export interface Machine {
  readonly spec: MachineSpec;
  readonly name: string;
  get<P extends keyof Parts>(part: P): Parts[P] | undefined;
  set<P extends keyof Parts>(part: P, value: Parts[P]): void;
  clear(...parts: (keyof Parts)[]): void;
  service(id: string): ServiceRecord | undefined;
  setService(id: string, record: ServiceRecord): void;
  serviceIds(): readonly string[];
  staticPod(name: StaticPodName): StaticPodRecord | undefined;
  setStaticPod(name: StaticPodName, record: StaticPodRecord): void;
  /** Services, events and whatever else lives in memory only. */
  forgetRun(): void;
  config(): ConfigView | undefined;
  /** The host name: from the configuration, else the one it was booted with. */
  hostname(): string;
  version(): string;
  minor(): TalosMinor;
  /**
   * etcd's data has a partition of its own; otherwise it is a directory of EPHEMERAL.
   *
   * Source: Talos v1.14.0 internal/app/machined/pkg/controllers/block/internal/volumes/volumeconfig/system_volumes.go
   */
  hasEtcdVolume(): boolean;
  isUp(): boolean;
}

export function createMachine(kernel: SimKernel, spec: MachineSpec): Machine {
  const prefix = `talos/${spec.name}`;
  const { store } = kernel;
  const keys = new Map<string, string>();
  const keyOf = (part: string): string => {
    let key = keys.get(part);
    if (key === undefined) {
      key = `${prefix}/${part}`;
      keys.set(part, key);
    }
    return key;
  };
  let viewed: { readonly text: string | undefined; readonly view: ConfigView | undefined } = { text: undefined, view: undefined };
  const machine: Machine = {
    spec,
    name: spec.name,
    get: <P extends keyof Parts>(part: P) => store.get(keyOf(part)) as Parts[P] | undefined,
    set: (part, value) => store.set(keyOf(part), value as Json),
    clear(...parts) {
      for (const part of parts) store.delete(keyOf(part));
    },
    service: (id) => store.get<ServiceRecord>(keyOf(`services/${id}`)),
    setService: (id, record) => store.set(`${prefix}/services/${id}`, record),
    serviceIds: () => store.keys(`${prefix}/services/`).map((key) => key.slice(prefix.length + '/services/'.length)),
    staticPod: (name) => store.get<StaticPodRecord>(keyOf(`pods/${name}`)),
    setStaticPod: (name, record) => store.set(keyOf(`pods/${name}`), record),
    forgetRun() {
      for (const below of ['services', 'events', 'pods']) for (const key of store.keys(`${prefix}/${below}/`)) store.delete(key);
      machine.clear('time-synced', 'kubelet', 'static-pods', 'busy', 'unattended-install', 'config/rollback', 'registered', 'pulls');
      // An installer that was killed has left its slot half written; nothing points there.
      if (machine.get('installer')?.exitCode === undefined) machine.clear('installer');
    },
    config() {
      const text = machine.get('config/active');
      if (text !== viewed.text) viewed = { text, view: text === undefined ? undefined : viewConfig(text) };
      return viewed.view;
    },
    hostname: () => machine.config()?.hostname ?? spec.name,
    version: () => machine.get('boot')?.version ?? spec.talosVersion,
    minor: () => minorOf(machine.version()),
    hasEtcdVolume: () => machine.minor() === '1.14' && machine.config()?.volumes.includes('ETCD') === true,
    isUp: () => machine.get('power') === 'on',
  };
  return machine;
}

/** Versions beyond the last known generation behave like it. */
export function minorOf(version: string): TalosMinor {
  let known = minors.get(version);
  if (known === undefined) {
    const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? 14);
    known = minor <= 12 ? '1.12' : minor === 13 ? '1.13' : '1.14';
    minors.set(version, known);
  }
  return known;
}

const minors = new Map<string, TalosMinor>();
