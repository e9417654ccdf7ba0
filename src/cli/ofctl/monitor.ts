import {
  ALL_TABLES,
  type FlowMonitor,
  formatFlowRemoved,
  formatFlowUpdate,
  formatPacketIn,
  formatPortDescription,
  formatRoleStatus,
  type Message,
  messageTitle,
  parseFlowMonitor,
  type TextNames,
} from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import { namesFor, type OfctlSession } from './session.ts';

const STATUS_NAMES = { add: 'ADD', delete: 'DEL', modify: 'MOD' } as const;
const INVALID_TTL = 4;
const WATCH = 'watch:';

/**
 * Prints what the switch sends on its own, until it or the user ends the connection. Asked for by words: a length of packets,
 * `invalid_ttl`, and any number of `watch:[spec]`.
 */
export async function monitor(session: OfctlSession, words: readonly string[]): Promise<void> {
  const { client, version, out } = session;
  let names: TextNames = {};
  let watches = 0;
  for (const word of words) {
    if (word === 'invalid_ttl') {
      await changeConfig(session, ({ flags, missSendLen }) => ({ flags: flags | INVALID_TTL, missSendLen }));
    } else if (word.startsWith(WATCH)) {
      if (watches === 0) names = await namesFor(session);
      await watch(session, parseFlowMonitor(word.slice(WATCH.length), ++watches, names));
    } else {
      const missSendLen = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN;
      if (!(missSendLen <= 0xffff))
        throw new CliError(
          'CLI_BAD_ARGUMENT',
          `${word}: expected a number of bytes, 0 to 65535, "invalid_ttl" or "watch:"`,
        );
      await changeConfig(session, ({ flags }) => ({ flags, missSendLen }));
    }
  }
  await client.perform([{ type: 'nx_set_packet_in_format', format: 'nxt_packet_in2' }]);
  const shown = session.options.names === true ? names : {};
  for (;;) for (const line of formatEvent(await client.receive(Number.POSITIVE_INFINITY), version, shown)) out(line);
}

interface Config {
  readonly flags: number;
  readonly missSendLen: number;
}

async function changeConfig({ client }: OfctlSession, change: (config: Config) => Config): Promise<void> {
  const config = await client.request({ type: 'get_config_request' });
  if (config.type !== 'get_config_reply') return;
  await client.perform([{ type: 'set_config', ...change(config) }]);
}

/** Asks for a flow monitor; the flows that there are already are the reply. */
async function watch(session: OfctlSession, flowMonitor: FlowMonitor): Promise<void> {
  const { client, version, out } = session;
  for await (const { xid, body } of client.multipart({ kind: 'flow_monitor', monitors: [flowMonitor] }))
    for (const line of formatEvent({ type: 'multipart_reply', xid, flags: 0, body }, version, {})) out(line);
}

/** How OpenFlow's versions name a reply about flow monitors. */
function updateTitle(version: OpenflowVersion): string {
  if (version >= OPENFLOW_VERSIONS.of14) return 'OFPST_FLOW_MONITOR reply';
  return version === OPENFLOW_VERSIONS.of13 ? 'ONFST_FLOW_MONITOR reply' : 'NXST_FLOW_MONITOR reply';
}

function formatEvent(message: Message, version: OpenflowVersion, names: TextNames): string[] {
  switch (message.type) {
    case 'packet_in':
      return formatPacketIn(message, version);
    case 'port_status': {
      const title = `${messageTitle('OFPT_PORT_STATUS', version, message.xid)} ${STATUS_NAMES[message.reason]}:`;
      const [first, ...rest] = formatPortDescription(message.port);
      return [`${title}${first}`, ...rest];
    }
    case 'flow_removed': {
      const isNicira = version === OPENFLOW_VERSIONS.of10 && message.table !== ALL_TABLES;
      const title = messageTitle(isNicira ? 'NXT_FLOW_REMOVED' : 'OFPT_FLOW_REMOVED', version, message.xid);
      return [`${title} ${formatFlowRemoved(message, names)}`];
    }
    case 'role_status':
      return [`${messageTitle('OFPT_ROLE_STATUS', version, message.xid)} ${formatRoleStatus(message)}`];
    case 'multipart_reply': {
      if (message.body.kind !== 'flow_monitor') break;
      const title = messageTitle(updateTitle(version), version, message.xid);
      const lines = message.body.updates.map((update) => ` ${formatFlowUpdate(update, names)}`);
      // A flow without match and actions ends in a space, unless it is the last.
      return [title, ...lines.slice(0, -1), ...lines.slice(-1).map((line) => line.trimEnd())];
    }
    case 'flow_monitor_paused':
    case 'flow_monitor_resumed': {
      const owner = version === OPENFLOW_VERSIONS.of13 ? 'ONFT' : 'NXT';
      return [messageTitle(`${owner}_${message.type.toUpperCase()}`, version, message.xid)];
    }
  }
  return [messageTitle(message.type.toUpperCase(), version, message.xid)];
}
