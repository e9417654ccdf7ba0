import { HELPER_ID } from '../../src/bpf/helpers.ts';
import { instruction } from '../../src/bpf/instruction.ts';
import { INSTRUCTION_FORMS, type InstructionForm, Opcode } from '../../src/bpf/isa.ts';
import type { MapDefinition } from '../../src/bpf/maps/definition.ts';
import type { Instruction, Program, ProgramFunction } from '../../src/bpf/program.ts';
import { Random } from './random.ts';

export interface RandomProgramOptions {
  readonly seed: number;
  /** Items of a function, about: one to six instructions each. Default 24. */
  readonly items?: number;
  /**
   * Only what Linux's verifier accepts as an XDP program after the usual prologue: no maps and helpers, constant and aligned
   * stack offsets, no constant shift or division that it thinks senseless.
   */
  readonly kernel?: boolean;
}

/** Bytes of packet that a random program reads: it returns 0 at once for a shorter one. */
export const RANDOM_PACKET_BYTES = 32;

/** The maps of a random program, one of each kind. */
export const RANDOM_MAPS: readonly MapDefinition[] = [
  { name: 'array', kind: 'array', keySize: 4, valueSize: 16, maxEntries: 3, hashCount: 0 },
  { name: 'hash', kind: 'hash', keySize: 8, valueSize: 16, maxEntries: 3, hashCount: 0 },
  { name: 'hash13', kind: 'hash', keySize: 13, valueSize: 20, maxEntries: 300, hashCount: 0 },
  { name: 'lru', kind: 'lru-hash', keySize: 4, valueSize: 16, maxEntries: 3, hashCount: 0 },
  { name: 'lpm', kind: 'lpm-trie', keySize: 8, valueSize: 16, maxEntries: 5, hashCount: 0 },
  { name: 'percpu', kind: 'per-thread-array', keySize: 4, valueSize: 24, maxEntries: 2, hashCount: 0 },
  { name: 'percpuhash', kind: 'per-thread-hash', keySize: 4, valueSize: 16, maxEntries: 4, hashCount: 0 },
  { name: 'bloom', kind: 'bloom', keySize: 5, valueSize: 0, maxEntries: 100, hashCount: 3 },
  { name: 'sketch', kind: 'count-min', keySize: 16, valueSize: 8, maxEntries: 7, hashCount: 2 },
  { name: 'sketch4', kind: 'count-min', keySize: 4, valueSize: 4, maxEntries: 64, hashCount: 3 },
  {
    name: '.rodata',
    kind: 'array',
    keySize: 4,
    valueSize: 16,
    maxEntries: 1,
    hashCount: 0,
    readOnly: true,
    initial: new TextEncoder().encode('r3 is %lld, %d'),
  },
  {
    name: '.data',
    kind: 'array',
    keySize: 4,
    valueSize: 32,
    maxEntries: 1,
    hashCount: 0,
    initial: new Uint8Array([1, 2, 3]),
  },
];

const EDGES = [
  0, 1, -1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 255, 256, -128, 0x7fff, -0x8000, 0xffff, 0x7fffffff, -0x80000000,
];
/** Registers that hold numbers at every boundary between items; r6 points to the packet (or the caller's area), r7 to nothing. */
const SCALARS = [0, 1, 2, 3, 4, 5, 7, 8, 9];
const MEMORY = 6;
/** Stack bytes that hold numbers at every boundary: [−80, −16). At −8 is the function's count of jumps back. */
const AREA_START = -80;
const AREA_BYTES = 64;
const COUNTER = -8;
const MOST_JUMPS_BACK = 6;
/** More stack for keys and values of helpers. */
const KEY = -128;
const VALUE = -168;

const aluForms = INSTRUCTION_FORMS.filter((form) => form.kind === 'alu');
const unaryForms = INSTRUCTION_FORMS.filter((form) => ['neg', 'movsx', 'endian'].includes(form.kind));
const jumpForms = INSTRUCTION_FORMS.filter((form) => form.kind === 'jump');
const loadForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'load');
const storeForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'store');
const atomicForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'atomic');
const packetForms = INSTRUCTION_FORMS.filter((form) => form.kind === 'packet');

/** A part of a function that jumps do not enter, except at its start. `to` of its last instruction is an item to jump to. */
interface Item {
  readonly code: Instruction[];
  /** Index in `code` of a jump, and the item it goes to. */
  readonly jump?: { readonly at: number; readonly to: number };
  /** Index in `code` of a local call, and the function. */
  readonly call?: { readonly at: number; readonly to: number };
}

/**
 * A program that ends, initialises what it reads and stays within its memory, whatever its packet: what a verifier should
 * accept, except that its control flow is wild: jumps back and forth into anything, bounded by a counter. The result mixes all its numbers.
 */
export function randomProgram(options: RandomProgramOptions): Program {
  return new Generator(options).program();
}

class Generator {
  readonly #random: Random;
  readonly #kernel: boolean;
  readonly #items: number;
  readonly #seed: number;
  readonly #functions: number;

  constructor(options: RandomProgramOptions) {
    this.#random = new Random(options.seed);
    this.#kernel = options.kernel ?? false;
    this.#items = options.items ?? 24;
    this.#seed = options.seed;
    this.#functions = 1 + (this.#random.oneIn(3) ? 1 + this.#random.below(3) : 0);
  }

  program(): Program {
    const bodies = Array.from({ length: this.#functions }, (_, index) => this.#function(index));
    const starts: number[] = [];
    let size = 0;
    for (const body of bodies) {
      starts.push(size);
      size += body.reduce((sum, item) => sum + item.code.length, 0);
    }
    const instructions = bodies.flatMap((body, index) => linked(body, starts, starts[index]));
    const functions: ProgramFunction[] = starts.map((pc, index) => ({ pc, name: index === 0 ? 'entry' : `f${index}` }));
    const maps = this.#kernel ? [] : RANDOM_MAPS;
    return { name: `random-${this.#seed}`, instructions, maps, functions, lines: [] };
  }

  #function(index: number): Item[] {
    const count = 4 + this.#random.below(index === 0 ? this.#items : Math.ceil(this.#items / 2));
    const items: Item[] = [this.#prologue(index)];
    for (let n = 1; n <= count; n++) items.push(this.#item(n, count + 1, index));
    // Every function is called at least here: Linux refuses code that is not reachable.
    if (index + 1 < this.#functions) items[count] = this.#localCall(index + 1);
    items.push(this.#epilogue());
    return items;
  }

  #prologue(index: number): Item {
    const code: Instruction[] = [];
    if (index === 0) {
      code.push(instruction('mov64_imm', { dst: 0, imm: 0 }));
      code.push(instruction('jge_imm', { dst: 2, imm: RANDOM_PACKET_BYTES, offset: 1 }), instruction('exit'));
    }
    code.push(instruction('mov64_reg', { dst: MEMORY, src: 1 }));
    for (const register of SCALARS)
      if (index === 0 || ![2, 3, 4, 5].includes(register)) code.push(...this.#constant(register));
    code.push(instruction('stdw', { dst: 10, offset: COUNTER, imm: this.#random.below(MOST_JUMPS_BACK) }));
    code.push(instruction('stdw', { dst: 10, offset: COUNTER - 8, imm: this.#edge() }));
    for (let at = 0; at < AREA_BYTES; at += 8)
      code.push(instruction('stxdw', { dst: 10, src: this.#random.pick(SCALARS), offset: AREA_START + at }));
    return { code };
  }

  /** r0 = a mix of every number, of the stack area and of the packet. */
  #epilogue(): Item {
    const code: Instruction[] = [];
    const mix = (src: number) => {
      code.push(instruction('mul64_imm', { dst: 0, imm: 0x01000193 }), instruction('xor64_reg', { dst: 0, src }));
      code.push(instruction('mov64_reg', { dst: 1, src: 0 }), instruction('rsh64_imm', { dst: 1, imm: 29 }));
      code.push(instruction('xor64_reg', { dst: 0, src: 1 }));
    };
    for (const register of SCALARS) if (register !== 0) mix(register);
    for (let at = 0; at < AREA_BYTES; at += 8) {
      code.push(instruction('ldxdw', { dst: 2, src: 10, offset: AREA_START + at }));
      mix(2);
    }
    code.push(instruction('exit'));
    return { code };
  }

  #item(index: number, last: number, functionIndex: number): Item {
    const random = this.#random;
    const choice = random.below(this.#kernel ? 16 : 22);
    if (choice < 6) return { code: [this.#arithmetic()] };
    if (choice === 6) return { code: this.#constant(this.#scalar()) };
    if (choice === 7 || choice === 8) return { code: [this.#stackAccess()] };
    if (choice === 9) return { code: [this.#memoryLoad(functionIndex)] };
    if (choice === 10) return { code: [this.#stackAtomic()] };
    if (choice === 11 || choice === 12) return this.#jumpTo(this.#itemAfter(index, last));
    if (choice === 13) return this.#jumpBack(1 + random.below(index));
    if (choice === 14) return { code: this.#earlyExit() };
    if (choice === 15)
      return functionIndex + 1 < this.#functions
        ? this.#localCall(functionIndex + 1 + random.below(this.#functions - functionIndex - 1))
        : { code: [this.#arithmetic()] };
    if (choice === 16) return { code: this.#variableStackAccess() };
    if (choice === 17) return { code: this.#packetLoad() };
    if (choice === 18) return { code: this.#globalAccess() };
    return { code: this.#helper() };
  }

  #itemAfter(index: number, last: number): number {
    // Seldom, Linux 6.18 takes for unreachable what is not, after a jump to the very next instruction and an atomic fetch: its
    // result then changes when that jump, which has no effect, is taken out.
    const nearest = this.#kernel ? Math.min(index + 2, last) : index + 1;
    return nearest + this.#random.below(last + 1 - nearest);
  }

  #scalar(): number {
    return this.#random.pick(SCALARS);
  }

  #edge(): number {
    return this.#random.oneIn(3) ? this.#random.u32() | 0 : this.#random.pick(EDGES);
  }

  #constant(dst: number): Instruction[] {
    if (this.#random.oneIn(2)) return [instruction('mov64_imm', { dst, imm: this.#edge() })];
    return [
      { opcode: Opcode.LDDW, dst, src: 0, offset: 0, imm: this.#edge() },
      { opcode: 0, dst: 0, src: 0, offset: 0, imm: this.#edge() },
    ];
  }

  #arithmetic(): Instruction {
    const form = this.#random.oneIn(5) ? this.#random.pick(unaryForms) : this.#random.pick(aluForms);
    let imm = this.#edge();
    if (this.#kernel && form.kind === 'alu' && form.source === 'imm') {
      if (['lsh', 'rsh', 'arsh'].includes(form.op)) imm &= form.width - 1;
      if (['div', 'mod', 'sdiv', 'smod'].includes(form.op) && imm === 0) imm = 1;
    }
    return instruction(form, { dst: this.#scalar(), src: this.#scalar(), imm });
  }

  /** Of the area, aligned for Linux. */
  #areaOffset(bytes: number): number {
    const offset = this.#random.below(AREA_BYTES - bytes + 1);
    return AREA_START + (this.#kernel ? offset - (offset % bytes) : offset);
  }

  #stackAccess(): Instruction {
    const form = this.#random.pick(this.#random.oneIn(2) ? loadForms : storeForms);
    const offset = this.#areaOffset(bytesOf(form));
    if (form.kind === 'load') return instruction(form, { dst: this.#scalar(), src: 10, offset });
    return instruction(form, { dst: 10, src: this.#scalar(), offset, imm: this.#edge() });
  }

  #memoryLoad(functionIndex: number): Instruction {
    const form = this.#random.pick(loadForms);
    const bytes = bytesOf(form);
    const offset = this.#random.below(RANDOM_PACKET_BYTES - bytes + 1);
    // In a local function r6 points into a caller's stack.
    const aligned = this.#kernel && functionIndex > 0 ? offset - (offset % bytes) : offset;
    return instruction(form, { dst: this.#scalar(), src: MEMORY, offset: aligned });
  }

  #stackAtomic(): Instruction {
    const form = this.#random.pick(atomicForms);
    const bytes = bytesOf(form);
    const offset = AREA_START + bytes * this.#random.below(AREA_BYTES / bytes);
    return instruction(form, { dst: 10, src: this.#scalar(), offset });
  }

  #condition(): Instruction {
    return instruction(this.#random.pick(jumpForms), { dst: this.#scalar(), src: this.#scalar(), imm: this.#edge() });
  }

  #jumpTo(item: number): Item {
    const wide = this.#random.oneIn(2) ? 'ja' : 'ja32';
    const code = [!this.#kernel && this.#random.oneIn(8) ? instruction(wide) : this.#condition()];
    return { code, jump: { at: 0, to: item } };
  }

  #jumpBack(item: number): Item {
    const register = this.#random.pick([1, 2, 3, 4, 5]);
    const code = [
      instruction('ldxdw', { dst: register, src: 10, offset: COUNTER }),
      instruction('add64_imm', { dst: register, imm: -1 }),
      instruction('stxdw', { dst: 10, src: register, offset: COUNTER }),
      instruction('jsgt_imm', { dst: register, imm: 0 }),
    ];
    return { code, jump: { at: 3, to: item } };
  }

  #earlyExit(): Instruction[] {
    return [{ ...this.#condition(), offset: !this.#kernel && this.#random.oneIn(8) ? 0 : 1 }, instruction('exit')];
  }

  #localCall(to: number): Item {
    const code = [
      instruction('mov64_reg', { dst: 1, src: 10 }),
      instruction('add64_imm', { dst: 1, imm: AREA_START + 8 * this.#random.below(5) }),
      instruction('call_local'),
      ...this.#renewed(),
    ];
    return { code, call: { at: 2, to } };
  }

  /** Numbers again in the registers that a call leaves empty. */
  #renewed(): Instruction[] {
    return [1, 2, 3, 4, 5].map((dst) =>
      this.#random.oneIn(2)
        ? instruction('mov64_reg', { dst, src: this.#random.pick([0, 7, 8, 9]) })
        : instruction('mov64_imm', { dst, imm: this.#edge() }),
    );
  }

  #variableStackAccess(): Instruction[] {
    const [index, pointer] = this.#random.oneIn(2) ? [1, 2] : [4, 3];
    return [
      instruction('and64_imm', { dst: index, imm: this.#random.pick([7, 0x38, 0x1f]) }),
      instruction('mov64_reg', { dst: pointer, src: 10 }),
      instruction('add64_reg', { dst: pointer, src: index }),
      this.#random.oneIn(2)
        ? instruction('stxb', { dst: pointer, src: this.#random.pick([0, 7, 8, 9]), offset: AREA_START })
        : instruction('ldxb', { dst: this.#random.pick([0, 7, 8, 9]), src: pointer, offset: AREA_START }),
      instruction('mov64_imm', { dst: pointer, imm: this.#edge() }),
    ];
  }

  /** LD ABS or IND, within the packet or, seldom, beyond it (which ends the function). */
  #packetLoad(): Instruction[] {
    const form = this.#random.pick(packetForms);
    const bytes = form.kind === 'packet' ? form.bytes : 1;
    const imm = this.#random.oneIn(8) ? this.#edge() : this.#random.below(RANDOM_PACKET_BYTES - bytes - 7);
    return [
      instruction('and64_imm', { dst: 3, imm: this.#random.oneIn(8) ? this.#edge() : 7 }),
      instruction(form, { src: 3, imm }),
    ];
  }

  #globalAccess(): Instruction[] {
    const writable = this.#random.oneIn(2);
    const map = RANDOM_MAPS.findIndex((each) => each.name === (writable ? '.data' : '.rodata'));
    const bytes = RANDOM_MAPS[map].valueSize;
    const pointer = this.#random.pick([1, 2, 3, 4, 5]);
    const at = this.#random.below(bytes);
    const code: Instruction[] = [
      { opcode: Opcode.LDDW, dst: pointer, src: 2, offset: 0, imm: map },
      { opcode: 0, dst: 0, src: 0, offset: 0, imm: at },
      this.#valueAccess(pointer, -at, bytes, writable),
    ];
    return [...code, instruction('mov64_imm', { dst: pointer, imm: this.#edge() })];
  }

  /** One access somewhere in `bytes` bytes from pointer + start. */
  #valueAccess(pointer: number, start: number, bytes: number, writable: boolean): Instruction {
    const random = this.#random;
    const forms = !writable || random.oneIn(3) ? loadForms : random.oneIn(2) ? storeForms : atomicForms;
    const form = random.pick(forms.filter((each) => bytesOf(each) <= bytes));
    const size = bytesOf(form);
    const free = random.below(bytes - size + 1);
    const offset = start + (form.kind === 'atomic' ? free - (free % size) : free);
    const other = random.pick([7, 8, 9]);
    if (form.kind === 'load') return instruction(form, { dst: other, src: pointer, offset });
    return instruction(form, { dst: pointer, src: other, offset, imm: this.#edge() });
  }

  #helper(): Instruction[] {
    const random = this.#random;
    const choice = random.below(12);
    if (choice === 0) return [instruction('call', { imm: HELPER_ID.timeGetNs }), ...this.#renewed()];
    if (choice === 1) {
      const size = random.below(AREA_BYTES + 1);
      return [
        instruction('mov64_reg', { dst: 1, src: 10 }),
        instruction('add64_imm', { dst: 1, imm: AREA_START + random.below(AREA_BYTES - size + 1) }),
        instruction('mov64_imm', { dst: 2, imm: size }),
        instruction('call', { imm: HELPER_ID.hash }),
        ...this.#renewed(),
      ];
    }
    if (choice === 2)
      return [
        {
          opcode: Opcode.LDDW,
          dst: 1,
          src: 2,
          offset: 0,
          imm: RANDOM_MAPS.findIndex((each) => each.name === '.rodata'),
        },
        { opcode: 0, dst: 0, src: 0, offset: 0, imm: random.below(15) },
        instruction('call', { imm: HELPER_ID.printf }),
        ...this.#renewed(),
      ];
    return this.#mapHelper();
  }

  #mapHelper(): Instruction[] {
    const random = this.#random;
    const map = random.below(RANDOM_MAPS.length);
    const definition = RANDOM_MAPS[map];
    const id = random.pick([1, 1, 1, 2, 2, 3, 4]);
    const probabilistic = definition.kind === 'bloom' || definition.kind === 'count-min';
    const code = this.#key(definition);
    if (id === HELPER_ID.mapUpdate)
      for (let at = 0; at < 40; at += 8)
        code.push(instruction('stxdw', { dst: 10, src: this.#scalar(), offset: VALUE + at }));
    code.push(
      { opcode: Opcode.LDDW, dst: 1, src: 1, offset: 0, imm: map },
      { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 },
      instruction('mov64_reg', { dst: 2, src: 10 }),
      instruction('add64_imm', { dst: 2, imm: KEY }),
      instruction('mov64_reg', { dst: 3, src: 10 }),
      instruction('add64_imm', { dst: 3, imm: VALUE }),
      instruction('call', { imm: id }),
    );
    if (id === HELPER_ID.mapLookup) {
      const writable = !probabilistic && definition.readOnly !== true;
      const size = definition.kind === 'bloom' ? 8 : definition.valueSize;
      const access = this.#valueAccess(0, 0, size, writable);
      code.push(instruction('jeq_imm', { dst: 0, imm: 0, offset: 2 }), access);
      code.push(instruction('mov64_imm', { dst: 0, imm: 1 }));
    }
    return [...code, ...this.#renewed()];
  }

  /** A key of few different ones at KEY: 16 bytes. */
  #key(definition: MapDefinition): Instruction[] {
    const random = this.#random;
    const register = this.#scalar();
    const code = [
      instruction('and64_imm', { dst: register, imm: random.pick([1, 3, 7]) }),
      instruction('stdw', { dst: 10, offset: KEY, imm: 0 }),
      instruction('stdw', { dst: 10, offset: KEY + 8, imm: random.below(2) }),
    ];
    if (definition.kind !== 'lpm-trie')
      return [...code, instruction('stxb', { dst: 10, src: register, offset: KEY + random.pick([0, 0, 3]) })];
    // A prefix of some length, of few addresses.
    return [
      ...code,
      instruction('stw', { dst: 10, offset: KEY, imm: random.pick([0, 1, 8, 13, 31, 32, 32, 33, -1]) }),
      instruction('stxb', { dst: 10, src: register, offset: KEY + random.pick([4, 5, 7]) }),
    ];
  }
}

/** Bytes that a load, store or atomic instruction accesses. */
function bytesOf(form: InstructionForm): number {
  return form.kind === 'load' || form.kind === 'store' || form.kind === 'atomic' ? form.bytes : 0;
}

/** The items after one another, with the distances of their jumps and calls filled in. */
function linked(items: readonly Item[], functionStarts: readonly number[], start: number): Instruction[] {
  const itemStarts: number[] = [];
  let pc = start;
  for (const item of items) {
    itemStarts.push(pc);
    pc += item.code.length;
  }
  return items.flatMap((item, index) => {
    const distance = (link: { at: number; to: number }, targets: readonly number[]) =>
      targets[link.to] - (itemStarts[index] + link.at + 1);
    return item.code.map((each, at) => {
      if (item.call?.at === at) return { ...each, imm: distance(item.call, functionStarts) };
      if (item.jump?.at !== at) return each;
      const by = distance(item.jump, itemStarts);
      return each.opcode === Opcode.JA32 ? { ...each, imm: by } : { ...each, offset: by };
    });
  });
}
