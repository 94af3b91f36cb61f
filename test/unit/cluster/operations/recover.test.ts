import { expect, test } from 'vitest';
import type { NodeName } from '../../../../lib/base/index.ts';
import { foreignSnapshot } from '../../../../lib/cluster/operations/recover.ts';

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
const nodes = [
  { name: 'cp-1' as NodeName, role: 'controlplane', addresses: ['10.0.0.1'] },
  { name: 'worker-1' as NodeName, role: 'worker', addresses: ['10.0.0.2'] },
] as const;
const ours = { nodes, kubernetesCa: pem('b3Vycw==') };
const empty = { members: [], peers: [], nodes: [], kubernetesCas: [] };
const isForeign = (owner: object, own: object = ours) => foreignSnapshot('kept.db', { ...empty, ...owner }, own as typeof ours).length > 0;

test('the authority of Kubernetes decides, whatever the machines are called now', () => {
  const renamed = { members: ['a'], peers: ['192.168.9.9'], nodes: ['a', 'b'] };
  expect(isForeign({ ...renamed, kubernetesCas: ['b3Vycw=='] })).toBe(false);
  // Rotated since: the old one is still trusted.
  expect(isForeign({ ...renamed, kubernetesCas: ['bmV3', 'b3Vycw=='] })).toBe(false);
  // The names of homelabs are all the same.
  expect(isForeign({ members: ['cp-1'], peers: ['10.0.0.1'], nodes: ['cp-1', 'worker-1'], kubernetesCas: ['dGhlaXJz'] })).toBe(true);
});

test('without an authority on both sides one name or address in common is enough', () => {
  const other = { members: ['a'], peers: ['192.168.9.9'], nodes: ['b'] };
  expect(isForeign(other)).toBe(true);
  expect(isForeign({ ...other, members: ['a', 'cp-1'] })).toBe(false);
  expect(isForeign({ ...other, peers: ['10.0.0.1'] })).toBe(false);
  expect(isForeign({ ...other, nodes: ['worker-1'] })).toBe(false);
  expect(isForeign({ ...other, kubernetesCas: ['dGhlaXJz'] }, { nodes })).toBe(true);
  expect(isForeign({ members: ['cp-1'], kubernetesCas: ['dGhlaXJz'] }, { nodes })).toBe(false);
  // An etcd that was no cluster's: nothing in it says whose it is.
  expect(isForeign({})).toBe(false);
});
