import { bytesOf } from './scalars.ts';
import type { ConfigMap } from './value.ts';

/**
 * An old install disk selector as a CEL expression over disks. Read-only disks and those without a transport are never meant.
 *
 * Source: pkg/machinery/config/types/v1alpha1 InstallConfig.DiskMatchExpression
 */
export function diskExpression(selector: ConfigMap): string {
  const parts: string[] = [];
  const text = (key: string) => (selector[key] === undefined || selector[key] === null ? '' : String(selector[key]));
  const [, operator = '', size = ''] = /^\s*(>=|<=|>|<|==)?\s*(.*)$/.exec(text('size')) ?? [];
  if (size !== '') parts.push(`disk.size ${operator || '=='} ${bytesOf(size) ?? 0}u`);
  const glob = (key: string, field: string) => {
    if (text(key) !== '') parts.push(`glob(${JSON.stringify(text(key))}, disk.${field})`);
  };
  glob('uuid', 'uuid');
  glob('wwid', 'wwid');
  glob('model', 'model');
  glob('serial', 'serial');
  glob('modalias', 'modalias');
  parts.push('disk.transport != ""');
  const types: Readonly<Record<string, string>> = {
    nvme: 'disk.transport == "nvme"',
    sd: 'disk.transport == "mmc"',
    hdd: 'disk.rotational',
    ssd: '!disk.rotational',
  };
  const type = types[text('type')];
  if (type !== undefined) parts.push(type);
  glob('busPath', 'bus_path');
  parts.push('!disk.readonly');
  return parts.join(' && ');
}
