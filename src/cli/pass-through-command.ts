import { Command } from 'commander';

/** A command whose words commander leaves alone, `--` and all: ovs-vsctl and ovs-appctl have rules of their own. */
export class PassThroughCommand extends Command {
  override parseOptions(words: string[]): { operands: string[]; unknown: string[] } {
    return { operands: words, unknown: [] };
  }
}
