import { BpfError } from '../errors.ts';
import type { MapDefinition } from '../maps/definition.ts';
import type { Program } from '../program.ts';
import { Btf } from './btf.ts';
import { BtfExt, type SectionInfo } from './btf-ext.ts';
import type { CodeFunction, CodeSection } from './code-section.ts';
import { ElfFile } from './elf-file.ts';
import { linkProgram } from './link.ts';
import { ObjectCode } from './object-code.ts';
import { ObjectMaps } from './object-maps.ts';

const NO_INFO: SectionInfo = { functions: [], lines: [], coreRelocations: [] };
/** Calls that lead nowhere; more make the object hopeless. */
const MAX_BAD_CALLS = 1000;
/** Most instructions of all programs together, local functions counted in each. */
const MAX_LINKED = 1_048_576;
/** The function that is meant when nobody says which. */
const DEFAULT_FUNCTION = 'entry';

/** Which program of an object: by the section it is in, by the name of its function, or both. */
export interface ProgramChoice {
  readonly section?: string;
  readonly function?: string;
}

/** Where a program of an object starts. */
export interface ProgramEntry {
  readonly section: string;
  readonly function: string;
}

/** A compiled object: its maps, and its programs, which are linked when they are asked for. */
export class LoadedObject {
  /** Every program's `maps`: the declared ones in the object's order, then global data. */
  readonly maps: readonly MapDefinition[];
  readonly #maps: ObjectMaps;
  readonly #code: ObjectCode;
  readonly #entries: readonly CodeFunction[];
  readonly #linked = new Map<CodeFunction, Program>();

  constructor(bytes: Uint8Array) {
    const file = new ElfFile(bytes);
    const btfSection = file.section('.BTF');
    const btf = btfSection === undefined ? undefined : new Btf(btfSection.bytes);
    const extSection = file.section('.BTF.ext');
    const ext = btf === undefined || extSection === undefined ? undefined : new BtfExt(extSection.bytes, btf);
    this.#code = new ObjectCode(file, (name) => ext?.of(name) ?? NO_INFO);
    this.#maps = new ObjectMaps(file, this.#code, btf);
    this.maps = this.#maps.definitions;
    this.#entries = findEntries(this.#code);
    if (this.#entries.length === 0)
      throw new BpfError('BPF_NO_PROGRAM', 'the object has no program: no section holds instructions');
  }

  /** The functions that are programs: those that are not static and that no other function of the object calls. */
  get entries(): readonly ProgramEntry[] {
    return this.#entries.map(describe);
  }

  /** Every program, linked. Throws when one of them cannot be. */
  get programs(): readonly Program[] {
    let total = 0;
    return this.#entries.map((entry) => {
      const program = this.#link(entry);
      total += program.instructions.length;
      if (total > MAX_LINKED)
        throw new BpfError(
          'BPF_OBJECT_TOO_LARGE',
          `the programs of the object have more than ${MAX_LINKED} instructions`,
        );
      return program;
    });
  }

  /**
   * The one program that the choice fits; of several, the one called `entry`. By its name any function can be chosen,
   * a static one too.
   */
  select(choice: ProgramChoice = {}): Program {
    const functions =
      choice.function === undefined ? this.#entries : this.#code.sections.flatMap((section) => section.functions);
    const fitting = functions.filter(
      (func) =>
        (choice.section === undefined || choice.section === func.code.section.name) &&
        (choice.function === undefined || choice.function === func.name),
    );
    const chosen = fitting.length === 1 ? fitting[0] : fitting.find((func) => func.name === DEFAULT_FUNCTION);
    if (chosen !== undefined) return this.#link(chosen);
    if (fitting.length === 0)
      throw new BpfError(
        'BPF_NO_PROGRAM',
        `the object has no program${choiceText(choice)}; it has ${listText(this.#entries)}`,
      );
    throw new BpfError(
      'BPF_AMBIGUOUS_PROGRAM',
      `the object has several programs${choiceText(choice)}; choose one: ${listText(fitting)}`,
    );
  }

  #link(entry: CodeFunction): Program {
    const known = this.#linked.get(entry);
    if (known !== undefined) return known;
    const program = linkProgram(entry, this.#code, this.#maps);
    this.#linked.set(entry, program);
    return program;
  }
}

/** Reads an object file that a compiler made for eBPF. Throws BpfError for anything that is not one. */
export function loadObject(bytes: Uint8Array): LoadedObject {
  return new LoadedObject(bytes);
}

function findEntries(code: ObjectCode): CodeFunction[] {
  const called = new Set<CodeFunction>();
  let bad = 0;
  for (const section of code.sections)
    for (let slot = 0; slot < section.instructions.length; slot++) {
      try {
        const callee = code.callee(section, slot);
        if (callee !== undefined && !holds(callee, section, slot)) called.add(callee);
      } catch (error) {
        // A call that leads nowhere is refused when its program is linked, not when another one is asked for.
        if (!(error instanceof BpfError) || ++bad > MAX_BAD_CALLS) throw error;
      }
    }
  const functions = code.sections.flatMap((section) => section.functions);
  const global = functions.filter((func) => func.global);
  const roots = global.filter((func) => !called.has(func) || func.name === DEFAULT_FUNCTION);
  return [roots, global, functions].find((list) => list.length > 0) ?? [];
}

function holds({ code, start, length }: CodeFunction, section: CodeSection, slot: number): boolean {
  return code === section && slot >= start && slot < start + length;
}

function describe(func: CodeFunction): ProgramEntry {
  return { section: func.code.section.name, function: func.name };
}

function choiceText({ section, function: name }: ProgramChoice): string {
  return `${section === undefined ? '' : ` in section ${section}`}${name === undefined ? '' : ` called ${name}`}`;
}

function listText(functions: readonly CodeFunction[]): string {
  const shown = functions.slice(0, 20).map((func) => `${func.name} (section ${func.code.section.name})`);
  return shown.join(', ') + (functions.length > shown.length ? `, and ${functions.length - shown.length} more` : '');
}
