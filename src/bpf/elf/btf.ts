import { ByteReader } from '../../bytes/index.ts';
import { BpfError } from '../errors.ts';
import { StringTable } from './string-table.ts';

const MAGIC = 0xeb9f;
const MAX_TYPES = 262_144;
/** How many typedefs, qualifiers and arrays may stand before a type that has a size. */
const MAX_DEPTH = 32;
const POINTER_BYTES = 8;

/** Kinds of type (Linux, Documentation/bpf/btf.rst). */
export const BtfKind = {
  VOID: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** Names are offsets in the strings: most are never asked for. */
export interface BtfMember {
  readonly nameOffset: number;
  readonly type: number;
}

export interface BtfType {
  readonly kind: number;
  readonly nameOffset: number;
  /** Bytes, of the kinds that have a size; of the others the type referred to. */
  readonly sizeOrType: number;
  /** Of STRUCT and UNION. */
  readonly members: readonly BtfMember[];
  /** Of ARRAY. */
  readonly array?: { readonly type: number; readonly count: number };
}

function badBtf(message: string): BpfError {
  return new BpfError('BPF_BAD_BTF', message);
}

/** The type information of an object's `.BTF` section. Type ids are counted from 1; 0 is void. */
export class Btf {
  readonly strings: StringTable;
  readonly #types: readonly BtfType[];
  readonly #variables = new Map<string, number[]>();

  constructor(bytes: Uint8Array) {
    const header = btfReader(bytes, '.BTF');
    const headerBytes = checkBtfHeader(header, '.BTF');
    const typeOffset = header.u32(true);
    const typeBytes = header.u32(true);
    const stringOffset = header.u32(true);
    const stringBytes = header.u32(true);
    const strings = btfReader(bytes, '.BTF strings');
    strings.skip(headerBytes);
    strings.skip(stringOffset);
    this.strings = new StringTable(strings.take(stringBytes), 'BPF_BAD_BTF', '.BTF strings');
    const types = btfReader(bytes, '.BTF types');
    types.skip(headerBytes);
    types.skip(typeOffset);
    this.#types = readTypes(types.sub(typeBytes));
    for (const { kind, nameOffset, sizeOrType } of this.#types) {
      if (kind !== BtfKind.VAR) continue;
      const name = this.strings.at(nameOffset);
      const known = this.#variables.get(name);
      if (known === undefined) this.#variables.set(name, [sizeOrType]);
      else known.push(sizeOrType);
    }
  }

  nameOf({ nameOffset }: { readonly nameOffset: number }): string {
    return this.strings.at(nameOffset);
  }

  /** The type of the variable; `undefined` when none or several have the name. */
  typeOfVariable(name: string): BtfType | undefined {
    const types = this.#variables.get(name);
    return types?.length === 1 ? this.resolve(types[0]) : undefined;
  }

  type(id: number): BtfType {
    const type = this.#types[id];
    if (type === undefined) throw badBtf(`.BTF has no type ${id}`);
    return type;
  }

  /** The type behind typedefs and qualifiers. */
  resolve(id: number): BtfType {
    let type = this.type(id);
    for (let depth = 0; isAlias(type.kind); depth++) {
      if (depth === MAX_DEPTH) throw badBtf(`.BTF: type ${id} is more than ${MAX_DEPTH} typedefs deep`);
      type = this.type(type.sizeOrType);
    }
    return type;
  }

  /** Bytes of a value of the type. */
  sizeOf(id: number): number {
    let count = 1;
    for (let at = id, depth = 0; depth < MAX_DEPTH; depth++) {
      const type = this.resolve(at);
      if (type.kind === BtfKind.PTR) return count * POINTER_BYTES;
      if (type.array === undefined) {
        if (!hasSize(type.kind)) throw badBtf(`.BTF: type ${at} (kind ${type.kind}) has no size`);
        return count * type.sizeOrType;
      }
      count *= type.array.count;
      at = type.array.type;
    }
    throw badBtf(`.BTF: type ${id} is an array more than ${MAX_DEPTH} dimensions deep`);
  }
}

export function btfReader(bytes: Uint8Array, what: string): ByteReader {
  return new ByteReader(bytes, (need, offset) => badBtf(`${what}: cut, ${need} bytes needed at offset ${offset}`));
}

/** Checks what `.BTF` and `.BTF.ext` begin with and gives the length of the whole header. */
export function checkBtfHeader(header: ByteReader, what: string): number {
  const magic = header.u16(true);
  if (magic !== MAGIC) throw badBtf(`${what}: starts with 0x${magic.toString(16)}, not 0x${MAGIC.toString(16)}`);
  const version = header.u8();
  if (version !== 1) throw badBtf(`${what}: version ${version}; only 1 is known`);
  header.skip(1);
  return header.u32(true);
}

function isAlias(kind: number): boolean {
  return (
    kind === BtfKind.TYPEDEF ||
    kind === BtfKind.CONST ||
    kind === BtfKind.VOLATILE ||
    kind === BtfKind.RESTRICT ||
    kind === BtfKind.TYPE_TAG
  );
}

function hasSize(kind: number): boolean {
  return (
    kind === BtfKind.INT ||
    kind === BtfKind.STRUCT ||
    kind === BtfKind.UNION ||
    kind === BtfKind.ENUM ||
    kind === BtfKind.ENUM64 ||
    kind === BtfKind.FLOAT ||
    kind === BtfKind.DATASEC
  );
}

function readTypes(reader: ByteReader): BtfType[] {
  const types: BtfType[] = [{ kind: BtfKind.VOID, nameOffset: 0, sizeOrType: 0, members: [] }];
  while (reader.remaining > 0) {
    if (types.length > MAX_TYPES) throw badBtf(`.BTF has more than ${MAX_TYPES} types`);
    types.push(readType(reader, types.length));
  }
  return types;
}

/**
 *     u32 name   u32 info: count 0..15, kind 24..28, flag 31   u32 size or type   then by kind
 */
function readType(reader: ByteReader, id: number): BtfType {
  const nameOffset = reader.u32(true);
  const info = reader.u32(true);
  const sizeOrType = reader.u32(true);
  const count = info & 0xffff;
  const kind = (info >>> 24) & 0x1f;
  const base = { kind, nameOffset, sizeOrType, members: [] };
  switch (kind) {
    case BtfKind.PTR:
    case BtfKind.FWD:
    case BtfKind.TYPEDEF:
    case BtfKind.VOLATILE:
    case BtfKind.CONST:
    case BtfKind.RESTRICT:
    case BtfKind.FUNC:
    case BtfKind.FLOAT:
    case BtfKind.TYPE_TAG:
      return base;
    case BtfKind.INT:
    case BtfKind.VAR:
    case BtfKind.DECL_TAG:
      reader.skip(4);
      return base;
    case BtfKind.ARRAY: {
      const type = reader.u32(true);
      reader.skip(4);
      return { ...base, array: { type, count: reader.u32(true) } };
    }
    case BtfKind.STRUCT:
    case BtfKind.UNION: {
      const members = Array.from({ length: count }, () => {
        const member = { nameOffset: reader.u32(true), type: reader.u32(true) };
        reader.skip(4);
        return member;
      });
      return { ...base, members };
    }
    case BtfKind.ENUM:
    case BtfKind.FUNC_PROTO:
      reader.skip(8 * count);
      return base;
    case BtfKind.ENUM64:
    case BtfKind.DATASEC:
      reader.skip(12 * count);
      return base;
    default:
      throw badBtf(`.BTF: type ${id} has kind ${kind}, which is not known here; compile without -g or strip .BTF`);
  }
}
