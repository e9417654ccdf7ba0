import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DummyMode, foldersFrom, Log, Vswitchd } from '../../vswitchd/index.ts';
import { CliError } from '../errors.ts';
import type { RunOptions } from './daemon.ts';
import { detach, isDetached, monitor, tellReady } from './detach.ts';

/** Runs the switch until SIGINT or SIGTERM. */
export async function runDaemon(databases: readonly string[], options: RunOptions): Promise<void> {
  const settings = daemonSettings(databases, options);
  if (options.detach) return detach();
  const log = openLog(options);
  const daemonLog = log.module('daemon');
  if (options.monitor)
    return monitor((signal) => daemonLog.err(`the daemon was killed by ${signal}, starting it again`));
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  const vswitchd = new Vswitchd({ ...settings, log });
  await vswitchd.start();
  daemonLog.info(`Oko ${settings.version} is running`);
  process.on('SIGHUP', () => log.reopenFile());
  if (isDetached) {
    log.closeConsole();
    process.stderr.on('error', () => {});
    if (options.chdir) process.chdir('/');
  }
  tellReady();
  daemonLog.info(`${await stopped}: stopping`);
  await vswitchd.stop();
}

function daemonSettings(databases: readonly string[], options: RunOptions) {
  const folders = foldersFrom(process.env);
  const remotes = databases.filter((text) => /^(unix|tcp|ssl):/.test(text));
  const [file, ...files] = databases.filter((text) => !remotes.includes(text));
  const [db, ...others] = [...(options.db === undefined ? [] : [options.db]), ...remotes];
  if (others.length > 0 || files.length > 0)
    throw new CliError('CLI_BAD_ARGUMENT', `${[...others, ...files].join(' ')}: there can be only one database`);
  if (db !== undefined && file !== undefined)
    throw new CliError('CLI_BAD_ARGUMENT', `${file}: with --db the database is somewhere else`);
  // Manager rows are served anyway.
  const served = options.remote?.filter((text) => !text.startsWith('db:'));
  return {
    folders,
    version: readVersion(),
    dummy: dummyMode(options.enableDummy),
    ...(db === undefined ? {} : { db }),
    ...(file === undefined ? {} : { databasePath: resolve(file) }),
    ...(served === undefined || served.length === 0 ? {} : { remotes: served }),
  };
}

function openLog({ logFile, logFormat }: RunOptions): Log {
  const { logdir } = foldersFrom(process.env);
  return new Log({
    console: process.stderr,
    form: logFormat ?? (process.stderr.isTTY ? 'text' : 'json'),
    levels: { isEnabled: (_module, _target, level) => level !== 'dbg' },
    ...(logFile === undefined ? {} : { file: logFile === '' ? join(logdir, 'ovs-vswitchd.log') : resolve(logFile) }),
  });
}

function dummyMode(text: string | undefined): DummyMode {
  if (text === undefined) return 'off';
  if (text === '') return 'on';
  if (text === 'override' || text === 'system') return text;
  throw new CliError('CLI_BAD_ARGUMENT', `--enable-dummy=${text}: expected override or system`);
}

function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
