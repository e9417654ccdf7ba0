import { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { ErrorName } from './error-codes.ts';
import { ProtocolError } from './protocol-error.ts';

/** A reader that reports what is cut as a protocol error, by default OFPBRC_BAD_LEN. */
export function wireReader(bytes: Uint8Array, onShort: ErrorName = 'OFPBRC_BAD_LEN'): ByteReader {
  return new ByteReader(
    bytes,
    (need, offset) => new ProtocolError(onShort, `${need} bytes were expected at offset ${offset} of ${bytes.length}`),
  );
}

/** The next `length` bytes, for which another error stands when they are cut. */
export function subReader(reader: ByteReader, length: number, onShort: ErrorName): ByteReader {
  if (length > reader.remaining || length < 0)
    throw new ProtocolError(onShort, `${length} bytes were expected where ${reader.remaining} are left`);
  return wireReader(reader.take(length), onShort);
}

/** Refuses messages of which what is left does not fill multiples of 8 bytes, as those with properties do. */
export function requireEights(reader: ByteReader): void {
  if (reader.remaining % 8 !== 0)
    throw new ProtocolError('OFPBRC_BAD_LEN', `${reader.remaining} bytes are left, which is no multiple of 8`);
}

/** Rounds up to the multiple of 8 that most of OpenFlow's structures are padded to. */
export function padded8(length: number): number {
  return (length + 7) & ~7;
}

/** A text of a fixed number of bytes, ended by the first zero. */
export function readText(reader: ByteReader, length: number): string {
  const bytes = reader.take(length);
  const end = bytes.indexOf(0);
  return new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Writes a text into a fixed number of bytes, cut so that at least one zero ends it. */
export function writeText(writer: ByteWriter, text: string, length: number): void {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < Math.min(text.length, length - 1); i++) bytes[i] = text.charCodeAt(i) & 0xff;
  writer.put(bytes);
}

export { ByteReader, ByteWriter };
