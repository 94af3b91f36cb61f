import { expect, test } from 'vitest';
import { envLine, inTheSameStyle, variableIn } from '../../../../lib/cluster/pins/written-version.ts';

const lines = `---
# renovate: datasource=docker depName=ghcr.io/siderolabs/kubelet
kubernetesVersion: v1.35.4
export TALOS="1.13.9" # quoted
single='v1.0.0'
spaced :   v1.1.0   # behind
kubernetesVersion=v1.36.0\r
empty:
`;

test.each([
  ['kubernetesVersion', 'v1.36.0', 7],
  ['TALOS', '1.13.9', 4],
  ['single', 'v1.0.0', 5],
  ['spaced', 'v1.1.0', 6],
  ['empty', '', 8],
])('the value of %s is where it stands, and the last line of a name wins', (name, value, line) => {
  const found = envLine(lines, name);
  expect({ value: found?.value, line: found?.line }).toEqual({ value, line });
  if (value !== '') expect(lines.slice(found?.start, found?.end)).toBe(value);
});

test('a name that no line gives is not found in the name of another', () => {
  expect(envLine('kubernetesVersionOld: v1.0.0\n# kubernetesVersion: v1.1.0\n', 'kubernetesVersion')).toBeUndefined();
});

test.each([
  ['${kubernetesVersion}', { name: 'kubernetesVersion', prefix: '' }],
  ['v$KUBE_VERSION', { name: 'KUBE_VERSION', prefix: 'v' }],
  ['${X:-v1.36.3}', { name: 'X', prefix: '', fallback: 'v1.36.3' }],
  ['v${MAJOR}.${MINOR}', undefined],
  ['v1.36.3', undefined],
])('%s', (written, variable) => {
  expect(variableIn(written)).toEqual(variable);
});

test('a version is written as the one before it was', () => {
  expect(inTheSameStyle('v1.35.4', 'v1.36.3')).toBe('v1.36.3');
  expect(inTheSameStyle('1.35.4', 'v1.36.3')).toBe('1.36.3');
});
