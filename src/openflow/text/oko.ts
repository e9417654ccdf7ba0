import { toHex } from '../../bytes/index.ts';
import type { MapContents, ProgramDescription } from '../wire/oko-message.ts';

/** Key and value of every entry. */
export function* entriesOf({
  keySize,
  valueSize,
  count,
  entries,
}: Pick<MapContents, 'keySize' | 'valueSize' | 'count' | 'entries'>): Generator<readonly [Uint8Array, Uint8Array]> {
  const stride = keySize + valueSize;
  for (let i = 0; i < count; i++) {
    const at = i * stride;
    yield [entries.subarray(at, at + keySize), entries.subarray(at + keySize, at + stride)];
  }
}

/** Entries as the original printed them, two lines each; cells of a filter or a sketch, which keep no keys, one line. */
export function formatEntries(contents: MapContents): string[] {
  const lines: string[] = [];
  for (const [key, value] of entriesOf(contents)) {
    const cell = contents.reason === 'lookup' ? undefined : formatCell(contents, key, value);
    if (cell !== undefined) lines.push(cell);
    else lines.push(`Key: ${toHex(key, ' ')}`, `Value: ${toHex(value, ' ')}`);
  }
  return lines;
}

function formatCell({ mapKind }: MapContents, key: Uint8Array, value: Uint8Array): string | undefined {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  if (mapKind === 'bloom' && key.length === 4) return `Bit: ${view.getUint32(0, true)}`;
  if (mapKind !== 'count-min' || key.length !== 8) return undefined;
  const counter = value.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return `Row: ${view.getUint32(0, true)} Column: ${view.getUint32(4, true)} Count: ${counter}`;
}

/** A program as `show-filter-progs` prints it. */
export function formatProgram(program: ProgramDescription): string[] {
  const { verifier, maps, runs, matches, failures } = program;
  const part = [program.function, program.section].filter((text) => text !== '').join(' in ');
  const loaded = program.loadedAtNs === 0n ? 'not loaded' : `loaded ${formatTime(program.loadedAtNs)}`;
  const size = program.objectBytes === 0 ? '' : `, object of ${program.objectBytes} bytes`;
  const failed = failures === 0n ? '' : `, failed=${failures}`;
  const time =
    program.sampledRuns === 0n
      ? ''
      : `, ns_per_run=${(program.sampledNs + program.sampledRuns / 2n) / program.sampledRuns}`;
  return [
    ` filter_prog=${program.program}: ${program.name} (${part}), ${loaded}${size}`,
    `   flows=${program.flows}, runs=${runs}, matches=${matches}${failed}${time}`,
    `   verifier: instructions=${verifier.instructions}, longest_path=${verifier.longestPath}, ` +
      `stack_bytes=${verifier.stackBytes}, packet_bytes=${verifier.packetBytes}`,
    ...maps.map(
      (map, i) =>
        `   map ${i}: ${map.name} (${map.mapKind}), key_size=${map.keySize}, value_size=${map.valueSize}, ` +
        `max_entries=${map.maxEntries}${map.hashCount === 0 ? '' : `, nb_hash_functions=${map.hashCount}`}` +
        `${map.readOnly ? ', read-only' : ''}, bytes=${map.bytes}`,
    ),
  ];
}

function formatTime(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString();
}
