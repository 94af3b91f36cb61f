import { isAbsolute, resolve } from 'node:path';
import { type Failure, type Files, Secret, type SourceFile, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { ApplyMode } from '../../talos/index.ts';
import { contractOf, patchMachineConfig } from '../../talos/machine-config.ts';
import type { ConfigDifference, ConfigDifferences } from '../cluster.ts';
import type { Connections } from '../connections.ts';
import { operationFailure } from './failures.ts';

/** What patches would make of the config that a machine runs. */
export interface PatchPreview {
  readonly node: NodeModel;
  /** Redacted. Empty: the patches change nothing. */
  readonly differences: readonly ConfigDifference[];
  /** What the machine itself says: `reboot` where it cannot take the change while it runs. Absent when nothing changes. */
  readonly mode?: ApplyMode;
  readonly warnings: readonly (string | Failure)[];
  readonly text: Secret<string>;
}

export interface PatchingView {
  /** A file (with or without an `@`), or the patch itself. Failure: `patch/no-file`. */
  load(words: readonly string[]): Promise<readonly SourceFile[]>;
  /**
   * Failure: `talos-config/*` for the patch, with its places; a JSON patch where Talos takes none is refused with its strategic form.
   * What the machine says against the result: `talos/invalid-argument`.
   */
  preview(node: NodeModel, patches: readonly SourceFile[], mode: ApplyMode, signal: AbortSignal): Promise<PatchPreview>;
}

export interface Patching extends PatchingView {
  /** Checks the machine's identity on the very connection that carries the config. */
  apply(
    node: NodeModel,
    text: Secret<string>,
    mode: ApplyMode,
    options: { readonly tryForMs?: number },
    signal: AbortSignal,
  ): Promise<{ readonly mode: ApplyMode; readonly warnings: readonly string[] }>;
}

export interface PatchingParts {
  readonly root: string;
  readonly files: Files;
  readonly connections: Connections;
  readonly compare: (running: Secret<string>, wanted: Secret<string>) => Promise<ConfigDifferences>;
}

/** Source: Talos cmd/talosctl/cmd/talos/patch.go (the active config is patched), pkg/machinery/config/configpatcher/load.go (words) */
export function createPatching({ root, files, connections, compare }: PatchingParts): Patching {
  return {
    load: (words) =>
      Promise.all(
        words.map(async (word, index): Promise<SourceFile> => {
          const isInline = /[\n ]/.test(word) || /^[[{]/.test(word.trim());
          if (isInline && !word.startsWith('@')) return { path: `patch ${index + 1}`, text: word };
          const path = word.replace(/^@/, '');
          const text = await files.readText(isAbsolute(path) ? path : resolve(root, path));
          if (text === undefined) throw new TkError(operationFailure('patch/no-file', { path }));
          return { path, text };
        }),
      ),
    // What another machine at its address runs would be applied to it when the address is right again.
    preview: (node, patches, mode, signal) =>
      connections.readProven(node, signal, async (machine, { version }) => {
        const running = await machine.machineConfig('active', signal);
        if (running === undefined) throw new TkError(operationFailure('patch/no-config', { node: node.name }));
        const talosVersion = contractOf((version ?? (await machine.version(signal))).tag);
        const base = { path: `the config of ${node.name}`, text: running.reveal() };
        const text = new Secret(patchMachineConfig({ base, patches, talosVersion }).text);
        const compared = await compare(running, text);
        const differences = compared.state === 'compared' ? compared.differences : [];
        if (compared.state === 'compared' && differences.length === 0) return { node, differences, warnings: [], text };
        const answer = await machine.dryRunApply({ text }, mode, signal);
        return { node, differences, mode: answer.mode, warnings: answer.warnings, text };
      }),
    apply: (node, text, mode, { tryForMs }, signal) =>
      connections.change(node, (machine) =>
        machine.applyConfiguration({ text, ...(tryForMs === undefined ? {} : { tryForMs }) }, mode, signal),
      ),
  };
}
