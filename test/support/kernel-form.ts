import { HELPER_ID } from '../../src/bpf/helpers.ts';
import { instruction } from '../../src/bpf/instruction.ts';
import { formOf, type InstructionForm, Opcode, Pseudo } from '../../src/bpf/isa.ts';
import type { MapDefinition } from '../../src/bpf/maps/definition.ts';
import type { Instruction, Program } from '../../src/bpf/program.ts';
import type { KernelMaps } from './kernel-map.ts';

/** Linux's numbers of the helpers that stand for Oko's. */
const LINUX_HELPER = { mapLookup: 1, mapUpdate: 2, mapDelete: 3, timeGetNs: 5, checksumDifference: 28, mapPush: 87 };

/** Why a program cannot be asked about; the programs that convert say it by their number. */
export class NotConvertible extends Error {}

/** An instruction under way, with the slot of the original program, or of what is added behind it, that it leads to. */
interface Line {
  readonly code: Instruction;
  readonly leadsTo?: number;
}

/**
 * The program as an XDP program that Linux can verify, for packets of one length: the packet is a read-only map value of so
 * many bytes, so that Linux, which knows no `pkt_len`, follows offsets into it by their ranges. Helpers become Linux's with
 * the same demands (a hash is a checksum), LD ABS and IND a load and a call that loses r1 to r5.
 */
export function kernelForm(program: Program, length: number, maps: KernelMaps): Instruction[] {
  return new Conversion(program, length, maps).run();
}

/**
 * The same for a program that takes the packet's end in r2, as Linux's programs do: no length is fixed, the packet is a
 * packet. For programs without maps and helpers.
 */
export function kernelFormWithEnd({ instructions }: Program): Instruction[] {
  // struct xdp_md: u32 data, data_end at 0 and 4.
  return [
    instruction('ldxw', { dst: 2, src: 1, offset: 4 }),
    instruction('ldxw', { dst: 1, src: 1, offset: 0 }),
    ...instructions,
  ];
}

class Conversion {
  readonly #program: Program;
  readonly #length: number;
  readonly #maps: KernelMaps;
  readonly #lines: Line[] = [];
  /** Whether a call leads to the function that gives back what it was given. */
  #callsIdentity = false;

  constructor(program: Program, length: number, maps: KernelMaps) {
    this.#program = program;
    this.#length = length;
    this.#maps = maps;
  }

  run(): Instruction[] {
    const { instructions } = this.#program;
    this.#packet(1);
    this.#emit('mov64_imm', { dst: 2, imm: this.#length });
    const starts: number[] = [];
    for (let pc = 0; pc < instructions.length; pc++) {
      starts.push(this.#lines.length);
      const form = formOf(instructions[pc]);
      if (form === undefined) throw new NotConvertible('unknown opcode');
      this.#convert(form, instructions[pc], pc);
      if (form.kind !== 'lddw') continue;
      starts.push(this.#lines.length - 1);
      pc++;
    }
    starts.push(this.#lines.length);
    if (this.#callsIdentity) {
      this.#emit('mov64_reg', { dst: 0, src: 1 });
      this.#emit('exit');
    }
    return this.#lines.map(({ code, leadsTo }, at) => {
      if (leadsTo === undefined) return code;
      const start = starts[leadsTo];
      // Left as it is, it leads nowhere there too.
      const distance = start === undefined ? 0x7000 : start - at - 1;
      const inImm = code.opcode === Opcode.CALL || code.opcode === Opcode.JA32;
      return inImm ? { ...code, imm: distance } : { ...code, offset: distance };
    });
  }

  #convert(form: InstructionForm, code: Instruction, pc: number): void {
    switch (form.kind) {
      case 'jump':
        this.#lines.push({ code, leadsTo: pc + 1 + code.offset });
        break;
      case 'goto':
        this.#lines.push({ code, leadsTo: pc + 1 + (form.wide ? code.imm : code.offset) });
        break;
      case 'call':
        if (form.target === 'helper') this.#helper(code.imm, pc);
        else if (form.target === 'local') this.#lines.push({ code, leadsTo: pc + 1 + code.imm });
        else this.#lines.push({ code });
        break;
      case 'lddw':
        this.#wide(form.value, code, this.#program.instructions[pc + 1]);
        break;
      case 'packet':
        this.#packetLoad(form, code);
        break;
      default:
        this.#lines.push({ code });
    }
  }

  #emit(name: string, operands: Partial<Instruction> = {}): void {
    this.#lines.push({ code: instruction(name, operands) });
  }

  /** dst = the packet's first byte: a map has at least one, so one of no bytes ends where an empty packet does. */
  #packet(dst: number): void {
    const bytes = Math.max(this.#length, 8);
    const fd = this.#maps.fdOf({ ...PACKET, valueSize: bytes });
    this.#lddw(dst, Pseudo.LDDW_MAP_VALUE, fd ?? 0, 0);
    if (this.#length < bytes) this.#emit('add64_imm', { dst, imm: bytes - this.#length });
  }

  #lddw(dst: number, src: number, imm: number, next: number): void {
    this.#lines.push({ code: { opcode: Opcode.LDDW, dst, src, offset: 0, imm } });
    this.#lines.push({ code: { opcode: Opcode.LDDW_TAIL, dst: 0, src: 0, offset: 0, imm: next } });
  }

  #wide(value: string, code: Instruction, tail: Instruction): void {
    if (value !== 'map' && value !== 'map-value') {
      this.#lines.push({ code }, { code: tail });
      return;
    }
    const map = this.#program.maps[code.imm];
    if (map === undefined) throw new NotConvertible('a map that is not declared');
    const fd = this.#maps.fdOf(map);
    if (fd === undefined) throw new NotConvertible('count-min sketch');
    this.#lddw(code.dst, code.src, fd, tail.imm);
  }

  #helper(id: number, pc: number): void {
    switch (id) {
      case HELPER_ID.mapLookup:
        if (this.#callsWith('bloom', pc)) throw new NotConvertible('lookup in a Bloom filter');
        this.#emit('call', { imm: LINUX_HELPER.mapLookup });
        break;
      case HELPER_ID.mapUpdate:
        this.#emit('mov64_imm', { dst: 4, imm: 0 });
        this.#emit('call', { imm: LINUX_HELPER.mapUpdate });
        break;
      case HELPER_ID.mapDelete:
        this.#emit('call', { imm: LINUX_HELPER.mapDelete });
        break;
      case HELPER_ID.mapAdd:
        this.#emit('mov64_imm', { dst: 3, imm: 0 });
        this.#emit('call', { imm: LINUX_HELPER.mapPush });
        break;
      case HELPER_ID.timeGetNs:
        this.#emit('call', { imm: LINUX_HELPER.timeGetNs });
        break;
      case HELPER_ID.hash:
        for (const dst of [3, 4, 5]) this.#emit('mov64_imm', { dst, imm: 0 });
        this.#emit('call', { imm: LINUX_HELPER.checksumDifference });
        this.#emit('mov32_reg', { dst: 0, src: 0 });
        break;
      default:
        throw new NotConvertible(id === HELPER_ID.printf ? 'ubpf_printf' : 'helper that does not exist');
    }
  }

  /** Whether the latest map that was loaded before is of the kind. */
  #callsWith(kind: MapDefinition['kind'], pc: number): boolean {
    const { instructions, maps } = this.#program;
    const loads = instructions.slice(0, pc).filter((each) => each.opcode === Opcode.LDDW && each.src === 1);
    return maps[loads.at(-1)?.imm ?? 0]?.kind === kind;
  }

  #packetLoad({ bytes, indirect }: Extract<InstructionForm, { kind: 'packet' }>, { src, imm }: Instruction): void {
    if (indirect && src === 0) this.#emit('mov64_reg', { dst: 1, src: 0 });
    this.#packet(0);
    if (indirect) this.#emit('add64_reg', { dst: 0, src: src === 0 ? 1 : src });
    this.#emit('add64_imm', { dst: 0, imm });
    this.#emit(bytes === 1 ? 'ldxb' : bytes === 2 ? 'ldxh' : 'ldxw', { dst: 0, src: 0 });
    if (bytes > 1) this.#emit(bytes === 2 ? 'be16' : 'be32', { dst: 0 });
    this.#emit('mov64_reg', { dst: 1, src: 0 });
    this.#callsIdentity = true;
    this.#lines.push({ code: instruction('call_local'), leadsTo: this.#program.instructions.length });
  }
}

const PACKET: MapDefinition = {
  name: 'packet',
  kind: 'array',
  keySize: 4,
  valueSize: 0,
  maxEntries: 1,
  hashCount: 0,
  readOnly: true,
};
