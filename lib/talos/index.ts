// Machine configurations, patches, the secrets bundle, schematics.
export { type TalosConfigFailures, talosConfigFailure } from './config/failures.ts';
export { contractOf, isAtLeastMinor } from './config/minor.ts';
export {
  bundleFromControlPlaneConfig,
  createSecretsBundle,
  parseSecretsBundle,
  renderSecretsBundle,
  type SecretsBundle,
  secretsBundleOf,
  secretValuesOf,
} from './config/secrets-bundle.ts';
