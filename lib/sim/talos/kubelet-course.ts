import type { Json } from '../../base/index.ts';
import { type StaticPodName, staticPodNames } from './config-view.ts';
import { durations } from './durations.ts';
import type { LifecycleParts } from './lifecycle.ts';
import type { Machine } from './machine.ts';
import { renderStaticPods, replaceStaticPod } from './static-pods.ts';

export type KubeletStep = 'static-pods' | 'kubelet-run' | 'kubelet-replace' | 'kubelet-check' | 'register' | 'pod-replace' | 'pod-run';

/** What runs of Kubernetes on a machine: its kubelet, and on a control plane the static pods. */
export interface KubeletCourse {
  /** The active configuration changed on a running machine. */
  configChanged(machine: Machine): void;
  readonly steps: { readonly [Step in KubeletStep]: (machine: Machine, data: { readonly [key: string]: Json | undefined }) => void };
}

interface KubeletParts extends Pick<LifecycleParts, 'kernel' | 'machines' | 'services' | 'etcd' | 'kube' | 'publish'> {
  after(machine: Machine, ms: number, step: KubeletStep, data?: { readonly [key: string]: Json }): void;
  /** A service has become healthy: the boot may be over. */
  settle(machine: Machine): void;
  electVip(): void;
}

export function createKubeletCourse(parts: KubeletParts): KubeletCourse {
  const { kernel, machines, services, etcd, after, settle, electVip } = parts;

  const steps: KubeletCourse['steps'] = {
    'static-pods'(machine) {
      renderStaticPods(machine);
      for (const name of staticPodNames) replaceStaticPod(machine, name, true, kernel);
      machine.set('static-pods', true);
      parts.publish(machine);
      kernel.emit({ kind: 'talos/api-server', facts: { node: machine.name } });
      electVip();
    },
    'kubelet-run'(machine) {
      if (!services.is(machine, 'kubelet', 'Preparing')) return;
      const starts = (machine.get('kubelet')?.starts ?? 0) + 1;
      machine.set('kubelet', { image: machine.config()?.kubeletImage ?? '', starts });
      services.move(machine, 'kubelet', 'Preparing', 'Creating service runner');
      services.move(machine, 'kubelet', 'Running', `Started task kubelet (PID ${2203 + 7 * starts}) for container kubelet`);
      after(machine, durations.kubeletHealthy, 'kubelet-check');
      after(machine, durations.nodeRegistration, 'register');
    },

    'kubelet-replace'(machine) {
      if (hasOtherKubelet(machine)) restartKubelet(machine);
    },

    'kubelet-check'(machine) {
      services.health(machine, 'kubelet', true);
      settle(machine);
    },
    register(machine) {
      // The kubelet asks the local load balancer (or the endpoint), which needs one API server with etcd behind it.
      const reachable = machines.some((other) => other.isUp() && other.get('static-pods') === true && etcd.isHealthy(other));
      if (!reachable) {
        after(machine, durations.nodeRegistration, 'register');
        return;
      }
      const isAnother = machine.get('registered') === true;
      machine.set('registered', true);
      announce(machine, isAnother);
    },
    'pod-replace'(machine, { pod }) {
      const name = pod as StaticPodName;
      replaceStaticPod(machine, name, false, kernel);
      if (name === 'kube-apiserver') machine.clear('static-pods');
      parts.publish(machine);
      parts.kube()?.staticPodsChanged?.(machine.hostname());
      after(machine, durations.staticPodStart, 'pod-run', { pod: name, version: machine.staticPod(name)?.version ?? 0 });
    },
    'pod-run'(machine, { pod, version }) {
      const name = pod as StaticPodName;
      // A pod that was changed again meanwhile has a replacement under way.
      if (machine.staticPod(name)?.running?.version !== version) return;
      replaceStaticPod(machine, name, true, kernel);
      if (name === 'kube-apiserver') machine.set('static-pods', true);
      parts.publish(machine);
      parts.kube()?.staticPodsChanged?.(machine.hostname());
      if (name === 'kube-apiserver') electVip();
    },
  };

  /** What follows from another active configuration without a reboot: new static pods, another kubelet, other labels. */
  const configChanged = (machine: Machine) => {
    const changed = renderStaticPods(machine);
    if (machine.staticPod('kube-apiserver')?.running)
      for (const pod of changed) after(machine, durations.staticPodNotice, 'pod-replace', { pod });
    // The old one goes on, healthy and Ready, until the controller has seen the new spec.
    if (hasOtherKubelet(machine)) after(machine, durations.kubeletNotice, 'kubelet-replace');
    else if (machine.get('registered')) announce(machine, true);
    parts.publish(machine);
  };

  const hasOtherKubelet = (machine: Machine): boolean => {
    const kubelet = machine.get('kubelet');
    return kubelet !== undefined && services.is(machine, 'kubelet', 'Running') && kubelet.image !== machine.config()?.kubeletImage;
  };

  /** Source: Talos internal/app/machined/pkg/controllers/k8s/kubelet_service.go */
  const restartKubelet = (machine: Machine) => {
    services.stop(machine, 'kubelet');
    services.move(machine, 'kubelet', 'Starting', 'Starting service');
    services.move(machine, 'kubelet', 'Preparing', 'Running pre state');
    after(machine, durations.kubeletRestart, 'kubelet-run');
  };

  const announce = (machine: Machine, keepsPods = false) => {
    const config = machine.config();
    if (!config) return;
    parts.kube()?.kubeletUp({
      name: machine.hostname(),
      addresses: [machine.spec.address],
      role: config.role,
      kubernetesVersion: versionOfKubelet(machine.get('kubelet')?.image ?? config.kubeletImage) ?? config.kubernetesVersion,
      ...(keepsPods ? { keepsPods } : {}),
      talosVersion: machine.version(),
      bootId: machine.get('boot')?.id ?? '',
      labels: config.labels,
      taints: config.taints,
    });
    if (machine.get('stage') === 'booting' || machine.get('stage') === 'running') parts.kube()?.setCordoned(machine.hostname(), false);
    kernel.emit({ kind: 'talos/registered', facts: { node: machine.name } });
  };

  return { steps, configChanged };
}

/** With `-fat` or `-slim` cut off. */
const versionOfKubelet = (image: string): string | undefined => /:(v\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)/.exec(image)?.[1];
