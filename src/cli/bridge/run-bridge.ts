import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatapathOptions, PmdDatapath, PmdMemory, WallClock } from '../../datapath/index.ts';
import { EVENT_DESCRIPTORS } from '../../datapath/ports/index.ts';
import {
  Bridge,
  CompileWorker,
  Controllers,
  FilterPrograms,
  ProgramStore,
  type TlsIdentity,
} from '../../ofproto/index.ts';
import { CliError } from '../errors.ts';
import { loadProgramFiles } from '../program-files.ts';
import { runDirectory } from '../run-directory.ts';
import type { BridgeCommandOptions } from './bridge.ts';
import { deviceSettings, type OpenedPort, openPort } from './device.ts';
import { DeviceLoop } from './device-loop.ts';
import type { PortArgument } from './port-argument.ts';

/** Runs a bridge until SIGINT or SIGTERM. */
export async function runBridge(name: string, options: BridgeCommandOptions): Promise<void> {
  if (!/^[^/\s]{1,15}$/.test(name)) throw new CliError('CLI_BAD_ARGUMENT', `"${name}" cannot be the name of a bridge`);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const rundir = options.rundir ?? runDirectory();
  mkdirSync(rundir, { recursive: true });
  const ports: OpenedPort[] = [];
  const clock = new WallClock();
  const compiler = new CompileWorker();
  const store = options.stateDir === undefined ? undefined : new ProgramStore(options.stateDir);
  const memory = options.threads > 0 ? new PmdMemory(options.threads) : undefined;
  let threads: PmdDatapath | undefined;
  const programs = new FilterPrograms({
    compiler,
    ...(store === undefined ? {} : { store }),
    ...(memory === undefined ? {} : { surroundings: memory.surroundings }),
  });
  const bridge = new Bridge({
    ...{ name, clock, programs, okoLegacy: options.okoLegacy ?? false },
    ...(memory === undefined
      ? {}
      : {
          datapath: (given: DatapathOptions) => {
            threads = new PmdDatapath({ ...given, memory, wake: EVENT_DESCRIPTORS });
            return threads;
          },
        }),
    ...(options.filterProgField === undefined ? {} : { filterProgField: options.filterProgField }),
  });
  let controllers: Controllers | undefined;
  let loop: DeviceLoop | undefined;
  try {
    for (const error of (await store?.restore(programs, clock)) ?? [])
      process.stderr.write(`oko: ${error.message} (${error.code})\n`);
    loadProgramFiles(bridge.programs, options.prog ?? [], clock.nowNs());
    for (const argument of options.port ?? []) ports.push(addPort(bridge, argument, memory !== undefined));
    const id = options.datapathId ?? datapathIdOf(bridge);
    controllers = new Controllers({
      bridge,
      clock,
      datapathId: id,
      failMode: options.failMode,
      description: {
        manufacturer: 'Oko',
        hardware: 'Oko software switch',
        software: readVersion(),
        serial: 'None',
        datapath: name,
      },
      ...(options.protocols === undefined ? {} : { versions: options.protocols }),
      ...tlsOf(options, (tls) => controllers?.setTls(tls)),
    });
    await controllers.add(`punix:${join(rundir, `${name}.mgmt`)}`, { kind: 'service' });
    await controllers.add(`punix:${join(rundir, `${name}.snoop`)}`, { kind: 'snoop' });
    for (const target of options.controller ?? [])
      await controllers.add(target, {
        ...(options.probeInterval === undefined ? {} : { probeIntervalMs: options.probeInterval }),
        ...(options.maxBackoff === undefined ? {} : { maxBackoffMs: options.maxBackoff }),
      });
    loop = new DeviceLoop(bridge, ports);
    process.stdout.write(
      `bridge ${name} is running: datapath ${id.toString(16).padStart(16, '0')}, ${ports.length} ports, ${join(rundir, `${name}.mgmt`)}\n`,
    );
    await stopped;
  } finally {
    await controllers?.close();
    await store?.snapshot(programs);
    await compiler.close();
    if (loop === undefined) for (const { device } of ports) device?.close();
    else await loop.close();
    await threads?.close();
  }
}

function addPort(bridge: Bridge, argument: PortArgument, onThread: boolean): OpenedPort {
  const opened = openPort(argument, onThread);
  try {
    bridge.addPort(opened.number, opened.port, opened.hasLink ? deviceSettings(argument.device) : {});
  } catch (error) {
    opened.device?.close();
    throw error;
  }
  return opened;
}

/** The hardware address of the first port that has one, or one of our own. */
function datapathIdOf(bridge: Bridge): bigint {
  const mac = bridge.ports.list().find(({ mac }) => mac.some((byte) => byte !== 0))?.mac ?? localMac();
  return mac.reduce((id, byte) => (id << 8n) | BigInt(byte), 0n);
}

/** Locally administered, of one station. */
function localMac(): Uint8Array {
  const mac = new Uint8Array(randomBytes(6));
  mac[0] = (mac[0] & 0xfc) | 2;
  return mac;
}

/** The identity for ssl: and pssl:, if one was given; an authority that is learnt is kept, and set with `learnt`. */
function tlsOf(
  { privateKey, certificate, caCert, bootstrapCaCert }: BridgeCommandOptions,
  learnt: (tls: TlsIdentity) => void,
): { tls?: TlsIdentity } {
  const caFile = caCert ?? bootstrapCaCert;
  if (privateKey === undefined && certificate === undefined && caFile === undefined) return {};
  if (privateKey === undefined || certificate === undefined || caFile === undefined)
    throw new CliError(
      'CLI_BAD_ARGUMENT',
      '--private-key, --certificate and --ca-cert (or --bootstrap-ca-cert) are needed together',
    );
  const own = { key: readFileSync(privateKey), cert: readFileSync(certificate) };
  if (caCert !== undefined || existsSync(caFile)) return { tls: { ...own, ca: readFileSync(caFile) } };
  const learnCa = (ca: string): void => {
    writeFileSync(caFile, ca, { flag: 'wx' });
    learnt({ ...own, ca });
  };
  return { tls: { ...own, learnCa } };
}

function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
