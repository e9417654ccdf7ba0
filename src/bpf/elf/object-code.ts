import { SLOT_BYTES } from '../codec.ts';
import { BpfError } from '../errors.ts';
import { Opcode } from '../isa.ts';
import type { SectionInfo } from './btf-ext.ts';
import { type CodeFunction, CodeSection, isLocalCall } from './code-section.ts';
import { type ElfFile, type Section, SHN_UNDEF } from './elf-file.ts';

/** Most instruction slots of all code sections of an object. */
const MAX_OBJECT_SLOTS = 262_144;

/** Relocations of code (Linux, Documentation/bpf/llvm_reloc.rst). */
const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;

/** Where a lddw points to: a byte of a section. */
export interface DataTarget {
  readonly section: Section;
  readonly offset: number;
}

/** All code of an object, and what its instructions refer to. */
export class ObjectCode {
  readonly sections: readonly CodeSection[];
  readonly #file: ElfFile;
  readonly #byIndex: ReadonlyMap<number, CodeSection>;
  readonly #functionAt: ReadonlyMap<CodeSection, ReadonlyMap<number, CodeFunction>>;

  constructor(file: ElfFile, infoOf: (sectionName: string) => SectionInfo) {
    const executable = file.sections.filter((section) => section.executable && section.bytes.length > 0);
    const slots = executable.reduce((sum, section) => sum + Math.ceil(section.bytes.length / SLOT_BYTES), 0);
    if (slots > MAX_OBJECT_SLOTS)
      throw new BpfError(
        'BPF_OBJECT_TOO_LARGE',
        `the object has ${slots} instructions; at most ${MAX_OBJECT_SLOTS} are allowed`,
      );
    this.#file = file;
    this.sections = executable.map((section) => new CodeSection(file, section, infoOf(section.name)));
    this.#byIndex = new Map(this.sections.map((code) => [code.section.index, code]));
    this.#functionAt = new Map(
      this.sections.map((code) => [code, new Map(code.functions.map((func) => [func.start, func]))]),
    );
  }

  /** The function that the call at this slot leads to, or `undefined` when it is not a local call. */
  callee(code: CodeSection, slot: number): CodeFunction | undefined {
    const instruction = code.instructions[slot];
    const relocation = code.relocationAt(slot);
    if (instruction.opcode !== Opcode.CALL) return undefined;
    const where = code.where(slot);
    if (relocation === undefined)
      return isLocalCall(instruction) ? this.#functionStartingAt(code, slot + 1 + instruction.imm, where) : undefined;
    const { symbol, type } = relocation;
    if (type !== R_BPF_64_32)
      throw new BpfError('BPF_BAD_RELOCATION', `${where}: a call is patched by relocation type ${type}`);
    if (symbol.section === SHN_UNDEF)
      throw new BpfError('BPF_UNDEFINED_SYMBOL', `${where}: function ${symbol.name} is not defined in the object`);
    const target = this.#byIndex.get(symbol.section);
    if (target === undefined || !isLocalCall(instruction))
      throw new BpfError('BPF_BAD_CALL', `${where}: ${symbol.name} is called, which is not a function`);
    // The immediate counts from the next instruction, as if the symbol stood there.
    return this.#functionStartingAt(target, symbol.value / SLOT_BYTES + instruction.imm + 1, where);
  }

  #functionStartingAt(code: CodeSection, slot: number, where: string): CodeFunction {
    const found = this.#functionAt.get(code)?.get(slot);
    if (found === undefined)
      throw new BpfError(
        'BPF_BAD_CALL',
        `${where}: calls instruction ${slot} of section ${code.section.name}, where no function starts`,
      );
    return found;
  }

  #functionName(section: Section, offset: number): string {
    const code = this.#byIndex.get(section.index);
    const func = code === undefined ? undefined : this.#functionAt.get(code)?.get(offset / SLOT_BYTES);
    return func?.name ?? `${section.name}+${offset}`;
  }

  /** What the lddw at this slot points to, or `undefined` when no relocation patches the slot. */
  dataTarget(code: CodeSection, slot: number): DataTarget | undefined {
    const relocation = code.relocationAt(slot);
    if (relocation === undefined) return undefined;
    const { symbol, type } = relocation;
    const where = code.where(slot);
    const instruction = code.instructions[slot];
    const tail = code.instructions[slot + 1];
    if (type !== R_BPF_64_64 || instruction.opcode !== Opcode.LDDW || tail === undefined)
      throw new BpfError('BPF_BAD_RELOCATION', `${where}: relocation type ${type} cannot patch this instruction`);
    if (symbol.section === SHN_UNDEF)
      throw new BpfError('BPF_UNDEFINED_SYMBOL', `${where}: variable ${symbol.name} is not defined in the object`);
    const section = this.#file.sections[symbol.section];
    if (section === undefined)
      throw new BpfError(
        'BPF_UNSUPPORTED_RELOCATION',
        `${where}: ${symbol.name} is a common or absolute symbol; compile with -fno-common`,
      );
    if (section.executable)
      throw new BpfError(
        'BPF_UNSUPPORTED_RELOCATION',
        `${where}: takes the address of function ${this.#functionName(section, symbol.value + instruction.imm)}; function pointers are not supported`,
      );
    if (!section.allocated)
      throw new BpfError('BPF_BAD_RELOCATION', `${where}: refers to section ${section.name}, which is not data`);
    // clang puts what is added to the symbol into the first immediate.
    const offset = symbol.value + instruction.imm;
    if (tail.imm !== 0 || offset < 0 || offset > section.size)
      throw new BpfError(
        'BPF_BAD_RELOCATION',
        `${where}: refers to a byte outside section ${section.name} (${section.size} bytes)`,
      );
    return { section, offset };
  }
}
