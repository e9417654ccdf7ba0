import {
  FRAGMENT_MODES,
  formatConfig,
  formatDescription,
  formatFeatures,
  formatPortDescription,
  formatPortStats,
  formatTableStats,
  messageTitle,
  OFPP,
  PORT_CONFIG,
  type Port,
  type PortStats,
  parsePort,
  type SwitchConfig,
  sortedByNumber,
  type TableStats,
} from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import { fetchPorts, namesFor, type OfctlSession } from './session.ts';

export async function show(session: OfctlSession): Promise<void> {
  const { client, version, out } = session;
  const features = await client.request({ type: 'features_request' });
  if (features.type === 'features_reply') for (const line of formatFeatures(features, version, features.xid)) out(line);
  if (version !== OPENFLOW_VERSIONS.of10) await dumpPortsDesc(session, undefined);
  const config = await client.request({ type: 'get_config_request' });
  if (config.type === 'get_config_reply') out(formatConfig(config, version, config.xid));
}

export async function dumpDesc({ client, version, out }: OfctlSession): Promise<void> {
  for await (const { xid, body } of client.multipart({ kind: 'desc' })) {
    if (body.kind === 'desc') for (const line of formatDescription(body, version, xid)) out(line);
  }
}

export async function dumpTables({ client, version, out }: OfctlSession): Promise<void> {
  const tables: TableStats[] = [];
  let xid = 0;
  for await (const part of client.multipart({ kind: 'table' })) {
    xid = part.xid;
    if (part.body.kind === 'table') tables.push(...part.body.tables);
  }
  out(messageTitle('OFPST_TABLE reply', version, xid));
  for (const line of formatTableStats(tables)) out(line);
}

export async function dumpPorts(session: OfctlSession, port: string | undefined): Promise<void> {
  const { client, version, out, options } = session;
  const names = port !== undefined || options.names === true ? await namesFor(session) : {};
  const number = port === undefined ? OFPP.none : parsePort(port, names);
  const ports: PortStats[] = [];
  let xid = 0;
  for await (const part of client.multipart({ kind: 'port', port: number })) {
    xid = part.xid;
    if (part.body.kind === 'port') ports.push(...part.body.ports);
  }
  out(`${messageTitle('OFPST_PORT reply', version, xid)} ${ports.length} ports`);
  for (const stats of ports) for (const line of formatPortStats(stats, options.names === true ? names : {})) out(line);
}

export async function dumpPortsDesc(session: OfctlSession, port: string | undefined): Promise<void> {
  const { client, version, out } = session;
  const wanted = port === undefined ? undefined : parsePort(port, await namesFor(session));
  const ports: Port[] = [];
  let xid = 0;
  for await (const part of client.multipart({ kind: 'port_desc', port: wanted ?? OFPP.none })) {
    xid = part.xid;
    if (part.body.kind === 'port_desc') ports.push(...part.body.ports);
  }
  out(messageTitle('OFPST_PORT_DESC reply', version, xid));
  const shown = wanted === undefined ? ports : ports.filter(({ number }) => number === wanted);
  for (const found of sortedByNumber(shown)) for (const line of formatPortDescription(found)) out(line);
}

/** What mod-port can do to a port: bits of its configuration to set or to clear. */
const PORT_CHANGES: Readonly<Record<string, readonly [bit: number, isSet: boolean]>> = {
  up: [PORT_CONFIG.portDown, false],
  down: [PORT_CONFIG.portDown, true],
  stp: [PORT_CONFIG.noStp, false],
  'no-stp': [PORT_CONFIG.noStp, true],
  receive: [PORT_CONFIG.noRecv, false],
  'no-receive': [PORT_CONFIG.noRecv, true],
  'receive-stp': [PORT_CONFIG.noRecvStp, false],
  'no-receive-stp': [PORT_CONFIG.noRecvStp, true],
  flood: [PORT_CONFIG.noFlood, false],
  'no-flood': [PORT_CONFIG.noFlood, true],
  forward: [PORT_CONFIG.noFwd, false],
  'no-forward': [PORT_CONFIG.noFwd, true],
  'packet-in': [PORT_CONFIG.noPacketIn, false],
  'no-packet-in': [PORT_CONFIG.noPacketIn, true],
};

export async function modPort(session: OfctlSession, name: string, action: string): Promise<void> {
  const change = PORT_CHANGES[action];
  if (change === undefined) {
    throw new CliError('CLI_BAD_ARGUMENT', `${action}: expected one of ${Object.keys(PORT_CHANGES).join(', ')}`);
  }
  const ports = await fetchPorts(session);
  const port = ports.find((candidate) => candidate.name === name || String(candidate.number) === name);
  const byReservedName = port ?? ports.find(({ number }) => number === OFPP.local && /^local$/i.test(name));
  if (byReservedName === undefined) throw new CliError('CLI_BAD_ARGUMENT', `${name}: the switch has no such port`);
  const [bit, isSet] = change;
  const { number, hardwareAddress } = byReservedName;
  await session.client.perform([
    { type: 'port_mod', port: number, hardwareAddress, config: isSet ? bit : 0, mask: bit, advertise: 0 },
  ]);
}

export async function getFrags(session: OfctlSession): Promise<void> {
  session.out(FRAGMENT_MODES[(await fetchConfig(session)).flags & 3]);
}

export async function setFrags(session: OfctlSession, mode: string): Promise<void> {
  const flags = (FRAGMENT_MODES as readonly string[]).indexOf(mode);
  if (flags < 0) throw new CliError('CLI_BAD_ARGUMENT', `${mode}: expected one of ${FRAGMENT_MODES.join(', ')}`);
  const { missSendLen } = await fetchConfig(session);
  await session.client.perform([{ type: 'set_config', flags, missSendLen }]);
  if (((await fetchConfig(session)).flags & 3) !== flags) {
    throw new CliError('CLI_SWITCH_REFUSED', `the switch does not handle fragments as ${mode}`);
  }
}

async function fetchConfig({ client }: OfctlSession): Promise<SwitchConfig> {
  const reply = await client.request({ type: 'get_config_request' });
  if (reply.type !== 'get_config_reply') throw new CliError('CLI_SWITCH_REFUSED', `the switch answered ${reply.type}`);
  return reply;
}

/** Is the switch there? Says nothing; the exit status tells. */
export async function probe({ client }: OfctlSession): Promise<void> {
  await client.request({ type: 'echo_request', data: new Uint8Array(0) });
}
