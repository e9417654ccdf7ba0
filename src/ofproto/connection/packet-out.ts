import { NO_BUFFER, OFPP, type PacketOut, ProtocolError } from '../../openflow/index.ts';
import { field } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';

const IN_PORT = field('in_port_oxm');

/** @throws ProtocolError, OfprotoError */
export function packetOut(bridge: Bridge, { bufferId, metadata, data, actions }: PacketOut): void {
  if (bufferId !== NO_BUFFER) throw unknownBuffer(bufferId);
  bridge.packetOut(metadata.number(IN_PORT) ?? OFPP.none, data, actions, metadata);
}

/** Refuses what `packetOut` would refuse. @throws ProtocolError, OfprotoError */
export function checkPacketOut(bridge: Bridge, { bufferId, metadata, data, actions }: PacketOut): void {
  if (bufferId !== NO_BUFFER) throw unknownBuffer(bufferId);
  bridge.checkPacketOut(metadata.number(IN_PORT) ?? OFPP.none, data, actions, metadata);
}

export function unknownBuffer(bufferId: number): ProtocolError {
  return new ProtocolError('OFPBRC_BUFFER_UNKNOWN', `packets are not buffered, so there is no buffer ${bufferId}`);
}
