import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import { type BpfMap, putCell } from '../../bpf/index.ts';
import { ByteWriter } from '../../bytes/index.ts';
import { OfprotoError } from '../errors.ts';
import type { FilterPrograms } from '../filter-programs.ts';
import { contentBytes, isFilter, mapContents } from './map-access.ts';

/*
 * What the maps of one program hold, in a file:
 *
 *   a line of JSON (`Header`), then for each map of the header, in order, blocks of {u32 n, n times key and value}, ended by
 *   one with n = 0; then the SHA-256 of everything before it.
 */
const FORMAT = 'oko-maps 1';
const HASH_BYTES = 32;
/** A line longer than that is none of ours. */
const MAX_HEADER_BYTES = 1 << 20;

const Header = z.object({
  format: z.literal(FORMAT),
  program: z.number().int(),
  /** SHA-256 of the program's object file: another program's maps may mean something else. */
  object: z.string(),
  maps: z.array(
    z.object({ name: z.string(), kind: z.string(), keySize: z.number().int(), valueSize: z.number().int() }),
  ),
});
type Header = z.infer<typeof Header>;

/** Maps that begin as the program says every time: its constants. */
function isKept(map: BpfMap): boolean {
  return map.definition.readOnly !== true;
}

function headerOf(program: number, object: string, maps: readonly BpfMap[]): Header {
  return {
    ...{ format: FORMAT, program, object },
    maps: maps.map((map) => ({ name: map.definition.name, kind: map.definition.kind, ...contentBytes(map) })),
  };
}

/** Writes a snapshot, a step at a time; the file is there as a whole or not at all. */
export async function writeSnapshot(
  programs: FilterPrograms,
  program: number,
  object: string,
  path: string,
): Promise<void> {
  const maps = programs.get(program).maps.filter(isKept);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    const write = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      await writeAll(file, bytes);
    };
    await write(new TextEncoder().encode(`${JSON.stringify(headerOf(program, object, maps))}\n`));
    for (const map of maps) {
      for (const entries of mapContents(programs, map)) {
        if (entries.length === 0) continue;
        const block = new ByteWriter().u32(entries.length);
        for (const { key, value } of entries) block.put(key).put(value);
        await write(block.finish());
      }
      await write(new Uint8Array(4));
    }
    await writeAll(file, hash.digest());
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/**
 * Puts back what a snapshot holds into the maps of the program, which have just been made.
 *
 * @throws OfprotoError OFPROTO_BAD_SNAPSHOT, which names the file; nothing has been put back then
 */
export async function readSnapshot(
  programs: FilterPrograms,
  program: number,
  object: string,
  path: string,
): Promise<void> {
  const bytes = await readFile(path);
  const bad = (why: string): OfprotoError =>
    new OfprotoError('OFPROTO_BAD_SNAPSHOT', `${path}: ${why}; the maps of program ${program} start empty`);
  const content = bytes.subarray(0, Math.max(0, bytes.length - HASH_BYTES));
  if (!createHash('sha256').update(content).digest().equals(bytes.subarray(content.length)))
    throw bad('the file is damaged, its checksum is another one');
  const end = content.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  const header = Header.safeParse(end < 0 ? undefined : parseJson(content.subarray(0, end)));
  if (!header.success) throw bad('the file is no snapshot of maps');
  const maps = programs.get(program).maps.filter(isKept);
  const expected = headerOf(program, object, maps);
  if (header.data.object !== object) throw bad('it belongs to another object file');
  if (JSON.stringify(header.data) !== JSON.stringify(expected)) throw bad('it has other maps than the program');
  const blocks = [...mapBlocks(maps, content, end + 1, bad)];
  for (const { map, entries, count } of blocks) {
    putBack(map, entries, count);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Block {
  readonly map: BpfMap;
  readonly entries: Uint8Array;
  readonly count: number;
}

function* mapBlocks(
  maps: readonly BpfMap[],
  content: Uint8Array,
  start: number,
  bad: (why: string) => OfprotoError,
): Generator<Block> {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let at = start;
  for (const map of maps) {
    const { keySize, valueSize } = contentBytes(map);
    for (;;) {
      if (at + 4 > content.length) throw bad('it ends too early');
      const count = view.getUint32(at);
      at += 4;
      if (count === 0) break;
      const end = at + count * (keySize + valueSize);
      if (end > content.length) throw bad('it ends too early');
      yield { map, entries: content.subarray(at, end), count };
      at = end;
    }
  }
  if (at !== content.length) throw bad('something follows after the last map');
}

function putBack(map: BpfMap, entries: Uint8Array, count: number): void {
  const { keySize, valueSize } = contentBytes(map);
  const stride = keySize + valueSize;
  for (let i = 0; i < count; i++) {
    const key = entries.subarray(i * stride, i * stride + keySize);
    const value = entries.subarray(i * stride + keySize, (i + 1) * stride);
    if (isFilter(map)) putCell(map, key, value);
    else map.update(key, value);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
