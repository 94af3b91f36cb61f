import type { LifecycleParts } from './lifecycle.ts';
import type { Machine } from './machine.ts';

/** Why a machine is not ready, as the MachineStatus resource tells it. */
export interface Unmet {
  readonly name: string;
  readonly reason: string;
}

export interface Readiness {
  /** Empty in every stage but booting and running. */
  unmet(machine: Machine): Unmet[];
  /** What keeps a service from starting, in upstream's words. */
  waitingFor(machine: Machine, id: 'etcd' | 'kubelet'): string[];
  /** Control planes sign for themselves; a worker has to find one whose trustd runs. */
  hasCertificate(machine: Machine): boolean;
}

/** Source: Talos internal/app/machined/pkg/controllers/runtime/machine_status.go, pkg/system/services/{etcd,kubelet,apid}.go */
export function createReadiness(parts: Pick<LifecycleParts, 'machines' | 'services' | 'etcd' | 'kube'>): Readiness {
  const { machines, services, etcd } = parts;
  const serviceHealthy = (machine: Machine, id: string) =>
    machine.service(id)?.healthy === true && (id !== 'etcd' || etcd.isHealthy(machine));
  return {
    unmet(machine) {
      const stage = machine.get('stage');
      if (stage !== 'booting' && stage !== 'running') return [];
      const found: Unmet[] = [];
      const isControlPlane = machine.config()?.role === 'controlplane';
      if (machine.get('time-synced') !== true) found.push({ name: 'time', reason: 'time is not synced' });
      const problems = ['apid', 'machined', 'kubelet', ...(isControlPlane ? ['etcd', 'trustd'] : [])].flatMap((id) => {
        if (machine.service(id)?.state !== 'Running') return [`${id} not running`];
        return serviceHealthy(machine, id) ? [] : [`${id} not healthy`];
      });
      if (problems.length > 0) found.push({ name: 'services', reason: problems.join(', ') });
      if (isControlPlane && machine.get('static-pods') !== true) {
        found.push({ name: 'staticPods', reason: 'kube-system/kube-apiserver not ready' });
      }
      if (parts.kube()?.nodeReady(machine.hostname()) !== true) {
        found.push({ name: 'nodeReady', reason: `node "${machine.hostname()}" status is not available yet` });
      }
      return found;
    },
    waitingFor: (machine, id) => [
      ...(services.is(machine, 'cri', 'Running') ? [] : ['service "cri" to be "up"']),
      ...(machine.get('time-synced') ? [] : ['time sync']),
      ...(id === 'etcd' && machine.config()?.etcdCa === undefined ? ['etcd spec'] : []),
    ],
    hasCertificate(machine) {
      const config = machine.config();
      if (config?.role !== 'worker') return true;
      return machines.some((other) => {
        const signer = other.config();
        const isAuthority =
          signer?.osCa.key !== undefined && signer.osCa.certificate === config.osCa.certificate && signer.token === config.token;
        return isAuthority && other.isUp() && services.is(other, 'trustd', 'Running');
      });
    },
  };
}
