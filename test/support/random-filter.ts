import { HELPER_ID } from '../../src/bpf/helpers.ts';
import { instruction } from '../../src/bpf/instruction.ts';
import { formOf, INSTRUCTION_FORMS, type InstructionForm, Opcode } from '../../src/bpf/isa.ts';
import type { MapDefinition } from '../../src/bpf/maps/definition.ts';
import type { Instruction, Program, ProgramFunction } from '../../src/bpf/program.ts';
import { Random } from './random.ts';

const map = (name: string, rest: Partial<MapDefinition>): MapDefinition => ({
  name,
  kind: 'hash',
  keySize: 4,
  valueSize: 16,
  maxEntries: 8,
  hashCount: 0,
  ...rest,
});

/** The maps of every random filter. */
export const FILTER_MAPS: readonly MapDefinition[] = [
  map('array', { kind: 'array', valueSize: 24 }),
  map('hash', { keySize: 8 }),
  map('lpm', { kind: 'lpm-trie', keySize: 8, valueSize: 8 }),
  map('bloom', { kind: 'bloom', keySize: 4, valueSize: 0, maxEntries: 64, hashCount: 2 }),
  map('sketch', { kind: 'count-min', keySize: 4, valueSize: 4, hashCount: 2 }),
  map('.data', { kind: 'array', valueSize: 32, maxEntries: 1, initial: new Uint8Array(32) }),
];
/** This one and the next have no lookup in Linux. */
const BLOOM = 3;
const SKETCH = 4;
const DATA = 5;

/** What the generator believes a register to hold. */
type Kind = 'none' | 'number' | 'byte' | 'packet' | 'stack' | 'value' | 'maybe';

/** An instruction under way: a jump or call knows the label that it leads to. */
interface Line {
  readonly code: Instruction;
  readonly label?: string;
}

const PACKET = 6;
const LENGTH = 7;
const NUMBERS: readonly number[] = [0, 1, 2, 3, 4, 5, 8, 9];
const ARGUMENTS: readonly number[] = [1, 2, 3, 4, 5];
const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 255, 256, 0xffff, -1, -2, -8, 0x7fffffff, -0x80000000];

const aluForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'alu');
/** Linux knows nothing of a quotient or remainder, and refuses divisions and shifts by senseless constants. */
const linuxAluForms = aluForms.filter((form) => form.kind === 'alu' && !/div|mod/.test(form.op));
const unaryForms = INSTRUCTION_FORMS.filter((form) => ['neg', 'movsx', 'endian'].includes(form.kind));
const jumpForms = INSTRUCTION_FORMS.filter((form) => form.kind === 'jump');
const loadForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'load');
const storeForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'store');
const atomicForms: readonly InstructionForm[] = INSTRUCTION_FORMS.filter((form) => form.kind === 'atomic');

export interface RandomFilterOptions {
  readonly seed: number;
  /**
   * Without what Linux refuses for another reason than memory, or cannot follow. `end`: the packet's end is a pointer in r2
   * and r7, as in Linux's programs, instead of its length, and there are no maps. `length`: only numbers are compared with
   * the length, no pointers.
   */
  readonly linux?: 'end' | 'length';
}

/**
 * A program as a filter's author might write it, with checks before accesses, loops and functions; with some mistakes, so
 * that many of them must be rejected. Same seed, same program.
 */
export function randomFilter(options: RandomFilterOptions): Program {
  return new FilterGenerator(options).program();
}

class FilterGenerator {
  readonly #random: Random;
  readonly #seed: number;
  readonly #linux: boolean;
  /** The packet's end is in r7, not its length. */
  readonly #hasEnd: boolean;
  readonly #comparesPointers: boolean;
  readonly #functions: Line[][] = [];
  #lines: Line[] = [];
  readonly #marks = new Map<string, { readonly of: Line[]; readonly at: number }>();
  #kinds: Kind[] = [];
  /** Bytes that the packet is known to have, where the generator was careful. */
  #checked = 0;
  /** Stack slots, by 8 bytes below the frame pointer, that hold a number. */
  #written = new Set<number>();
  #nextLabel = 0;
  #depth = 0;
  /** Registers that a loop around needs. */
  #kept = new Set<number>();

  constructor({ seed, linux }: RandomFilterOptions) {
    this.#seed = seed;
    this.#linux = linux !== undefined;
    this.#hasEnd = linux === 'end';
    this.#comparesPointers = linux !== 'length';
    this.#random = new Random(seed);
  }

  program(): Program {
    this.#function(0);
    const starts: number[] = [];
    let size = 0;
    for (const body of this.#functions) {
      starts.push(size);
      size += body.length;
    }
    const functions: ProgramFunction[] = starts.map((pc, i) => ({ pc, name: i === 0 ? 'entry' : `f${i}` }));
    const place = (label: string): number => {
      const mark = this.#marks.get(label);
      if (mark === undefined) throw new Error(`no label ${label}`);
      return starts[this.#functions.indexOf(mark.of)] + mark.at;
    };
    const instructions = this.#functions.flat().map(({ code, label }, pc) => {
      if (label === undefined) return code;
      const distance = place(label) - pc - 1;
      return code.opcode === Opcode.CALL ? { ...code, imm: distance } : { ...code, offset: distance };
    });
    const maps = this.#hasEnd ? [] : FILTER_MAPS;
    return { name: `filter-${this.#seed}`, instructions: this.#spoil(instructions), maps, functions, lines: [] };
  }

  /** Every other time, one to three instructions are changed a little: mistakes that no author would think of. */
  #spoil(instructions: Instruction[]): Instruction[] {
    const random = this.#random;
    if (random.oneIn(2)) return instructions;
    const spoilt = [...instructions];
    for (let n = 1 + random.below(3); n > 0; n--) {
      const pc = random.below(spoilt.length);
      const form = formOf(spoilt[pc]);
      if (form === undefined || spoilt[pc].opcode === Opcode.LDDW_TAIL || form.kind === 'lddw') continue;
      const { dst, src, offset, imm } = spoilt[pc];
      const change = random.below(5);
      if (change === 0 && form.uses.imm)
        spoilt[pc] = { ...spoilt[pc], imm: (imm + random.pick([-1, 1, 8, -8, 64])) | 0 };
      if (change === 1 && form.uses.offset && form.kind !== 'jump') {
        spoilt[pc] = { ...spoilt[pc], offset: offset + random.pick([-8, -1, 1, 4, 8]) };
      }
      if (change === 2 && form.uses.dst) spoilt[pc] = { ...spoilt[pc], dst: (dst + random.pick([1, 9])) % 10 };
      if (change === 3 && form.uses.src) spoilt[pc] = { ...spoilt[pc], src: (src + random.pick([1, 9])) % 10 };
      if (change === 4) spoilt[pc] = swapped(random, form, spoilt[pc]);
      if (this.#linux && !linuxLikes(spoilt[pc]))
        spoilt[pc] = { dst, src, offset, imm, opcode: instructions[pc].opcode };
    }
    return spoilt;
  }

  #emit(name: string | InstructionForm, operands: Partial<Instruction> = {}): void {
    this.#lines.push({ code: instruction(name, operands) });
  }

  #jump(name: string | InstructionForm, operands: Partial<Instruction>, label: string): void {
    this.#lines.push({ code: instruction(name, operands), label });
  }

  #lddw(dst: number, src: number, imm: number, next: number): void {
    this.#lines.push({ code: { opcode: Opcode.LDDW, dst, src, offset: 0, imm } });
    this.#lines.push({ code: { opcode: Opcode.LDDW_TAIL, dst: 0, src: 0, offset: 0, imm: next } });
  }

  #label(): string {
    return `l${this.#nextLabel++}`;
  }

  #mark(label: string): void {
    this.#marks.set(label, { of: this.#lines, at: this.#lines.length });
  }

  /** A function's body: r1 is the packet (or, in a local one, any number), r2 the length or another number. */
  #function(index: number): void {
    const outer = {
      lines: this.#lines,
      kinds: this.#kinds,
      checked: this.#checked,
      written: this.#written,
      kept: this.#kept,
    };
    this.#lines = [];
    this.#functions[index] = this.#lines;
    this.#kinds = new Array<Kind>(11).fill('none');
    this.#checked = index === 0 ? 0 : outer.checked;
    this.#written = new Set();
    this.#kept = new Set([PACKET, LENGTH]);
    this.#emit('mov64_reg', { dst: PACKET, src: 1 });
    this.#emit('mov64_reg', { dst: LENGTH, src: 2 });
    this.#kinds[PACKET] = 'packet';
    for (const r of [0, 8, 9]) this.#constant(r);
    if (index > 0) this.#kinds[3] = 'number';
    this.#block(index === 0 ? 4 + this.#random.below(8) : 3);
    const result = this.#number();
    if (result !== 0) this.#emit('mov64_reg', { dst: 0, src: result });
    this.#emit('exit');
    this.#lines = outer.lines;
    this.#kinds = outer.kinds;
    this.#checked = outer.checked;
    this.#written = outer.written;
    this.#kept = outer.kept;
  }

  #block(items: number): void {
    this.#depth++;
    for (let i = 0; i < items; i++) this.#item();
    this.#depth--;
  }

  #item(): void {
    const random = this.#random;
    const choices: (() => void)[] = [
      () => this.#arithmetic(),
      () => this.#arithmetic(),
      () => this.#arithmetic(),
      () => this.#check(),
      () => this.#check(),
      () => this.#packetRead(),
      () => this.#packetRead(),
      () => this.#variableRead(),
      () => this.#variableRead(),
      () => this.#stackAccess(),
      () => this.#stackAccess(),
      () => this.#variableStack(),
      () => this.#spill(),
      () => this.#bound(),
      () => this.#copy(),
      () => this.#shiftPair(),
    ];
    if (!this.#hasEnd) choices.push(() => this.#boundOther());
    if (this.#depth < 4)
      choices.push(
        () => this.#branch(),
        () => this.#branch(),
        () => this.#loop(),
      );
    if (this.#depth < 3 && this.#functions.length < 3) choices.push(() => this.#localCall());
    if (!this.#hasEnd) {
      choices.push(
        () => this.#lookup(),
        () => this.#lookup(),
        () => this.#lookup(),
        () => this.#otherHelper(),
        () => this.#global(),
      );
    }
    random.pick(choices)();
  }

  /** A register that holds a number; makes one when there is none. */
  #number(): number {
    const held = NUMBERS.filter((r) => this.#kinds[r] === 'number' || this.#kinds[r] === 'byte');
    if (held.length > 0) return this.#random.pick(held);
    const r = this.#free();
    this.#constant(r);
    return r;
  }

  /** A register to overwrite. */
  #free(...not: number[]): number {
    return this.#random.pick(NUMBERS.filter((r) => !this.#kept.has(r) && !not.includes(r)));
  }

  #constant(dst: number): void {
    this.#emit('mov64_imm', { dst, imm: this.#edge() });
    this.#kinds[dst] = 'number';
  }

  #edge(): number {
    return this.#random.oneIn(3) ? this.#random.u32() | 0 : this.#random.pick(EDGES);
  }

  #arithmetic(): void {
    const random = this.#random;
    const dst = this.#number();
    if (this.#kept.has(dst)) return;
    const form = random.oneIn(4) ? random.pick(unaryForms) : random.pick(this.#linux ? linuxAluForms : aluForms);
    let imm = random.oneIn(2) ? random.below(64) : this.#edge();
    if (this.#linux && form.kind === 'alu' && form.source === 'imm') {
      if (isShift(form)) imm &= form.width - 1;
    }
    this.#emit(form, { dst, src: this.#number(), imm });
    this.#kinds[dst] = 'number';
  }

  /** Ends the program with some number. */
  #leave(): void {
    this.#emit('mov64_imm', { dst: 0, imm: this.#random.below(3) });
    this.#emit('exit');
  }

  /** Goes on only when the condition on the packet's length (or its end) holds. */
  #check(): void {
    const random = this.#random;
    const bytes = 1 + random.below(random.oneIn(4) ? 100 : 40);
    const on = this.#label();
    const drawn = random.below(3);
    const way = drawn === 0 && !this.#comparesPointers ? 2 : drawn;
    if (this.#hasEnd) {
      const pointer = this.#free();
      this.#emit('mov64_reg', { dst: pointer, src: PACKET });
      this.#emit('add64_imm', { dst: pointer, imm: bytes });
      if (random.oneIn(2)) this.#jump('jle_reg', { dst: pointer, src: LENGTH }, on);
      else this.#jump('jge_reg', { dst: LENGTH, src: pointer }, on);
      this.#kinds[pointer] = 'none';
    } else if (way === 0) {
      const end = this.#free();
      const pointer = this.#free(end);
      this.#emit('mov64_reg', { dst: end, src: PACKET });
      this.#emit('add64_reg', { dst: end, src: LENGTH });
      this.#emit('mov64_reg', { dst: pointer, src: PACKET });
      this.#emit('add64_imm', { dst: pointer, imm: bytes });
      this.#jump(random.pick(['jle_reg', 'jsle_reg', 'jlt_reg']), { dst: pointer, src: end }, on);
      this.#kinds[end] = 'none';
      this.#kinds[pointer] = 'none';
    } else if (way === 1) {
      const limit = this.#free();
      this.#emit('mov64_imm', { dst: limit, imm: bytes });
      this.#jump(random.pick(['jle_reg', 'jle32_reg', 'jsle_reg', 'jlt_reg']), { dst: limit, src: LENGTH }, on);
      this.#kinds[limit] = 'number';
    } else {
      const imm = random.oneIn(20) ? bytes - 1 : bytes;
      this.#jump(random.pick(['jge_imm', 'jge32_imm', 'jsge_imm', 'jgt_imm', 'jeq_imm']), { dst: LENGTH, imm }, on);
    }
    this.#leave();
    this.#mark(on);
    this.#checked = Math.max(this.#checked, bytes);
  }

  #packetRead(): void {
    const random = this.#random;
    const form = random.pick(loadForms);
    const bytes = bytesOf(form);
    const most = this.#checked - bytes;
    if (most < 0 && !random.oneIn(30)) {
      this.#check();
      return;
    }
    const dst = this.#free();
    const offset = random.oneIn(40) ? most + 1 + random.below(3) : random.below(Math.max(most, 0) + 1);
    this.#emit(form, { dst, src: PACKET, offset });
    this.#kinds[dst] = bytes === 1 && form.kind === 'load' && !form.signed ? 'byte' : 'number';
  }

  /** At an offset that comes from a byte: masked, bounded or compared with the length. */
  #variableRead(): void {
    const random = this.#random;
    if (this.#checked < 2) {
      this.#check();
      return;
    }
    const index = this.#free();
    const pointer = this.#free(index);
    const mask = random.pick([3, 7, 15, 31, 255]);
    if (random.oneIn(2)) this.#emit('ldxb', { dst: index, src: PACKET, offset: random.below(this.#checked) });
    else {
      this.#emit('mov64_reg', { dst: index, src: this.#number() });
      if (mask === 255 || random.oneIn(3)) this.#leaveUnlessBelow(index, mask + 1);
    }
    if (mask !== 255) this.#emit(random.oneIn(2) ? 'and64_imm' : 'and32_imm', { dst: index, imm: mask });
    const shift = random.below(3);
    if (shift > 0) this.#emit('lsh64_imm', { dst: index, imm: shift });
    const form = random.pick(loadForms);
    const bytes = bytesOf(form);
    const extra = random.below(16);
    const need = extra + bytes - (random.oneIn(20) ? 1 : 0);
    const on = this.#label();
    const drawn = random.below(4);
    // Linux knows nothing of a pointer with a variable part before it is compared, and then of no number that it was made of.
    const checked = this.#hasEnd ? 1 : drawn !== 2 && !this.#comparesPointers ? 0 : drawn;
    if (checked === 0) {
      this.#emit('mov64_reg', { dst: pointer, src: index });
      this.#emit('add64_imm', { dst: pointer, imm: need });
      this.#jump(random.pick(['jle_reg', 'jle32_reg', 'jsle_reg']), { dst: pointer, src: LENGTH }, on);
      this.#leave();
      this.#mark(on);
      this.#emit('mov64_reg', { dst: pointer, src: PACKET });
      this.#emit('add64_reg', { dst: pointer, src: index });
    } else {
      this.#emit('mov64_reg', { dst: pointer, src: PACKET });
      this.#emit('add64_reg', { dst: pointer, src: index });
      if (checked === 1) this.#checkPointer(pointer, index, need);
      else if (checked === 2) {
        this.#jump('jge_imm', { dst: LENGTH, imm: (mask << shift) + need }, on);
        this.#leave();
        this.#mark(on);
      } else if (extra + bytes + (mask << shift) > this.#checked && !random.oneIn(10)) {
        this.#checkPointer(pointer, index, need);
      }
    }
    this.#emit(form, { dst: index, src: pointer, offset: extra });
    this.#kinds[index] = 'number';
    this.#kinds[pointer] = 'none';
  }

  /** Leaves unless the register is below the limit, by one comparison or, as signed, by two. */
  #leaveUnlessBelow(register: number, limit: number): void {
    const random = this.#random;
    const on = this.#label();
    if (random.oneIn(2)) this.#jump('jlt_imm', { dst: register, imm: limit }, on);
    else {
      const not = this.#label();
      if (!random.oneIn(15)) this.#jump('jslt_imm', { dst: register, imm: 0 }, not);
      this.#jump(random.pick(['jslt_imm', 'jle_imm', 'jslt32_imm']), { dst: register, imm: limit }, on);
      this.#mark(not);
    }
    this.#leave();
    this.#mark(on);
  }

  /** Leaves unless `need` bytes from the pointer are in the packet; uses a copy. */
  #checkPointer(pointer: number, index: number, need: number): void {
    const copy = this.#free(pointer, index);
    const on = this.#label();
    this.#emit('mov64_reg', { dst: copy, src: pointer });
    this.#emit('add64_imm', { dst: copy, imm: need });
    if (this.#hasEnd) this.#jump('jle_reg', { dst: copy, src: LENGTH }, on);
    else {
      const end = this.#free(pointer, index, copy);
      this.#emit('mov64_reg', { dst: end, src: LENGTH });
      this.#emit('add64_reg', { dst: end, src: PACKET });
      this.#jump('jle_reg', { dst: copy, src: end }, on);
      this.#kinds[end] = 'none';
    }
    this.#kinds[copy] = 'none';
    this.#leave();
    this.#mark(on);
  }

  #stackAccess(): void {
    const random = this.#random;
    const slot = 1 + random.below(8);
    if (!this.#written.has(slot) && !random.oneIn(30)) {
      if (random.oneIn(2)) this.#emit('stdw', { dst: 10, offset: -8 * slot, imm: this.#edge() });
      else this.#emit('stxdw', { dst: 10, src: this.#number(), offset: -8 * slot });
      this.#written.add(slot);
      return;
    }
    const form = random.pick(random.oneIn(2) ? loadForms : random.oneIn(3) ? atomicForms : storeForms);
    const bytes = bytesOf(form);
    const offset = -8 * slot + bytes * random.below(8 / bytes);
    if (form.kind === 'load') {
      const dst = this.#free();
      this.#emit(form, { dst, src: 10, offset });
      this.#kinds[dst] = 'number';
      return;
    }
    const src = this.#number();
    if (form.kind === 'atomic' && this.#kept.has(src)) return;
    if (form.kind === 'atomic' && form.op === 'cmpxchg' && (this.#kinds[0] !== 'number' || this.#kept.has(0))) return;
    this.#emit(form, { dst: 10, src, offset, imm: this.#edge() });
  }

  /** An array of 16 bytes at r10 − 96, indexed. */
  #variableStack(): void {
    const random = this.#random;
    this.#emit('stdw', { dst: 10, offset: -96, imm: 0 });
    this.#emit('stdw', { dst: 10, offset: -88, imm: 1 });
    const index = this.#free();
    const pointer = this.#free(index);
    this.#emit('mov64_reg', { dst: index, src: this.#number() });
    if (random.oneIn(2)) this.#emit('and64_imm', { dst: index, imm: random.oneIn(12) ? 16 : 15 });
    else this.#leaveUnlessBelow(index, random.oneIn(12) ? 17 : 16);
    this.#emit('mov64_reg', { dst: pointer, src: 10 });
    this.#emit('add64_reg', { dst: pointer, src: index });
    if (random.oneIn(2)) this.#emit('stxb', { dst: pointer, src: this.#number(), offset: -96 });
    else this.#emit('ldxb', { dst: index, src: pointer, offset: -96 });
    this.#kinds[index] = 'number';
    this.#kinds[pointer] = 'none';
    if (random.oneIn(2)) {
      const form = random.pick(loadForms);
      const bytes = bytesOf(form);
      this.#emit(form, { dst: pointer, src: 10, offset: -96 + bytes * random.below(16 / bytes) });
      this.#kinds[pointer] = 'number';
    }
  }

  /** The packet's pointer or length, kept on the stack and fetched again. */
  #spill(): void {
    const random = this.#random;
    const offset = -104 - 8 * random.below(2);
    const src = random.oneIn(3) ? this.#number() : random.pick([PACKET, LENGTH]);
    this.#emit('stxdw', { dst: 10, src, offset });
    if (random.oneIn(3)) this.#item();
    if (random.oneIn(20)) this.#emit('stb', { dst: 10, offset: offset + random.below(8), imm: 1 });
    if (src === PACKET || src === LENGTH) this.#emit('ldxdw', { dst: src, src: 10, offset });
    else {
      const dst = this.#free();
      this.#emit('ldxdw', { dst, src: 10, offset });
      this.#kinds[dst] = 'number';
    }
  }

  /** A comparison that ends the program on one side. */
  #bound(): void {
    const random = this.#random;
    const form = random.pick(jumpForms);
    const on = this.#label();
    this.#jump(
      form,
      { dst: this.#number(), src: this.#number(), imm: random.oneIn(2) ? random.below(100) : this.#edge() },
      on,
    );
    this.#leave();
    this.#mark(on);
  }

  #copy(): void {
    const src = this.#number();
    const dst = this.#free(src);
    this.#emit(this.#random.oneIn(3) ? 'mov32_reg' : 'mov64_reg', { dst, src });
    if (this.#random.oneIn(2)) this.#emit('add64_imm', { dst, imm: this.#random.below(40) - 20 });
    this.#kinds[dst] = 'number';
  }

  /** A comparison of one number, then an access by one that is perhaps its copy. */
  #boundOther(): void {
    if (this.#checked < 4) return;
    const random = this.#random;
    const compared = this.#number();
    const used = random.oneIn(3) ? compared : this.#number();
    this.#leaveUnlessBelow(compared, this.#checked - random.below(3));
    const pointer = this.#free(compared, used);
    this.#emit('mov64_reg', { dst: pointer, src: PACKET });
    this.#emit('add64_reg', { dst: pointer, src: used });
    this.#emit('ldxb', { dst: pointer, src: pointer });
    this.#kinds[pointer] = 'byte';
  }

  #shiftPair(): void {
    const dst = this.#number();
    if (this.#kept.has(dst)) return;
    const imm = this.#random.pick([32, 48, 56, 40]);
    this.#emit('lsh64_imm', { dst, imm });
    this.#emit(this.#random.oneIn(2) ? 'rsh64_imm' : 'arsh64_imm', { dst, imm });
    this.#kinds[dst] = 'number';
  }

  #branch(): void {
    const random = this.#random;
    const other = this.#label();
    const end = this.#label();
    const form = random.pick(jumpForms);
    this.#jump(
      form,
      { dst: this.#number(), src: this.#number(), imm: random.oneIn(2) ? random.below(64) : this.#edge() },
      other,
    );
    const before = this.#snapshot();
    this.#block(1 + random.below(3));
    const first = this.#snapshot();
    this.#jump('ja', {}, end);
    this.#mark(other);
    this.#restore(before);
    if (random.oneIn(2)) this.#block(1 + random.below(2));
    this.#mark(end);
    this.#merge(first);
  }

  #loop(): void {
    const random = this.#random;
    const counter = this.#free();
    const top = this.#label();
    const bound = 2 + random.below(5);
    this.#emit('mov64_imm', { dst: counter, imm: 0 });
    this.#kinds[counter] = 'number';
    const before = this.#snapshot();
    // What the body starts with must hold in every round.
    for (const r of NUMBERS) if (r !== counter && !this.#kept.has(r)) this.#kinds[r] = 'none';
    for (const r of [0, 8].filter((each) => each !== counter && !this.#kept.has(each))) this.#constant(r);
    this.#mark(top);
    const nested = !this.#kept.has(counter);
    this.#kept.add(counter);
    this.#block(1 + random.below(2));
    for (const r of [0, 8].filter((each) => each !== counter && !this.#kept.has(each))) {
      if (this.#kinds[r] !== 'number' && this.#kinds[r] !== 'byte') this.#constant(r);
    }
    this.#emit('add64_imm', { dst: counter, imm: random.oneIn(30) ? 0 : 1 });
    this.#jump(random.pick(['jlt_imm', 'jne_imm', 'jslt_imm', 'jlt32_imm']), { dst: counter, imm: bound }, top);
    if (nested) this.#kept.delete(counter);
    const after = this.#snapshot();
    this.#restore(before);
    this.#merge(after);
  }

  #localCall(): void {
    const index = this.#functions.length;
    const label = `f${index}`;
    if (!this.#hasEnd && this.#random.oneIn(2)) this.#check();
    this.#emit('mov64_reg', { dst: 1, src: PACKET });
    this.#emit('mov64_reg', { dst: 2, src: LENGTH });
    this.#emit('mov64_imm', { dst: 3, imm: this.#edge() });
    this.#functions.push([]);
    this.#function(index);
    this.#marks.set(label, { of: this.#functions[index], at: 0 });
    this.#jump('call_local', {}, label);
    this.#afterCall();
    this.#kinds[0] = 'number';
  }

  #afterCall(): void {
    for (const r of ARGUMENTS) this.#kinds[r] = 'none';
    this.#kinds[0] = 'none';
  }

  /** A key of `bytes` bytes at r10 − 128, in r2. */
  #key(bytes: number): void {
    for (let at = 0; at < bytes; at += 8) {
      if (this.#random.oneIn(25)) continue;
      this.#emit('stdw', { dst: 10, offset: -128 + at, imm: this.#random.below(4) });
    }
    if (this.#random.oneIn(2)) this.#emit('stxb', { dst: 10, src: this.#number(), offset: -128 });
    this.#emit('mov64_reg', { dst: 2, src: 10 });
    this.#emit('add64_imm', { dst: 2, imm: -128 });
  }

  #lookup(): void {
    const random = this.#random;
    if (this.#kept.has(0) || ARGUMENTS.some((r) => this.#kept.has(r))) return;
    const of = random.below(this.#linux ? BLOOM : DATA);
    const definition = FILTER_MAPS[of];
    this.#key(definition.keySize);
    this.#lddw(1, 1, of, 0);
    this.#emit('call', { imm: HELPER_ID.mapLookup });
    this.#afterCall();
    const on = this.#label();
    const skip = this.#label();
    if (!random.oneIn(30)) {
      this.#jump('jne_imm', { dst: 0, imm: 0 }, on);
      this.#emit('mov64_imm', { dst: 0, imm: 0 });
      this.#jump('ja', {}, skip);
      this.#mark(on);
    }
    const bytes = definition.kind === 'bloom' ? 8 : definition.valueSize;
    this.#valueAccess(0, bytes, definition.kind !== 'bloom' && definition.kind !== 'count-min');
    this.#emit('mov64_imm', { dst: 0, imm: 1 });
    this.#mark(skip);
    this.#kinds[0] = 'number';
    for (const r of NUMBERS) if (r !== 0 && !this.#kept.has(r)) this.#kinds[r] = 'none';
    this.#constant(9);
  }

  /** An access somewhere in `bytes` bytes from the pointer, at a constant or a bounded offset. */
  #valueAccess(pointer: number, bytes: number, writable: boolean): void {
    const random = this.#random;
    const forms = !writable ? loadForms : random.oneIn(3) ? loadForms : random.oneIn(2) ? storeForms : atomicForms;
    const form = random.pick(forms.filter((each) => bytesOf(each) <= bytes));
    const size = bytesOf(form);
    let room = bytes - size;
    if (random.oneIn(2) && room >= 7) {
      const index = this.#free(pointer);
      this.#constant(index);
      if (this.#checked > 0) this.#emit('ldxb', { dst: index, src: PACKET, offset: random.below(this.#checked) });
      this.#emit('and64_imm', { dst: index, imm: form.kind === 'atomic' ? 0 : 7 });
      this.#emit('add64_reg', { dst: pointer, src: index });
      room -= 7;
    }
    const free = random.oneIn(25) ? room + 1 : random.below(room + 1);
    const offset = form.kind === 'atomic' && !random.oneIn(20) ? free - (free % size) : free;
    const other = this.#free(pointer);
    this.#constant(other);
    if (form.kind === 'load') this.#emit(form, { dst: other, src: pointer, offset });
    else if (form.kind === 'atomic' && form.op === 'cmpxchg') return;
    else this.#emit(form, { dst: pointer, src: other, offset, imm: this.#edge() });
    this.#kinds[other] = 'number';
  }

  #otherHelper(): void {
    const random = this.#random;
    if (this.#kept.has(0) || ARGUMENTS.some((r) => this.#kept.has(r))) return;
    const choice = random.below(4);
    if (choice === 0) this.#emit('call', { imm: HELPER_ID.timeGetNs });
    if (choice === 1) {
      const size = random.oneIn(20) ? this.#checked + 1 : random.below(this.#checked + 1);
      this.#emit('mov64_reg', { dst: 1, src: PACKET });
      this.#emit('mov64_imm', { dst: 2, imm: size });
      this.#emit('call', { imm: HELPER_ID.hash });
    }
    if (choice === 2) {
      this.#key(8);
      this.#emit('stdw', { dst: 10, offset: -144, imm: random.u32() | 0 });
      this.#emit('stdw', { dst: 10, offset: -136, imm: random.u32() | 0 });
      this.#emit('mov64_reg', { dst: 3, src: 10 });
      this.#emit('add64_imm', { dst: 3, imm: -144 });
      this.#lddw(1, 1, 1, 0);
      this.#emit('call', { imm: random.oneIn(3) ? HELPER_ID.mapDelete : HELPER_ID.mapUpdate });
    }
    if (choice === 3) {
      this.#key(4);
      this.#lddw(1, 1, this.#linux || random.oneIn(2) ? BLOOM : SKETCH, 0);
      this.#emit('call', { imm: HELPER_ID.mapAdd });
    }
    this.#afterCall();
    this.#kinds[0] = 'number';
  }

  #global(): void {
    const pointer = this.#free();
    this.#lddw(pointer, 2, DATA, 8);
    this.#valueAccess(pointer, 24, true);
    this.#kinds[pointer] = 'none';
  }

  #snapshot(): { kinds: Kind[]; checked: number; written: Set<number> } {
    return { kinds: [...this.#kinds], checked: this.#checked, written: new Set(this.#written) };
  }

  #restore(state: { kinds: Kind[]; checked: number; written: Set<number> }): void {
    this.#kinds = [...state.kinds];
    this.#checked = state.checked;
    this.#written = new Set(state.written);
  }

  /** Only what both ways have. */
  #merge(other: { kinds: Kind[]; checked: number; written: Set<number> }): void {
    this.#kinds = this.#kinds.map((kind, r) => {
      const also = other.kinds[r];
      const numbers = ['number', 'byte'];
      return kind === also ? kind : numbers.includes(kind) && numbers.includes(also) ? 'number' : 'none';
    });
    // Sometimes an author forgets that the check stands on one way only.
    const { min, max } = Math;
    this.#checked = (this.#random.oneIn(10) ? max : min)(this.#checked, other.checked);
    this.#written = new Set([...this.#written].filter((slot) => other.written.has(slot)));
  }
}

const isShift = (form: InstructionForm): boolean =>
  form.kind === 'alu' && form.source === 'imm' && ['lsh', 'rsh', 'arsh'].includes(form.op);

function linuxLikes(code: Instruction): boolean {
  const form = formOf(code);
  if (form?.kind !== 'alu') return true;
  return linuxAluForms.includes(form) && !(isShift(form) && (code.imm < 0 || code.imm >= form.width));
}

/** Another operation on the same operands. */
function swapped(random: Random, form: InstructionForm, code: Instruction): Instruction {
  const { dst, src, offset, imm } = code;
  const like = INSTRUCTION_FORMS.filter(
    (each) =>
      each.kind === form.kind &&
      (each.kind === 'jump' || each.kind === 'alu' || each.kind === 'load' || each.kind === 'store') &&
      each.uses.src === form.uses.src,
  );
  return like.length === 0 ? code : instruction(random.pick(like), { dst, src, offset, imm });
}

function bytesOf(form: InstructionForm): number {
  return form.kind === 'load' || form.kind === 'store' || form.kind === 'atomic' ? form.bytes : 0;
}
