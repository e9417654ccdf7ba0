import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { appctlCommand } from './appctl/appctl.ts';
import { asmCommand } from './bpf/asm.ts';
import { benchCommand } from './bpf/bench.ts';
import { disasmCommand } from './bpf/disasm.ts';
import { runCommand } from './bpf/run.ts';
import { verifyCommand } from './bpf/verify.ts';
import { bridgeCommand } from './bridge/bridge.ts';
import { runDaemonCommand } from './daemon/daemon.ts';
import { demoCommand } from './demo/demo.ts';
import { explainCommand } from './explain.ts';
import { ofctlCommand } from './ofctl/ofctl.ts';
import { replayCommand } from './replay/replay.ts';
import { shellCommand } from './shell.ts';
import { vsctlCommand } from './vsctl/vsctl.ts';

/** The whole command line. */
export function okoCommand(): Command {
  const oko = new Command('oko')
    .description('A software switch that speaks OpenFlow and is extended with eBPF programs while it runs.')
    .version(readVersion())
    .enablePositionalOptions()
    .addCommand(demoCommand())
    .addCommand(replayCommand())
    .addCommand(runDaemonCommand())
    .addCommand(bridgeCommand())
    .addCommand(ofctlCommand())
    .addCommand(vsctlCommand())
    .addCommand(appctlCommand())
    .addCommand(shellCommand())
    .addCommand(bpfCommand())
    .addCommand(explainCommand())
    .showHelpAfterError('(add --help for what this command takes)');
  throwInsteadOfExiting(oko);
  return oko;
}

function bpfCommand(): Command {
  return new Command('bpf')
    .description('Work on eBPF programs.')
    .addCommand(disasmCommand())
    .addCommand(asmCommand())
    .addCommand(runCommand())
    .addCommand(verifyCommand())
    .addCommand(benchCommand());
}

/** commander ends the process on its own otherwise, and output that is still on its way would be lost. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  command.commands.forEach(throwInsteadOfExiting);
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
