import { FRAME_BYTES } from '../thread.ts';
import type { FunctionFacts } from './facts.ts';
import { helperReads, partInSlots } from './helper-call.ts';
import type { ModuleFunctions } from './module-functions.ts';
import type { PreparedProgram } from './prepare.ts';

/**
 * Which bytes of its frame a function reads from memory, not from the locals that keep copies of slots: 1 for those.
 * Undefined when it may be any.
 */
export function stackBytesRead(
  facts: FunctionFacts,
  { program, forms }: PreparedProgram,
  functions: ModuleFunctions,
): Uint8Array | undefined {
  if (facts.frameEscapes) return undefined;
  const read = new Uint8Array(FRAME_BYTES);
  const mark = (offset: number, bytes: number): void => {
    const from = Math.max(0, FRAME_BYTES + offset);
    read.fill(1, from, Math.max(from, Math.min(FRAME_BYTES, FRAME_BYTES + offset + bytes)));
  };
  for (let pc = 0; pc < facts.at.length; pc++) {
    const form = forms[pc];
    const known = facts.at[pc];
    if (form === undefined || known === undefined) continue;
    const { offset, imm } = program.instructions[pc];
    if (form.kind === 'load' && known.src.kind === 'frame' && known.pieces === undefined)
      mark(known.src.offset + offset, form.bytes);
    else if (form.kind === 'atomic' && known.dst.kind === 'frame') mark(known.dst.offset + offset, form.bytes);
    else if (form.kind === 'call' && form.target === 'helper') {
      for (const { register, bytes, parts } of helperReads(imm, known, functions)) {
        const pointer = known.registers?.[register];
        if (pointer?.kind !== 'frame') continue;
        // What slots hold is read from their locals, or brought to memory for the call.
        for (const [from, count] of parts ?? [[0, bytes] as const])
          if (partInSlots(facts.stack, known, pointer, from, count) === undefined) mark(pointer.offset + from, count);
      }
    }
  }
  return read;
}
