import { readFileSync } from 'node:fs';
import { Command } from 'commander';

type Commands = Readonly<Record<string, () => Promise<Command>>>;

/**
 * The commands in the order of the help text. Each is imported only when it is the one that is run, or when all are to be
 * listed: what a short command does not need would take it most of its time.
 */
const COMMANDS: Commands = {
  demo: async () => (await import('./demo/demo.ts')).demoCommand(),
  replay: async () => (await import('./replay/replay.ts')).replayCommand(),
  run: async () => (await import('./daemon/daemon.ts')).runDaemonCommand(),
  bridge: async () => (await import('./bridge/bridge.ts')).bridgeCommand(),
  ofctl: async () => (await import('./ofctl/ofctl.ts')).ofctlCommand(),
  vsctl: async () => (await import('./vsctl/vsctl.ts')).vsctlCommand(),
  appctl: async () => (await import('./appctl/appctl.ts')).appctlCommand(),
  shell: async () => (await import('./shell.ts')).shellCommand(),
  bpf: async () => new Command('bpf').description('Work on eBPF programs.'),
  explain: async () => (await import('./explain.ts')).explainCommand(),
};

const BPF_COMMANDS: Commands = {
  disasm: async () => (await import('./bpf/disasm.ts')).disasmCommand(),
  asm: async () => (await import('./bpf/asm.ts')).asmCommand(),
  run: async () => (await import('./bpf/run.ts')).runCommand(),
  verify: async () => (await import('./bpf/verify.ts')).verifyCommand(),
  bench: async () => (await import('./bpf/bench.ts')).benchCommand(),
};

/** The command line for these arguments: with the command that they name, or with all where they name none. */
export async function okoCommand([name, inner]: readonly string[] = []): Promise<Command> {
  const oko = new Command('oko')
    .description('A software switch that speaks OpenFlow and is extended with eBPF programs while it runs.')
    .version(readVersion())
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for what this command takes)');
  for (const command of await load(COMMANDS, name)) {
    if (command.name() === 'bpf')
      for (const part of await load(BPF_COMMANDS, name === 'bpf' ? inner : undefined)) command.addCommand(part);
    oko.addCommand(command);
  }
  throwInsteadOfExiting(oko);
  return oko;
}

async function load(commands: Commands, name: string | undefined): Promise<Command[]> {
  const isKnown = name !== undefined && Object.hasOwn(commands, name);
  const wanted = isKnown ? [commands[name]] : Object.values(commands);
  return Promise.all(wanted.map((command) => command()));
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
