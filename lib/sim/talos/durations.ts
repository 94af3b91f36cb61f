/**
 * How long things take on a simulated machine, in virtual milliseconds. Orders of magnitude of a small machine with an SSD and a
 * registry nearby.
 */
export const durations = {
  /** Apply accepted in maintenance mode until its API goes away. */
  leaveMaintenance: 1500,
  /** From a configuration (or power) until apid answers with it. */
  apidStart: 3000,
  /** Between two tries of a worker to get its certificate from a control plane. */
  trustdRetry: 2000,
  installerPull: 9000,
  install: 14_000,
  /** Stop of services before the reboot. */
  stopServices: 3000,
  /** Nothing answers: firmware, kernel, initramfs. */
  reboot: 14_000,
  /** The same without the firmware. */
  kexec: 9000,
  /** machined that failed waits before it restarts the machine. */
  fatalPause: 10_000,
  /** A new version that cannot start its services, until it gives up. */
  failedStart: 20_000,
  /** A machine that runs, until it looks whether it is ready and needs its old slot no more. */
  fallbackCheck: 2000,
  timeSync: 2500,
  criStart: 2000,
  etcdPull: 6000,
  etcdStart: 2500,
  etcdHealthy: 5000,
  /** Between two tries of a control plane to join. */
  etcdJoinInterval: 3000,
  etcdPromote: 4000,
  kubeletPull: 8000,
  kubeletHealthy: 2000,
  /** A new configuration of the kubelet until its process is stopped, and from there until the new one starts. */
  kubeletNotice: 1000,
  kubeletRestart: 3000,
  /** etcd up until the static pods run, images pulled. */
  staticPods: 12_000,
  /** A changed static pod until the kubelet stops the old one, and until the new one is ready. */
  staticPodNotice: 2000,
  staticPodStart: 9000,
  /** The kubelet's first heartbeat after an API server answers. */
  nodeRegistration: 4000,
  vipElection: 2000,
  /** Lease of the floating address when its holder has gone. */
  vipFailover: 6000,
  etcdElection: 1500,
  imagePull: 8000,
  upgrade: 12_000,
} as const;
