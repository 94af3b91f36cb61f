import { expect, test } from 'vitest';
import type { NodeName } from '../../../lib/base/index.ts';
import { createLastLooks } from '../../../lib/cluster/last-looks.ts';
import type { NodeModel } from '../../../lib/config/index.ts';

const { signal } = new AbortController();
const nodeCalled = (name: string) => ({ name: name as NodeName }) as NodeModel;

test('what leaves at once is not asked about again; what leaves late is, and only while its machine is taken away', async () => {
  let nowMs = 0;
  const asked: number[] = [];
  const looks = createLastLooks({ now: () => nowMs });
  const look = async () => void asked.push(nowMs);
  const at = async (ms: number, name = 'cp-1') => {
    nowMs = ms;
    await looks.before(nodeCalled(name), signal);
    return [...asked];
  };
  expect(await at(0)).toEqual([]);
  await looks.during(nodeCalled('cp-1'), look, async () => {
    expect(await at(15_000)).toEqual([]);
    expect(await at(20_000, 'cp-2')).toEqual([]);
    expect(await at(60_000)).toEqual([60_000]);
    // It counts from the last one; and a clock that was set back tells as little as one that was set on.
    expect(await at(70_000)).toEqual([60_000]);
    expect(await at(30_000)).toEqual([60_000, 30_000]);
  });
  expect(await at(900_000)).toEqual([60_000, 30_000]);
  const lost = async () => {
    throw new Error('somebody else has it');
  };
  await expect(looks.during(nodeCalled('cp-1'), lost, () => at(1_900_000))).rejects.toThrow('somebody else has it');
  expect(await at(2_900_000)).toEqual([60_000, 30_000]);
});
