import { Command, Option } from 'commander';
import { CliError } from '../errors.ts';

export interface RunOptions {
  readonly detach?: boolean;
  readonly monitor?: boolean;
  readonly chdir: boolean;
  /** '' where the option had no value: the default file. */
  readonly pidfile?: string;
  readonly overwritePidfile?: boolean;
  readonly logFile?: string;
  readonly logFormat?: 'text' | 'json';
  readonly verbose?: readonly string[];
  readonly db?: string;
  readonly remote?: readonly string[];
  readonly unixctl?: string;
  readonly enableDummy?: string;
  readonly mlockall?: boolean;
  readonly threads: number;
  readonly user?: string;
  readonly privateKey?: string;
  readonly certificate?: string;
  readonly caCert?: string;
  readonly bootstrapCaCert?: string;
}

/** Options whose value may be left out; it can only follow an equals sign, as in Open vSwitch's own daemons. */
const OPTIONAL_VALUES = ['--pidfile', '--log-file', '--verbose', '--enable-dummy', '-v'];

/** commander would take the argument after such an option for its value. */
class RunCommand extends Command {
  override parseOptions(args: string[]): ReturnType<Command['parseOptions']> {
    return super.parseOptions(
      args.map((arg) => (OPTIONAL_VALUES.includes(arg) ? `${arg === '-v' ? '--verbose' : arg}=` : arg)),
    );
  }
}

/** What scripts give Open vSwitch's daemons, and what here goes without saying or has no counterpart. */
const TAKEN_AND_LEFT = [
  '--dpdk',
  '--disable-system',
  '--disable-system-route',
  '--hw-rawio-access',
  '--no-self-confinement',
  '--syslog-method <method>',
  '--syslog-target <target>',
  '--peer-ca-cert <file>',
  '--ssl-protocols <list>',
  '--ssl-ciphers <list>',
];

export function runDaemonCommand(): Command {
  const command = new RunCommand('run')
    .description('Run the switch: its database, and the bridges that the database says.')
    .argument(
      '[database...]',
      'as for ovs-vswitchd and ovs-ovsdb-server: the remote of a database server, or the database file',
    )
    .option('--db <remote>', 'use the database server at unix:, tcp: or ssl: instead of an own one')
    .option(
      '--remote <remote>',
      'serve the own database there (repeatable; default: punix:$OVS_RUNDIR/db.sock)',
      collect,
    )
    .option('--detach', 'go on in the background as soon as the bridges are there')
    .option('--monitor', 'start anew after a crash')
    .option('--no-chdir', 'stay in this folder also in the background')
    .option('--pidfile <file>', 'make a pidfile (default: $OVS_RUNDIR/ovs-vswitchd.pid)')
    .option('--overwrite-pidfile', 'take over a pidfile that is there')
    .option('--log-file <file>', 'log to a file (default: $OVS_LOGDIR/ovs-vswitchd.log)')
    .addOption(
      new Option(
        '--log-format <form>',
        'lines for people or JSON records (default: text on a terminal, else json)',
      ).choices(['text', 'json']),
    )
    .option('-v, --verbose <spec>', 'set log levels: [MODULE][:DESTINATION][:LEVEL] (repeatable)', collect)
    .option('--unixctl <socket>', 'where ovs-appctl finds the daemon')
    .option('--enable-dummy <mode>', 'allow ports of type dummy; override: all ports become such')
    .addOption(new Option('--mlockall').hideHelp())
    .option(
      '--threads <n>',
      'packet threads of each bridge; 0: packets are handled beside everything else',
      threadCount,
      0,
    )
    .option('--user <user[:group]>', 'run as that user, with the capabilities that network devices need')
    .option('--private-key <file>', 'for ssl: and pssl:, PEM')
    .option('--certificate <file>', 'for ssl: and pssl:, PEM')
    .option('--ca-cert <file>', 'the authority that must have signed a peer, PEM')
    .option('--bootstrap-ca-cert <file>', 'the same, taken from the first controller when the file is not there')
    .action(async (databases: readonly string[], options: RunOptions) => {
      // Only here, since it needs Linux.
      const { runDaemon } = await import('./run-daemon.ts');
      await runDaemon(databases, options);
    });
  for (const flags of TAKEN_AND_LEFT) command.addOption(new Option(flags).hideHelp());
  return command;
}

function threadCount(value: string): number {
  if (!/^\d{1,2}$/.test(value)) throw new CliError('CLI_BAD_ARGUMENT', `--threads ${value}: expected 0 to 99`);
  return Number(value);
}

function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
