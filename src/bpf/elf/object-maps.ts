import { BpfError } from '../errors.ts';
import type { MapDefinition } from '../maps/definition.ts';
import { checkMapDefinition } from '../maps/definition-check.ts';
import { type Btf, BtfKind } from './btf.ts';
import { readBtfMap } from './btf-map.ts';
import type { CodeSection } from './code-section.ts';
import { type ElfFile, type Section, SymbolType } from './elf-file.ts';
import { isUsedAsMap, StepBudget } from './map-use.ts';
import type { DataTarget, ObjectCode } from './object-code.ts';
import { OKO_MAP_BYTES, readOkoMap } from './oko-map.ts';

/** Most maps of an object, sections of global data included. */
export const MAX_MAPS = 256;
/** Most bytes of all global data of an object. */
const MAX_GLOBAL_DATA_BYTES = 16 * 1024 * 1024;
/** Instructions that are followed in all to find out which variables are maps. */
const MAX_STEPS = 1_000_000;
/** References that cannot be resolved; more make the object hopeless. */
const MAX_BAD_REFERENCES = 1000;

/** What a lddw refers to: a map, or a byte of a global-data map's only value. */
export type MapReference =
  | { readonly kind: 'map'; readonly index: number }
  | { readonly kind: 'value'; readonly index: number; readonly offset: number };

interface Declared {
  readonly section: Section;
  readonly offset: number;
  readonly definition: MapDefinition;
}

/**
 * The maps of an object, numbered: first those that it declares, by section and offset, then a map of one element for
 * each data section that a program refers to.
 *
 * - Everything in a section called `maps` is one of Oko's map structs, everything in `.maps` a BTF-style definition.
 * - In any other data section (`.data` as the original Oko had it, `.rodata`) a variable is a map when its type
 *   information says that it is a struct of Oko's five words, or when a program passes its address as the map of a helper; all
 *   the rest of the section is ordinary global data. A variable that nothing of both says to be a map is data.
 */
export class ObjectMaps {
  readonly definitions: readonly MapDefinition[];
  readonly #file: ElfFile;
  readonly #declared = new Map<Section, Map<number, number>>();
  readonly #globals = new Map<Section, number>();

  constructor(file: ElfFile, code: ObjectCode, btf: Btf | undefined) {
    this.#file = file;
    const references = referencesOf(code);
    const declared = [...this.#inMapSections(btf), ...this.#inDataSections(references, code, btf)];
    declared.sort((a, b) => a.section.index - b.section.index || a.offset - b.offset);
    const definitions: MapDefinition[] = [];
    for (const { section, offset, definition } of declared) {
      const ofSection = this.#declared.get(section) ?? new Map<number, number>();
      this.#declared.set(section, ofSection);
      ofSection.set(offset, definitions.length);
      definitions.push(definition);
    }
    let bytes = 0;
    for (const section of this.#globalSections(references)) {
      bytes += section.size;
      if (bytes > MAX_GLOBAL_DATA_BYTES)
        throw new BpfError(
          'BPF_OBJECT_TOO_LARGE',
          `the object has more than ${MAX_GLOBAL_DATA_BYTES} bytes of global data`,
        );
      this.#globals.set(section, definitions.length);
      definitions.push(globalData(section));
    }
    if (definitions.length > MAX_MAPS)
      throw new BpfError(
        'BPF_TOO_MANY_MAPS',
        `the object has ${definitions.length} maps; at most ${MAX_MAPS} are allowed`,
      );
    this.definitions = definitions;
  }

  /** `where` names the instruction in refusals. */
  resolve(target: DataTarget, where: string): MapReference {
    const index = this.#declared.get(target.section)?.get(target.offset);
    if (index !== undefined) return { kind: 'map', index };
    const global = this.#globals.get(target.section);
    if (global === undefined)
      throw new BpfError(
        'BPF_BAD_RELOCATION',
        `${where}: refers to byte ${target.offset} of section ${target.section.name}, where no map starts`,
      );
    if (this.#file.relocationsOf(target.section).length > 0)
      throw new BpfError(
        'BPF_UNSUPPORTED_RELOCATION',
        `${where}: section ${target.section.name} holds addresses (pointers as initial values), which are not supported`,
      );
    return { kind: 'value', index: global, offset: target.offset };
  }

  *#inMapSections(btf: Btf | undefined): Iterable<Declared> {
    for (const section of this.#file.sections) {
      if (!isMapSection(section) || section.size === 0) continue;
      const variables = variablesOf(this.#file, section);
      if (section.name === '.maps') {
        if (btf === undefined || variables.length === 0)
          throw new BpfError(
            'BPF_BAD_MAP',
            'section .maps declares maps by their types, but the object has no type information; compile with -g',
          );
        for (const { name, offset } of variables) yield { section, offset, definition: readBtfMap(name, btf) };
        continue;
      }
      for (const { name, offset, size } of variables.length > 0 ? variables : unnamed(section))
        yield { section, offset, definition: readOkoMap(name, section.bytes.subarray(offset, offset + size)) };
    }
  }

  *#inDataSections(references: readonly Reference[], code: ObjectCode, btf: Btf | undefined): Iterable<Declared> {
    const budget = new StepBudget(MAX_STEPS);
    const bySection = new Map<Section, Map<number, Reference[]>>();
    for (const reference of references) {
      const { section, offset } = reference.target;
      if (!holdsGlobals(section)) continue;
      const byOffset = bySection.get(section) ?? new Map<number, Reference[]>();
      bySection.set(section, byOffset);
      const known = byOffset.get(offset);
      if (known === undefined) byOffset.set(offset, [reference]);
      else known.push(reference);
    }
    for (const section of this.#file.sections) {
      if (!holdsGlobals(section) || code.sections.length === 0) continue;
      const variables = new Map(variablesOf(this.#file, section).map((variable) => [variable.offset, variable]));
      const offsets = new Set(bySection.get(section)?.keys());
      if (btf !== undefined)
        for (const { offset, name } of variables.values()) if (isOkoMapType(btf, name)) offsets.add(offset);
      for (const offset of offsets) {
        const variable = variables.get(offset);
        const size = variable?.size ?? Math.min(OKO_MAP_BYTES, section.size - offset);
        const name = variable?.name ?? `${section.name}+${offset}`;
        const byType = btf !== undefined && variable !== undefined && isOkoMapType(btf, name);
        const uses = bySection.get(section)?.get(offset) ?? [];
        if (!byType && !uses.some(({ slot, from }) => isUsedAsMap(from, slot, budget))) continue;
        const bytes = section.bytes.subarray(offset, offset + size);
        yield { section, offset, definition: readOkoMap(name, bytes) };
      }
    }
  }

  #globalSections(references: readonly Reference[]): Section[] {
    const sections = new Set<Section>();
    for (const { target } of references)
      if (holdsGlobals(target.section) && this.#declared.get(target.section)?.has(target.offset) !== true)
        sections.add(target.section);
    return [...sections].sort((a, b) => a.index - b.index);
  }
}

interface Reference {
  readonly from: CodeSection;
  readonly slot: number;
  readonly target: DataTarget;
}

/** Every lddw of data in the object. One that cannot be resolved is refused when its program is linked, not here. */
function referencesOf(code: ObjectCode): Reference[] {
  const references: Reference[] = [];
  let bad = 0;
  for (const from of code.sections)
    for (const slot of from.relocatedSlots()) {
      try {
        const target = code.dataTarget(from, slot);
        if (target !== undefined) references.push({ from, slot, target });
      } catch (error) {
        if (!(error instanceof BpfError) || ++bad > MAX_BAD_REFERENCES) throw error;
      }
    }
  return references;
}

function isMapSection(section: Section): boolean {
  return section.allocated && !section.executable && (section.name === 'maps' || section.name === '.maps');
}

function holdsGlobals(section: Section): boolean {
  return section.allocated && !section.executable && section.size > 0 && !isMapSection(section);
}

interface Variable {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** The variables of a section by offset, one for each offset; the size of one without a size reaches to the next. */
function variablesOf(file: ElfFile, section: Section): Variable[] {
  const byOffset = new Map<number, Variable>();
  for (const { name, type, value, size } of file.symbolsOf(section)) {
    if (name === '' || (type !== SymbolType.OBJECT && type !== SymbolType.NOTYPE)) continue;
    if (value < section.size && !byOffset.has(value)) byOffset.set(value, { name, offset: value, size });
  }
  const sorted = [...byOffset.values()].sort((a, b) => a.offset - b.offset);
  return sorted.map((variable, i) =>
    variable.size > 0 ? variable : { ...variable, size: (sorted[i + 1]?.offset ?? section.size) - variable.offset },
  );
}

/** The map structs of a section without symbols. */
function unnamed(section: Section): Variable[] {
  const count = Math.ceil(section.size / OKO_MAP_BYTES);
  if (count > MAX_MAPS)
    throw new BpfError(
      'BPF_TOO_MANY_MAPS',
      `section ${section.name} has ${count} maps; at most ${MAX_MAPS} are allowed`,
    );
  return Array.from({ length: count }, (_, i) => ({
    name: `${section.name}+${i * OKO_MAP_BYTES}`,
    offset: i * OKO_MAP_BYTES,
    size: OKO_MAP_BYTES,
  }));
}

const okoMembers = ['type', 'key_size', 'value_size', 'max_entries', 'nb_hash_functions'];

function isOkoMapType(btf: Btf, variable: string): boolean {
  const type = btf.typeOfVariable(variable);
  return (
    type?.kind === BtfKind.STRUCT &&
    type.sizeOrType === OKO_MAP_BYTES &&
    type.members.length === okoMembers.length &&
    type.members.every((member, i) => btf.nameOf(member) === okoMembers[i])
  );
}

function globalData(section: Section): MapDefinition {
  const initial = new Uint8Array(section.size);
  initial.set(section.bytes);
  const map: MapDefinition = {
    name: section.name,
    kind: 'array',
    keySize: 4,
    valueSize: section.size,
    maxEntries: 1,
    hashCount: 0,
    initial,
    ...(section.writable ? {} : { readOnly: true }),
  };
  checkMapDefinition(map);
  return map;
}
