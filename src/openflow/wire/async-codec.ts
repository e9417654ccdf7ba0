import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import type { AsyncConfig, AsyncMask } from '../message.ts';
import { readProperties, writeProperty } from './property.ts';
import { ProtocolError } from './protocol-error.ts';
import { requireEights } from './reader.ts';

/** The kinds of asynchronous messages in the order of OpenFlow 1.4's properties (7.3.10), secondary before primary. */
const KINDS = ['packetIn', 'portStatus', 'flowRemoved', 'roleStatus', 'tableStatus', 'requestForward'] as const;
type Kind = (typeof KINDS)[number];
/** The reasons that OpenFlow 1.4 has for each kind. */
const KNOWN_REASONS: Readonly<Record<Kind, number>> = {
  packetIn: 0x3f,
  portStatus: 0x7,
  flowRemoved: 0x3f,
  roleStatus: 0x7,
  tableStatus: 0x18,
  requestForward: 0x3,
};
const NONE: AsyncMask = { primary: 0, secondary: 0 };

/** Before 1.4 three fixed kinds with two words each, primary first; then properties. */
export function writeAsync(writer: ByteWriter, config: AsyncConfig, version: OpenflowVersion): void {
  if (version < 5) {
    for (const { primary, secondary } of [config.packetIn, config.portStatus, config.flowRemoved])
      writer.u32(primary).u32(secondary);
    return;
  }
  KINDS.forEach((kind, i) => {
    const mask = config[kind];
    if (!mask) return;
    writeProperty(writer, 2 * i, (body) => body.u32(mask.secondary));
    writeProperty(writer, 2 * i + 1, (body) => body.u32(mask.primary));
  });
}

export function readAsync(reader: ByteReader, type: AsyncConfig['type'], version: OpenflowVersion): AsyncConfig {
  if (version < 5) {
    const mask = (): AsyncMask => ({ primary: reader.u32(), secondary: reader.u32() });
    return { type, packetIn: mask(), portStatus: mask(), flowRemoved: mask() };
  }
  requireEights(reader);
  const found: Partial<Record<Kind, AsyncMask>> = {};
  for (const { type: property, content } of readProperties(reader)) {
    const kind = KINDS[property >> 1];
    if (!kind) throw new ProtocolError('OFPACFC_UNSUPPORTED', `asynchronous configuration property ${property}`);
    if (content.remaining !== 4) throw new ProtocolError('OFPBPC_BAD_LEN', `property ${property} of a wrong length`);
    const bits = content.u32();
    if (type === 'set_async' && (bits & ~KNOWN_REASONS[kind]) !== 0)
      throw new ProtocolError('OFPACFC_INVALID', `property ${property}: reasons 0x${bits.toString(16)}`);
    found[kind] = { ...(found[kind] ?? NONE), [property & 1 ? 'primary' : 'secondary']: bits };
  }
  return { type, packetIn: NONE, portStatus: NONE, flowRemoved: NONE, ...found };
}
