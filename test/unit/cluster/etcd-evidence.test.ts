import { describe, expect, test } from 'vitest';
import type { NodeName } from '../../../lib/base/index.ts';
import type { Connections } from '../../../lib/cluster/connections.ts';
import { createEtcd } from '../../../lib/cluster/etcd.ts';
import type { ClusterModel, NodeModel } from '../../../lib/config/index.ts';
import type { MachineProbe, TalosReader } from '../../../lib/talos/index.ts';

interface Machine {
  readonly probe: MachineProbe;
  readonly bootId?: string;
  readonly members?: number;
  readonly hasData?: boolean;
}

const maintenance = (spkiSha256: string): Machine => ({ probe: { state: 'maintenance', spkiSha256 } });
/** As it is seen through another control plane: the certificate is that one's. */
const configured = (bootId: string, more: Omit<Machine, 'probe' | 'bootId'> = {}): Machine => ({
  probe: { state: 'configured', spkiSha256: 'of whoever passes it on' } as MachineProbe,
  bootId,
  ...more,
});
const dark: Machine = { probe: { state: 'unreachable', reason: 'timeout' } };

/** What three control planes tell together, asked as `tk bootstrap` asks before it forms a cluster. */
async function evidenceOf(...machines: readonly Machine[]): Promise<{ readonly state: string; readonly seen: string }> {
  const nodes = machines.map((_, index) => ({ name: `cp-${index + 1}` as NodeName, role: 'controlplane' }) as NodeModel);
  const at = (node: NodeModel): Machine => machines[nodes.indexOf(node)] ?? dark;
  const connections = {
    probe: async (node: NodeModel) => at(node).probe,
    read: async <T>(node: NodeModel, use: (reader: TalosReader) => Promise<T>) => {
      const { bootId = '', members = 0, hasData = false } = at(node);
      return use({
        etcdMembers: async () => Array.from({ length: members }, () => ({})),
        hasEtcdData: async () => hasData,
        bootId: async () => bootId,
      } as unknown as TalosReader);
    },
  } as unknown as Connections;
  const evidence = await createEtcd({ model: { nodes } as unknown as ClusterModel, connections }).evidence(AbortSignal.timeout(5000));
  return { state: evidence.state, seen: evidence.seen ?? '' };
}

describe('whether a cluster was ever formed', () => {
  test('three machines, each asked, none with data: it was not', async () => {
    expect(await evidenceOf(maintenance('a'), configured('b'), maintenance('c'))).toMatchObject({ state: 'not-done' });
    expect(await evidenceOf(configured('a'), configured('b'), configured('c'))).toMatchObject({ state: 'not-done' });
  });

  test.each([
    ['a member anywhere', [configured('a'), configured('b', { members: 1 }), dark]],
    ['data anywhere', [dark, configured('b', { hasData: true }), maintenance('c')]],
  ] as const)('%s settles it', async (_, machines) => {
    expect(await evidenceOf(...machines)).toMatchObject({ state: 'done' });
  });

  test('a machine that cannot be asked may hold it', async () => {
    expect(await evidenceOf(configured('a'), dark, maintenance('c'))).toMatchObject({ state: 'undecidable' });
  });

  test.each([
    ['in maintenance mode', [configured('a'), maintenance('c'), maintenance('c')]],
    ['with its config', [maintenance('a'), configured('c'), configured('c')]],
  ] as const)('and so may one whose address another machine has, %s', async (_, machines) => {
    const { state, seen } = await evidenceOf(...machines);
    expect(state).toBe('undecidable');
    expect(seen).toContain('one machine answers at the addresses of cp-2 and cp-3');
  });
});
