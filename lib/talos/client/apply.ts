import { Secret, stripControl } from '../../base/index.ts';
import type { machineApi } from '../../upstream/index.ts';

/** `reboot` exists on the wire up to 1.13 only. */
export type ApplyMode = 'auto' | 'no-reboot' | 'staged' | 'try' | 'reboot';

/** All documents of one machine config. */
export interface ConfigToApply {
  readonly text: Secret<string>;
  /** After this time without another apply, `try` goes back to the config before. Default: one minute. */
  readonly tryForMs?: number;
}

export interface ApplyResult {
  /** What the machine chose, where the mode was `auto`. */
  readonly mode: ApplyMode;
  /** What it did or would do. A dry run prints the differences, secrets among them. */
  readonly details: Secret<string>;
  readonly warnings: readonly string[];
}

/** In the wire's order. There 0 is REBOOT, so that a mode left out reboots the machine. Source: Talos api/machine/machine.proto */
const names: readonly ApplyMode[] = ['reboot', 'auto', 'no-reboot', 'staged', 'try'];

const defaultTryMs = 60_000;

export function applyRequest(config: ConfigToApply, mode: ApplyMode, { isDryRun }: { readonly isDryRun: boolean }) {
  const tryForMs = config.tryForMs ?? defaultTryMs;
  return {
    data: new TextEncoder().encode(config.text.reveal()),
    mode: names.indexOf(mode) as machineApi.ApplyConfigurationRequest_Mode,
    dryRun: isDryRun,
    // Sent with every mode, as upstream's own client does.
    tryModeTimeout: { seconds: BigInt(Math.floor(tryForMs / 1000)), nanos: (tryForMs % 1000) * 1_000_000 },
  };
}

export function applyResultOf(reply: machineApi.ApplyConfiguration, asked: ApplyMode): ApplyResult {
  return {
    mode: asked === 'auto' ? (names[reply.mode] ?? asked) : asked,
    details: new Secret(reply.modeDetails.split('\n').map(stripControl).join('\n')),
    warnings: reply.warnings.map(stripControl),
  };
}
