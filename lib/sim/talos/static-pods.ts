import { defaultKubernetes, talosDefaults } from '../../upstream/tables.ts';
import type { SimKernel } from '../kernel.ts';
import type { StaticPodFacts } from '../kube-door.ts';
import { type StaticPodName, staticPodNames } from './config-view.ts';
import type { Machine } from './machine.ts';

/** One part of Kubernetes that a control plane runs as a static pod: what the configuration asks for, and what runs. */
export type StaticPodRecord = {
  /** Of the config resource: 1 after each boot, one more with every change. */
  readonly version: number;
  readonly image: string;
  readonly args: readonly string[];
  /** Absent until the kubelet has started it. */
  readonly running?: { readonly version: number; readonly image: string; readonly isReady: boolean };
};

const { images } = talosDefaults;
const repositories: Readonly<Record<StaticPodName, string>> = {
  'kube-apiserver': images.apiServer,
  'kube-controller-manager': images.controllerManager,
  'kube-scheduler': images.scheduler,
};

/** An image that the configuration does not name is that of the Talos release. */
export function releaseImage(machine: Machine, repository: string): string {
  return `${repository}:${defaultKubernetes[machine.minor()] ?? ''}`;
}

/**
 * Renders the config resources anew from the active configuration. Returns those that changed.
 * Source: Talos internal/app/machined/pkg/controllers/k8s/control_plane.go, control_plane_static_pod.go
 */
export function renderStaticPods(machine: Machine): readonly StaticPodName[] {
  const config = machine.config();
  if (config?.role !== 'controlplane') return [];
  return staticPodNames.filter((name) => {
    const { image, args } = config.components[name];
    const wanted = image === '' ? releaseImage(machine, repositories[name]) : image;
    const before = machine.staticPod(name);
    if (before && before.image === wanted && before.args.join(' ') === args.join(' ')) return false;
    machine.setStaticPod(name, {
      version: (before?.version ?? 0) + 1,
      image: wanted,
      args,
      ...(before?.running ? { running: before.running } : {}),
    });
    return true;
  });
}

/** The kubelet has taken note of the pod of this version: it stops the old one and starts the new one. */
export function replaceStaticPod(machine: Machine, name: StaticPodName, isReady: boolean, kernel: SimKernel): void {
  const record = machine.staticPod(name);
  if (!record) return;
  const { version, image } = record;
  machine.setStaticPod(name, { ...record, running: { version, image, isReady } });
  if (isReady) kernel.emit({ kind: 'talos/static-pod', facts: { node: machine.name, pod: name, image, version } });
}

/** As Kubernetes shows them: mirrors of what runs. */
export const staticPodFacts = (machine: Machine): readonly StaticPodFacts[] =>
  staticPodNames.flatMap((name) => {
    const record = machine.staticPod(name);
    if (!record?.running) return [];
    const { version, image, isReady } = record.running;
    return [{ name, image, configVersion: String(version), isReady, command: commandOf(name, record.args) }];
  });

/** The flags that this simulation knows of: those of the configuration, and one that every release has. */
export function commandOf(name: StaticPodName, args: readonly string[]): readonly string[] {
  const own: Readonly<Record<StaticPodName, readonly string[]>> = {
    'kube-apiserver': ['--enable-admission-plugins=NodeRestriction'],
    'kube-controller-manager': ['--leader-elect=true'],
    'kube-scheduler': ['--leader-elect=true'],
  };
  const [flag = ''] = own[name];
  const [key = '', value = ''] = flag.split('=');
  const given = args.find((one) => one.startsWith(`${key}=`));
  // Admission plugins add up; whatever else is given wins.
  const merged = given === undefined ? flag : name === 'kube-apiserver' ? `${key}=${value},${given.slice(key.length + 1)}` : given;
  return [`/usr/local/bin/${name}`, merged, ...args.filter((one) => one !== given)];
}
