import { ByteReader, ByteWriter } from '../../bytes/index.ts';
import {
  ExtensionError,
  encodeMessage,
  LEGACY_SUBTYPE,
  type OkoLegacyMessage,
  ProtocolError,
} from '../../openflow/index.ts';
import { contentBytes, mapContents, updateMap } from '../programs/map-access.ts';
import type { Answer } from './requests.ts';
import type { Session } from './session.ts';
import type { SwitchControl } from './switch-control.ts';

/** What fits into a reply beside its headers. */
const MAX_REPLY_BYTES = 0xffff - 16;

/**
 * Carries out a message of the original Oko's. As there, every refusal is OFPBRC_EPERM; the reason goes no further.
 *
 * @throws ProtocolError
 */
export function* answerLegacy(
  control: SwitchControl,
  session: Session,
  message: OkoLegacyMessage & { readonly xid: number },
): Answer {
  if (session.role === 'secondary' && message.subtype !== LEGACY_SUBTYPE.dumpMapRequest)
    throw new ProtocolError('OFPBRC_IS_SECONDARY', 'a secondary controller cannot change programs and maps');
  const reader = new ByteReader(
    message.body,
    (need, offset) => new ProtocolError('OFPBRC_BAD_LEN', `${need} bytes were expected at offset ${offset}`),
  );
  try {
    switch (message.subtype) {
      case LEGACY_SUBTYPE.loadFilterProg:
        yield load(control, reader);
        return;
      case LEGACY_SUBTYPE.updateMap:
        update(control, reader);
        return;
      case LEGACY_SUBTYPE.dumpMapRequest:
        yield* encodeMessage(
          { type: 'oko_legacy', subtype: LEGACY_SUBTYPE.dumpMapReply, xid: message.xid, body: dump(control, reader) },
          session.dialect,
        );
        return;
      default:
        throw new ProtocolError('OFPBRC_BAD_SUBTYPE', `a switch does not take message ${message.subtype}`);
    }
  } catch (error) {
    if (error instanceof ExtensionError) throw new ProtocolError('OFPBRC_EPERM', error.message);
    throw error;
  }
}

/** {be16 prog, pad 2, be32 file_len} elf; over a program that is there it takes its place, as it did in the original. */
function load({ bridge, clock }: SwitchControl, reader: ByteReader): Promise<void> {
  const id = reader.u16();
  reader.skip(2);
  const object = reader.take(reader.u32()).slice();
  return bridge.programs.loadObject({ id, name: '', object, replace: true }, clock).then(
    () => {},
    (error: unknown) => {
      if (error instanceof ExtensionError) throw new ProtocolError('OFPBRC_EPERM', error.message);
      throw error;
    },
  );
}

/** {be16 prog, be16 map, be32 key_size, be32 value_size, be32 nb_elems} (key value)… */
function update({ bridge }: SwitchControl, reader: ByteReader): void {
  const map = bridge.programs.map(reader.u16(), reader.u16());
  const [keySize, valueSize, count] = [reader.u32(), reader.u32(), reader.u32()];
  const entries = reader.take(count * (keySize + valueSize));
  if (count > 0 && entries.length === 0) throw new ProtocolError('OFPBRC_BAD_LEN', 'entries without bytes');
  updateMap(bridge.programs, map, { keySize, valueSize, count, entries }, 'any');
}

/** {be16 prog, be16 nb_maps} u16-host maps… → {u16 prog, u16 nb_maps} per map {u16 map, pad 2, u32 sizes, u32 nb_elems} entries, host-endian */
function dump({ bridge: { programs } }: SwitchControl, reader: ByteReader): Uint8Array {
  const program = reader.u16();
  const numbers = Array.from({ length: reader.u16() }, () => reader.u16(true));
  const writer = new ByteWriter().u16(program, true).u16(numbers.length, true);
  for (const number of numbers) {
    const map = programs.map(program, number);
    const { keySize, valueSize } = contentBytes(map);
    writer.u16(number, true).u16(0).u32(keySize, true).u32(valueSize, true);
    const countAt = writer.length;
    writer.u32(0);
    let count = 0;
    for (const entries of mapContents(programs, map))
      for (const { key, value } of entries) {
        writer.put(key).put(value);
        count++;
        if (writer.length > MAX_REPLY_BYTES)
          throw new ExtensionError('OKO_TOO_LARGE', `the contents of map ${number} fit into no reply of this dialect`);
      }
    const littleEndian = new DataView(new ArrayBuffer(4));
    littleEndian.setUint32(0, count, true);
    writer.patchU32(countAt, littleEndian.getUint32(0));
  }
  return writer.finish();
}
