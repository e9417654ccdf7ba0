import {
  FLOW_REMOVED_REASONS,
  formatFlow,
  formatPacketIn,
  formatPortDescription,
  type Message,
  messageTitle,
} from '../../openflow/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import type { OfctlSession } from './session.ts';

const STATUS_NAMES = { add: 'ADD', delete: 'DEL', modify: 'MOD' } as const;

/** Prints what the switch sends on its own, until it or the user ends the connection. */
export async function monitor(session: OfctlSession, missSendLen: string | undefined): Promise<void> {
  const { client, version, out } = session;
  if (missSendLen !== undefined) {
    const length = /^\d{1,5}$/.test(missSendLen) ? Number(missSendLen) : Number.NaN;
    if (!(length <= 0xffff))
      throw new CliError('CLI_BAD_ARGUMENT', `${missSendLen}: expected a number of bytes, 0 to 65535`);
    const config = await client.request({ type: 'get_config_request' });
    if (config.type === 'get_config_reply')
      await client.perform([{ type: 'set_config', flags: config.flags, missSendLen: length }]);
  }
  await client.perform([{ type: 'nx_set_packet_in_format', format: 'nxt_packet_in2' }]);
  for (;;) for (const line of formatEvent(await client.receive(Number.POSITIVE_INFINITY), version)) out(line);
}

function formatEvent(message: Message, version: OpenflowVersion): string[] {
  switch (message.type) {
    case 'packet_in':
      return formatPacketIn(message, version);
    case 'port_status': {
      const title = `${messageTitle('OFPT_PORT_STATUS', version, message.xid)} ${STATUS_NAMES[message.reason]}:`;
      const [first, ...rest] = formatPortDescription(message.port);
      return [`${title}${first}`, ...rest];
    }
    case 'flow_removed': {
      const reason = FLOW_REMOVED_REASONS[message.reason] ?? `reason ${message.reason}`;
      const flow = formatFlow({ ...message, flags: 0, importance: 0, actions: [] }).replace(/ ?actions=.*$/, '');
      return [`${messageTitle('OFPT_FLOW_REMOVED', version, message.xid)} ${flow} reason=${reason}`];
    }
    default:
      return [messageTitle(message.type.toUpperCase(), version, message.xid)];
  }
}
