import { ByteWriter } from '../../src/bytes/index.ts';

export interface BuiltSection {
  readonly name: string;
  /** 1 PROGBITS, 8 NOBITS. */
  readonly type?: number;
  /** 1 write, 2 alloc, 4 exec. */
  readonly flags?: number;
  readonly bytes?: Uint8Array;
  /** Of NOBITS. */
  readonly size?: number;
}

export interface BuiltSymbol {
  readonly name: string;
  /** 1 object, 2 function. */
  readonly type: number;
  /** Counted from 1 in the order of `sections`; 0 is undefined. */
  readonly section: number;
  readonly value?: number;
  readonly size?: number;
  readonly local?: boolean;
}

export interface BuiltRelocations {
  readonly section: number;
  /** Symbols are counted from 1. */
  readonly entries: readonly { readonly offset: number; readonly type: number; readonly symbol: number }[];
}

/** A relocatable eBPF object of any content: what no compiler would write. */
export function buildObject(
  sections: readonly BuiltSection[],
  symbols: readonly BuiltSymbol[] = [],
  relocations: readonly BuiltRelocations[] = [],
): Uint8Array {
  const strings = new ByteWriter().u8(0);
  const text = (name: string): number => {
    const at = strings.length;
    strings.put(new TextEncoder().encode(name)).u8(0);
    return at;
  };
  const symbolTable = new ByteWriter().zeros(24);
  for (const { name, type, section, value = 0, size = 0, local = false } of symbols)
    symbolTable
      .u32(text(name), true)
      .u8(type | (local ? 0 : 0x10))
      .u8(0)
      .u16(section, true)
      .u64(BigInt(value), true)
      .u64(BigInt(size), true);
  const tables = relocations.map(({ section, entries }) => {
    const table = new ByteWriter();
    for (const { offset, type, symbol } of entries)
      table.u64(BigInt(offset), true).u64((BigInt(symbol) << 32n) | BigInt(type), true);
    return { name: '.rel', type: 9, bytes: table.finish(), link: sections.length + 1, info: section };
  });
  const all: (BuiltSection & { link?: number; info?: number })[] = [
    ...sections,
    { name: '.symtab', type: 2, bytes: symbolTable.finish(), link: sections.length + 2 },
    { name: '.strtab', type: 3 },
    ...tables,
  ];
  const names = all.map(({ name }) => text(name));
  const contents = all.map(({ name, bytes }) => (name === '.strtab' ? strings.finish() : (bytes ?? new Uint8Array())));
  const body = new ByteWriter().zeros(64);
  const headers = new ByteWriter().zeros(64);
  for (const [i, { type = 1, flags = 0, size, link = 0, info = 0 }] of all.entries()) {
    headers
      .u32(names[i], true)
      .u32(type, true)
      .u64(BigInt(flags), true)
      .u64(0n)
      .u64(BigInt(body.length), true)
      .u64(BigInt(size ?? contents[i].length), true)
      .u32(link, true)
      .u32(info, true)
      .zeros(16);
    body.put(contents[i]);
  }
  const table = body.length;
  const bytes = body.put(headers.finish()).finish();
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 1, true);
  view.setUint16(18, 247, true);
  view.setBigUint64(40, BigInt(table), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, all.length + 1, true);
  view.setUint16(62, sections.length + 2, true);
  return bytes;
}
