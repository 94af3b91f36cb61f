import { expect, test } from 'vitest';
import type { SimulatedRepository } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';

async function printed(rig: SimulatedRepository, name: string, params: object = {}): Promise<string> {
  const run = await rig.tk(name, params);
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  // How long a machine has been up depends on how the simulation times a boot.
  return run.printed
    .replaceAll(/\b\d+\.\d\d(?= {2})|\b\d+\.\ds/g, (text) => '#'.repeat(text.length))
    .replaceAll(/(created|updated|^ {4}version): .*/gm, '$1: #')
    .replaceAll(/"(created|updated)Ms": \d+/g, '"$1Ms": 0');
}

test('what the machines tell about themselves, side by side', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  expect(await printed(rig, 'talos:memory')).toMatchInlineSnapshot(`
    "NODE      TOTAL  USED  FREE  SHARED  BUFFERS  CACHE  AVAILABLE
    cp-1      16384  8192  8192  0       0        0      12288
    worker-1  16384  8192  8192  0       0        0      12288
    "
  `);
  expect(await printed(rig, 'talos:cpu')).toMatchInlineSnapshot(`
    "NODE      BUSY  THREADS  LOAD 1  LOAD 5  LOAD 15  MODEL
    cp-1      5.0%  4        ####    ####    ####     Simulated N100
    worker-1  5.0%  4        ####    ####    ####     Simulated N100
    "
  `);
  expect(await printed(rig, 'talos:processes', { node: 'cp-1' })).toMatchInlineSnapshot(`
    "NODE  PID   STATE  THREADS  CPU-TIME  VIRTMEM  RESMEM  LABEL  COMMAND
    cp-1  1007  S      12       ####      2.3 GB   189 MB         /usr/local/bin/etcd
    cp-1  1008  S      12       ####      1.5 GB   126 MB         /usr/local/bin/kubelet
    cp-1  1     S      12       ####      1.4 GB   115 MB         /sbin/init
    cp-1  1006  S      12       ####      1.1 GB   94 MB          /bin/containerd
    cp-1  1005  S      12       ####      755 MB   63 MB          /sbin/dashboard
    cp-1  1002  S      12       ####      654 MB   55 MB          /bin/containerd
    cp-1  1003  S      12       ####      478 MB   40 MB          /apid
    cp-1  1004  S      12       ####      264 MB   22 MB          /trustd
    cp-1  1001  S      12       ####      176 MB   15 MB          /usr/bin/systemd-udevd
    cp-1  2     S      1        ####      0 B      0 B            kthreadd
    "
  `);
  expect(await printed(rig, 'talos:processes', { role: 'worker', sort: 'pid' })).toMatchInlineSnapshot(`
    "NODE      PID   STATE  THREADS  CPU-TIME  VIRTMEM  RESMEM  LABEL  COMMAND
    worker-1  1     S      12       ####      1.4 GB   115 MB         /sbin/init
    worker-1  2     S      1        ####      0 B      0 B            kthreadd
    worker-1  1001  S      12       ####      176 MB   15 MB          /usr/bin/systemd-udevd
    worker-1  1002  S      12       ####      654 MB   55 MB          /bin/containerd
    worker-1  1003  S      12       ####      478 MB   40 MB          /apid
    worker-1  1004  S      12       ####      755 MB   63 MB          /sbin/dashboard
    worker-1  1005  S      12       ####      1.1 GB   94 MB          /bin/containerd
    worker-1  1006  S      12       ####      1.5 GB   126 MB         /usr/local/bin/kubelet
    "
  `);
  expect(await printed(rig, 'talos:mounts')).toMatchInlineSnapshot(`
    "NODE      FILESYSTEM      SIZE    USED    AVAILABLE  PERCENT USED  MOUNTED ON
    cp-1      /dev/loop0      84 MB   84 MB   0 B        100.00%       /
    cp-1      tmpfs           67 MB   13 MB   54 MB      20.00%        /run
    cp-1      /dev/nvme0n1p4  510 GB  102 GB  408 GB     20.00%        /var
    worker-1  /dev/loop0      84 MB   84 MB   0 B        100.00%       /
    worker-1  tmpfs           67 MB   13 MB   54 MB      20.00%        /run
    worker-1  /dev/nvme0n1p4  510 GB  102 GB  408 GB     20.00%        /var
    "
  `);
  expect(await printed(rig, 'talos:containers')).toMatchInlineSnapshot(`
    "NODE      NAMESPACE  ID      IMAGE         PID   STATUS
    cp-1      system     apid    talos/apid    1100  RUNNING
    cp-1      system     trustd  talos/trustd  1101  RUNNING
    worker-1  system     apid    talos/apid    1100  RUNNING
    "
  `);
  expect(await printed(rig, 'talos:containers', { node: 'cp-1', kubernetes: true })).toMatchInlineSnapshot(`
    "NODE  NAMESPACE  ID                                                                                IMAGE                                            PID   STATUS
    cp-1  k8s.io     kube-system/kube-apiserver-cp-1                                                   registry.k8s.io/pause:####                       3000  SANDBOX_READY
    cp-1  k8s.io     └─ kube-system/kube-apiserver-cp-1:kube-apiserver:000000000000                    registry.k8s.io/kube-apiserver:v1.37.0           3001  CONTAINER_RUNNING
    cp-1  k8s.io     kube-system/kube-controller-manager-cp-1                                          registry.k8s.io/pause:####                       3002  SANDBOX_READY
    cp-1  k8s.io     └─ kube-system/kube-controller-manager-cp-1:kube-controller-manager:000000000000  registry.k8s.io/kube-controller-manager:v1.37.0  3003  CONTAINER_RUNNING
    cp-1  k8s.io     kube-system/kube-scheduler-cp-1                                                   registry.k8s.io/pause:####                       3004  SANDBOX_READY
    cp-1  k8s.io     └─ kube-system/kube-scheduler-cp-1:kube-scheduler:000000000000                    registry.k8s.io/kube-scheduler:v1.37.0           3005  CONTAINER_RUNNING
    "
  `);
  expect(await printed(rig, 'talos:cgroups', { nodes: ['cp-1'] })).toMatchInlineSnapshot(`
    "NODE  CGROUP       MEMORY  PEAK    LIMIT  SWAP  CPU    THROTTLED  PROCESSES
    cp-1  /                                         #####
    cp-1  init         115 MB  138 MB         0 B   ####   ####       12
    cp-1  podruntime   409 MB  491 MB         0 B   ####   ####       36
    cp-1    etcd       189 MB  226 MB         0 B   ####   ####       12
    cp-1    kubelet    126 MB  151 MB         0 B   ####   ####       12
    cp-1    runtime    94 MB   113 MB         0 B   ####   ####       12
    cp-1  system       194 MB  233 MB         0 B   ####   ####       60
    cp-1    apid       40 MB   48 MB          0 B   ####   ####       12
    cp-1    dashboard  63 MB   75 MB          0 B   ####   ####       12
    cp-1    runtime    55 MB   65 MB          0 B   ####   ####       12
    cp-1    trustd     22 MB   26 MB          0 B   ####   ####       12
    cp-1    udevd      15 MB   18 MB          0 B   ####   ####       12
    "
  `);
  expect(await printed(rig, 'talos:members', { nodes: ['192.168.42.20'] })).toMatchInlineSnapshot(`
    "NODE      HOSTNAME  ROLE          OS               ADDRESSES
    worker-1  cp-1      controlplane  Talos (v1.14.1)  192.168.42.10
    worker-1  worker-1  worker        Talos (v1.14.1)  192.168.42.20
    "
  `);
  expect(await printed(rig, 'talos:disks')).toMatchInlineSnapshot(`
    "NODE      DEVICE        SIZE    TRANSPORT  MODEL                 SERIAL           WWID                  USE
    cp-1      /dev/nvme0n1  512 GB  nvme       Simulated NVMe 512GB  SIM388971094FE4  eui.53494d3338383937  system
    worker-1  /dev/nvme0n1  512 GB  nvme       Simulated NVMe 512GB  SIM32B054CD2E75  eui.53494d3332423035  system
    "
  `);
  expect(await printed(rig, 'talos:links')).toMatchInlineSnapshot(`
    "NODE      LINK    KIND   STATE  MAC                MTU   DRIVER  BUS
    cp-1      enp1s0  ether  up     02:00:00:00:42:10  1500  igc
    worker-1  enp1s0  ether  up     02:00:00:00:42:20  1500  igc
    "
  `);
  expect(await printed(rig, 'talos:services', { node: 'worker-1', service: 'kubelet' })).toMatchInlineSnapshot(`
    "NODE      SERVICE  STATE    HEALTH   EVENTS
    worker-1  kubelet  Running  healthy  Running: Health check successful
                                         Running: Started task kubelet (PID 2210) for container kubelet
                                         Preparing: Creating service runner
                                         Preparing: Running pre state
                                         Waiting: Waiting for time sync
                                         Waiting: Waiting for service "cri" to be "up", time sync
                                         Starting: Starting service
    "
  `);
});

test('talos:get shows any resource, in the form that one asks for', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  expect(await printed(rig, 'talos:get', { type: 'members', id: 'worker-1' })).toMatchInlineSnapshot(`
    "NODE      NAMESPACE  TYPE    ID        VERSION  HOSTNAME  MACHINE TYPE  OS               ADDRESSES
    cp-1      cluster    Member  worker-1  1        worker-1  worker        Talos (v1.14.1)  ["192.168.42.20"]
    worker-1  cluster    Member  worker-1  1        worker-1  worker        Talos (v1.14.1)  ["192.168.42.20"]
    "
  `);
  expect(await printed(rig, 'talos:get', { type: 'MachineStatuses.runtime.talos.dev', as: 'yaml', node: 'cp-1' })).toMatchInlineSnapshot(`
    "node: cp-1
    metadata:
        namespace: runtime
        type: MachineStatus
        id: machine
        version: #
        phase: running
        created: #
        updated: #
    spec:
        stage: running
        status:
            ready: true
            unmetConditions: []
    "
  `);
  expect(JSON.parse(await printed(rig, 'talos:get', { type: 'hostname', as: 'json', node: 'cp-1' }))).toMatchInlineSnapshot(`
    {
      "annotations": {},
      "createdMs": 0,
      "id": "hostname",
      "labels": {},
      "namespace": "network",
      "node": "cp-1",
      "owner": "",
      "phase": "running",
      "spec": {
        "domainname": "",
        "hostname": "cp-1",
      },
      "type": "HostnameStatus",
      "updatedMs": 0,
      "version": "1",
    }
  `);
  // As Talos does: a namespace without such resources is empty, one that nobody registered is refused.
  const elsewhere = await rig.tk('talos:get', { type: 'disks', namespace: 'elsewhere', node: 'cp-1' });
  const slip = await rig.tk('talos:get', { type: 'disks', namespace: 'netwrok', node: 'cp-1', watch: true });
  expect([elsewhere.exitCode, elsewhere.text, slip.exitCode, slip.text]).toMatchInlineSnapshot(`
    [
      2,
      "error[resource/unknown-namespace]: the machine has no namespace \`elsewhere\` for its resources
    step: talos:get type=disks namespace=elsewhere node=cp-1
    help: it has \`cluster\`, \`cluster-raw\`, \`config\`, \`containers\`, \`controlplane\`, \`cri\`, \`etcd\`, \`files\`, \`hardware\`, \`k8s\`, \`kubespan\`, \`meta\`, \`network\`, \`network-config\`, \`perf\`, \`runtime\`, \`secrets\`, \`security\` or \`storage\`",
      2,
      "error[resource/unknown-namespace]: the machine has no namespace \`netwrok\` for its resources
    step: talos:get type=disks namespace=netwrok node=cp-1 watch=true
    help: did you mean \`network\`?",
    ]
  `);
  expect(await printed(rig, 'talos:get', { type: 'namespaces', id: 'network', node: 'cp-1' })).toMatchInlineSnapshot(`
    "NODE  NAMESPACE  TYPE       ID       VERSION
    cp-1  meta       Namespace  network  1
    "
  `);
  expect(await printed(rig, 'talos:get', { type: 'disks', namespace: 'network', node: 'cp-1' })).toMatchInlineSnapshot(`
    "NODE  NAMESPACE  TYPE  ID  VERSION  SIZE  READ ONLY  TRANSPORT  ROTATIONAL  WWID  MODEL  SERIAL
    "
  `);

  // A machine config is shown without its keys, unless they are asked for.
  const hidden = await printed(rig, 'talos:get', { type: 'mc', id: 'v1alpha1', as: 'yaml', node: 'cp-1' });
  expect(hidden).toContain('token: "[redacted]"');
  const open = await printed(rig, 'talos:get', { type: 'mc', id: 'v1alpha1', as: 'yaml', node: 'cp-1', showSecrets: true });
  const token = /token: (\S+)/.exec(open)?.[1] ?? '';
  expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  // That one was asked for in the clear.
  rig.forget();
  expect(hidden).not.toContain(token);
  const asked = await rig.tk('talos:get', { type: 'mc', node: 'cp-1' });
  expect(JSON.stringify(asked.value)).not.toContain(token);

  const unknown = await rig.tk('talos:get', { type: 'dsiks' });
  expect(unknown.text).toMatchInlineSnapshot(`
    "error[resource/unknown-type]: the machine knows no type of resource called \`dsiks\`
    step: talos:get type=dsiks
    help: did you mean \`disks\`?"
  `);
  const ambiguous = await rig.tk('talos:get', { type: 'ac' });
  expect(ambiguous.failures.map(({ code }) => code)).toEqual(['resource/ambiguous-type']);
  const missing = await rig.tk('talos:get', { type: 'disks', id: 'zz' });
  expect(missing.failures.map(({ code, facts }) => `${code} ${String(facts['node'])}`)).toEqual([
    'talos/not-found cp-1',
    'talos/not-found worker-1',
  ]);
});

test('machines in maintenance mode show their disks, links and resources', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0 });
  expect(await printed(rig, 'talos:disks')).toMatchInlineSnapshot(`
    "NODE  DEVICE        SIZE    TRANSPORT  MODEL                 SERIAL           WWID                  USE
    cp-1  /dev/nvme0n1  512 GB  nvme       Simulated NVMe 512GB  SIM388971094FE4  eui.53494d3338383937
    "
  `);
  expect(await printed(rig, 'talos:links')).toMatchInlineSnapshot(`
    "NODE  LINK    KIND   STATE  MAC                MTU   DRIVER  BUS
    cp-1  enp1s0  ether  up     02:00:00:00:42:10  1500  igc
    "
  `);
  expect(await printed(rig, 'talos:get', { type: 'machinestatus' })).toMatchInlineSnapshot(`
    "NODE  NAMESPACE  TYPE           ID       VERSION  STAGE        READY
    cp-1  runtime    MachineStatus  machine  1        maintenance  true
    "
  `);
});
