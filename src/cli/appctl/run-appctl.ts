import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { type Json, OvsdbError, RpcConnection, StreamTransport } from '../../ovsdb/index.ts';
import { readPidfile, UnixctlError } from '../../vswitchd/unixctl/index.ts';
import { CliError } from '../errors.ts';
import { runDirectory } from '../run-directory.ts';
import { type LongOption, takeOptions } from '../vsctl/getopt.ts';

export interface AppctlStreams {
  out(text: string): void;
  err(text: string): void;
}

/** The status of a program that SIGALRM ended, as a shell gives it. */
export const TIMEOUT_STATUS = 142;
const REFUSED_STATUS = 2;
const DEFAULT_TARGET = 'ovs-vswitchd';

const OPTIONS: readonly LongOption[] = [
  { name: 'target', argument: 'required', letter: 't' },
  { name: 'timeout', argument: 'required', letter: 'T' },
  { name: 'help', argument: 'none', letter: 'h' },
  { name: 'version', argument: 'none', letter: 'V' },
  // What ovs-appctl writes of itself to a log; there is nothing to write.
  { name: 'verbose', argument: 'optional', letter: 'v' },
  { name: 'log-file', argument: 'optional' },
  { name: 'syslog-method', argument: 'required' },
  { name: 'syslog-target', argument: 'required' },
];

const HELP = `oko appctl: ask a running daemon something, or tell it to do something
usage: oko appctl [OPTIONS] COMMAND [ARGUMENT...]

  -t, --target=TARGET  a socket's absolute path, or the name of a daemon whose
                       pidfile is in the run directory (default: ${DEFAULT_TARGET})
  -T, --timeout=SECS   give up after so many seconds
  -h, --help           print this
  -V, --version        print the version

The daemon's commands are shown by: oko appctl list-commands
`;

/** What ends ovs-appctl with a line on standard error and status 1. */
class AppctlError extends CliError {
  constructor(message: string, options?: ErrorOptions) {
    super('CLI_CANNOT_CONNECT', message, options);
  }
}

/** Does what `ovs-appctl ARGS` does and gives the exit status. */
export async function runAppctl(args: readonly string[], streams: AppctlStreams): Promise<number> {
  try {
    const { options, rest } = takeOptions(args, OPTIONS);
    const last = (name: string): string | undefined =>
      options.filter((option) => option.name === name).at(-1)?.argument;
    if (options.some(({ name }) => name === 'help')) {
      streams.out(HELP);
      return 0;
    }
    if (options.some(({ name }) => name === 'version')) {
      streams.out(`ovs-appctl (Oko) ${readVersion()}\n`);
      return 0;
    }
    const timeoutSec = readTimeout(last('timeout'));
    const [command, ...words] = rest;
    if (command === undefined)
      throw new AppctlError('at least one non-option argument is required (use --help for help)');
    return await inTime(timeoutSec, ask(last('target') ?? DEFAULT_TARGET, command, words, streams));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    streams.err(`ovs-appctl: ${error.message}\n`);
    return 1;
  }
}

function readTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (seconds === 0) throw new AppctlError(`value ${text} on -T or --timeout is invalid`);
  return seconds;
}

async function inTime(seconds: number | undefined, status: Promise<number>): Promise<number> {
  if (seconds === undefined) return status;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => resolve(TIMEOUT_STATUS), 1000 * seconds);
  });
  return Promise.race([status, late]).finally(() => clearTimeout(timer));
}

async function ask(target: string, command: string, words: readonly string[], streams: AppctlStreams): Promise<number> {
  const path = target.startsWith('/') ? target : await socketOf(target);
  const socket = await open(path);
  const connection = new RpcConnection(
    new StreamTransport(socket, path),
    {
      request: () => connection.close(),
      notification: () => connection.close(),
      drained: () => undefined,
      closed: () => undefined,
    },
    0,
  );
  try {
    streams.out(asText(await connection.call(command, words)));
    return 0;
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    if (error.code !== 'OVSDB_REJECTED')
      throw new AppctlError(`${target}: transaction error (End of file)`, { cause: error });
    streams.err(`${asText(error.syntax ?? '')}ovs-appctl: ${target}: server returned an error\n`);
    return REFUSED_STATUS;
  } finally {
    connection.close();
  }
}

/** Where the daemon listens that a pidfile names. */
async function socketOf(name: string): Promise<string> {
  const pidfile = join(runDirectory(), `${name}.pid`);
  try {
    const pid = await readPidfile(pidfile);
    if (pid !== undefined) return join(runDirectory(), `${name}.${pid}.ctl`);
  } catch (error) {
    if (!(error instanceof UnixctlError)) throw error;
    if (error.cause !== undefined)
      throw new AppctlError(`cannot read pidfile "${pidfile}" (${systemText(error.cause)})`, { cause: error });
  }
  throw new AppctlError(`cannot read pidfile "${pidfile}" (No such process)`);
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (cause) =>
      reject(new AppctlError(`cannot connect to "${path}" (${systemText(cause)})`, { cause })),
    );
  });
}

/** As strerror(3) has it. */
function systemText(error: unknown): string {
  const number = (error as NodeJS.ErrnoException).errno;
  const [, text = String(error)] = (number === undefined ? undefined : getSystemErrorMap().get(number)) ?? [];
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function asText(result: Json): string {
  const text = typeof result === 'string' ? result : JSON.stringify(result);
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
