import { expect, test } from 'vitest';
import { type Failure } from '../../../lib/base/index.ts';
import { talosFailure } from '../../../lib/talos/index.ts';
import { renderFailures } from '../../../lib/ui/index.ts';

const missing = (node: string, address: string, image = 'example.org/installer:v1.14.2'): Failure => ({
  ...talosFailure('talos/not-found', { node, address, method: 'ImageService/Pull', message: `${image}: not found` }),
  where: { kind: 'step', task: 'talos:upgrade to=v1.14.2', step: `pull`, node },
});

test('what is the same on many machines is told once, with the others by name', () => {
  const failures = [missing('cp-1', '10.0.0.1'), missing('cp-10', '10.0.0.10'), missing('worker-1', '10.0.0.2')];
  expect(renderFailures(failures)).toEqual([
    [
      'error[talos/not-found]: `cp-1` (10.0.0.1) cannot pull an image: it is not there',
      'because: example.org/installer:v1.14.2: not found',
      'also: cp-10 and worker-1',
      'step: talos:upgrade to=v1.14.2 › pull on cp-1',
      'help: is this version out, and does the registry (or its mirror) have it?',
    ].join('\n'),
  ]);
});

test('what differs in anything but the machine is told by itself; the very same twice is told once', () => {
  const texts = renderFailures([
    missing('cp-1', '10.0.0.1'),
    missing('cp-2', '10.0.0.2', 'example.org/other:v1'),
    missing('cp-1', '10.0.0.1'),
    talosFailure('talos/unreachable', { node: 'cp-2', address: '10.0.0.2', reason: 'timeout' }),
    talosFailure('talos/unreachable', { node: 'cp-3', address: '10.0.0.3', reason: 'refused' }),
  ]);
  expect(texts.map((text) => text.split('\n')[0])).toEqual([
    'error[talos/not-found]: `cp-1` (10.0.0.1) cannot pull an image: it is not there',
    'error[talos/not-found]: `cp-2` (10.0.0.2) cannot pull an image: it is not there',
    'error[talos/unreachable]: `cp-2` (10.0.0.2) cannot be reached',
    'error[talos/unreachable]: `cp-3` (10.0.0.3) cannot be reached',
  ]);
  expect(texts.filter((text) => text.includes('also:'))).toEqual([]);
});
