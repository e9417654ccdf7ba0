import { BinaryWriter } from './binary.ts';
import { FunctionCode } from './function-code.ts';
import { Op, ValueType } from './opcode.ts';

/** Section ids (WebAssembly 2.0, section 5.5.2), in the order they are written. */
const Section = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
} as const;

const ExternalKind = { function: 0, table: 1, memory: 2, global: 3 } as const;
type ExternalKind = (typeof ExternalKind)[keyof typeof ExternalKind];

const FUNCREF = 0x70;
const FUNCTION_TYPE = 0x60;
const MAGIC_AND_VERSION = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** Size of a memory in pages of 64 KiB, or of a table in entries. */
export interface Limits {
  readonly minimum: number;
  readonly maximum?: number;
  /** A shared memory needs a maximum. */
  readonly shared?: boolean;
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  readonly write: (out: BinaryWriter) => void;
}

function writeLimits(out: BinaryWriter, { minimum, maximum, shared = false }: Limits): void {
  if (shared && maximum === undefined) throw new RangeError('a shared memory needs a maximum');
  out.byte((maximum === undefined ? 0 : 1) | (shared ? 2 : 0));
  out.u32(minimum);
  if (maximum !== undefined) out.u32(maximum);
}

/**
 * Builds one WebAssembly module: imports first (they take the low indices), then what the module defines. Equal function
 * types are stored once.
 */
export class ModuleBuilder {
  readonly #types: { parameters: readonly ValueType[]; results: readonly ValueType[] }[] = [];
  readonly #typeIndex = new Map<string, number>();
  readonly #imports: Import[] = [];
  readonly #importCount: Record<ExternalKind, number> = { 0: 0, 1: 0, 2: 0, 3: 0 };
  readonly #functions: { type: number; code: FunctionCode }[] = [];
  readonly #tables: Limits[] = [];
  readonly #memories: Limits[] = [];
  readonly #globals: { type: ValueType; mutable: boolean; initial: number | bigint }[] = [];
  readonly #exports: { name: string; kind: ExternalKind; index: number }[] = [];
  readonly #elements: { table: number; offset: number; functions: readonly number[] }[] = [];

  /** The index of a function type. */
  functionType(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}:${results.join()}`;
    const known = this.#typeIndex.get(key);
    if (known !== undefined) return known;
    const index = this.#types.push({ parameters: [...parameters], results: [...results] }) - 1;
    this.#typeIndex.set(key, index);
    return index;
  }

  #import(kind: ExternalKind, defined: number, module: string, name: string, write: Import['write']): number {
    if (defined > 0) throw new RangeError(`import ${module}.${name} after a definition of its kind`);
    this.#imports.push({ module, name, kind, write });
    return this.#importCount[kind]++;
  }

  importFunction(module: string, name: string, type: number): number {
    return this.#import(ExternalKind.function, this.#functions.length, module, name, (out) => out.u32(type));
  }

  importMemory(module: string, name: string, limits: Limits): number {
    return this.#import(ExternalKind.memory, this.#memories.length, module, name, (out) => writeLimits(out, limits));
  }

  importTable(module: string, name: string, limits: Limits): number {
    return this.#import(ExternalKind.table, this.#tables.length, module, name, (out) => {
      out.byte(FUNCREF);
      writeLimits(out, limits);
    });
  }

  importGlobal(module: string, name: string, type: ValueType, mutable = false): number {
    return this.#import(ExternalKind.global, this.#globals.length, module, name, (out) => {
      out.byte(type);
      out.byte(mutable ? 1 : 0);
    });
  }

  /** A function whose code the caller writes before `encode`. */
  defineFunction(type: number): FunctionCode {
    const signature = this.#types[type];
    if (signature === undefined) throw new RangeError(`no function type ${type}`);
    const index = this.#importCount[ExternalKind.function] + this.#functions.length;
    const code = new FunctionCode(index, signature.parameters.length);
    this.#functions.push({ type, code });
    return code;
  }

  defineMemory(limits: Limits): number {
    return this.#importCount[ExternalKind.memory] + this.#memories.push(limits) - 1;
  }

  /** A table of function references. */
  defineTable(limits: Limits): number {
    return this.#importCount[ExternalKind.table] + this.#tables.push(limits) - 1;
  }

  /** An integer global. */
  defineGlobal(type: ValueType, mutable: boolean, initial: number | bigint): number {
    return this.#importCount[ExternalKind.global] + this.#globals.push({ type, mutable, initial }) - 1;
  }

  /** Fills a table from `offset` on at instantiation. */
  defineElements(table: number, offset: number, functions: readonly number[]): void {
    this.#elements.push({ table, offset, functions: [...functions] });
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, kind: ExternalKind.function, index });
  }

  exportMemory(name: string, index: number): void {
    this.#exports.push({ name, kind: ExternalKind.memory, index });
  }

  exportTable(name: string, index: number): void {
    this.#exports.push({ name, kind: ExternalKind.table, index });
  }

  exportGlobal(name: string, index: number): void {
    this.#exports.push({ name, kind: ExternalKind.global, index });
  }

  /** The binary module. */
  encode(): Uint8Array<ArrayBuffer> {
    const out = new BinaryWriter(1024);
    out.raw(MAGIC_AND_VERSION);
    section(out, Section.type, this.#types, (body, { parameters, results }) => {
      body.byte(FUNCTION_TYPE);
      body.u32(parameters.length);
      for (const type of parameters) body.byte(type);
      body.u32(results.length);
      for (const type of results) body.byte(type);
    });
    section(out, Section.import, this.#imports, (body, { module, name, kind, write }) => {
      body.name(module);
      body.name(name);
      body.byte(kind);
      write(body);
    });
    section(out, Section.function, this.#functions, (body, { type }) => body.u32(type));
    section(out, Section.table, this.#tables, (body, limits) => {
      body.byte(FUNCREF);
      writeLimits(body, limits);
    });
    section(out, Section.memory, this.#memories, writeLimits);
    section(out, Section.global, this.#globals, (body, { type, mutable, initial }) => {
      body.byte(type);
      body.byte(mutable ? 1 : 0);
      if (type !== ValueType.i32 && type !== ValueType.i64) throw new RangeError('only integer globals are written');
      body.byte(type === ValueType.i32 ? Op.i32Const : Op.i64Const);
      if (type === ValueType.i32) body.s32(Number(initial));
      else body.s64(initial);
      body.byte(Op.end);
    });
    section(out, Section.export, this.#exports, (body, { name, kind, index }) => {
      body.name(name);
      body.byte(kind);
      body.u32(index);
    });
    section(out, Section.element, this.#elements, (body, { table, offset, functions }) => {
      body.u32(table === 0 ? 0 : 2);
      if (table !== 0) body.u32(table);
      body.byte(Op.i32Const);
      body.s32(offset);
      body.byte(Op.end);
      if (table !== 0) body.byte(0);
      body.u32(functions.length);
      for (const index of functions) body.u32(index);
    });
    section(out, Section.code, this.#functions, (body, { code }) => code.writeTo(body));
    return out.finish();
  }
}

/** Writes a section as a vector of entries; nothing when there are none. */
function section<T>(
  out: BinaryWriter,
  id: number,
  entries: readonly T[],
  write: (body: BinaryWriter, entry: T) => void,
): void {
  if (entries.length === 0) return;
  const body = new BinaryWriter();
  body.u32(entries.length);
  for (const entry of entries) write(body, entry);
  out.byte(id);
  out.u32(body.length);
  out.append(body);
}
