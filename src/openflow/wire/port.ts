import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { type OpenflowVersion, portFrom16, portTo16 } from '../../packet/index.ts';
import { PORT_CONFIG, PORT_FEATURES, PORT_STATE, type Port } from '../message.ts';
import { OFPP } from '../port.ts';
import { readProperties, writeProperty } from './property.ts';
import { ProtocolError } from './protocol-error.ts';
import { readText, subReader, writeText } from './reader.ts';

const NAME_BYTES = 16;
const CONFIG10 = 0x7f;
const CONFIG11 = PORT_CONFIG.portDown | PORT_CONFIG.noRecv | PORT_CONFIG.noFwd | PORT_CONFIG.noPacketIn;
const STATE10 = PORT_STATE.linkDown | PORT_STATE.stpMask;
const STATE11 = PORT_STATE.linkDown | PORT_STATE.blocked | PORT_STATE.live;
/** OpenFlow 1.0 knows the modes up to 10 Gbit/s, then media from bit 7 on. */
const MODES10 = 0x7f;
const MEDIA_SHIFT = 4;

export const features10 = {
  /** Our bits of those of OpenFlow 1.0. */
  from: (bits: number): number => (bits & MODES10) | ((bits & 0xf80) << MEDIA_SHIFT),
  to: (bits: number): number => (bits & MODES10) | ((bits & (PORT_FEATURES.copper * 0x1f)) >> MEDIA_SHIFT),
};

const FEATURES11 = 0xffff;

/** A port number as a version has it: 16 bits in OpenFlow 1.0, then 32. */
export function readPortNumber(reader: ByteReader, version: OpenflowVersion): number {
  if (version === 1) return portFrom16(reader.u16());
  const port = reader.u32();
  if (port >= 0xff00 && port < OFPP.max) throw new ProtocolError('OFPBAC_BAD_OUT_PORT', `port ${port}`);
  return port;
}

export function writePortNumber(writer: ByteWriter, port: number, version: OpenflowVersion): void {
  if (version === 1) writer.u16(portTo16(port) ?? 0xffff);
  else writer.u32(port);
}

/** Bytes of a port of a fixed layout. */
export function portBytes(version: OpenflowVersion): number {
  return version === 1 ? 48 : 64;
}

/** Writes ofp_phy_port (1.0), ofp_port (1.1 on; with properties from 1.4 on). */
export function writePort(writer: ByteWriter, port: Port, version: OpenflowVersion): void {
  const { hardwareAddress, name } = port;
  if (version === 1) {
    writePortNumber(writer, port.number, version);
    writer.put(hardwareAddress);
    writeText(writer, name, NAME_BYTES);
    writer.u32(port.config & CONFIG10).u32(port.state & STATE10);
    for (const bits of [port.current, port.advertised, port.supported, port.peer]) writer.u32(features10.to(bits));
    return;
  }
  const start = writer.length;
  writePortNumber(writer, port.number, version);
  if (version < 5) writer.u32(0);
  else writer.u16(0).u16(0);
  writer.put(hardwareAddress).u16(0);
  writeText(writer, name, NAME_BYTES);
  writer.u32(port.config & CONFIG11).u32(port.state & STATE11);
  const modes = [port.current, port.advertised, port.supported, port.peer, port.currentSpeed, port.maxSpeed];
  if (version < 5) {
    for (const word of modes) writer.u32(word);
    return;
  }
  writeProperty(writer, 0, (body) => {
    body.u32(0);
    for (const word of modes) body.u32(word);
  });
  writer.patchU16(start + 4, writer.length - start);
}

export function readPort(reader: ByteReader, version: OpenflowVersion): Port {
  if (version === 1) {
    const number = readPortNumber(reader, version);
    const hardwareAddress = reader.take(6).slice();
    const name = readText(reader, NAME_BYTES);
    const config = reader.u32() & CONFIG10;
    const state = reader.u32() & STATE10;
    const [current, advertised, supported, peer] = [0, 0, 0, 0].map(() => features10.from(reader.u32()));
    return {
      number,
      hardwareAddress,
      name,
      config,
      state,
      current,
      advertised,
      supported,
      peer,
      currentSpeed: 0,
      maxSpeed: 0,
    };
  }
  const start = reader.offset;
  const number = readPortNumber(reader, version);
  const length = version < 5 ? 64 : reader.u16();
  reader.skip(version < 5 ? 4 : 2);
  const hardwareAddress = reader.take(6).slice();
  reader.skip(2);
  const name = readText(reader, NAME_BYTES);
  const config = reader.u32() & CONFIG11;
  const state = reader.u32() & STATE11;
  let modes = [0, 0, 0, 0, 0, 0];
  if (version < 5) modes = modes.map(() => reader.u32());
  else {
    const rest = length - (reader.offset - start);
    for (const { type, content } of readProperties(subReader(reader, rest, 'OFPBRC_BAD_LEN'))) {
      if (type !== 0) continue;
      if (content.remaining !== 28) throw new ProtocolError('OFPBPC_BAD_LEN', 'a port property of a wrong length');
      content.skip(4);
      modes = modes.map(() => content.u32());
    }
  }
  return {
    number,
    hardwareAddress,
    name,
    config,
    state,
    current: modes[0] & FEATURES11,
    advertised: modes[1] & FEATURES11,
    supported: modes[2] & FEATURES11,
    peer: modes[3] & FEATURES11,
    currentSpeed: modes[4],
    maxSpeed: modes[5],
  };
}
