import { expect, test } from 'vitest';
import { commands } from '../../../../lib/cli/commands/index.ts';
import { commandHelp, usageText } from '../../../../lib/cli/help.ts';

test('each command stands in the overview under the words of its usage, and can be loaded', async () => {
  const lines = usageText([], commands).split('\n');
  for (const command of commands) {
    const words = command.usage.slice(0, command.name.length);
    expect(words.replaceAll(' ', ':')).toBe(command.name);
    expect(lines.some((line) => line.startsWith(`  ${words} `) && line.endsWith(command.summary))).toBe(true);
    expect((await command.load()).run).toBeTypeOf('function');
  }
});

test('the help of a command names each argument that it takes', () => {
  for (const command of commands) {
    const help = commandHelp(command);
    for (const { name, position } of command.arguments)
      expect(help).toContain(position === undefined ? `--${name}` : name.toUpperCase().replace('MEDIUM', 'installer|iso'));
  }
});
