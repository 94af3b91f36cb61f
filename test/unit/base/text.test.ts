import { expect, test } from 'vitest';
import { withoutMiddle } from '../../../lib/base/index.ts';

test('a text that is too long loses its middle: the cause stands at its end', () => {
  const said =
    'failed to pull image "factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:v1.14.1": failed to resolve reference: dial tcp 10.0.0.1:443: connect: connection refused';
  expect([withoutMiddle(said, 120), withoutMiddle(said, 120).length <= 120, withoutMiddle(said, said.length) === said]).toEqual([
    'failed to pull image "factory.talos.dev … ailed to resolve reference: dial tcp 10.0.0.1:443: connect: connection refused',
    true,
    true,
  ]);
});
