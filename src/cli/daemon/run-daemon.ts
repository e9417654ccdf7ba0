import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DummyMode, foldersFrom, LOG_MODULES, Log, LogLevels, Vswitchd } from '../../vswitchd/index.ts';
import { CliError } from '../errors.ts';
import type { RunOptions } from './daemon.ts';
import { detach, isDetached, monitor, tellReady } from './detach.ts';
import { becomeUser } from './privileges.ts';

/** Runs the switch until SIGINT or SIGTERM. */
export async function runDaemon(databases: readonly string[], options: RunOptions): Promise<void> {
  const settings = daemonSettings(databases, options);
  if (options.detach) return detach();
  // In the background nobody reads it any more.
  if (isDetached) process.stderr.on('error', () => {});
  const levels = logLevels(options);
  const log = openLog(options, levels);
  levels.onFile(
    () => log.reopenFile(),
    () => log.closeFile(),
  );
  const daemonLog = log.module('daemon');
  if (options.monitor)
    return monitor((signal) => daemonLog.err(`the daemon was killed by ${signal}, starting it again`));
  if (options.user !== undefined) becomeUser(options.user);
  if (options.mlockall) daemonLog.info('--mlockall has no effect: the JavaScript engine cannot work in locked memory');
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  const vswitchd = new Vswitchd({ ...settings, log, levels });
  const early = await Promise.race([vswitchd.start(), stopped]);
  if (early === undefined) {
    daemonLog.info(`Oko ${settings.version} is running`);
    process.on('SIGHUP', () => log.reopenFile());
    if (isDetached) {
      log.closeConsole();
      if (options.chdir) process.chdir('/');
    }
    tellReady();
  }
  const reason = early ?? (await Promise.race([stopped, vswitchd.exitAsked.then(() => 'exit')]));
  daemonLog.info(`${reason}: stopping`);
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
    threads: options.threads,
    dummy: dummyMode(options.enableDummy),
    ...(options.pidfile === undefined
      ? {}
      : { pidfile: inFolder(folders.rundir, options.pidfile || 'ovs-vswitchd.pid') }),
    ...(options.unixctl === undefined ? {} : { unixctl: inFolder(folders.rundir, options.unixctl) }),
    ...tlsFiles(options),
    ...(db === undefined ? {} : { db }),
    ...(file === undefined ? {} : { databasePath: resolve(file) }),
    ...(served === undefined || served.length === 0 ? {} : { remotes: served }),
  };
}

function logLevels({ verbose }: RunOptions): LogLevels {
  const levels = new LogLevels(LOG_MODULES);
  for (const spec of verbose ?? []) levels.set(spec);
  return levels;
}

function openLog({ logFile, logFormat }: RunOptions, levels: LogLevels): Log {
  const { logdir } = foldersFrom(process.env);
  return new Log({
    console: process.stderr,
    form: logFormat ?? (process.stderr.isTTY ? 'text' : 'json'),
    levels,
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

/** Relative names are of Open vSwitch's folder, not of the one that the daemon was started in. */
function inFolder(folder: string, name: string): string {
  return resolve(folder, name);
}

function tlsFiles({ privateKey, certificate, caCert, bootstrapCaCert }: RunOptions) {
  const ca = caCert ?? bootstrapCaCert;
  // Files that the database names are read from there anyway.
  if ([privateKey, certificate, ca].some((name) => name?.startsWith('db:'))) return {};
  if (privateKey === undefined && certificate === undefined && ca === undefined) return {};
  if (privateKey === undefined || certificate === undefined || ca === undefined)
    throw new CliError('CLI_BAD_ARGUMENT', '--private-key, --certificate and --ca-cert are needed together');
  return {
    tls: {
      privateKey: resolve(privateKey),
      certificate: resolve(certificate),
      caCert: resolve(ca),
      isBootstrapping: bootstrapCaCert !== undefined,
    },
  };
}
