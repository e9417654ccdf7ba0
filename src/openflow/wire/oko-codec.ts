import { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { OkoMessage } from '../message.ts';
import { ExtensionError } from './oko-errors.ts';
import {
  CONTENTS_REASONS,
  type EntryBlock,
  KEPT_MAPS,
  MAP_KINDS,
  MAP_UPDATE_MODES,
  type MapContents,
  type MapDescription,
  type MapReference,
  type OkoBody,
  type ProgramDescription,
  type ProgramLoad,
} from './oko-message.ts';

/** Numbers of the messages. */
export const OKO_SUBTYPE = {
  features_request: 0,
  features_reply: 1,
  prog_load: 2,
  prog_load_reply: 3,
  prog_unload: 4,
  prog_desc_request: 6,
  prog_desc_reply: 7,
  map_update: 8,
  map_delete: 10,
  map_lookup: 12,
  map_dump: 14,
  map_contents: 15,
  map_subscribe: 16,
} as const satisfies Record<OkoBody['kind'], number>;

const KIND_OF_SUBTYPE = new Map<number, OkoBody['kind']>(
  Object.entries(OKO_SUBTYPE).map(([kind, subtype]) => [subtype, kind as OkoBody['kind']]),
);

/** Bytes of an object that one message carries. */
export const CHUNK_BYTES = 60_000;
/** The most bytes of a name; longer ones are cut when they are written. */
const MAX_NAME_BYTES = 255;
/** In the place of a map's number: the map is named. */
const BY_NAME = 0xffff;

const LOAD_FLAG = { replace: 1, keepAll: 2, keepNone: 4, verifyOnly: 8, more: 16 } as const;
const LOAD_FLAGS = 31;
const LOADED_FLAG = { verifyOnly: 1, replaced: 2 } as const;
const FORCE = 1;
const ALL = 1;
const ONLY_CHANGES = 1;
const CONTENTS_FLAG = { more: 1, deleted: 2 } as const;
const MORE = 1;
const READ_ONLY = 1;

/** The message that carries a body. */
export function encodeOko(body: OkoBody): OkoMessage {
  const writer = new ByteWriter(64);
  write(writer, body);
  return { type: 'oko', subtype: OKO_SUBTYPE[body.kind], body: writer.finish() };
}

/** The messages that carry a whole object, to be sent one after the other with one transaction id. */
export function* encodeObject(
  load: Omit<ProgramLoad, 'kind' | 'more' | 'totalBytes' | 'offset' | 'data'>,
  object: Uint8Array,
): Generator<OkoMessage> {
  let offset = 0;
  do {
    const data = object.subarray(offset, offset + CHUNK_BYTES);
    const more = offset + data.length < object.length;
    const names = offset === 0 ? {} : { name: '', section: '', function: '' };
    yield encodeOko({ ...load, ...names, kind: 'prog_load', more, totalBytes: object.length, offset, data });
    offset += data.length;
  } while (offset < object.length);
}

/**
 * Reads what a message of the extension says.
 *
 * @throws ExtensionError OKO_BAD_REQUEST
 */
export function decodeOko({ subtype, body }: OkoMessage): OkoBody {
  const kind = KIND_OF_SUBTYPE.get(subtype);
  if (kind === undefined) throw bad(`there is no message ${subtype}`);
  const reader = new ByteReader(body, (need, offset) =>
    bad(`${kind}: ${need} bytes were expected at offset ${offset} of ${body.length}`),
  );
  const decoded = read(reader, kind);
  if (reader.remaining > 0) throw bad(`${kind}: ${reader.remaining} bytes are left over`);
  return decoded;
}

function bad(message: string): ExtensionError {
  return new ExtensionError('OKO_BAD_REQUEST', message);
}

function write(writer: ByteWriter, body: OkoBody): void {
  switch (body.kind) {
    case 'features_request':
      return;
    case 'features_reply':
      writer.u8(body.revision).zeros(3).u32(body.programs).u32(body.maxPrograms).u32(body.maxObjectBytes);
      writer.u64(body.mapBytes).u64(body.maxMapBytes);
      return;
    case 'prog_load': {
      const names = [body.name, body.section, body.function].map(nameBytes);
      const keeps = body.keepMaps === 'all' ? LOAD_FLAG.keepAll : body.keepMaps === 'none' ? LOAD_FLAG.keepNone : 0;
      const flags =
        keeps |
        (body.replace ? LOAD_FLAG.replace : 0) |
        (body.verifyOnly ? LOAD_FLAG.verifyOnly : 0) |
        (body.more ? LOAD_FLAG.more : 0);
      writer.u16(body.program).u16(flags).u32(body.totalBytes).u32(body.offset);
      for (const name of names) writer.u16(name.length);
      writer.u16(0);
      for (const name of names) writer.put(name);
      writer.align(8).put(body.data);
      return;
    }
    case 'prog_load_reply':
      writer.u16((body.verifyOnly ? LOADED_FLAG.verifyOnly : 0) | (body.replaced ? LOADED_FLAG.replaced : 0));
      writer.u16(body.keptMaps).u32(0);
      writeProgram(writer, body.description);
      return;
    case 'prog_unload':
      writer
        .u16(body.program)
        .u16(body.force ? FORCE : 0)
        .u32(0);
      return;
    case 'prog_desc_request':
      writer.u16(body.program).zeros(6);
      return;
    case 'prog_desc_reply':
      writer.u16(body.more ? MORE : 0).zeros(6);
      for (const program of body.programs) writeProgram(writer, program);
      return;
    case 'map_update':
      writeMapHead(writer, body, MAP_UPDATE_MODES.indexOf(body.mode));
      writeEntries(writer, body);
      return;
    case 'map_delete':
      writeMapHead(writer, body, body.all ? ALL : 0);
      writeEntries(writer, body);
      return;
    case 'map_lookup':
      writeMapHead(writer, body, 0);
      writeEntries(writer, body);
      return;
    case 'map_dump':
      writeMapHead(writer, body, 0);
      return;
    case 'map_subscribe':
      writeMapHead(writer, body, body.onlyChanges ? ONLY_CHANGES : 0);
      writer.u32(body.subscription).u32(body.periodMs);
      return;
    case 'map_contents':
      writeContents(writer, body);
      return;
  }
}

function read(reader: ByteReader, kind: OkoBody['kind']): OkoBody {
  switch (kind) {
    case 'features_request':
      return { kind };
    case 'features_reply': {
      const revision = reader.u8();
      reader.skip(3);
      const [programs, maxPrograms, maxObjectBytes] = [reader.u32(), reader.u32(), reader.u32()];
      return {
        kind,
        revision,
        programs,
        maxPrograms,
        maxObjectBytes,
        mapBytes: reader.u64(),
        maxMapBytes: reader.u64(),
      };
    }
    case 'prog_load':
      return readLoad(reader);
    case 'prog_load_reply': {
      const flags = reader.u16();
      const keptMaps = reader.u16();
      reader.skip(4);
      const verifyOnly = (flags & LOADED_FLAG.verifyOnly) !== 0;
      const replaced = (flags & LOADED_FLAG.replaced) !== 0;
      return { kind, verifyOnly, replaced, keptMaps, description: readProgram(reader) };
    }
    case 'prog_unload': {
      const program = reader.u16();
      const flags = readFlags(reader, kind, FORCE);
      reader.skip(4);
      return { kind, program, force: (flags & FORCE) !== 0 };
    }
    case 'prog_desc_request': {
      const program = reader.u16();
      reader.skip(6);
      return { kind, program };
    }
    case 'prog_desc_reply': {
      const more = (reader.u16() & MORE) !== 0;
      reader.skip(6);
      const programs: ProgramDescription[] = [];
      while (reader.remaining > 0) programs.push(readProgram(reader));
      return { kind, more, programs };
    }
    case 'map_update': {
      const { flags, ...head } = readMapHead(reader, kind);
      const mode = MAP_UPDATE_MODES[flags];
      if (mode === undefined) throw bad(`${kind}: there is no mode ${flags}`);
      return { kind, ...head, mode, ...readEntries(reader, kind) };
    }
    case 'map_delete': {
      const { flags, ...head } = readMapHead(reader, kind, ALL);
      return { kind, ...head, all: (flags & ALL) !== 0, ...readEntries(reader, kind) };
    }
    case 'map_lookup': {
      const { flags: _none, ...head } = readMapHead(reader, kind, 0);
      return { kind, ...head, ...readEntries(reader, kind) };
    }
    case 'map_dump': {
      const { flags: _none, ...head } = readMapHead(reader, kind, 0);
      return { kind, ...head };
    }
    case 'map_subscribe': {
      const { flags, ...head } = readMapHead(reader, kind, ONLY_CHANGES);
      const subscription = reader.u32();
      return { kind, ...head, subscription, periodMs: reader.u32(), onlyChanges: (flags & ONLY_CHANGES) !== 0 };
    }
    case 'map_contents':
      return readContents(reader);
  }
}

/*
 * prog_load:
 *
 *   0         2       4            8        12         14            16             18    20
 *   | program | flags | totalBytes | offset | name len | section len | function len | pad | names | to 8 | data …
 */
function readLoad(reader: ByteReader): ProgramLoad {
  const kind = 'prog_load';
  const start = reader.offset;
  const program = reader.u16();
  const flags = readFlags(reader, kind, LOAD_FLAGS);
  const totalBytes = reader.u32();
  const offset = reader.u32();
  const lengths = [reader.u16(), reader.u16(), reader.u16()];
  reader.skip(2);
  const [name, section, func] = lengths.map((length) => readName(reader, length, kind));
  skipTo8(reader, start);
  const keep = flags & (LOAD_FLAG.keepAll | LOAD_FLAG.keepNone);
  if (keep === (LOAD_FLAG.keepAll | LOAD_FLAG.keepNone))
    throw bad(`${kind}: all maps are to be kept, and none (flags ${flags})`);
  return {
    kind,
    program,
    replace: (flags & LOAD_FLAG.replace) !== 0,
    keepMaps: KEPT_MAPS[keep === LOAD_FLAG.keepAll ? 1 : keep === LOAD_FLAG.keepNone ? 2 : 0],
    verifyOnly: (flags & LOAD_FLAG.verifyOnly) !== 0,
    more: (flags & LOAD_FLAG.more) !== 0,
    totalBytes,
    offset,
    name,
    section,
    function: func,
    data: reader.take(reader.remaining).slice(),
  };
}

/*
 * A program of prog_desc_reply and prog_load_reply, a multiple of 8 bytes long:
 *
 *   0        2         4      6          8             10             12      16
 *   | length | program | maps | name len | section len | function len | flows | loadedAtNs u64
 *   24         32        40         48            56              64            68             72        76
 *   | runs u64 | matches | failures | sampledRuns | sampledNs u64 | objectBytes | instructions | visited | states
 *   80            84           86       88            92
 *   | longestPath | stackBytes | frames | packetBytes | pad | names | to 8 | maps …
 */
function writeProgram(writer: ByteWriter, program: ProgramDescription): void {
  const start = writer.length;
  const names = [program.name, program.section, program.function].map(nameBytes);
  writer.u16(0).u16(program.program).u16(program.maps.length);
  for (const name of names) writer.u16(name.length);
  writer.u32(program.flows).u64(program.loadedAtNs);
  for (const counter of [program.runs, program.matches, program.failures, program.sampledRuns, program.sampledNs])
    writer.u64(counter);
  const { instructions, visited, states, longestPath, stackBytes, frames, packetBytes } = program.verifier;
  writer.u32(program.objectBytes).u32(instructions).u32(visited).u32(states);
  writer.u32(longestPath).u16(stackBytes).u16(frames).u32(packetBytes).u32(0);
  for (const name of names) writer.put(name);
  writer.align(8, start);
  for (const map of program.maps) writeMap(writer, map);
  if (writer.length - start > 0xffff) throw bad(`the description of program ${program.program} fits into no message`);
  writer.patchU16(start, writer.length - start);
}

function readProgram(outer: ByteReader): ProgramDescription {
  const length = outer.u16();
  const reader = outer.sub(Math.max(0, length - 2));
  const start = reader.offset - 2;
  const program = reader.u16();
  const mapCount = reader.u16();
  const lengths = [reader.u16(), reader.u16(), reader.u16()];
  const flows = reader.u32();
  const loadedAtNs = reader.u64();
  const [runs, matches, failures] = [reader.u64(), reader.u64(), reader.u64()];
  const [sampledRuns, sampledNs] = [reader.u64(), reader.u64()];
  const objectBytes = reader.u32();
  const [instructions, visited, states, longestPath] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  const [stackBytes, frames, packetBytes] = [reader.u16(), reader.u16(), reader.u32()];
  reader.skip(4);
  const [name, section, func] = lengths.map((bytes) => readName(reader, bytes, 'a program'));
  skipTo8(reader, start);
  const maps = Array.from({ length: mapCount }, () => readMap(reader));
  if (reader.remaining > 0) throw bad(`${reader.remaining} bytes are left over after the maps of program ${program}`);
  return {
    ...{ program, name, section, function: func, loadedAtNs, objectBytes, flows },
    ...{ runs, matches, failures, sampledRuns, sampledNs, maps },
    verifier: { instructions, visited, states, longestPath, stackBytes, frames, packetBytes },
  };
}

/*
 * A map of a program:
 *
 *   0      1       2          4         8           12           16          20    24
 *   | kind | flags | name len | keySize | valueSize | maxEntries | hashCount | pad | bytes u64 | name | to 8
 */
function writeMap(writer: ByteWriter, map: MapDescription): void {
  const start = writer.length;
  const name = nameBytes(map.name);
  writer
    .u8(MAP_KINDS.indexOf(map.mapKind))
    .u8(map.readOnly ? READ_ONLY : 0)
    .u16(name.length);
  writer.u32(map.keySize).u32(map.valueSize).u32(map.maxEntries).u32(map.hashCount).u32(0).u64(map.bytes);
  writer.put(name).align(8, start);
}

function readMap(reader: ByteReader): MapDescription {
  const start = reader.offset;
  const mapKind = MAP_KINDS[reader.u8()] ?? 'unknown';
  const readOnly = (reader.u8() & READ_ONLY) !== 0;
  const nameLength = reader.u16();
  const [keySize, valueSize, maxEntries, hashCount] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  reader.skip(4);
  const bytes = reader.u64();
  const name = readName(reader, nameLength, 'a map');
  skipTo8(reader, start);
  return { name, mapKind, readOnly, keySize, valueSize, maxEntries, hashCount, bytes };
}

/*
 * Requests about a map begin with
 *
 *   0         2                    4       6          8
 *   | program | map, ffff: by name | flags | name len | name | to 8
 */
function writeMapHead(
  writer: ByteWriter,
  { program, map }: { readonly program: number; readonly map: MapReference },
  flags: number,
): void {
  const name = typeof map === 'string' ? nameBytes(map) : new Uint8Array(0);
  writer
    .u16(program)
    .u16(typeof map === 'string' ? BY_NAME : map)
    .u16(flags)
    .u16(name.length);
  writer.put(name).align(8);
}

function readMapHead(
  reader: ByteReader,
  kind: string,
  known = 0xffff,
): { readonly program: number; readonly map: MapReference; readonly flags: number } {
  const start = reader.offset;
  const program = reader.u16();
  const number = reader.u16();
  const flags = readFlags(reader, kind, known);
  const nameLength = reader.u16();
  const name = readName(reader, nameLength, kind);
  skipTo8(reader, start);
  if (number !== BY_NAME && nameLength > 0) throw bad(`${kind}: a map is named both ${number} and ${name}`);
  return { program, map: number === BY_NAME ? name : number, flags };
}

/*
 * Entries:
 *
 *   0         4           8       12    16
 *   | keySize | valueSize | count | pad | key value key value …
 */
function writeEntries(writer: ByteWriter, { keySize, valueSize, count, entries }: EntryBlock): void {
  writer.u32(keySize).u32(valueSize).u32(count).u32(0).put(entries);
}

function readEntries(reader: ByteReader, kind: string): EntryBlock {
  const keySize = reader.u32();
  const valueSize = reader.u32();
  const count = reader.u32();
  reader.skip(4);
  const bytes = count * (keySize + valueSize);
  if (bytes !== reader.remaining)
    throw bad(`${kind}: ${count} entries of ${keySize} + ${valueSize} bytes, and ${reader.remaining} bytes are there`);
  // Entries of no bytes would be as many as the sender likes to say.
  if (count > 0 && bytes === 0) throw bad(`${kind}: ${count} entries without bytes`);
  return { keySize, valueSize, count, entries: reader.take(bytes).slice() };
}

/*
 * map_contents:
 *
 *   0         2     4        5       6      7     8              12         14    16          24
 *   | program | map | reason | flags | kind | pad | subscription | name len | pad | total u64 | name | to 8 | entries
 */
function writeContents(writer: ByteWriter, body: MapContents): void {
  const name = nameBytes(body.name);
  writer.u16(body.program).u16(body.map).u8(CONTENTS_REASONS.indexOf(body.reason));
  writer.u8((body.more ? CONTENTS_FLAG.more : 0) | (body.deleted ? CONTENTS_FLAG.deleted : 0));
  writer.u8(MAP_KINDS.indexOf(body.mapKind)).u8(0).u32(body.subscription).u16(name.length).zeros(2).u64(body.total);
  writer.put(name).align(8);
  writeEntries(writer, body);
}

function readContents(reader: ByteReader): MapContents {
  const kind = 'map_contents';
  const start = reader.offset;
  const program = reader.u16();
  const map = reader.u16();
  const reasonNumber = reader.u8();
  const reason = CONTENTS_REASONS[reasonNumber];
  if (reason === undefined) throw bad(`${kind}: there is no reason ${reasonNumber}`);
  const flags = reader.u8();
  const mapKind = MAP_KINDS[reader.u8()] ?? 'unknown';
  reader.skip(1);
  const subscription = reader.u32();
  const nameLength = reader.u16();
  reader.skip(2);
  const total = reader.u64();
  const name = readName(reader, nameLength, kind);
  skipTo8(reader, start);
  const more = (flags & CONTENTS_FLAG.more) !== 0;
  const deleted = (flags & CONTENTS_FLAG.deleted) !== 0;
  return {
    kind,
    program,
    map,
    name,
    mapKind,
    reason,
    more,
    deleted,
    subscription,
    total,
    ...readEntries(reader, kind),
  };
}

function readFlags(reader: ByteReader, kind: string, known: number): number {
  const flags = reader.u16();
  if ((flags & ~known) !== 0) throw bad(`${kind}: unknown flags 0x${(flags & ~known).toString(16)}`);
  return flags;
}

/** In UTF-8; what is too long is cut between two characters. */
function nameBytes(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length <= MAX_NAME_BYTES) return bytes;
  let end = MAX_NAME_BYTES;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

function readName(reader: ByteReader, length: number, kind: string): string {
  if (length > MAX_NAME_BYTES) throw bad(`${kind}: a name of ${length} bytes; at most ${MAX_NAME_BYTES} are possible`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(reader.take(length));
  } catch (error) {
    if (error instanceof ExtensionError) throw error;
    throw bad(`${kind}: a name is not in UTF-8`);
  }
}

function skipTo8(reader: ByteReader, start: number): void {
  const over = (reader.offset - start) % 8;
  if (over > 0) reader.skip(8 - over);
}
