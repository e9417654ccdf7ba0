/**
 * The eBPF instruction set of RFC 9669 as one table, INSTRUCTION_FORMS: the codec, assembler, disassembler, interpreter,
 * verifier and compiler all read what an instruction is from here.
 */

/** Low three bits of an opcode (RFC 9669 section 3.3). */
export const OpClass = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** Bit 3 of arithmetic and jump opcodes: the second operand is the immediate or the source register. */
export const Source = { IMM: 0x00, REG: 0x08 } as const;

/** High four bits of arithmetic opcodes (section 4.1). */
export const AluOp = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** High four bits of jump opcodes (section 4.3). */
export const JmpOp = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
} as const;

/** Bits 3 and 4 of load and store opcodes (section 5). */
export const Size = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;

/** Bits 5 to 7 of load and store opcodes (section 5). */
export const Mode = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 } as const;

/** `imm` of an atomic instruction (section 5.3); FETCH is a flag, part of XCHG and CMPXCHG. */
export const AtomicOp = { ADD: 0x00, OR: 0x40, AND: 0x50, XOR: 0xa0, FETCH: 0x01, XCHG: 0xe1, CMPXCHG: 0xf1 } as const;

/** `src` of lddw (section 5.4) and of call (section 4.3.1). */
export const Pseudo = {
  /** lddw: the 64-bit constant itself. */
  LDDW_IMM: 0,
  /** lddw: map number `imm` of the program. */
  LDDW_MAP: 1,
  /** lddw: address of byte `next imm` in the only value of map number `imm`. */
  LDDW_MAP_VALUE: 2,
  /** lddw: address of platform variable `imm`. */
  LDDW_VARIABLE: 3,
  /** lddw: address of the instruction `imm` slots from the next one. */
  LDDW_CODE: 4,
  /** lddw: map by index, a form of the kernel's loader interface. */
  LDDW_MAP_INDEX: 5,
  /** lddw: map value by map index, a form of the kernel's loader interface. */
  LDDW_MAP_INDEX_VALUE: 6,
  /** call: helper number `imm`. */
  CALL_HELPER: 0,
  /** call: the function `imm` slots from the next instruction. */
  CALL_LOCAL: 1,
  /** call: helper by BTF id `imm`. */
  CALL_BTF: 2,
} as const;

/** Opcodes that code about control flow asks for by name. */
export const Opcode = {
  /** Second slot of lddw. */
  LDDW_TAIL: 0x00,
  LDDW: 0x18,
  JA: 0x05,
  JA32: 0x06,
  CALL: 0x85,
  CALLX: 0x8d,
  EXIT: 0x95,
} as const;

/** Registers r0 to r10; r10 is the read-only frame pointer. */
export const REGISTER_COUNT = 11;
export const FRAME_POINTER = 10;

/** Conformance groups (section 2.4); `callx` is the indirect call that clang can emit and the RFC does not define. */
export type ConformanceGroup =
  | 'base32'
  | 'base64'
  | 'divmul32'
  | 'divmul64'
  | 'atomic32'
  | 'atomic64'
  | 'packet'
  | 'callx';

export type AluOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sdiv'
  | 'mod'
  | 'smod'
  | 'or'
  | 'and'
  | 'xor'
  | 'lsh'
  | 'rsh'
  | 'arsh'
  | 'mov';
export type JumpCondition = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'sgt' | 'sge' | 'slt' | 'sle' | 'set';
export type AtomicOperation = 'add' | 'or' | 'and' | 'xor' | 'xchg' | 'cmpxchg';
export type OperandSource = 'imm' | 'reg';

interface FormBase {
  /** Unique, e.g. `add32_imm`, `jsgt_reg`, `ldxsh`, `atomic64_fetch_add`. */
  readonly name: string;
  readonly opcode: number;
  readonly group: ConformanceGroup;
  /**
   * The instruction in llvm-objdump's syntax; assembler and disassembler both read it. A field in braces prints as
   *
   * - `{dst}`, `{src}`: r0 to r10; `{wdst}`, `{wsrc}`: w0 to w10; `{dst|w}`, `{src|w}`: r0 to r10, may be written w0 to w10
   * - `{offset}`: a displacement with its sign apart, ` + 0x4`; nothing written means 0
   * - `{imm}`: signed; `{uimm}`: the same field unsigned; `{plus_imm}`: as an offset, nothing when 0
   * - `{target}`: where `offset` leads, signed; `{target32}`: where `imm` leads
   * - `{imm64}`: both constants of a lddw; `{imm_next}`: the second
   */
  readonly syntax: string;
  /** The field, beside the opcode, whose value tells this form from others of the same opcode. */
  readonly selector?: { readonly field: 'src' | 'offset' | 'imm'; readonly value: number };
  /** Operand fields. One that is neither here nor the selector must be zero. */
  readonly uses: { readonly dst: boolean; readonly src: boolean; readonly offset: boolean; readonly imm: boolean };
}

/** What an instruction is: everything but its operands. */
export type InstructionForm = FormBase &
  (
    | { readonly kind: 'alu'; readonly op: AluOperation; readonly width: 32 | 64; readonly source: OperandSource }
    /** dst = -dst. */
    | { readonly kind: 'neg'; readonly width: 32 | 64 }
    /** dst = the low `bits` bits of src, sign-extended to `width`. */
    | { readonly kind: 'movsx'; readonly width: 32 | 64; readonly bits: 8 | 16 | 32 }
    /** Byte order of the low `bits` bits, upper bits cleared: to little endian, to big endian, or swapped always. */
    | { readonly kind: 'endian'; readonly op: 'le' | 'be' | 'bswap'; readonly bits: 16 | 32 | 64 }
    /** To the slot after this one plus `offset`. */
    | {
        readonly kind: 'jump';
        readonly condition: JumpCondition;
        readonly width: 32 | 64;
        readonly source: OperandSource;
      }
    /** Always, by `offset`, or by `imm` when `wide`. */
    | { readonly kind: 'goto'; readonly wide: boolean }
    | { readonly kind: 'call'; readonly target: 'helper' | 'local' | 'btf' | 'register' }
    | { readonly kind: 'exit' }
    /** dst = *(src + offset), zero- or sign-extended to 64 bits. */
    | { readonly kind: 'load'; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
    /** *(dst + offset) = imm (sign-extended) or src. */
    | { readonly kind: 'store'; readonly bytes: 1 | 2 | 4 | 8; readonly source: OperandSource }
    /** On *(dst + offset) with src; the old value goes to src when `fetch`, to r0 for cmpxchg (which compares with r0). */
    | { readonly kind: 'atomic'; readonly op: AtomicOperation; readonly bytes: 4 | 8; readonly fetch: boolean }
    /** r0 = big-endian field of the packet at `imm`, plus src when `indirect`; past the end the program ends with 0. */
    | { readonly kind: 'packet'; readonly bytes: 1 | 2 | 4; readonly indirect: boolean }
    /** Two slots. */
    | {
        readonly kind: 'lddw';
        readonly value: 'imm' | 'map' | 'map-value' | 'variable' | 'code' | 'map-index' | 'map-index-value';
      }
  );

export type InstructionKind = InstructionForm['kind'];

const NO_OPERANDS = { dst: false, src: false, offset: false, imm: false } as const;

function alu(): InstructionForm[] {
  const operations: readonly [AluOperation, number, string][] = [
    ['add', AluOp.ADD, '+='],
    ['sub', AluOp.SUB, '-='],
    ['mul', AluOp.MUL, '*='],
    ['div', AluOp.DIV, '/='],
    ['sdiv', AluOp.DIV, 's/='],
    ['or', AluOp.OR, '|='],
    ['and', AluOp.AND, '&='],
    ['lsh', AluOp.LSH, '<<='],
    ['rsh', AluOp.RSH, '>>='],
    ['mod', AluOp.MOD, '%='],
    ['smod', AluOp.MOD, 's%='],
    ['xor', AluOp.XOR, '^='],
    ['mov', AluOp.MOV, '='],
    ['arsh', AluOp.ARSH, 's>>='],
  ];
  const offsetSelected = new Map<AluOperation, number>([
    ['div', 0],
    ['sdiv', 1],
    ['mod', 0],
    ['smod', 1],
  ]);
  return widths.flatMap(({ width, opClass, letter }) =>
    operations.flatMap(([op, code, symbol]) =>
      sources.map(({ source, bit }): InstructionForm => {
        // A register move shares its opcode with the sign-extending moves, which have an offset.
        const selected = op === 'mov' && source === 'reg' ? 0 : offsetSelected.get(op);
        return {
          kind: 'alu',
          op,
          width,
          source,
          name: `${op}${width}_${source}`,
          opcode: opClass | code | bit,
          group: isDivMul(op) ? `divmul${width}` : `base${width}`,
          syntax: `{${letter}dst} ${symbol} ${source === 'imm' ? '{imm}' : `{${letter}src}`}`,
          ...(selected === undefined ? {} : { selector: { field: 'offset' as const, value: selected } }),
          uses: { dst: true, src: source === 'reg', offset: false, imm: source === 'imm' },
        };
      }),
    ),
  );
}

const widths = [
  { width: 32, opClass: OpClass.ALU, letter: 'w' },
  { width: 64, opClass: OpClass.ALU64, letter: '' },
] as const;
const sources = [
  { source: 'imm', bit: Source.IMM },
  { source: 'reg', bit: Source.REG },
] as const;

function isDivMul(op: AluOperation): boolean {
  return op === 'mul' || op === 'div' || op === 'sdiv' || op === 'mod' || op === 'smod';
}

function neg(): InstructionForm[] {
  return widths.map(({ width, opClass, letter }) => ({
    kind: 'neg',
    width,
    name: `neg${width}`,
    opcode: opClass | AluOp.NEG,
    group: `base${width}`,
    syntax: `{${letter}dst} = -{${letter}dst}`,
    uses: { ...NO_OPERANDS, dst: true },
  }));
}

function movsx(): InstructionForm[] {
  return widths.flatMap(({ width, opClass, letter }) =>
    ([8, 16, 32] as const)
      .filter((bits) => bits < width)
      .map(
        (bits): InstructionForm => ({
          kind: 'movsx',
          width,
          bits,
          name: `movsx${width}_${bits}`,
          opcode: opClass | AluOp.MOV | Source.REG,
          group: `base${width}`,
          syntax: `{${letter}dst} = (s${bits}){${letter}src}`,
          selector: { field: 'offset', value: bits },
          uses: { ...NO_OPERANDS, dst: true, src: true },
        }),
      ),
  );
}

function endian(): InstructionForm[] {
  const operations = [
    ['le', OpClass.ALU | AluOp.END | Source.IMM],
    ['be', OpClass.ALU | AluOp.END | Source.REG],
    ['bswap', OpClass.ALU64 | AluOp.END | Source.IMM],
  ] as const;
  return operations.flatMap(([op, opcode]) =>
    ([16, 32, 64] as const).map(
      (bits): InstructionForm => ({
        kind: 'endian',
        op,
        bits,
        name: `${op}${bits}`,
        opcode,
        group: bits === 64 ? 'base64' : 'base32',
        syntax: `{dst} = ${op}${bits} {dst}`,
        selector: { field: 'imm', value: bits },
        uses: { ...NO_OPERANDS, dst: true },
      }),
    ),
  );
}

function jumps(): InstructionForm[] {
  const conditions: readonly [JumpCondition, number, string][] = [
    ['eq', JmpOp.JEQ, '=='],
    ['gt', JmpOp.JGT, '>'],
    ['ge', JmpOp.JGE, '>='],
    ['set', JmpOp.JSET, '&'],
    ['ne', JmpOp.JNE, '!='],
    ['sgt', JmpOp.JSGT, 's>'],
    ['sge', JmpOp.JSGE, 's>='],
    ['lt', JmpOp.JLT, '<'],
    ['le', JmpOp.JLE, '<='],
    ['slt', JmpOp.JSLT, 's<'],
    ['sle', JmpOp.JSLE, 's<='],
  ];
  const jumpWidths = [
    { width: 64, opClass: OpClass.JMP, letter: '', suffix: '' },
    { width: 32, opClass: OpClass.JMP32, letter: 'w', suffix: '32' },
  ] as const;
  return jumpWidths.flatMap(({ width, opClass, letter, suffix }) =>
    conditions.flatMap(([condition, code, symbol]) =>
      sources.map(
        ({ source, bit }): InstructionForm => ({
          kind: 'jump',
          condition,
          width,
          source,
          name: `j${condition}${suffix}_${source}`,
          opcode: opClass | code | bit,
          group: `base${width}`,
          syntax: `if {${letter}dst} ${symbol} ${source === 'imm' ? '{imm}' : `{${letter}src}`} goto {target}`,
          uses: { dst: true, src: source === 'reg', offset: true, imm: source === 'imm' },
        }),
      ),
    ),
  );
}

const transfers: readonly InstructionForm[] = [
  {
    kind: 'goto',
    wide: false,
    name: 'ja',
    opcode: Opcode.JA,
    group: 'base32',
    syntax: 'goto {target}',
    uses: { ...NO_OPERANDS, offset: true },
  },
  {
    kind: 'goto',
    wide: true,
    name: 'ja32',
    opcode: Opcode.JA32,
    group: 'base32',
    syntax: 'gotol {target32}',
    uses: { ...NO_OPERANDS, imm: true },
  },
  {
    kind: 'call',
    target: 'helper',
    name: 'call',
    opcode: Opcode.CALL,
    group: 'base32',
    syntax: 'call {uimm}',
    selector: { field: 'src', value: Pseudo.CALL_HELPER },
    uses: { ...NO_OPERANDS, imm: true },
  },
  {
    kind: 'call',
    target: 'local',
    name: 'call_local',
    opcode: Opcode.CALL,
    group: 'base32',
    syntax: 'call {target32}',
    selector: { field: 'src', value: Pseudo.CALL_LOCAL },
    uses: { ...NO_OPERANDS, imm: true },
  },
  {
    kind: 'call',
    target: 'btf',
    name: 'call_btf',
    opcode: Opcode.CALL,
    group: 'base32',
    syntax: 'call btf {imm}',
    selector: { field: 'src', value: Pseudo.CALL_BTF },
    uses: { ...NO_OPERANDS, imm: true },
  },
  {
    kind: 'call',
    target: 'register',
    name: 'callx',
    opcode: Opcode.CALLX,
    group: 'callx',
    syntax: 'callx {dst}',
    uses: { ...NO_OPERANDS, dst: true },
  },
  {
    kind: 'exit',
    name: 'exit',
    opcode: Opcode.EXIT,
    group: 'base32',
    syntax: 'exit',
    uses: NO_OPERANDS,
  },
];

const accessSizes = [
  { bytes: 1, bits: Size.B, letter: 'b' },
  { bytes: 2, bits: Size.H, letter: 'h' },
  { bytes: 4, bits: Size.W, letter: 'w' },
  { bytes: 8, bits: Size.DW, letter: 'dw' },
] as const;

function loadsAndStores(): InstructionForm[] {
  return accessSizes.flatMap(({ bytes, bits, letter }): InstructionForm[] => {
    const group = bytes === 8 ? 'base64' : 'base32';
    const half = bytes === 8 ? '' : '|w';
    const forms: InstructionForm[] = [
      {
        kind: 'load',
        bytes,
        signed: false,
        name: `ldx${letter}`,
        opcode: OpClass.LDX | Mode.MEM | bits,
        group,
        syntax: `{dst${half}} = *(u${8 * bytes} *)({src}{offset})`,
        uses: { dst: true, src: true, offset: true, imm: false },
      },
      {
        kind: 'store',
        bytes,
        source: 'imm',
        name: `st${letter}`,
        opcode: OpClass.ST | Mode.MEM | bits,
        group,
        syntax: `*(u${8 * bytes} *)({dst}{offset}) = {imm}`,
        uses: { dst: true, src: false, offset: true, imm: true },
      },
      {
        kind: 'store',
        bytes,
        source: 'reg',
        name: `stx${letter}`,
        opcode: OpClass.STX | Mode.MEM | bits,
        group,
        syntax: `*(u${8 * bytes} *)({dst}{offset}) = {src${half}}`,
        uses: { dst: true, src: true, offset: true, imm: false },
      },
    ];
    if (bytes < 8)
      forms.push({
        kind: 'load',
        bytes,
        signed: true,
        name: `ldxs${letter}`,
        opcode: OpClass.LDX | Mode.MEMSX | bits,
        group: 'base64',
        syntax: `{dst} = *(s${8 * bytes} *)({src}{offset})`,
        uses: { dst: true, src: true, offset: true, imm: false },
      });
    return forms;
  });
}

function atomics(): InstructionForm[] {
  const plain: readonly ['add' | 'or' | 'and' | 'xor', number, string][] = [
    ['add', AtomicOp.ADD, '+='],
    ['or', AtomicOp.OR, '|='],
    ['and', AtomicOp.AND, '&='],
    ['xor', AtomicOp.XOR, '^='],
  ];
  const atomicSizes = [
    { bytes: 4, bits: 32, size: Size.W, letter: 'w', suffix: '32_32' },
    { bytes: 8, bits: 64, size: Size.DW, letter: '', suffix: '_64' },
  ] as const;
  return atomicSizes.flatMap(({ bytes, bits, size, letter, suffix }) => {
    const form = (op: AtomicOperation, fetch: boolean, value: number, syntax: string): InstructionForm => ({
      kind: 'atomic',
      op,
      bytes,
      fetch,
      name: `atomic${bits}_${fetch && op !== 'xchg' && op !== 'cmpxchg' ? 'fetch_' : ''}${op}`,
      opcode: OpClass.STX | Mode.ATOMIC | size,
      group: `atomic${bits}`,
      syntax,
      selector: { field: 'imm', value },
      uses: { dst: true, src: true, offset: true, imm: false },
    });
    const src = `{${letter}src}`;
    const place = `(u${bits} *)({dst}{offset})`;
    const added = bits === 32 ? '{src|w}' : '{src}';
    return [
      ...plain.flatMap(([op, value, symbol]) => [
        form(op, false, value, `lock *${place} ${symbol} ${added}`),
        form(op, true, value | AtomicOp.FETCH, `${src} = atomic_fetch_${op}(${place}, ${src})`),
      ]),
      form('xchg', true, AtomicOp.XCHG, `${src} = xchg${suffix}({dst}{offset}, ${src})`),
      form(
        'cmpxchg',
        true,
        AtomicOp.CMPXCHG,
        `${letter || 'r'}0 = cmpxchg${suffix}({dst}{offset}, ${letter || 'r'}0, ${src})`,
      ),
    ];
  });
}

function packetLoads(): InstructionForm[] {
  return accessSizes.flatMap(({ bytes, bits, letter }): InstructionForm[] =>
    bytes === 8
      ? []
      : [
          {
            kind: 'packet',
            bytes,
            indirect: false,
            name: `ldabs${letter}`,
            opcode: OpClass.LD | Mode.ABS | bits,
            group: 'packet',
            syntax: `r0 = *(u${8 * bytes} *)skb[{imm}]`,
            uses: { ...NO_OPERANDS, imm: true },
          },
          {
            kind: 'packet',
            bytes,
            indirect: true,
            name: `ldind${letter}`,
            opcode: OpClass.LD | Mode.IND | bits,
            group: 'packet',
            syntax: `r0 = *(u${8 * bytes} *)skb[{src}{plus_imm}]`,
            uses: { ...NO_OPERANDS, src: true, imm: true },
          },
        ],
  );
}

function lddw(): InstructionForm[] {
  const values = [
    ['imm', Pseudo.LDDW_IMM, '{imm64} ll'],
    ['map', Pseudo.LDDW_MAP, 'map {imm} ll'],
    ['map-value', Pseudo.LDDW_MAP_VALUE, 'map {imm} value {imm_next} ll'],
    ['variable', Pseudo.LDDW_VARIABLE, 'variable {imm} ll'],
    ['code', Pseudo.LDDW_CODE, 'code {target32} ll'],
    ['map-index', Pseudo.LDDW_MAP_INDEX, 'map_index {imm} ll'],
    ['map-index-value', Pseudo.LDDW_MAP_INDEX_VALUE, 'map_index {imm} value {imm_next} ll'],
  ] as const;
  return values.map(([value, src, syntax]) => ({
    kind: 'lddw',
    value,
    name: value === 'imm' ? 'lddw' : `lddw_${value.replaceAll('-', '_')}`,
    opcode: Opcode.LDDW,
    group: 'base64',
    syntax: `{dst} = ${syntax}`,
    selector: { field: 'src', value: src },
    uses: { ...NO_OPERANDS, dst: true, imm: true },
  }));
}

/** Every instruction, by kind. */
export const INSTRUCTION_FORMS: readonly InstructionForm[] = [
  ...alu(),
  ...neg(),
  ...movsx(),
  ...endian(),
  ...jumps(),
  ...transfers,
  ...loadsAndStores(),
  ...atomics(),
  ...packetLoads(),
  ...lddw(),
];

const formsByOpcode: readonly (readonly InstructionForm[])[] = Array.from({ length: 256 }, (_, opcode) =>
  INSTRUCTION_FORMS.filter((form) => form.opcode === opcode),
);

/** The forms that share an opcode byte, told apart by their selectors; empty for an opcode that nothing has. */
export function formsOfOpcode(opcode: number): readonly InstructionForm[] {
  return formsByOpcode[opcode] ?? [];
}

/** What the instruction is, or `undefined` when nothing has its opcode and selector. Does not check reserved fields. */
export function formOf(instruction: {
  readonly opcode: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}): InstructionForm | undefined {
  for (const form of formsOfOpcode(instruction.opcode)) {
    if (form.selector === undefined || instruction[form.selector.field] === form.selector.value) return form;
  }
  return undefined;
}
