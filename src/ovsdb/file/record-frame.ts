import { createHash } from 'node:crypto';

/**
 * The frame of a record in the OVSDB log format, ovsdb(5):
 *
 *     OVSDB JSON <length> <SHA-1 of the data, hex>\n
 *     <length bytes of JSON, the last a newline>
 */
export interface FrameHeader {
  readonly headerLength: number;
  readonly dataLength: number;
  readonly sha1: string;
}

const HEADER = /^OVSDB (?:JSON|CLUSTER) ([0-9]{1,15}) ([0-9a-f]{40})\n/;
const CLUSTER = /^OVSDB CLUSTER /;
/** Longer than any header. */
const HEADER_SPACE = 96;
const MARK = Buffer.from('OVSDB JSON ');

/** The frame that begins at `offset`; undefined when none does. */
export function readFrameHeader(file: Buffer, offset: number): FrameHeader | undefined {
  const match = HEADER.exec(file.toString('latin1', offset, offset + HEADER_SPACE));
  return match ? { headerLength: match[0].length, dataLength: Number(match[1]), sha1: match[2] } : undefined;
}

export function isClusteredLog(file: Buffer): boolean {
  return CLUSTER.test(file.toString('latin1', 0, HEADER_SPACE));
}

/** The data of a whole and undamaged record at `offset`. */
export function readFrame(file: Buffer, offset: number): { readonly data: Buffer; readonly end: number } | undefined {
  const header = readFrameHeader(file, offset);
  if (!header) return undefined;
  const start = offset + header.headerLength;
  const end = start + header.dataLength;
  if (end > file.length) return undefined;
  const data = file.subarray(start, end);
  return sha1Of([data]) === header.sha1 ? { data, end } : undefined;
}

/** The first offset from `from` on at which an undamaged record begins; undefined when there is none. */
export function findFrame(file: Buffer, from: number): number | undefined {
  for (let at = file.indexOf(MARK, from); at >= 0; at = file.indexOf(MARK, at + 1)) {
    if (readFrame(file, at)) return at;
  }
  return undefined;
}

/** A record of data that comes in pieces. */
export function frame(pieces: readonly Buffer[]): Buffer[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [Buffer.from(`OVSDB JSON ${length} ${sha1Of(pieces)}\n`), ...pieces];
}

function sha1Of(pieces: readonly Buffer[]): string {
  const hash = createHash('sha1');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
