import type { ByteWriter } from '../../bytes/index.ts';
import { field, NICIRA_EXPERIMENTER, type OpenflowVersion } from '../../packet/index.ts';
import type { FlowStats } from '../flow.ts';
import type { Dialect, Message } from '../message.ts';
import { ProtocolError } from './protocol-error.ts';

/*
 * The dialect of the original Oko (2018): filter_prog stands in the fixed part of flow_mod and of the flow statistics, of
 * every version of OpenFlow, where it moves what follows. 0 is no program. Facts from its headers; docs/oko-protocol.md.
 */

const FILTER_PROG = field('filter_prog');
const FLOW_MOD = 14;
const EXPERIMENTER = 4;
const NXT_FLOW_MOD = 13;

/** Subtypes of the original's vendor messages. */
export const LEGACY_SUBTYPE = { loadFilterProg: 31, updateMap: 32, dumpMapRequest: 33, dumpMapReply: 34 } as const;

export function isLegacySubtype(subtype: number): boolean {
  return Object.values<number>(LEGACY_SUBTYPE).includes(subtype);
}

/** Bytes from the start of a flow_mod to where its layout is another one. */
const AT_10 = 70;
const AT_NXM = 38;
const AT_11 = 44;

/** A flow_mod without what the original added, and the program it names; undefined for any other message. */
export function splitLegacyFlowMod(
  bytes: Uint8Array,
  version: OpenflowVersion,
): { readonly standard: Uint8Array; readonly program: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNxm =
    version === 1 &&
    bytes[1] === EXPERIMENTER &&
    bytes.length >= 16 &&
    view.getUint32(8) === NICIRA_EXPERIMENTER &&
    view.getUint32(12) === NXT_FLOW_MOD;
  if (!isNxm && bytes[1] !== FLOW_MOD) return undefined;
  const fixedBytes = isNxm ? AT_NXM + 10 : version === 1 ? AT_10 + 10 : AT_11 + 12;
  if (bytes.length < fixedBytes)
    throw new ProtocolError('OFPBRC_BAD_LEN', `a flow_mod of ${bytes.length} bytes; the original's has ${fixedBytes}`);
  if (isNxm) {
    // out_port, filter_prog, flags, match_len, pad 4: the length stays.
    const standard = new Uint8Array(bytes);
    standard.copyWithin(AT_NXM, AT_NXM + 2, AT_NXM + 6);
    standard.fill(0, AT_NXM + 4, AT_NXM + 10);
    return { standard, program: view.getUint16(AT_NXM) };
  }
  const at = version === 1 ? AT_10 : AT_11;
  // 1.0: filter_prog, flags, pad 6. Later: flags, filter_prog, importance, pad 6.
  const kept =
    version === 1
      ? [[at + 2, at + 4]]
      : [
          [at, at + 2],
          [at + 4, at + 6],
        ];
  const parts = [
    bytes.subarray(0, at),
    ...kept.map(([from, to]) => bytes.subarray(from, to)),
    bytes.subarray(fixedBytes),
  ];
  const standard = new Uint8Array(bytes.length - 8);
  let end = 0;
  for (const part of parts) {
    standard.set(part, end);
    end += part.length;
  }
  new DataView(standard.buffer).setUint16(2, standard.length);
  return { standard, program: view.getUint16(version === 1 ? at : at + 2) };
}

/** The flow_mod with the program in its match, where all else expects it. */
export function withLegacyProgram(message: Message, program: number): Message {
  if (message.type !== 'flow_mod' || program === 0) return message;
  return { ...message, match: message.match.toBuilder().setNumber(FILTER_PROG, program).build() };
}

/** Messages that have no place for the program are sent without it. */
export function withoutProgram(message: Message): Message {
  if (message.type !== 'flow_removed') return message;
  return { ...message, match: message.match.toBuilder().clear(FILTER_PROG).build() };
}

/** Writes a flow of a statistics reply as the original does; `write` writes the standard form. */
export function writeLegacyFlowStats(
  writer: ByteWriter,
  flow: FlowStats,
  dialect: Dialect,
  nxm: boolean,
  write: (writer: ByteWriter, flow: FlowStats, dialect: Dialect, nxm: boolean) => void,
): void {
  const start = writer.length;
  const program = flow.match.number(FILTER_PROG) ?? 0;
  const match = flow.match.toBuilder().clear(FILTER_PROG).build();
  write(writer, { ...flow, match }, { ...dialect, legacy: false }, nxm);
  const standard = writer.finish(start);
  writer.cut(start);
  if (dialect.version === 1 && nxm) {
    // At the end of the fixed part, and 6 bytes of padding.
    const fixedBytes = 48;
    writer.put(standard.subarray(0, fixedBytes)).u16(program).zeros(6).put(standard.subarray(fixedBytes));
    writer.patchU16(start, standard.length + 8);
    return;
  }
  // After the priority, what follows moves into the padding that comes after it.
  const at = dialect.version === 1 ? 54 : 14;
  const moved = dialect.version === 1 ? 4 : 8;
  writer
    .put(standard.subarray(0, at))
    .u16(program)
    .put(standard.subarray(at, at + moved));
  writer.put(standard.subarray(at + moved + 2));
}
