import { decodeSlots, SLOT_BYTES } from '../codec.ts';
import { BpfError } from '../errors.ts';
import { Opcode, Pseudo } from '../isa.ts';
import type { Instruction } from '../program.ts';
import type { SectionInfo } from './btf-ext.ts';
import { type ElfFile, type Relocation, type Section, SymbolType } from './elf-file.ts';

/** A function of the object; `start` and `length` in instruction slots of its section. */
export interface CodeFunction {
  readonly name: string;
  readonly code: CodeSection;
  readonly start: number;
  readonly length: number;
  /** Not `static`. */
  readonly global: boolean;
}

interface FunctionStart {
  readonly name: string;
  /** Bytes; 0 when not known. */
  readonly size: number;
  readonly global: boolean;
}

/** One executable section: its instructions as they stand in the file, its functions, and what patches them. */
export class CodeSection {
  readonly section: Section;
  readonly instructions: readonly Instruction[];
  /** By start. */
  readonly functions: readonly CodeFunction[];
  readonly info: SectionInfo;
  readonly #relocations: ReadonlyMap<number, Relocation>;

  constructor(file: ElfFile, section: Section, info: SectionInfo) {
    if (section.bytes.length % SLOT_BYTES !== 0)
      throw new BpfError(
        'BPF_BAD_FUNCTION',
        `section ${section.name} has ${section.bytes.length} bytes, not a multiple of ${SLOT_BYTES}`,
      );
    this.section = section;
    this.info = info;
    this.instructions = decodeSlots(section.bytes);
    this.#relocations = relocationsBySlot(file, section);
    this.functions = this.#functionsFrom(this.#functionStarts(file));
  }

  relocationAt(slot: number): Relocation | undefined {
    return this.#relocations.get(slot);
  }

  /** Slots that a relocation patches. */
  relocatedSlots(): Iterable<number> {
    return this.#relocations.keys();
  }

  /** `section .text, instruction 12` */
  where(slot: number): string {
    return `section ${this.section.name}, instruction ${slot}`;
  }

  /** Functions one after another; they move when they are linked, so they must not share code. */
  #functionsFrom(starts: ReadonlyMap<number, FunctionStart>): CodeFunction[] {
    const sorted = [...starts].sort(([a], [b]) => a - b);
    return sorted.map(([start, { name, size, global }], index) => {
      const next = sorted[index + 1];
      const end = next?.[0] ?? this.instructions.length;
      const length = size === 0 ? end - start : size / SLOT_BYTES;
      if (start + length > end)
        throw new BpfError(
          'BPF_BAD_FUNCTION',
          `section ${this.section.name}: function ${name} reaches into ${next?.[1].name ?? 'what follows'}`,
        );
      return { name, code: this, start, length, global };
    });
  }

  #functionStarts(file: ElfFile): Map<number, FunctionStart> {
    const starts = new Map<number, FunctionStart>();
    for (const { type, value, size, name, global } of file.symbolsOf(this.section)) {
      if (type !== SymbolType.FUNC) continue;
      if (value % SLOT_BYTES !== 0 || size % SLOT_BYTES !== 0 || value >= this.section.size)
        throw new BpfError('BPF_BAD_FUNCTION', `function ${name} does not consist of whole instructions`);
      const slot = value / SLOT_BYTES;
      // Of several names the one that others may use.
      if (!starts.has(slot) || (global && starts.get(slot)?.global === false)) starts.set(slot, { name, size, global });
    }
    if (starts.size > 0) return starts;
    for (const { slot, name } of this.info.functions)
      if (slot < this.instructions.length) starts.set(slot, { name, size: 0, global: true });
    if (starts.size > 0) return starts;
    // Without any names the section is one function, and whatever it calls in itself others.
    starts.set(0, { name: this.section.name, size: 0, global: true });
    for (const [slot, instruction] of this.instructions.entries()) {
      if (!isLocalCall(instruction) || this.#relocations.has(slot)) continue;
      const start = slot + 1 + instruction.imm;
      if (start < 0 || start >= this.instructions.length || starts.has(start)) continue;
      starts.set(start, { name: `${this.section.name}+${start}`, size: 0, global: false });
    }
    return starts;
  }
}

export function isLocalCall(instruction: Instruction): boolean {
  return instruction.opcode === Opcode.CALL && instruction.src === Pseudo.CALL_LOCAL;
}

function relocationsBySlot(file: ElfFile, section: Section): Map<number, Relocation> {
  const relocations = new Map<number, Relocation>();
  for (const relocation of file.relocationsOf(section)) {
    const slot = relocation.offset / SLOT_BYTES;
    const where = `section ${section.name}: the relocation at byte ${relocation.offset}`;
    if (!Number.isInteger(slot) || relocation.offset >= section.size)
      throw new BpfError('BPF_BAD_RELOCATION', `${where} is not at an instruction`);
    if (relocations.has(slot)) throw new BpfError('BPF_BAD_RELOCATION', `${where} is the second one there`);
    relocations.set(slot, relocation);
  }
  return relocations;
}
