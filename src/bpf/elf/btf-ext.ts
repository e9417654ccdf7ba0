import type { ByteReader } from '../../bytes/index.ts';
import { BpfError } from '../errors.ts';
import type { SourceLine } from '../program.ts';
import { type Btf, btfReader, checkBtfHeader } from './btf.ts';

const MAX_RECORDS = 262_144;
const FUNC_RECORD_BYTES = 8;
const LINE_RECORD_BYTES = 16;
const CORE_RECORD_BYTES = 16;
const SLOT_BYTES = 8;

/** A function of a section: where it starts, in instruction slots, and its name. */
export interface FunctionInfo {
  readonly slot: number;
  readonly name: string;
}

/** What `.BTF.ext` says of one code section; slots are counted from the section's start. */
export interface SectionInfo {
  readonly functions: readonly FunctionInfo[];
  /** Sorted by pc. */
  readonly lines: readonly SourceLine[];
  /** Slots of instructions that a loader with the kernel's types would have to rewrite. */
  readonly coreRelocations: readonly number[];
}

const NOTHING: SectionInfo = { functions: [], lines: [], coreRelocations: [] };

/** clang joins directory and name as it was given them: `./filter.c`, `/src/./oko.h`. */
function plainPath(path: string): string {
  return path.replaceAll('/./', '/').replace(/^(\.\/)+/, '');
}

/**
 * The object's `.BTF.ext` section: three lists (functions, source lines, CO-RE relocations), each
 *
 *     u32 record size, then for each code section: u32 section name, u32 count, records
 *
 * Records start with the instruction's byte offset. clang's relocations of this section only repeat the section's start.
 */
export class BtfExt {
  readonly #sections = new Map<string, { functions: FunctionInfo[]; lines: SourceLine[]; coreRelocations: number[] }>();

  constructor(bytes: Uint8Array, btf: Btf) {
    const header = btfReader(bytes, '.BTF.ext');
    const headerBytes = checkBtfHeader(header, '.BTF.ext');
    const list = (what: string): ByteReader => {
      const offset = header.u32(true);
      const length = header.u32(true);
      const at = btfReader(bytes, `.BTF.ext ${what}`);
      at.skip(headerBytes);
      at.skip(offset);
      return at.sub(length);
    };
    const functions = list('functions');
    const lines = list('lines');
    // Older compilers write a header without the third list.
    const coreRelocations = header.offset + 8 <= headerBytes ? list('CO-RE relocations') : undefined;
    this.#read(btf, functions, FUNC_RECORD_BYTES, (section, record, slot) => {
      section.functions.push({ slot, name: btf.nameOf(btf.type(record.u32(true))) });
    });
    this.#read(btf, lines, LINE_RECORD_BYTES, (section, record, pc) => {
      const file = plainPath(btf.strings.at(record.u32(true)));
      const text = btf.strings.at(record.u32(true)).trim();
      const position = record.u32(true);
      // Line 0 is code that the compiler made up; it is counted to the line before.
      if (position >>> 10 === 0) return;
      section.lines.push({ pc, file, line: position >>> 10, column: position & 0x3ff, text });
    });
    if (coreRelocations !== undefined)
      this.#read(btf, coreRelocations, CORE_RECORD_BYTES, (section, _record, slot) => {
        section.coreRelocations.push(slot);
      });
    for (const section of this.#sections.values()) section.lines.sort((a, b) => a.pc - b.pc);
  }

  of(sectionName: string): SectionInfo {
    return this.#sections.get(sectionName) ?? NOTHING;
  }

  #read(
    btf: Btf,
    list: ByteReader,
    leastBytes: number,
    add: (
      section: { functions: FunctionInfo[]; lines: SourceLine[]; coreRelocations: number[] },
      record: ByteReader,
      slot: number,
    ) => void,
  ): void {
    if (list.remaining === 0) return;
    const recordBytes = list.u32(true);
    if (recordBytes < leastBytes)
      throw new BpfError(
        'BPF_BAD_BTF',
        `.BTF.ext: records have ${recordBytes} bytes; at least ${leastBytes} are needed`,
      );
    let total = 0;
    while (list.remaining > 0) {
      const name = btf.strings.at(list.u32(true));
      const count = list.u32(true);
      total += count;
      if (total > MAX_RECORDS)
        throw new BpfError('BPF_BAD_BTF', `.BTF.ext has more than ${MAX_RECORDS} records in a list`);
      const section = this.#sections.get(name) ?? { functions: [], lines: [], coreRelocations: [] };
      this.#sections.set(name, section);
      for (let i = 0; i < count; i++) {
        const record = list.sub(recordBytes);
        add(section, record, Math.floor(record.u32(true) / SLOT_BYTES));
      }
    }
  }
}
