import { describe, expect, it } from 'vitest';
import { okoCommand } from './oko.ts';

describe('the command line', () => {
  it('has every command when none is named, and then only that one', async () => {
    const all = await okoCommand([]);
    const names = all.commands.map((command) => command.name());
    expect(names).toContain('ofctl');
    for (const name of names) {
      const { commands } = await okoCommand([name]);
      expect(commands.map((command) => command.name())).toEqual([name]);
    }
    const bpf = all.commands.find((command) => command.name() === 'bpf');
    for (const { name } of (bpf?.commands ?? []).map((command) => ({ name: command.name() }))) {
      const [only] = (await okoCommand(['bpf', name])).commands;
      expect(only.commands.map((command) => command.name())).toEqual([name]);
    }
    expect(bpf?.commands.length).toBeGreaterThan(3);
    expect((await okoCommand(['no-such-command'])).commands.length).toBe(names.length);
  });
});
