import fc from 'fast-check';
import { INSTRUCTION_FORMS } from '../../src/bpf/isa.ts';
import type { Instruction } from '../../src/bpf/program.ts';

/** One valid instruction of any form, operands at random; two slots for lddw. */
export const anyInstruction: fc.Arbitrary<Instruction[]> = fc
  .record({
    form: fc.constantFrom(...INSTRUCTION_FORMS),
    dst: fc.integer({ min: 0, max: 10 }),
    src: fc.integer({ min: 0, max: 10 }),
    offset: fc.integer({ min: -0x8000, max: 0x7fff }),
    imm: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    next: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  })
  .map(({ form, next, ...operands }) => {
    const field = (name: 'dst' | 'src' | 'offset' | 'imm'): number =>
      form.selector?.field === name ? form.selector.value : form.uses[name] ? operands[name] : 0;
    const first: Instruction = {
      opcode: form.opcode,
      dst: field('dst'),
      src: field('src'),
      offset: field('offset'),
      imm: field('imm'),
    };
    if (form.kind !== 'lddw') return [first];
    const imm = form.value === 'imm' || form.value.endsWith('value') ? next : 0;
    return [first, { opcode: 0, dst: 0, src: 0, offset: 0, imm }];
  });
