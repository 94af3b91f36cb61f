import { TkError } from '../../base/index.ts';
import { type TalosMinor, talosMinors } from '../../upstream/tables.ts';
import { talosConfigFailure } from './failures.ts';

export function isAtLeastMinor(minor: TalosMinor, lowest: TalosMinor): boolean {
  return talosMinors.indexOf(minor) >= talosMinors.indexOf(lowest);
}

/**
 * The contract of a version: `1.14` of `v1.14.1`, `1.14.0-rc.1`, `v1.14` and `1.14`.
 *
 * Failure: `talos-config/unsupported-version`.
 * Source: pkg/machinery/config/contract.go, ParseContractFromVersion
 */
export function contractOf(version: string): TalosMinor {
  const match = /^v?(\d+)\.(\d+)(?:$|\.)/.exec(version);
  const minor = talosMinors.find((one) => one === `${match?.[1]}.${match?.[2]}`);
  if (!minor) {
    const [oldest] = talosMinors;
    throw new TkError(talosConfigFailure('talos-config/unsupported-version', { version, oldest, newest: talosMinors.at(-1) ?? oldest }));
  }
  return minor;
}
