import { type Failure, suggestionFor, throwIfAny } from '../../base/index.ts';
import { hasFactoryLists, officialExtensions, officialOverlays } from '../../upstream/tables.ts';
import { talosConfigFailure } from './failures.ts';
import { contractOf } from './minor.ts';
import { type Schematic, schematicOf } from './schematic.ts';
import type { ConfigMap } from './value.ts';

export interface SchematicWish {
  /** `v1.14.1` or `1.14`: whose extensions and overlays there are. */
  readonly talosVersion: string;
  /** `siderolabs/i915`; the owner may be left out. */
  readonly extensions?: readonly string[];
  readonly kernelArgs?: readonly string[];
  /** Of a single-board computer: `rpi_generic`. */
  readonly overlay?: string;
  /** `name=value`. */
  readonly overlayOptions?: readonly string[];
  /** `key=value`, the key as a number: `0x0a=…`. */
  readonly meta?: readonly string[];
  readonly bootloader?: string;
  /** Secure Boot with the well-known certificates besides those of the factory. */
  readonly secureBoot?: boolean;
}

/**
 * A schematic from what is wanted in it, names checked against the lists of the image factory.
 *
 * Failure: `factory/unknown-extension`, `factory/unknown-overlay`, `factory/bad-pair`, `talos-config/schematic-*`; all of them at once.
 */
export function buildSchematic(wish: SchematicWish): Schematic {
  const minor = contractOf(wish.talosVersion);
  const failures: Failure[] = [];
  const known = officialExtensions(minor);
  const extensions = (wish.extensions ?? []).map((asked) => {
    const name = asked.includes('/') ? asked : `siderolabs/${asked}`;
    if (hasFactoryLists(minor) && !known.includes(name)) {
      const suggestion = suggestionFor(name, known);
      failures.push(
        talosConfigFailure('factory/unknown-extension', { extension: asked, talosVersion: minor, ...(suggestion ? { suggestion } : {}) }),
      );
    }
    return name;
  });
  const twice = extensions.filter((name, index) => extensions.indexOf(name) !== index);
  for (const extension of new Set(twice)) failures.push(talosConfigFailure('factory/extension-twice', { extension }));
  const overlays = officialOverlays(minor);
  const overlay = overlays.find(({ name }) => name === wish.overlay);
  if (wish.overlay !== undefined && overlay === undefined) {
    const suggestion = suggestionFor(
      wish.overlay,
      overlays.map(({ name }) => name),
    );
    failures.push(
      talosConfigFailure('factory/unknown-overlay', { overlay: wish.overlay, talosVersion: minor, ...(suggestion ? { suggestion } : {}) }),
    );
  }
  const pairs = (words: readonly string[] | undefined): [string, string][] =>
    (words ?? []).flatMap((word): [string, string][] => {
      const equals = word.indexOf('=');
      if (equals > 0) return [[word.slice(0, equals), word.slice(equals + 1)]];
      failures.push(talosConfigFailure('factory/bad-pair', { word }));
      return [];
    });
  const options = pairs(wish.overlayOptions);
  const meta = pairs(wish.meta).map(([key, value]): ConfigMap => ({ key: Number(key), value }));
  const customization: ConfigMap = {
    ...(wish.kernelArgs && wish.kernelArgs.length > 0 ? { extraKernelArgs: [...wish.kernelArgs] } : {}),
    ...(meta.length > 0 ? { meta } : {}),
    ...(extensions.length > 0 ? { systemExtensions: { officialExtensions: extensions } } : {}),
    ...(wish.bootloader === undefined ? {} : { bootloader: wish.bootloader }),
    ...(wish.secureBoot ? { secureboot: { includeWellKnownCertificates: true } } : {}),
  };
  throwIfAny(failures);
  return schematicOf({
    ...(overlay === undefined
      ? {}
      : { overlay: { image: overlay.image, name: overlay.name, ...(options.length > 0 ? { options: Object.fromEntries(options) } : {}) } }),
    customization,
  });
}
