import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Secret } from '../../../../lib/base/index.ts';
import { createHostClock } from '../../../../lib/host/index.ts';
import { createTalosMutator } from '../../../../lib/talos/index.ts';
import { addressOf } from '../../../../lib/talos/client/machine-facts.ts';
import { commonApi, create } from '../../../../lib/upstream/index.ts';
import { resourceDefinitions } from '../../../../lib/upstream/tables.ts';
import { converse } from '../../../oracle/talos-api/conversation.ts';
import { type Recording, replayDial } from '../../../oracle/talos-api/recording.ts';

const recorded = (minor: string) =>
  JSON.parse(readFileSync(new URL(`../../../conformance/talos-api/${minor}.json`, import.meta.url), 'utf8')) as Recording & {
    readonly result: Record<string, unknown>;
    /** What the handshakes with a Go server came to. */
    readonly handshakes: Record<string, string>;
  };

for (const minor of ['1.12', '1.13', '1.14']) {
  test(`the client says to upstream's own ${minor} API what it was recorded saying, and reads the same in the answers`, async () => {
    const recording = recorded(minor);
    const dial = replayDial(recording);
    const machine = { node: 'cp-1', host: '127.0.0.1', trust: { kind: 'mutual', ca: '', certificate: '', key: new Secret('') } } as const;
    const talos = createTalosMutator({ dial, clock: createHostClock() }, machine, {
      uuid: '4c4c4544-0000-0000-0000-000000000001',
      hostname: 'cp-1',
    });
    expect(await converse(talos, AbortSignal.timeout(10_000))).toEqual(recording.result);
    expect(dial.left()).toBe(0);
  });
}

test('upstream understood every field of our requests', () => {
  const { result } = recorded('1.14');
  const { dryRunApply, applyConfiguration, reboot, reset, upgradeLegacy, pullImage } = result;
  expect({ dryRunApply, applyConfiguration, reboot, reset, upgradeLegacy, pullImage }).toEqual({
    dryRunApply: { mode: 'no-reboot', details: 'mode AUTO, dry run true, 18 bytes, try 1m0s', warnings: ['a warning'] },
    applyConfiguration: { mode: 'staged', details: 'mode STAGED, dry run false, 18 bytes, try 1m0s', warnings: ['a warning'] },
    reboot: { actor: 'actor-POWERCYCLE' },
    reset: { actor: 'graceful true reboot true mode SYSTEM_DISK partitions 2 disks []' },
    upgradeLegacy: { actor: 'factory/installer:v1.14.1 stage true force false preserve false POWERCYCLE' },
    pullImage: 'factory/installer:v1.14.1@CRI.NS_SYSTEM',
  });
});

test('the conversation leaves out nothing that the client can say', async () => {
  const recording = recorded('1.14');
  const machine = { node: 'cp-1', host: '127.0.0.1', trust: { kind: 'mutual', ca: '', certificate: '', key: new Secret('') } } as const;
  const identity = { uuid: '4c4c4544-0000-0000-0000-000000000001', hostname: 'cp-1' };
  const talos = createTalosMutator({ dial: replayDial(recording), clock: createHostClock() }, machine, identity);
  const used = new Set<string>();
  const watched = new Proxy(talos, {
    get(target, name) {
      used.add(String(name));
      return target[name as keyof typeof target];
    },
  });
  await converse(watched, AbortSignal.timeout(10_000));
  expect(Object.keys(talos).filter((name) => !used.has(name))).toEqual(['machine', 'close']);
});

test("a Go server's refusals in the handshake were told apart", () => {
  for (const minor of ['1.12', '1.13', '1.14']) {
    expect(recorded(minor).handshakes).toEqual({
      ours: 'accepted',
      'no certificate': 'certificate-required ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      "another authority's certificate": 'certificate-rejected ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'another authority expected': 'unknown-authority UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  }
});

test('addresses are written as people write them', () => {
  const text = (...ip: number[]) => addressOf(create(commonApi.NetIPSchema, { ip: Uint8Array.from(ip) }));
  const v6 = (...groups: number[]) => text(...groups.flatMap((group) => [group >> 8, group & 255]));
  expect([
    text(192, 168, 1, 10),
    v6(0xfd00, 0, 0, 0, 0, 0, 0, 1),
    v6(0, 0, 0, 0, 0, 0, 0, 1),
    v6(0, 0, 0, 0, 0, 0, 0, 0),
    v6(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1),
    v6(0xfe80, 0, 0, 0, 0, 0, 0, 0),
    v6(1, 2, 3, 4, 5, 6, 0, 8),
  ]).toEqual(['192.168.1.10', 'fd00::1', '::1', '::', '2001:db8:0:1::1', 'fe80::', '1:2:3:4:5:6:0:8']);
});

test('each generation registers its own types', () => {
  const types = (minor: '1.12' | '1.13' | '1.14') => resourceDefinitions(minor).map(({ type }) => type);
  expect([types('1.12').length, types('1.13').length, types('1.14').length]).toEqual([160, 167, 196]);
  expect(types('1.13').includes('BootIDs.runtime.talos.dev')).toBe(false);
  expect(resourceDefinitions('1.14').find(({ type }) => type === 'Members.cluster.talos.dev')).toEqual({
    type: 'Members.cluster.talos.dev',
    displayType: 'Member',
    namespace: 'cluster',
    aliases: ['member'],
    allAliases: ['members', 'members.cluster', 'members.cluster.talos', 'member'],
    columns: [
      { name: 'Hostname', jsonPath: '{.hostname}' },
      { name: 'Machine Type', jsonPath: '{.machineType}' },
      { name: 'OS', jsonPath: '{.operatingSystem}' },
      { name: 'Addresses', jsonPath: '{.addresses}' },
    ],
    sensitive: false,
  });
  expect(
    resourceDefinitions('1.14')
      .filter(({ sensitive }) => sensitive)
      .map(({ type }) => type)
      .includes('MachineConfigs.config.talos.dev'),
  ).toBe(true);
});
