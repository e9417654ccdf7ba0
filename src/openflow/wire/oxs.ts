import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { ProtocolError } from './protocol-error.ts';
import { padded8, subReader } from './reader.ts';

/** What a flow has counted. */
export interface FlowCounters {
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly idleAge?: number;
}

/** Statistics fields of OpenFlow 1.5 (7.2.4): class 0x8002, number, length, value. */
const OXS_CLASS = 0x8002;
const OXS = { duration: 0, idleTime: 1, flowCount: 3, packetCount: 4, byteCount: 5 } as const;

function writeStats(writer: ByteWriter, fields: (body: ByteWriter) => void): void {
  const start = writer.length;
  writer.u16(0).u16(0);
  fields(writer);
  writer.patchU16(start + 2, writer.length - start);
  writer.align(8, start);
}

function header(writer: ByteWriter, number: number, bytes: number): ByteWriter {
  return writer
    .u16(OXS_CLASS)
    .u8(number << 1)
    .u8(bytes);
}

/** Writes `ofp_stats` for a flow, padded to 8. */
export function writeOxs(writer: ByteWriter, counters: FlowCounters): void {
  writeStats(writer, (body) => {
    header(body, OXS.duration, 8).u32(counters.durationSec).u32(counters.durationNsec);
    if (counters.idleAge !== undefined) header(body, OXS.idleTime, 8).u32(counters.idleAge).u32(0);
    header(body, OXS.packetCount, 8).u64(counters.packetCount);
    header(body, OXS.byteCount, 8).u64(counters.byteCount);
  });
}

/** Writes `ofp_stats` for an aggregate of flows. */
export function writeAggregateOxs(
  writer: ByteWriter,
  aggregate: { readonly packetCount: bigint; readonly byteCount: bigint; readonly flowCount: number },
): void {
  writeStats(writer, (body) => {
    header(body, OXS.flowCount, 4).u32(aggregate.flowCount);
    header(body, OXS.packetCount, 8).u64(aggregate.packetCount);
    header(body, OXS.byteCount, 8).u64(aggregate.byteCount);
  });
}

/** Reads `ofp_stats` with its padding; what is not there is zero. */
export function readOxs(reader: ByteReader): FlowCounters & { readonly flowCount: number } {
  const available = reader.remaining;
  reader.skip(2);
  const length = reader.u16();
  if (length < 4 || padded8(length) > available)
    throw new ProtocolError('OFPBRC_BAD_LEN', `statistics of ${length} bytes`);
  const body = subReader(reader, length - 4, 'OFPBRC_BAD_LEN');
  reader.skip(padded8(length) - length);
  let counters = { durationSec: 0, durationNsec: 0, packetCount: 0n, byteCount: 0n, flowCount: 0 };
  let idleAge: number | undefined;
  while (body.remaining > 0) {
    const oxsClass = body.u16();
    const number = body.u8() >> 1;
    const bytes = body.u8();
    const value = subReader(body, bytes, 'OFPBRC_BAD_LEN');
    if (oxsClass !== OXS_CLASS) continue;
    if (number === OXS.duration) counters = { ...counters, durationSec: value.u32(), durationNsec: value.u32() };
    else if (number === OXS.idleTime) idleAge = value.u32();
    else if (number === OXS.flowCount) counters = { ...counters, flowCount: value.u32() };
    else if (number === OXS.packetCount) counters = { ...counters, packetCount: value.u64() };
    else if (number === OXS.byteCount) counters = { ...counters, byteCount: value.u64() };
  }
  return idleAge === undefined ? counters : { ...counters, idleAge };
}
