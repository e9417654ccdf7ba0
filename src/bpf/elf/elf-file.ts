import { ByteReader } from '../../bytes/index.ts';
import { BpfError } from '../errors.ts';
import { StringTable } from './string-table.ts';

/** Most bytes of an object file. */
export const MAX_OBJECT_BYTES = 16 * 1024 * 1024;
const MAX_SECTIONS = 4096;
const MAX_SYMBOLS = 65_536;
const MAX_RELOCATIONS = 262_144;

const EM_NONE = 0;
const EM_BPF = 247;
const ET_REL = 1;
const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const REL_BYTES = 16;

export const SectionType = { PROGBITS: 1, SYMTAB: 2, STRTAB: 3, RELA: 4, NOBITS: 8, REL: 9 } as const;
const SectionFlag = { WRITE: 1n, ALLOC: 2n, EXECINSTR: 4n, COMPRESSED: 0x800n } as const;
export const SymbolType = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3 } as const;
const STB_LOCAL = 0;
/** Section indexes that mean no section (gABI: special section indexes). */
export const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;

export interface Section {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly writable: boolean;
  /** Takes memory when the program runs. */
  readonly allocated: boolean;
  readonly executable: boolean;
  /** Bytes; of NOBITS too, which has none in the file. */
  readonly size: number;
  /** A view of the file; empty for NOBITS. */
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly info: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly type: number;
  /** Not `static`. */
  readonly global: boolean;
  /** Index of the section that holds it; SHN_UNDEF when it is not defined here. */
  readonly section: number;
  /** Bytes from the section's start. */
  readonly value: number;
  /** Bytes; 0 when not known. */
  readonly size: number;
}

export interface Relocation {
  /** Bytes from the start of the section that is patched. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
}

/**
 * A relocatable ELF object (System V gABI, chapters 4 and 5), 64-bit little-endian, for eBPF. The constructor checks the
 * header and that every section lies within the file; a symbol's and a relocation's section and bounds are checked when they are read.
 */
export class ElfFile {
  readonly sections: readonly Section[];
  readonly #symbols: ReadonlyMap<number, readonly ElfSymbol[]>;
  readonly #relocations: ReadonlyMap<number, readonly Relocation[]>;

  constructor(bytes: Uint8Array) {
    if (bytes.length > MAX_OBJECT_BYTES)
      throw new BpfError(
        'BPF_OBJECT_TOO_LARGE',
        `the object has ${bytes.length} bytes; at most ${MAX_OBJECT_BYTES} are allowed`,
      );
    const header = readHeader(bytes);
    this.sections = readSections(bytes, header);
    const symbols = readSymbols(this.sections);
    this.#symbols = bySection(symbols);
    this.#relocations = readRelocations(this.sections, symbols);
  }

  section(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** Those that lie in the section, in the table's order. */
  symbolsOf(section: Section): readonly ElfSymbol[] {
    return this.#symbols.get(section.index) ?? [];
  }

  /** Those that patch the section, sorted by offset. */
  relocationsOf(section: Section): readonly Relocation[] {
    return this.#relocations.get(section.index) ?? [];
  }
}

interface Header {
  readonly sectionTable: number;
  readonly sectionCount: number;
  readonly nameTable: number;
}

function badElf(message: string): BpfError {
  return new BpfError('BPF_BAD_ELF', message);
}

function reader(bytes: Uint8Array, what: string): ByteReader {
  return new ByteReader(bytes, (need, offset) => badElf(`${what} is cut: ${need} bytes needed at offset ${offset}`));
}

/** File offsets and sizes are 64 bits wide; all that lie within a file are exact as numbers. */
function within(value: bigint, limit: number, what: string): number {
  if (value > BigInt(limit)) throw badElf(`${what} is ${value}, past the end (${limit})`);
  return Number(value);
}

/** Whether the bytes begin as every ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function readHeader(bytes: Uint8Array): Header {
  if (!isElf(bytes))
    throw new BpfError('BPF_NOT_ELF', 'the file is not an ELF object; compile the C source with clang -target bpf -c');
  if (bytes.length < HEADER_BYTES) throw badElf(`the ELF header is cut: the file has ${bytes.length} bytes`);
  const header = reader(bytes, 'the ELF header');
  header.skip(4);
  const elfClass = header.u8();
  const byteOrder = header.u8();
  if (elfClass !== 2) throw new BpfError('BPF_WRONG_MACHINE', 'the object is not 64-bit; compile with -target bpf');
  if (byteOrder !== 1)
    throw new BpfError('BPF_WRONG_MACHINE', 'the object is big-endian; compile with -target bpf or bpfel, not bpfeb');
  header.skip(10);
  const type = header.u16(true);
  const machine = header.u16(true);
  if (machine !== EM_BPF && machine !== EM_NONE)
    throw new BpfError(
      'BPF_WRONG_MACHINE',
      `the object is for machine ${machine}, not eBPF (${EM_BPF}); compile with -target bpf`,
    );
  if (type !== ET_REL)
    throw badElf(`the file has ELF type ${type}; give the relocatable object (type ${ET_REL}) that clang -c makes`);
  header.skip(4 + 8 + 8);
  const sectionTable = within(header.u64(true), bytes.length, 'the offset of the section table');
  header.skip(4 + 2 + 2 + 2);
  const entryBytes = header.u16(true);
  const sectionCount = header.u16(true);
  const nameTable = header.u16(true);
  if (entryBytes !== SECTION_HEADER_BYTES)
    throw badElf(`section headers have ${entryBytes} bytes, not ${SECTION_HEADER_BYTES}`);
  if (sectionCount === 0 || sectionCount > MAX_SECTIONS)
    throw badElf(`the object has ${sectionCount} sections; 1 to ${MAX_SECTIONS} are allowed`);
  if (nameTable >= sectionCount) throw badElf(`section names are in section ${nameTable} of ${sectionCount}`);
  return { sectionTable, sectionCount, nameTable };
}

function readSections(bytes: Uint8Array, header: Header): Section[] {
  const table = reader(bytes, 'the section table');
  table.skip(header.sectionTable);
  const raw = Array.from({ length: header.sectionCount }, (_, index) => {
    const nameOffset = table.u32(true);
    const type = table.u32(true);
    const flags = table.u64(true);
    table.skip(8);
    const offset = table.u64(true);
    const size = table.u64(true);
    const link = table.u32(true);
    const info = table.u32(true);
    table.skip(16);
    return { index, nameOffset, type, flags, offset, size, link, info };
  });
  const contentOf = (section: (typeof raw)[number], what: string): Uint8Array => {
    if (section.type === SectionType.NOBITS || section.index === 0) return new Uint8Array(0);
    const start = within(section.offset, bytes.length, `${what}: its offset`);
    const length = within(section.size, bytes.length - start, `${what}: its size from offset ${start}`);
    return bytes.subarray(start, start + length);
  };
  const names = new StringTable(contentOf(raw[header.nameTable], 'the section names'), 'BPF_BAD_ELF', 'section names');
  return raw.map((section) => {
    const name = section.index === 0 ? '' : names.at(section.nameOffset);
    const allocated = (section.flags & SectionFlag.ALLOC) !== 0n;
    if (allocated && (section.flags & SectionFlag.COMPRESSED) !== 0n)
      throw badElf(`section ${section.index} (${name}) is compressed`);
    return {
      index: section.index,
      name,
      type: section.type,
      writable: (section.flags & SectionFlag.WRITE) !== 0n,
      allocated,
      executable: (section.flags & SectionFlag.EXECINSTR) !== 0n,
      size:
        section.index === 0
          ? 0
          : within(section.size, MAX_OBJECT_BYTES, `section ${section.index} (${name}): its size`),
      bytes: contentOf(section, `section ${section.index} (${name})`),
      link: section.link,
      info: section.info,
    };
  });
}

function readSymbols(sections: readonly Section[]): ElfSymbol[] {
  const tables = sections.filter((section) => section.type === SectionType.SYMTAB);
  if (tables.length === 0) return [];
  if (tables.length > 1) throw badElf(`the object has ${tables.length} symbol tables`);
  const table = tables[0];
  if (table.bytes.length % SYMBOL_BYTES !== 0)
    throw badElf(`the symbol table has ${table.bytes.length} bytes, not a multiple of ${SYMBOL_BYTES}`);
  const count = table.bytes.length / SYMBOL_BYTES;
  if (count > MAX_SYMBOLS) throw badElf(`the object has ${count} symbols; at most ${MAX_SYMBOLS} are allowed`);
  const strings = sections[table.link];
  if (strings?.type !== SectionType.STRTAB)
    throw badElf(`symbol names are in section ${table.link}, not a string table`);
  const names = new StringTable(strings.bytes, 'BPF_BAD_ELF', 'symbol names');
  const entries = reader(table.bytes, 'the symbol table');
  return Array.from({ length: count }, (_, index) => {
    const nameOffset = entries.u32(true);
    const info = entries.u8();
    entries.skip(1);
    const sectionIndex = entries.u16(true);
    const value = entries.u64(true);
    const size = entries.u64(true);
    const type = info & 0x0f;
    const section = sectionIndex < SHN_LORESERVE ? sections[sectionIndex] : undefined;
    if (sectionIndex < SHN_LORESERVE && section === undefined)
      throw badElf(`symbol ${index} is in section ${sectionIndex} of ${sections.length}`);
    const ownName = nameOffset === 0 ? '' : names.at(nameOffset);
    const name = ownName === '' && type === SymbolType.SECTION && section !== undefined ? section.name : ownName;
    const global = info >> 4 !== STB_LOCAL;
    // Symbols outside the sections (files, absolute values, common blocks) are kept for the names in refusals only.
    if (section === undefined || section.index === SHN_UNDEF)
      return { name, type, global, section: sectionIndex, value: 0, size: 0 };
    const start = within(value, section.size, `symbol ${index} (${name}): its value in section ${section.name}`);
    const length = within(size, section.size - start, `symbol ${index} (${name}): its size in section ${section.name}`);
    return { name, type, global, section: sectionIndex, value: start, size: length };
  });
}

function bySection(symbols: readonly ElfSymbol[]): Map<number, ElfSymbol[]> {
  const sections = new Map<number, ElfSymbol[]>();
  for (const symbol of symbols) {
    const known = sections.get(symbol.section);
    if (known === undefined) sections.set(symbol.section, [symbol]);
    else known.push(symbol);
  }
  return sections;
}

function readRelocations(sections: readonly Section[], symbols: readonly ElfSymbol[]): Map<number, Relocation[]> {
  const relocations = new Map<number, Relocation[]>();
  let total = 0;
  for (const table of sections) {
    if (table.type !== SectionType.REL && table.type !== SectionType.RELA) continue;
    const target = sections[table.info];
    if (target === undefined || table.info === 0)
      throw badElf(`${table.name} relocates section ${table.info} of ${sections.length}`);
    // Only what runs or is data of it matters; clang also relocates its debug sections.
    if (!target.allocated) continue;
    if (table.type === SectionType.RELA)
      throw badElf(`${table.name} has relocations with addends (RELA), which eBPF objects do not use`);
    if (table.bytes.length % REL_BYTES !== 0)
      throw badElf(`${table.name} has ${table.bytes.length} bytes, not a multiple of ${REL_BYTES}`);
    total += table.bytes.length / REL_BYTES;
    if (total > MAX_RELOCATIONS) throw badElf(`the object has more than ${MAX_RELOCATIONS} relocations`);
    const list = relocations.get(target.index) ?? [];
    const entries = reader(table.bytes, table.name);
    while (entries.remaining > 0) {
      const offset = within(entries.u64(true), target.size, `${table.name}: the offset of a relocation`);
      const type = entries.u32(true);
      const symbolIndex = entries.u32(true);
      const symbol = symbols[symbolIndex];
      if (symbol === undefined) throw badElf(`${table.name}: symbol ${symbolIndex} of ${symbols.length}`);
      list.push({ offset, type, symbol });
    }
    relocations.set(target.index, list);
  }
  for (const list of relocations.values()) list.sort((a, b) => a.offset - b.offset);
  return relocations;
}
