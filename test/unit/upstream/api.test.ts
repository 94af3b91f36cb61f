import { expect, test } from 'vitest';
import {
  create,
  cosiApi,
  definitions,
  fromBinary,
  isMethodOf,
  machineApi,
  methodShapes,
  talosServices,
  toBinary,
} from '../../../lib/upstream/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('an apply request is encoded with the field numbers of upstream', () => {
  const request = create(machineApi.ApplyConfigurationRequestSchema, {
    data: new TextEncoder().encode('a'),
    mode: machineApi.ApplyConfigurationRequest_Mode.AUTO,
    dryRun: true,
    tryModeTimeout: { seconds: 60n, nanos: 0 },
  });
  // data=1, mode=4, dry_run=5, try_mode_timeout=6 {seconds=1}
  expect(hex(toBinary(machineApi.ApplyConfigurationRequestSchema, request))).toBe('0a016120012801' + '3202083c');
});

test('etcd member ids keep all 64 bits', () => {
  const request = create(machineApi.EtcdRemoveMemberByIDRequestSchema, { memberId: 18446744073709551615n });
  const bytes = toBinary(machineApi.EtcdRemoveMemberByIDRequestSchema, request);
  expect(fromBinary(machineApi.EtcdRemoveMemberByIDRequestSchema, bytes).memberId).toBe(18446744073709551615n);
});

test('a resource carries its spec as protobuf and as YAML', () => {
  const spec = toBinary(definitions.k8s.NodenameSpecSchema, create(definitions.k8s.NodenameSpecSchema, { nodename: 'cp-1' }));
  const resource = create(cosiApi.ResourceSchema, {
    metadata: { namespace: 'k8s', type: 'Nodenames.kubernetes.talos.dev', id: 'nodename', version: '1', phase: 'running' },
    spec: { protoSpec: spec, yamlSpec: 'nodename: cp-1\n' },
  });
  const read = fromBinary(cosiApi.ResourceSchema, toBinary(cosiApi.ResourceSchema, resource));
  expect(read.spec?.yamlSpec).toBe('nodename: cp-1\n');
  expect(fromBinary(definitions.k8s.NodenameSpecSchema, read.spec?.protoSpec ?? new Uint8Array()).nodename).toBe('cp-1');
});

test('fields that this build does not know survive a round trip', () => {
  const bytes = Buffer.from('0a00fa3f0161', 'hex');
  expect(hex(toBinary(machineApi.VersionResponseSchema, fromBinary(machineApi.VersionResponseSchema, bytes)))).toBe('0a00fa3f0161');
});

test('each generation offers the services that its machines have', () => {
  expect(talosServices('1.12').map((service) => service.typeName)).toEqual([
    'machine.MachineService',
    'cluster.ClusterService',
    'inspect.InspectService',
    'storage.StorageService',
    'time.TimeService',
    'cosi.resource.State',
  ]);
  expect(
    talosServices('1.14')
      .map((service) => service.typeName)
      .slice(6),
  ).toEqual(['machine.ImageService', 'machine.LifecycleService', 'machine.DebugService', 'machine.LVMService', 'machine.MDService']);
  expect(isMethodOf('1.12', '/machine.MachineService/GenerateConfiguration')).toBe(true);
  expect(isMethodOf('1.13', '/machine.MachineService/GenerateConfiguration')).toBe(false);
  expect(isMethodOf('1.12', '/machine.LifecycleService/Upgrade')).toBe(false);
});

test('streams are told apart from unary calls', () => {
  const shapes = methodShapes(talosServices('1.14')).filter(({ path }) => /\/(Version|Events|EtcdRecover|ContainerRun|Watch)$/.test(path));
  expect(shapes).toEqual([
    { path: '/machine.MachineService/Events', requestStream: false, responseStream: true },
    { path: '/machine.MachineService/EtcdRecover', requestStream: true, responseStream: false },
    { path: '/machine.MachineService/Version', requestStream: false, responseStream: false },
    { path: '/cosi.resource.State/Watch', requestStream: false, responseStream: true },
    { path: '/machine.DebugService/ContainerRun', requestStream: true, responseStream: true },
  ]);
});
