import type { GrpcHandler } from '../../base/index.ts';
import { methodShapes, talosServices } from '../../upstream/index.ts';
import { talosDefaults } from '../../upstream/tables.ts';
import type { KubeHost, KubeModel } from '../kube-door.ts';
import type { SimKernel } from '../kernel.ts';
import type { SimNetwork } from '../network.ts';
import type { SandboxSpec } from '../spec.ts';
import { applyMethods } from './api/apply.ts';
import type { ConfigCheck, TalosParts } from './api/call.ts';
import { checkMethods } from './api/checks.ts';
import { cosiMethods } from './api/cosi.ts';
import { etcdMethods } from './api/etcd.ts';
import { kubeconfigMethods } from './api/kubeconfig.ts';
import { machineMethods } from './api/machine.ts';
import { powerMethods } from './api/power.ts';
import { createApiHandler } from './api/route.ts';
import { systemMethods } from './api/system.ts';
import { createIssuer } from './certificates.ts';
import type { ConfigView } from './config-view.ts';
import { type AlarmKind, createEtcd, type Etcd } from './etcd.ts';
import { createMachineEvents } from './events.ts';
import { createLifecycle } from './lifecycle.ts';
import { createMachine, type Machine } from './machine.ts';
import { createServices } from './services.ts';
import { releaseImage, staticPodFacts } from './static-pods.ts';
import { createMachineTls } from './tls.ts';

export interface TalosModelOptions {
  readonly kernel: SimKernel;
  readonly network: SimNetwork;
  readonly spec: SandboxSpec;
  /** Nothing outlives this process: certificates may be shared by its runs. Default false. */
  readonly isInMemory?: boolean;
  /** Upstream's rules about configurations; default: everything that parses is taken. */
  readonly checkConfig?: (text: string, version: string) => ConfigCheck | Promise<ConfigCheck>;
}

/** What happens to machines without any call of an API. Names are those of the spec. */
export interface Hand {
  /** A reboot that somebody else asked for. */
  reboot(node: string): void;
  losePower(node: string, darkMs: number): void;
  pressPower(node: string): void;
  stopEtcd(node: string): void;
  moveLeader(node: string): void;
  raiseAlarm(node: string, alarm: AlarmKind): void;
  /** Somebody gives the database room and takes the alarms back. */
  disarm(node: string): void;
}

export interface TalosModel {
  readonly machines: readonly Machine[];
  readonly etcd: Etcd;
  readonly host: KubeHost;
  readonly hand: Hand;
  hostnameOf(node: string): string;
  /** The other half of the cluster. Call before `start`. */
  connect(kube: KubeModel): void;
  /** First power, or, when the state was loaded, everything listens again that listened before. */
  start(): void;
}

const talosPort = 50_000;
const kubernetesPort = 6443;

/** The machines of a cluster, and what they listen on. */
export function createTalosModel(options: TalosModelOptions): TalosModel {
  const { kernel, network, spec } = options;
  const machines = spec.machines.map((machine) => createMachine(kernel, machine));
  const events = createMachineEvents(kernel);
  const services = createServices(kernel, events);
  const etcd = createEtcd(kernel, () => machines);
  const issuer = createIssuer(kernel, { reuse: options.isInMemory ?? false });
  const tls = createMachineTls(kernel, issuer);
  let kube: KubeModel | undefined;

  const lifecycle = createLifecycle({
    kernel,
    network,
    spec,
    machines,
    events,
    services,
    etcd,
    kube: () => kube,
    publish: (machine) => publish(machine),
  });
  kernel.register({ name: 'talos', onTimer: (timer) => lifecycle.onTimer(timer) });

  const parts: TalosParts = {
    kernel,
    spec,
    machines,
    events,
    services,
    etcd,
    lifecycle,
    kube: () => kube,
    issuer,
    isInMemory: options.isInMemory ?? false,
    checkConfig: options.checkConfig ?? (() => ({ errors: [], warnings: [] })),
  };
  const handlerOf = createApiHandler(parts, [
    ...machineMethods,
    ...applyMethods,
    ...powerMethods,
    ...etcdMethods,
    ...kubeconfigMethods,
    ...cosiMethods,
    ...checkMethods,
    ...systemMethods,
  ]);
  const methods = methodShapes(talosServices('1.14'));
  const handlers = new Map<string, GrpcHandler>(machines.map((machine) => [machine.name, handlerOf(machine)]));

  // --- what listens where; a listener is replaced only when something about it changed
  const published = new Map<string, string>();
  const show = (host: string, port: number, signature: string | undefined, listen: () => void) => {
    const key = `${host}:${port}`;
    const closed = network.reach(host, port).state !== 'listening';
    if (published.get(key) === signature && (signature === undefined || !closed)) return;
    if (signature === undefined) {
      published.delete(key);
      network.unlisten(host, port);
      return;
    }
    published.set(key, signature);
    listen();
  };
  const publish = (machine: Machine) => {
    if (!machine.isUp()) return;
    const api = machine.get('api') ?? 'none';
    const boot = machine.get('boot')?.id ?? '';
    publishAt(machine, machine.spec.address, api === 'none' ? undefined : `${boot}/${api}`);
    const { vip } = spec;
    if (vip === undefined) return;
    const holder = kernel.store.get<string>('talos-vip/holder');
    if (holder === machine.name) {
      network.setPower(vip, true);
      publishAt(machine, vip, `${machine.name}/${boot}`);
    } else if (holder === undefined) {
      network.setPower(vip, false);
      published.delete(`${vip}:${talosPort}`);
      published.delete(`${vip}:${kubernetesPort}`);
    }
  };
  const publishAt = (machine: Machine, host: string, signature: string | undefined) => {
    const handler = handlers.get(machine.name) as GrpcHandler;
    show(host, talosPort, signature, () =>
      network.listen(host, talosPort, { kind: 'grpc', methods, handler, tls: () => tls.api(machine) }),
    );
    const apiServer = machine.get('static-pods') === true && kube ? kube.apiServer(machine.hostname()) : undefined;
    show(host, kubernetesPort, apiServer && signature && `${signature}/kube`, () => {
      if (apiServer)
        network.listen(host, kubernetesPort, {
          kind: 'http',
          handler: apiServer,
          tls: () => tls.kubernetes(machine, kubernetesNames(machine)),
        });
    });
  };
  /** By what the machine is configured with: every dial asks for them. */
  const namesBefore = new Map<Machine, { readonly config: ConfigView | undefined; readonly names: ReturnType<typeof namesOf> }>();
  const kubernetesNames = (machine: Machine) => {
    const config = machine.config();
    const before = namesBefore.get(machine);
    if (before && before.config === config) return before.names;
    const names = namesOf(machine, config);
    namesBefore.set(machine, { config, names });
    return names;
  };
  const namesOf = (machine: Machine, config: ConfigView | undefined) => {
    const endpointHost = endpointHostOf(config);
    const all = [
      machine.spec.address,
      ...(config?.vips ?? []),
      ...(config?.certSans ?? []),
      ...(config?.apiServerSans ?? []),
      ...(endpointHost ? [endpointHost] : []),
      '10.96.0.1',
    ];
    const isAddress = (text: string) => /^[0-9.]+$/.test(text);
    return {
      addresses: all.filter(isAddress),
      dnsNames: [
        ...all.filter((name) => !isAddress(name)),
        machine.hostname(),
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
      ],
    };
  };

  const controlPlanes = () => machines.filter((machine) => machine.config()?.role === 'controlplane');
  const host: KubeHost = {
    etcdHasQuorum: () => etcd.clusters().some((cluster) => etcd.hasQuorum(cluster)),
    apiServerRuns: (name) =>
      machines.some((machine) => machine.hostname() === name && machine.isUp() && machine.get('static-pods') === true),
    apiServers: () =>
      machines.filter((machine) => machine.isUp() && machine.get('static-pods') === true).map((machine) => machine.hostname()),
    staticPods: (name) => machines.filter((machine) => machine.hostname() === name).flatMap(staticPodFacts),
    kubernetesCa: () => controlPlanes()[0]?.config()?.kubernetesCa?.certificate,
    bootstrapManifests() {
      const [first] = controlPlanes();
      const config = first?.config();
      const proxyImage = config?.proxyImage || (first && releaseImage(first, talosDefaults.images.proxy));
      const hasInventory = first !== undefined && first.minor() !== '1.12';
      return {
        ...(proxyImage === undefined ? {} : { proxyImage }),
        hasInventory,
        coreDns: config?.coreDns ?? true,
        kubeProxy: config?.kubeProxy ?? true,
        cni: config?.cni ?? 'flannel',
      };
    },
  };

  // Names of machines, and the endpoint where it is neither a machine nor the floating address: what stands behind it sends
  // callers to an API server that answers.
  network.resolveWith((name, port) => {
    const machine = machines.find((candidate) => candidate.name === name || candidate.hostname() === name);
    if (machine) return machine.spec.address;
    const isEndpoint = controlPlanes().some(({ config }) => endpointHostOf(config()) === name);
    if (!isEndpoint || port !== kubernetesPort) return undefined;
    const serving = controlPlanes().find((one) => one.isUp() && one.get('static-pods') === true);
    return (serving ?? controlPlanes()[0])?.spec.address;
  });

  const named = (name: string): Machine => {
    const machine = machines.find((one) => one.name === name);
    if (!machine) throw new RangeError(`no machine is called ${name}`);
    return machine;
  };
  const hand: Hand = {
    reboot: (name) => lifecycle.sequences.reboot(named(name), '', 'default'),
    losePower: (name, darkMs) => lifecycle.losePower(named(name), darkMs),
    pressPower: (name) => lifecycle.pressPower(named(name)),
    stopEtcd(name) {
      lifecycle.stopService(named(name), 'etcd');
      named(name).clear('static-pods');
      publish(named(name));
    },
    moveLeader(name) {
      const cluster = named(name).get('etcd')?.cluster;
      if (cluster !== undefined) etcd.forfeit(cluster);
    },
    raiseAlarm: (name, alarm) => etcd.raise(named(name), alarm),
    disarm(name) {
      etcd.defragment(named(name));
      etcd.disarm(named(name));
    },
  };

  return {
    machines,
    etcd,
    host,
    hand,
    hostnameOf: (name) => named(name).hostname(),
    connect(model) {
      kube = model;
      // A node that turned Ready was the last thing that a booted machine lacked: its status says so, as upstream's does.
      kernel.onEvent(({ kind, facts }) => {
        if (kind !== 'kube/node-ready') return;
        const machine = machines.find((candidate) => candidate.hostname() === facts.node);
        const stage = machine?.get('stage');
        if (machine && stage !== undefined) events.status(machine, stage, lifecycle.unmet(machine));
      });
    },
    start() {
      if (spec.vip !== undefined) network.setPower(spec.vip, kernel.store.get('talos-vip/holder') !== undefined);
      for (const machine of machines) {
        if (machine.get('boot') === undefined) lifecycle.powerOn(machine);
        else {
          network.setPower(machine.spec.address, machine.isUp());
          publish(machine);
        }
      }
    },
  };
}

function endpointHostOf(config: ConfigView | undefined): string | undefined {
  return /^https:\/\/([^:/]+)/.exec(config?.endpoint ?? '')?.[1];
}
