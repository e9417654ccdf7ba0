import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { ProtocolError } from './protocol-error.ts';
import { padded8, subReader } from './reader.ts';

/*
 * Properties, which OpenFlow 1.3 to 1.5 put at the end of many structures:
 *
 *     16      16       length - 4
 *   +------+--------+ +---------+
 *   | type | length | | content |  filled up with zeros to a multiple of 8
 *   +------+--------+ +---------+
 */

export function writeProperty(writer: ByteWriter, type: number, content: (writer: ByteWriter) => void): void {
  const start = writer.length;
  writer.u16(type).u16(0);
  content(writer);
  writer.patchU16(start + 2, writer.length - start);
  writer.align(8, start);
}

/** One property; its content without the padding. */
export function readProperty(reader: ByteReader): { type: number; content: ByteReader } {
  if (reader.remaining < 4) throw new ProtocolError('OFPBPC_BAD_LEN', 'a property that is cut');
  const type = reader.u16();
  const length = reader.u16();
  if (length < 4 || padded8(length) > reader.remaining + 4)
    throw new ProtocolError('OFPBPC_BAD_LEN', `a property of ${length} bytes where ${reader.remaining + 4} are left`);
  const content = subReader(reader, length - 4, 'OFPBPC_BAD_LEN');
  reader.skip(padded8(length) - length);
  return { type, content };
}

/** All properties up to the end of `reader`. */
export function* readProperties(reader: ByteReader): Generator<{ type: number; content: ByteReader }> {
  while (reader.remaining > 0) yield readProperty(reader);
}
