import type { ConfigMap, ConfigValue } from './value.ts';

/** How an element of a list is found again, so that a patch changes it instead of adding another. */
export interface ListKeys {
  readonly fields: readonly string[];
  /** The patch's element takes the place of the old one as a whole. */
  readonly replaces: boolean;
  same(left: ConfigMap, right: ConfigMap, equal: (a: ConfigValue | undefined, b: ConfigValue | undefined) => boolean): boolean;
}

const byField = (field: string, replaces = false): ListKeys => ({
  fields: [field],
  replaces,
  same: (left, right, equal) => equal(left[field] ?? '', right[field] ?? ''),
});

/** Source: the Merge methods of the named list types in pkg/machinery/config/types */
const keysOfLists: Readonly<Record<string, ListKeys>> = {
  'v1alpha1.NetworkDeviceList': {
    fields: ['interface', 'deviceSelector'],
    replaces: false,
    same(left, right, equal) {
      if (right['interface'] !== undefined && right['interface'] !== '') return equal(left['interface'], right['interface']);
      return (
        right['deviceSelector'] !== undefined &&
        left['deviceSelector'] !== undefined &&
        equal(left['deviceSelector'], right['deviceSelector'])
      );
    },
  },
  'v1alpha1.VlanList': { ...byField('vlanId'), same: (left, right, equal) => equal(left['vlanId'] ?? 0, right['vlanId'] ?? 0) },
  'v1alpha1.AdmissionPluginConfigList': byField('name'),
  'extensions.ConfigFileList': byField('mountPath'),
  'security.ImageVerificationRules': byField('image', true),
};

export function listKeys(go: string): ListKeys | undefined {
  return keysOfLists[go];
}
