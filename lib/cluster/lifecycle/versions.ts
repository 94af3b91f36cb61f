/** The image and lifecycle services. Source: Talos cmd/talosctl/cmd/talos/upgrade.go, talosUpgradeAPIVersionRange */
export const firstWithLifecycleService = '1.13.0-alpha.3';
