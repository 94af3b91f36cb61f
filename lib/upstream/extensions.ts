import { talosMinors, type TalosMinor } from './machine-config-schema.ts';
import { officialExtensionTable, overlayTable } from './schema/extensions.gen.ts';

/** The lists begin with 1.9: of what the factory has for older minors nothing is known here. */
export function hasFactoryLists(minor: TalosMinor): boolean {
  return talosMinors.indexOf(minor) >= talosMinors.indexOf('1.9');
}

/** Names of the factory's system extensions (`siderolabs/i915`) for one minor; its newest patch releases may have more. */
export function officialExtensions(minor: TalosMinor): readonly string[] {
  return linesFor(officialExtensionTable, minor, 1).map(([name = '']) => name);
}

/** Overlays for single-board computers: name and image. */
export function officialOverlays(minor: TalosMinor): readonly { readonly name: string; readonly image: string }[] {
  return linesFor(overlayTable, minor, 2).map(([name = '', image = '']) => ({ name, image }));
}

function linesFor(table: string, minor: TalosMinor, columns: number): string[][] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .filter((words) => words.length === columns || words.slice(columns).some((word) => word === minor && talosMinors.includes(minor)));
}
