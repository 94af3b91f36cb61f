import { expect, test } from 'vitest';
import { failureOf } from '../../../../lib/base/index.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';
import { selectNodes } from '../../../../lib/cluster/operations/select-nodes.ts';

const nodes = [
  { name: 'cp-1', role: 'controlplane', addresses: ['10.0.0.11'] },
  { name: 'worker-1', role: 'worker', addresses: ['10.0.0.21'] },
  { name: 'worker-2', role: 'worker', addresses: ['10.0.0.22'] },
] as unknown as readonly NodeModel[];

test('nodes are named, have a role, or both; a question that contradicts itself is none about nobody', () => {
  const named = (selector: Parameters<typeof selectNodes>[1]) => selectNodes(nodes, selector).map(({ name }) => name as string);
  expect(named({})).toEqual(['cp-1', 'worker-1', 'worker-2']);
  expect(named({ role: 'worker' })).toEqual(['worker-1', 'worker-2']);
  expect(named({ nodes: ['cp-1', '10.0.0.22'], role: 'worker' })).toEqual(['worker-2']);
  const contradiction = () => named({ nodes: ['cp-1'], role: 'worker' });
  expect(contradiction).toThrow();
  try {
    contradiction();
  } catch (error) {
    expect(failureOf(error)).toMatchObject({ code: 'cluster/nodes-disagree', facts: { asked: ['cp-1', 'ROLE=worker'] } });
  }
});
