import { parseHex } from '../../bytes/index.ts';
import { NO_BUFFER, parseActions, parsePort, type TextNames } from '../../openflow/index.ts';
import { field, MatchBuilder } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import { namesFor, type OfctlSession } from './session.ts';

/**
 * Sends a packet: `packet-out BRIDGE in_port=PORT,packet=HEX,actions=ACTIONS`, or the older form
 * `packet-out BRIDGE PORT ACTIONS HEX…`.
 */
export async function packetOut(session: OfctlSession, args: readonly string[]): Promise<void> {
  const names = await namesFor(session);
  const { inPort, actions, packets } = args.length === 1 ? parseOne(args[0]) : parseOlder(args);
  const metadata = new MatchBuilder().setNumber(field('in_port_oxm'), parsePort(inPort, names, 'in_port')).build();
  const parsed = parseActions(actions, names as TextNames);
  await session.client.perform(
    packets.map((hex) => ({ type: 'packet_out', bufferId: NO_BUFFER, metadata, actions: parsed, data: packetOf(hex) })),
  );
}

interface PacketOutText {
  readonly inPort: string;
  readonly actions: string;
  readonly packets: readonly string[];
}

function parseOne(text: string): PacketOutText {
  const parts = /^(.*?)(?:^|,)\s*actions?=(.*)$/s.exec(text);
  if (parts === null)
    throw new CliError('CLI_BAD_ARGUMENT', `${text}: expected in_port=PORT,packet=HEX,actions=ACTIONS`);
  let inPort = 'NONE';
  let packet: string | undefined;
  for (const part of parts[1].split(',').filter((piece) => piece.trim() !== '')) {
    const [, key, value] = /^\s*(\w+)=(.*)$/s.exec(part) ?? [];
    if (key === 'in_port') inPort = value;
    else if (key === 'packet') packet = value;
    else throw new CliError('CLI_BAD_ARGUMENT', `${part}: expected in_port=PORT or packet=HEX`);
  }
  if (packet === undefined) throw new CliError('CLI_BAD_ARGUMENT', `${text}: packet=HEX is missing`);
  return { inPort, actions: parts[2], packets: [packet] };
}

function parseOlder([inPort, actions, ...packets]: readonly string[]): PacketOutText {
  if (packets.length === 0)
    throw new CliError('CLI_BAD_ARGUMENT', 'expected PORT ACTIONS PACKET…, or one argument with all');
  return { inPort, actions, packets };
}

function packetOf(hex: string): Uint8Array {
  const packet = parseHex(hex);
  if (packet === undefined || packet.length < 14)
    throw new CliError('CLI_BAD_ARGUMENT', `packet ${hex}: expected at least 14 bytes as hex`);
  return packet;
}
