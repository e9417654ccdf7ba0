import { Command } from 'commander';
import { type FailMode, filterProgFieldNamed } from '../../ofproto/index.ts';
import type { Field, OpenflowVersion } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import { type NumberedFile, numberedFiles } from '../numbered-file.ts';
import { DEFAULT_RUN_DIRECTORY } from '../run-directory.ts';
import { versionList } from '../versions.ts';
import { type PortArgument, portArguments } from './port-argument.ts';

export interface BridgeCommandOptions {
  readonly port?: readonly PortArgument[];
  readonly prog?: readonly NumberedFile[];
  readonly controller?: readonly string[];
  readonly threads: number;
  readonly failMode: FailMode;
  readonly protocols?: readonly OpenflowVersion[];
  readonly datapathId?: bigint;
  readonly rundir?: string;
  readonly filterProgField?: Field;
  readonly okoLegacy?: boolean;
  readonly stateDir?: string;
  readonly probeInterval?: number;
  readonly maxBackoff?: number;
  readonly privateKey?: string;
  readonly certificate?: string;
  readonly caCert?: string;
  readonly bootstrapCaCert?: string;
}

export function bridgeCommand(): Command {
  return new Command('bridge')
    .description('Run one bridge on network devices, without a database, until it is told to stop.')
    .argument('<name>', 'name of the bridge; ovs-ofctl finds it by this name')
    .option(
      '--port <n=device[:type]>',
      'a port: number or LOCAL, device, and what it is: system, tap (made and removed again) or null (repeatable)',
      portArguments,
    )
    .option('--threads <n>', 'packet threads; 0: packets are handled beside everything else', threadCount, 1)
    .option('--prog <id=file>', 'load an object file as filter program (repeatable)', numberedFiles('--prog'))
    .option('--controller <target>', 'tcp:, ssl:, unix: to connect, ptcp:, pssl:, punix: to wait (repeatable)', collect)
    .option(
      '--fail-mode <mode>',
      'without a controller: standalone (switch by learnt addresses) or secure',
      failMode,
      'standalone',
    )
    .option('--protocols <list>', 'versions to speak, such as OpenFlow10,OpenFlow13', versionList('--protocols'))
    .option('--datapath-id <hex>', 'sixteen hexadecimal digits', datapathId)
    .option(
      '--filter-prog-field <field>',
      'a register or pkt_mark: an exact match on it means filter_prog, for controllers that do not know that',
      programField,
    )
    .option('--oko-legacy', 'speak the message layouts of the original Oko, for its clients')
    .option('--state-dir <dir>', 'keep filter programs there, and what their maps hold when the bridge ends')
    .option('--rundir <dir>', `where NAME.mgmt is made (default: $OVS_RUNDIR or ${DEFAULT_RUN_DIRECTORY})`)
    .option('--probe-interval <ms>', 'ask controllers that say nothing for so long; 0: never', milliseconds)
    .option('--max-backoff <ms>', 'longest wait before connecting again', milliseconds)
    .option('--private-key <file>', 'for ssl: and pssl:, PEM')
    .option('--certificate <file>', 'for ssl: and pssl:, PEM')
    .option('--ca-cert <file>', 'the authority that must have signed a peer, PEM')
    .option(
      '--bootstrap-ca-cert <file>',
      'the same, but learnt from the first controller and kept there when the file does not exist',
    )
    .action(async (name: string, options: BridgeCommandOptions) => {
      // Only here, since it needs Linux.
      const { runBridge } = await import('./run-bridge.ts');
      await runBridge(name, options);
    });
}

function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function threadCount(value: string): number {
  if (!/^\d{1,2}$/.test(value)) throw new CliError('CLI_BAD_ARGUMENT', `--threads ${value}: expected 0 to 99`);
  return Number(value);
}

function failMode(value: string): FailMode {
  if (value === 'standalone' || value === 'secure') return value;
  throw new CliError('CLI_BAD_ARGUMENT', `--fail-mode ${value}: expected standalone or secure`);
}

function datapathId(value: string): bigint {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(value))
    throw new CliError('CLI_BAD_ARGUMENT', `--datapath-id ${value}: expected up to sixteen hexadecimal digits`);
  return BigInt(value.startsWith('0x') ? value : `0x${value}`);
}

function milliseconds(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new CliError('CLI_BAD_ARGUMENT', `${value} is not a number of milliseconds`);
  return Number(value);
}

function programField(value: string): Field {
  const field = filterProgFieldNamed(value);
  if (field === undefined)
    throw new CliError('CLI_BAD_ARGUMENT', `--filter-prog-field ${value}: expected reg0 to reg15, or pkt_mark`);
  return field;
}
