import { expect, test } from 'vitest';
import { TkError } from '../../../../lib/base/index.ts';
import { explainField } from '../../../../lib/talos/config/explain.ts';
import { decodeMachineConfig } from '../../../../lib/talos/machine-config.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import type { TalosMinor } from '../../../../lib/upstream/tables.ts';

const config = `machine:
  sysctls: { vm.swappiness: "1" }
  network: { interfaces: [{ interface: eth0, mtu: 9000 }] }
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth0.100
mtu: 1500
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth0
mtu: 1400
---
apiVersion: example.org/v1
kind: Tenant
name: mine
anything: { goes: 1 }
`;

/** What the documents say, or why none can. */
function asked(question: string, minor: TalosMinor = '1.13'): string {
  const { documents, failures } = decodeMachineConfig({ path: 'config.yaml', text: config }, minor);
  expect(failures).toEqual([]);
  try {
    return explainField([{ origin: 'node.yaml', kind: 'node', documents }], question, minor)
      .map(({ document, value }) => `${document} ${JSON.stringify(value) ?? 'is not set'}`)
      .join('\n');
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    return renderFailure(error.failure).trimEnd();
  }
}

test('a field that no version of Talos has is refused, with the one that was probably meant', () => {
  const questions = [
    'machine.nope',
    'machine.sysctl.vm.swappiness',
    'machine.kubelt.extraArgs.v',
    'machine.hostname',
    'nope',
    'hostnameConfig.hostname',
    'machine.network.interfaces.mtu',
    'machine.network.interfaces[0].mtuu',
    'machine.install.disk.name',
    'machine.type.x',
    'LinkConfig.mtuu',
    'LinkConfig/eth0.100.mtuu',
    'UserVolumeConfig.provisioning.minSise',
    'WatchdogTimerConfig.x',
    'LinkConfg',
    'LinkConfig/eth1.mtu',
  ];
  expect(questions.map((question) => asked(question)).join('\n\n')).toMatchInlineSnapshot(`
    "error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.nope\`
    because: \`nope\` is not a key of \`machine\`
    help: did you mean \`machine.type\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.sysctl.vm.swappiness\`
    because: \`sysctl\` is not a key of \`machine\`
    help: did you mean \`machine.sysctls.vm.swappiness\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.kubelt.extraArgs.v\`
    because: \`kubelt\` is not a key of \`machine\`
    help: did you mean \`machine.kubelet.extraArgs.v\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.hostname\`
    because: \`hostname\` is not a key of \`machine\`
    help: did you mean \`machine.network.hostname\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`nope\`

    error[talos-config/no-such-field]: Talos 1.13 has no field \`hostnameConfig.hostname\`
    help: did you mean \`HostnameConfig.hostname\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.network.interfaces.mtu\`
    because: \`machine.network.interfaces\` is a list, and \`mtu\` is not the number of an element
    help: did you mean \`machine.network.interfaces[0].mtu\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.network.interfaces[0].mtuu\`
    because: \`mtuu\` is not a key of \`machine.network.interfaces[0]\`
    help: did you mean \`machine.network.interfaces[0].mtu\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.install.disk.name\`
    because: \`machine.install.disk\` is a single value

    error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.type.x\`
    because: \`machine.type\` is a single value

    error[talos-config/no-such-field]: Talos 1.13 has no field \`LinkConfig.mtuu\`
    because: \`mtuu\` is not a key of \`LinkConfig\`
    help: did you mean \`LinkConfig.mtu\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`LinkConfig.mtuu\`
    because: \`mtuu\` is not a key of \`LinkConfig\`
    help: did you mean \`LinkConfig.mtu\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`UserVolumeConfig.provisioning.minSise\`
    because: \`minSise\` is not a key of \`UserVolumeConfig.provisioning\`
    help: did you mean \`UserVolumeConfig.provisioning.minSize\`?

    error[talos-config/no-such-field]: Talos 1.13 has no field \`WatchdogTimerConfig.x\`
    because: \`x\` is not a key of \`WatchdogTimerConfig\`

    error[talos-config/no-such-document]: this configuration has no document \`LinkConfg\`
    help: did you mean \`LinkConfig\`?

    error[talos-config/no-such-document]: this configuration has no document \`LinkConfig eth1\`
    help: did you mean \`LinkConfig/eth0\`?"
  `);
});

test('what a later Talos brings is said so', () => {
  expect(
    ['KubeletConfig.extraArgs', 'machine.install.wipe.x', 'RoutingRuleConfig', 'UserVolumeConfig.trim']
      .map((question) => asked(question, '1.12'))
      .join('\n\n'),
  ).toMatchInlineSnapshot(`
    "error[talos-config/no-such-document]: this configuration has no document \`KubeletConfig\`
    help: Talos 1.14 is the first that knows this kind

    error[talos-config/no-such-field]: Talos 1.12 has no field \`machine.install.wipe.x\`
    because: \`machine.install.wipe\` is a single value

    error[talos-config/no-such-document]: this configuration has no document \`RoutingRuleConfig\`
    help: Talos 1.13 is the first that knows this kind

    error[talos-config/no-such-field]: Talos 1.12 has no field \`UserVolumeConfig.trim\`
    because: \`trim\` is not a key of \`UserVolumeConfig\`
    help: Talos 1.14 is the first that knows it"
  `);
  expect(asked('cluster.etcd.image.x', '1.14')).toMatchInlineSnapshot(`
    "error[talos-config/no-such-field]: Talos 1.14 has no field \`cluster.etcd.image.x\`
    because: \`cluster.etcd.image\` is a single value"
  `);
});

test("a field that could be set is not set, and a key of one's own is never unknown", () => {
  const questions = [
    'machine.time',
    'machine.time.servers[3]',
    'machine.sysctls.vm.swappiness',
    'machine.sysctls["vm.swappiness"]',
    'machine.sysctls.net.core.somaxconn',
    'machine.nodeLabels.example.org/rack',
    'machine.kubelet.extraArgs.feature-gates',
    'machine.kubelet.extraConfig.evictionHard.memory.available',
    'machine.registries.mirrors.docker.io.endpoints',
    'machine.network.interfaces[0].mtu',
    'machine.network.interfaces.0.mtu',
    'WatchdogTimerConfig.timeout',
    'UserVolumeConfig',
    'LinkConfig.mtu',
    'LinkConfig/eth0.100.mtu',
    'LinkConfig/eth0.mtu',
    'Tenant.whatever.there.is',
    'Tenant/mine.anything.goes',
  ];
  expect(questions.map((question) => `${question}: ${asked(question)}`).join('\n')).toMatchInlineSnapshot(`
    "machine.time: v1alpha1 is not set
    machine.time.servers[3]: v1alpha1 is not set
    machine.sysctls.vm.swappiness: v1alpha1 "1"
    machine.sysctls["vm.swappiness"]: v1alpha1 "1"
    machine.sysctls.net.core.somaxconn: v1alpha1 is not set
    machine.nodeLabels.example.org/rack: v1alpha1 is not set
    machine.kubelet.extraArgs.feature-gates: v1alpha1 is not set
    machine.kubelet.extraConfig.evictionHard.memory.available: v1alpha1 is not set
    machine.registries.mirrors.docker.io.endpoints: v1alpha1 is not set
    machine.network.interfaces[0].mtu: v1alpha1 9000
    machine.network.interfaces.0.mtu: v1alpha1 9000
    WatchdogTimerConfig.timeout: WatchdogTimerConfig is not set
    UserVolumeConfig: UserVolumeConfig is not set
    LinkConfig.mtu: LinkConfig eth0.100 1500
    LinkConfig eth0 1400
    LinkConfig/eth0.100.mtu: LinkConfig eth0.100 1500
    LinkConfig/eth0.mtu: LinkConfig eth0 1400
    Tenant.whatever.there.is: Tenant mine is not set
    Tenant/mine.anything.goes: Tenant mine 1"
  `);
});
