import { expect, test } from 'vitest';
import { byKey } from '../../../../lib/talos/config/key-order.ts';

test('keys are in the order of the YAML library of Talos', () => {
  // Source: the order in which Talos 1.13.9 writes sysctls of these names.
  const keys = [
    '1',
    '1.2',
    '1.10',
    '9',
    '10',
    'B',
    'a',
    'a-b',
    'a.b',
    'a_b',
    'a0b',
    'a00b',
    'a10b',
    'a100b',
    'a1000',
    'ab',
    'cpu',
    'cpu2',
    'cpu2a',
    'cpu2.b',
    'cpu02',
    'cpu10',
    'pci-02',
    'pci-0300_8086',
    'x2',
    'x7',
    'x07',
    'x007',
    'x20y',
    'x100y',
    'é',
  ];
  expect(keys.toReversed().toSorted(byKey)).toEqual(keys);
});
