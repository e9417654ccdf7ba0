import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyInstruction } from '../../test/support/any-instruction.ts';
import { decodeProgram, encodeProgram, MAX_INSTRUCTIONS } from './codec.ts';
import { BPF_ERRORS, BpfError, type BpfErrorCode } from './errors.ts';
import { formOf, INSTRUCTION_FORMS, OpClass } from './isa.ts';

function refusal(hex: string): { code: BpfErrorCode; message: string } {
  try {
    decodeProgram(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')));
  } catch (error) {
    if (error instanceof BpfError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`accepted: ${hex}`);
}

describe('the instruction table', () => {
  it('tells every form by opcode and selector, and names it once', () => {
    const keys = INSTRUCTION_FORMS.map((form) => `${form.opcode}/${form.selector?.field}/${form.selector?.value}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(INSTRUCTION_FORMS.map((form) => form.name)).size).toBe(INSTRUCTION_FORMS.length);
    for (const form of INSTRUCTION_FORMS) {
      const { field, value } = form.selector ?? { field: 'imm', value: 0 };
      expect(formOf({ opcode: form.opcode, src: 0, offset: 0, imm: 0, [field]: value })).toBe(form);
    }
  });

  it('selects by the same field in every form of an opcode', () => {
    for (const form of INSTRUCTION_FORMS)
      for (const other of INSTRUCTION_FORMS)
        if (form.opcode === other.opcode) expect(form.selector?.field).toBe(other.selector?.field);
  });

  it('has what RFC 9669 counts in each group', () => {
    const count = (group: string) => INSTRUCTION_FORMS.filter((form) => form.group === group).length;
    expect(count('divmul32')).toBe(10);
    expect(count('divmul64')).toBe(10);
    expect(count('atomic32')).toBe(10);
    expect(count('atomic64')).toBe(10);
    expect(count('packet')).toBe(6);
    expect(count('callx')).toBe(1);
    // 18 ALU, neg, 2 movsx, 6 byte orders, 22 jumps, ja, ja32, 3 calls, exit, 3 loads, 6 stores.
    expect(count('base32')).toBe(18 + 1 + 2 + 6 + 22 + 2 + 3 + 1 + 3 + 6);
    // 18 ALU, neg, 3 movsx, 3 byte orders, 22 jumps, 1 + 3 loads, 2 stores, 7 lddw.
    expect(count('base64')).toBe(18 + 1 + 3 + 3 + 22 + 4 + 2 + 7);
  });

  it('keeps the class in the low three bits', () => {
    for (const form of INSTRUCTION_FORMS) {
      const opClass = form.opcode & 7;
      if (form.kind === 'alu') expect(opClass).toBe(form.width === 64 ? OpClass.ALU64 : OpClass.ALU);
      if (form.kind === 'jump') expect(opClass).toBe(form.width === 64 ? OpClass.JMP : OpClass.JMP32);
      if (form.kind === 'load') expect(opClass).toBe(OpClass.LDX);
    }
  });
});

describe('decodeProgram', () => {
  it('reads fields as RFC 9669 lays them out', () => {
    const bytes = Uint8Array.from([0x61, 0x52, 0xfc, 0xff, 0, 0, 0, 0, 0xb4, 0x0a, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    expect(decodeProgram(bytes)).toEqual([
      { opcode: 0x61, dst: 2, src: 5, offset: -4, imm: 0 },
      { opcode: 0xb4, dst: 10, src: 0, offset: 0, imm: -2 },
    ]);
  });

  it('keeps both slots of lddw', () => {
    const bytes = Buffer.from('1801000088776655' + '0000000044332211', 'hex');
    expect(decodeProgram(bytes).map(({ opcode, imm }) => [opcode, imm])).toEqual([
      [0x18, 0x55667788],
      [0, 0x11223344],
    ]);
  });

  it.each([
    ['', 'BPF_BAD_BYTECODE_LENGTH', 'got 0 bytes'],
    ['95000000000000', 'BPF_BAD_BYTECODE_LENGTH', 'got 7 bytes'],
    ['0000000000000000', 'BPF_UNKNOWN_OPCODE', 'pc 0: no instruction has opcode 0x00'],
    ['b700000000000000 ff00000000000000', 'BPF_UNKNOWN_OPCODE', 'pc 1: no instruction has opcode 0xff'],
    ['3400020001000000', 'BPF_UNKNOWN_OPCODE', 'opcode 0x34 with offset 2'],
    ['bc10200000000000', 'BPF_UNKNOWN_OPCODE', 'opcode 0xbc with offset 32'],
    ['dc00000021000000', 'BPF_UNKNOWN_OPCODE', 'opcode 0xdc with imm 33'],
    ['db21000002000000', 'BPF_UNKNOWN_OPCODE', 'opcode 0xdb with imm 2'],
    ['8530000001000000', 'BPF_UNKNOWN_OPCODE', 'opcode 0x85 with src 3'],
    ['b70b000000000000', 'BPF_BAD_REGISTER', 'mov64_imm (opcode 0xb7): dst is r11'],
    ['bfb1000000000000', 'BPF_BAD_REGISTER', 'src is r11'],
    ['b710000000000000', 'BPF_RESERVED_FIELD', 'src is 1 and must be 0'],
    ['bf10000001000000', 'BPF_RESERVED_FIELD', 'imm is 1 and must be 0'],
    ['0710010000000000', 'BPF_RESERVED_FIELD', 'src is 1'],
    ['0f10010000000000', 'BPF_RESERVED_FIELD', 'offset is 1'],
    ['9500000001000000', 'BPF_RESERVED_FIELD', 'pc 0: exit (opcode 0x95): imm is 1'],
    ['1800000000000000', 'BPF_CUT_LDDW', 'the program ends'],
    ['1800000000000000 9500000000000000', 'BPF_CUT_LDDW', 'the next slot has opcode 0x95'],
    ['1800000000000000 0001000000000000', 'BPF_RESERVED_FIELD', 'dst of its second slot is 1'],
    ['1810000000000000 0000000001000000', 'BPF_RESERVED_FIELD', 'lddw_map (opcode 0x18): imm of its second slot is 1'],
  ])('refuses %s', (hex, code, text) => {
    const refused = refusal(hex);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(text);
    expect(BPF_ERRORS[refused.code].remedy).not.toBe('');
  });

  it('bounds the length', () => {
    const bytes = new Uint8Array((MAX_INSTRUCTIONS + 1) * 8);
    expect(() => decodeProgram(bytes)).toThrow('65537 instructions');
  });

  it('gives back what encodeProgram wrote, for any instructions', () => {
    fc.assert(
      fc.property(fc.array(anyInstruction, { minLength: 1, maxLength: 20 }), (parts) => {
        const program = parts.flat();
        expect(decodeProgram(encodeProgram(program))).toEqual(program);
      }),
      { numRuns: 500 },
    );
  });

  it('either refuses random bytes or can write the same bytes again', () => {
    const slots = fc
      .uint8Array({ minLength: 1, maxLength: 4 })
      .chain((opcodes) =>
        fc.tuple(
          ...[...opcodes].map((opcode) =>
            fc
              .uint8Array({ minLength: 7, maxLength: 7 })
              .map((rest) => [opcode, ...rest.map((b) => (b > 0x60 ? 0 : b))]),
          ),
        ),
      );
    fc.assert(
      fc.property(slots, (parts) => {
        const bytes = Uint8Array.from(parts.flat());
        try {
          expect(encodeProgram(decodeProgram(bytes))).toEqual(bytes);
        } catch (error) {
          if (!(error instanceof BpfError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('encodeProgram', () => {
  it.each([
    [{ dst: 16 }, 'dst 16'],
    [{ offset: 0x8000 }, 'offset 32768'],
    [{ imm: 0x8000_0000 }, 'imm 2147483648'],
    [{ imm: 0.5 }, 'imm 0.5'],
  ])('refuses an operand out of range: %o', (wrong, text) => {
    const instruction = { opcode: 0xb7, dst: 0, src: 0, offset: 0, imm: 0, ...wrong };
    expect(() => encodeProgram([instruction])).toThrow(text);
  });
});
