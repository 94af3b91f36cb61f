import type { FailureClasses } from '../core/index.ts';

/** Failures of inputs, told before anything is touched: exit 2. Everything that is not here and not the engine's own is exit 1. */
export const failureClasses: FailureClasses = {
  talconfig: 'invalid',
  'talos-config': 'invalid',
  'chart/values': 'invalid',
  'chart/values-layer': 'invalid',
  'chart/values-schema': 'invalid',
  'release/malformed': 'invalid',
  'release/source-missing': 'invalid',
  'release/source-unsupported': 'invalid',
  'release/values-missing': 'invalid',
  'release/values-malformed': 'invalid',
  'release/values-schema': 'invalid',
  'release/needs-unknown': 'invalid',
  'release/needs-cycle': 'invalid',
  'release/substitution': 'invalid',
  'release/helmfile-unsupported': 'invalid',
  resource: 'invalid',
  'talos/wrong-machine': 'refused',
  upgrade: 'refused',
  'upgrade-k8s': 'refused',
  'sim/in-use': 'locked',
};
