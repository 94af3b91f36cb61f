import { talosDefaults } from '../../upstream/tables.ts';

export interface ImageQuestion {
  readonly schematicId: string;
  /** With its `v`. */
  readonly talosVersion: string;
  /** Default `metal`. */
  readonly platform?: string;
  /** Default `amd64`. */
  readonly arch?: string;
  readonly secureBoot?: boolean;
  /** Default: the public factory. */
  readonly factory?: string;
  /** Default `https`. */
  readonly protocol?: string;
}

export type BootMedium = 'iso' | 'disk-image' | 'pxe' | 'uki' | 'kernel' | 'initramfs';

/** What a machine installs: `factory.talos.dev/metal-installer/<id>:v1.14.1`. Source: image-factory, docs of the installer images */
export function installerImage(question: ImageQuestion): string {
  const { factory = talosDefaults.factory, platform = 'metal', schematicId, secureBoot, talosVersion } = question;
  return `${factory}/${platform}-installer${secureBoot ? '-secureboot' : ''}/${schematicId}:${talosVersion}`;
}

/** What a machine boots. `suffix` of a disk image, default `raw.zst`. */
export function bootImageUrl(medium: BootMedium, question: ImageQuestion, suffix = 'raw.zst'): string {
  const {
    factory = talosDefaults.factory,
    protocol = 'https',
    platform = 'metal',
    arch = 'amd64',
    schematicId,
    secureBoot,
    talosVersion,
  } = question;
  const name = `${platform}-${arch}${secureBoot ? '-secureboot' : ''}`;
  const base = `${protocol}://${factory}`;
  switch (medium) {
    case 'iso':
      return `${base}/image/${schematicId}/${talosVersion}/${name}.iso`;
    case 'disk-image':
      return `${base}/image/${schematicId}/${talosVersion}/${name}.${suffix}`;
    case 'uki':
      return `${base}/image/${schematicId}/${talosVersion}/${name}-uki.efi`;
    case 'pxe':
      return `${protocol}://pxe.${factory}/pxe/${schematicId}/${talosVersion}/${name}`;
    case 'kernel':
      return `${base}/image/${schematicId}/${talosVersion}/kernel-${arch}`;
    case 'initramfs':
      return `${base}/image/${schematicId}/${talosVersion}/initramfs-${arch}.xz`;
  }
}
