import { chartCommands } from './chart-commands.ts';
import type { Command } from './command.ts';
import { completionCommands } from './completion-commands.ts';
import { initCommands } from './init-commands.ts';
import { secretCommands } from './secret-commands.ts';
import { simCommands } from './sim-commands.ts';
import { talosCommands } from './talos-commands.ts';
import { templateCommands } from './template-commands.ts';
import { upgradeCommands } from './upgrade-commands.ts';

export const commands: readonly Command[] = [
  ...chartCommands,
  ...completionCommands,
  ...initCommands,
  ...secretCommands,
  ...simCommands,
  ...talosCommands,
  ...templateCommands,
  ...upgradeCommands,
];
