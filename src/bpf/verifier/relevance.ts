import { helperById } from '../helpers.ts';
import type { Instruction } from '../program.ts';
import { type ControlFlow, type Decoded, slotsOf, successorsOf } from './control-flow.ts';
import { FrameOffsets, NOT_STACK, UNKNOWN_OFFSET } from './frame-offsets.ts';
import { STACK_BYTES } from './stack.ts';

/** 32-bit words of a mask with one bit for each byte of a stack frame. */
const WORDS = STACK_BYTES / 32;
const ALL = -1;
const ARGUMENTS = 0b11_1110;
const SAVED = 0b11_1100_0000;

/**
 * What of a state can still matter, for each pc, found once before any path is followed: registers and stack bytes that
 * may be read, and those whose exact number may decide something (an address, a condition, a size). Two states that agree
 * on what matters need not both be followed; a number that is only summed up or stored never keeps them apart.
 */
export class Relevance {
  /** By pc: bit r for register r. */
  readonly liveRegisters: Uint16Array;
  readonly decisiveRegisters: Uint16Array;
  /** By pc, WORDS words each: bit b for byte b of the running function's frame. */
  readonly #liveBytes: Int32Array;
  readonly #decisiveBytes: Int32Array;
  /** Functions, by first slot, that may read the frames of their callers. */
  readonly #readsOuterFrames: ReadonlySet<number>;
  readonly #flow: ControlFlow;
  readonly #offsets: FrameOffsets;

  /** With `everything`, all of it matters always: then states are as exact as they can be, but many more. */
  constructor(flow: ControlFlow, everything = false) {
    const size = flow.decoded.length;
    this.#flow = flow;
    this.#offsets = new FrameOffsets(flow);
    this.liveRegisters = new Uint16Array(size);
    this.decisiveRegisters = new Uint16Array(size);
    this.#liveBytes = new Int32Array(size * WORDS);
    this.#decisiveBytes = new Int32Array(size * WORDS);
    this.#readsOuterFrames = everything ? new Set(flow.functionOf) : this.#findOuterReaders();
    if (everything) {
      for (const mask of [this.liveRegisters, this.decisiveRegisters, this.#liveBytes, this.#decisiveBytes])
        mask.fill(ALL);
    } else {
      this.#solve();
    }
  }

  /** Bytes of the frame's 8-byte slot (0 is the lowest address) that may be read from pc on: bit b for byte b. */
  liveBytesOf(pc: number, slot: number): number {
    return (this.#liveBytes[pc * WORDS + (slot >> 2)] >>> (8 * (slot & 3))) & 0xff;
  }

  decisiveBytesOf(pc: number, slot: number): number {
    return (this.#decisiveBytes[pc * WORDS + (slot >> 2)] >>> (8 * (slot & 3))) & 0xff;
  }

  /** Whether the same bytes of the frame matter in the same way. */
  sameBytes(a: number, b: number): boolean {
    for (let w = 0; w < WORDS; w++) {
      if (this.#liveBytes[a * WORDS + w] !== this.#liveBytes[b * WORDS + w]) return false;
      if (this.#decisiveBytes[a * WORDS + w] !== this.#decisiveBytes[b * WORDS + w]) return false;
    }
    return true;
  }

  readsOuterFrames(functionPc: number): boolean {
    return this.#readsOuterFrames.has(functionPc);
  }

  #findOuterReaders(): Set<number> {
    const { decoded, functionOf, target } = this.#flow;
    const readers = new Set<number>();
    for (const [pc, found] of decoded.entries()) {
      if (found === undefined) continue;
      for (const r of addressRegisters(found)) {
        if (this.#offsets.of(pc, r) === UNKNOWN_OFFSET) readers.add(functionOf[pc]);
      }
    }
    for (let grew = true; grew; ) {
      grew = false;
      for (const [pc, found] of decoded.entries()) {
        if (found?.form.kind !== 'call' || target[pc] < 0) continue;
        if (!readers.has(target[pc]) || readers.has(functionOf[pc])) continue;
        readers.add(functionOf[pc]);
        grew = true;
      }
    }
    return readers;
  }

  #solve(): void {
    const { decoded, target, functionOf } = this.#flow;
    const size = decoded.length;
    const before = predecessors(this.#flow);
    const returnSites = new Map<number, number[]>();
    const exits = new Map<number, number[]>();
    for (let pc = 0; pc < size; pc++) {
      const kind = decoded[pc]?.form.kind;
      if (kind === 'call' && target[pc] >= 0) push(returnSites, target[pc], pc + 1);
      if (kind === 'exit') push(exits, functionOf[pc], pc);
    }
    const callsOf = (entry: number): number[] => (returnSites.get(entry) ?? []).map((site) => site - 1);
    const dirty = new Uint8Array(size).fill(1);
    const scratch = new Scratch();
    for (let again = true; again; ) {
      again = false;
      for (let pc = size - 1; pc >= 0; pc--) {
        const found = decoded[pc];
        if (!dirty[pc] || found === undefined) continue;
        dirty[pc] = 0;
        scratch.clear();
        this.#gather(scratch, found, pc, returnSites);
        if (!this.#store(scratch, pc)) continue;
        again = true;
        for (const p of before[pc]) dirty[p] = 1;
        // What is read after a return site is read after the callee's exits; what a function reads, its calls read.
        if (functionOf[pc] === pc) for (const call of callsOf(pc)) dirty[call] = 1;
        const call = decoded[pc - 1];
        if (call?.form.kind === 'call' && target[pc - 1] >= 0) {
          for (const exit of exits.get(target[pc - 1]) ?? []) dirty[exit] = 1;
        }
      }
    }
  }

  /** What matters before the instruction, from what matters after it. */
  #gather(s: Scratch, found: Decoded, pc: number, returnSites: ReadonlyMap<number, readonly number[]>): void {
    const { form } = found;
    const { target, functionOf } = this.#flow;
    if (form.kind === 'exit') {
      if (functionOf[pc] === 0) s.live |= 1;
      for (const site of returnSites.get(functionOf[pc]) ?? []) {
        s.live |= this.liveRegisters[site] & 1;
        s.decisive |= this.decisiveRegisters[site] & 1;
      }
      return;
    }
    if (target[pc] >= 0 && form.kind !== 'call') this.#add(s, target[pc]);
    if (form.kind === 'goto') return;
    this.#add(s, pc + slotsOf(form));
    if (target[pc] >= 0 && form.kind === 'call') this.#throughCall(s, pc, target[pc]);
    else this.#through(s, found, pc);
  }

  #add(s: Scratch, pc: number): void {
    s.live |= this.liveRegisters[pc];
    s.decisive |= this.decisiveRegisters[pc];
    for (let w = 0; w < WORDS; w++) {
      s.liveBytes[w] |= this.#liveBytes[pc * WORDS + w];
      s.decisiveBytes[w] |= this.#decisiveBytes[pc * WORDS + w];
    }
  }

  #store(s: Scratch, pc: number): boolean {
    let changed = false;
    if ((s.live | this.liveRegisters[pc]) !== this.liveRegisters[pc]) {
      this.liveRegisters[pc] |= s.live;
      changed = true;
    }
    if ((s.decisive | this.decisiveRegisters[pc]) !== this.decisiveRegisters[pc]) {
      this.decisiveRegisters[pc] |= s.decisive;
      changed = true;
    }
    for (let w = 0, at = pc * WORDS; w < WORDS; w++, at++) {
      if ((s.liveBytes[w] | this.#liveBytes[at]) !== this.#liveBytes[at]) {
        this.#liveBytes[at] |= s.liveBytes[w];
        changed = true;
      }
      if ((s.decisiveBytes[w] | this.#decisiveBytes[at]) !== this.#decisiveBytes[at]) {
        this.#decisiveBytes[at] |= s.decisiveBytes[w];
        changed = true;
      }
    }
    return changed;
  }

  #throughCall(s: Scratch, pc: number, callee: number): void {
    s.live = (s.live & SAVED) | (this.liveRegisters[callee] & ARGUMENTS);
    s.decisive = (s.decisive & SAVED) | (this.decisiveRegisters[callee] & ARGUMENTS);
    if (!this.#readsOuterFrames.has(callee)) return;
    for (let r = 1; r <= 5; r++) {
      if (this.#offsets.of(pc, r) !== NOT_STACK) {
        s.liveBytes.fill(ALL);
        s.decisiveBytes.fill(ALL);
      }
    }
  }

  #through(s: Scratch, { form, instruction }: Decoded, pc: number): void {
    const dst = 1 << instruction.dst;
    const src = 1 << instruction.src;
    switch (form.kind) {
      case 'alu': {
        if (form.op === 'mov') {
          s.move(dst, form.source === 'reg' ? src : 0);
          break;
        }
        s.live |= dst | (form.source === 'reg' ? src : 0);
        if (s.decisive & dst && form.source === 'reg') s.decisive |= src;
        break;
      }
      case 'movsx':
        s.move(dst, src);
        break;
      case 'neg':
      case 'endian':
        s.live |= dst;
        break;
      case 'lddw':
        s.move(dst, 0);
        break;
      case 'jump': {
        const used = dst | (form.source === 'reg' ? src : 0);
        s.live |= used;
        s.decisive |= used;
        break;
      }
      case 'packet':
        s.live &= ~(1 | ARGUMENTS);
        s.decisive &= ~(1 | ARGUMENTS);
        if (form.indirect) s.use(src);
        break;
      case 'load': {
        const decisive = (s.decisive & dst) !== 0;
        s.move(dst, 0);
        s.use(src);
        this.#read(s, pc, instruction.src, instruction.offset, form.bytes, decisive);
        break;
      }
      case 'store': {
        const decides = this.#write(s, pc, instruction, form.bytes);
        s.use(dst);
        if (form.source === 'reg') s.live |= src;
        if (form.source === 'reg' && decides) s.decisive |= src;
        break;
      }
      case 'atomic': {
        if (form.fetch) s.move(form.op === 'cmpxchg' ? 1 : src, 0);
        s.use(dst);
        s.live |= src | (form.op === 'cmpxchg' ? 1 : 0);
        this.#read(s, pc, instruction.dst, instruction.offset, form.bytes, false);
        break;
      }
      case 'call':
        this.#helperCall(s, pc, instruction.imm);
        break;
    }
  }

  #helperCall(s: Scratch, pc: number, id: number): void {
    s.live &= ~(1 | ARGUMENTS);
    s.decisive &= ~(1 | ARGUMENTS);
    for (const [i, argument] of (helperById(id)?.args ?? []).entries()) {
      const r = i + 1;
      s.live |= 1 << r;
      if (argument === 'scalar-or-nothing') continue;
      s.decisive |= 1 << r;
      if (argument === 'map' || argument === 'constant-size') continue;
      // How many bytes is the map's or the next argument's affair: to be safe, all from there up. Of what is in them only
      // a format decides anything.
      this.#read(s, pc, r, 0, STACK_BYTES, argument === 'format');
    }
  }

  /** Bytes of the frame that a read through register r at `offset` may touch. */
  #read(s: Scratch, pc: number, r: number, offset: number, bytes: number, decisive: boolean): void {
    const base = this.#offsets.of(pc, r);
    if (base === NOT_STACK) return;
    const from = base === UNKNOWN_OFFSET ? 0 : base + offset + STACK_BYTES;
    const to = base === UNKNOWN_OFFSET ? STACK_BYTES : Math.min(from + bytes, STACK_BYTES);
    for (let b = Math.max(from, 0); b < to; b++) {
      s.liveBytes[b >> 5] |= 1 << (b & 31);
      if (decisive) s.decisiveBytes[b >> 5] |= 1 << (b & 31);
    }
  }

  /** Takes overwritten bytes out; whether the number stored may decide something later. */
  #write(s: Scratch, pc: number, { dst, offset }: Instruction, bytes: number): boolean {
    const base = this.#offsets.of(pc, dst);
    if (base === NOT_STACK) return false;
    if (base === UNKNOWN_OFFSET) return true;
    let decides = false;
    const from = base + offset + STACK_BYTES;
    for (let b = Math.max(from, 0); b < Math.min(from + bytes, STACK_BYTES); b++) {
      const bit = 1 << (b & 31);
      decides ||= (s.decisiveBytes[b >> 5] & bit) !== 0;
      s.liveBytes[b >> 5] &= ~bit;
      s.decisiveBytes[b >> 5] &= ~bit;
    }
    return decides;
  }
}

/** The set under way for one instruction. */
class Scratch {
  live = 0;
  decisive = 0;
  readonly liveBytes = new Int32Array(WORDS);
  readonly decisiveBytes = new Int32Array(WORDS);

  clear(): void {
    this.live = 0;
    this.decisive = 0;
    this.liveBytes.fill(0);
    this.decisiveBytes.fill(0);
  }

  /** dst is written with (something made of) src. */
  move(dst: number, src: number): void {
    // A write to a register that nobody reads still reads its source: an uninitialised one is refused.
    this.live = (this.live & ~dst) | src;
    const decisive = (this.decisive & dst) !== 0;
    this.decisive &= ~dst;
    if (decisive) this.decisive |= src;
  }

  use(registers: number): void {
    this.live |= registers;
    this.decisive |= registers;
  }
}

/** Registers whose memory the instruction reads. */
function addressRegisters({ form, instruction }: Decoded): number[] {
  if (form.kind === 'load') return [instruction.src];
  if (form.kind === 'atomic') return [instruction.dst];
  if (form.kind !== 'call' || form.target !== 'helper') return [];
  return (helperById(instruction.imm)?.args ?? []).flatMap((argument, i) =>
    argument === 'map' || argument === 'constant-size' || argument === 'scalar-or-nothing' ? [] : [i + 1],
  );
}

function predecessors(flow: ControlFlow): number[][] {
  const before: number[][] = flow.decoded.map(() => []);
  for (let pc = 0; pc < before.length; pc++) for (const to of successorsOf(flow, pc)) before[to].push(pc);
  return before;
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
