import type { InstructionForm } from '../isa.ts';
import type { MapDefinition } from '../maps/definition.ts';
import type { Instruction } from '../program.ts';
import { type FreshId, linked } from './arithmetic-instructions.ts';
import { describeOffset, describeValue } from './describe.ts';
import { signExtend, zeroExtend } from './domain/bitwise.ts';
import { constant, unknownOfSize } from './domain/scalar.ts';
import { checkAccess, checkStackNumbers, isAligned, type Place, unreadable } from './memory-access.ts';
import { Refusal } from './refusal.ts';
import { copyRegister, leak, readNumber, readRegister, writeRegister } from './registers.ts';
import { plain, type State } from './state.ts';
import { isPointer, type ScalarValue, scalar, type Value } from './value.ts';

type Form<K extends InstructionForm['kind']> = Extract<InstructionForm, { kind: K }>;

/** dst = *(src + offset) */
export function executeLoad(
  state: State,
  maps: readonly MapDefinition[],
  form: Form<'load'>,
  { dst, src, offset }: Instruction,
): Place {
  const { bytes, signed } = form;
  const address = readRegister(state, src);
  const place = checkAccess(state, maps, address, { verb: 'read', bytes, offset, register: src });
  const unknown = scalar(unknownOfSize(bytes, signed));
  writeRegister(state, dst, place.kind === 'stack' ? loadFromStack(state, place, bytes, signed) : unknown);
  return place;
}

function loadFromStack(state: State, place: Extract<Place, { kind: 'stack' }>, bytes: number, signed: boolean): Value {
  const { range, frame } = place;
  const from = Number(range.smin);
  if (!range.isConstant) {
    checkStackNumbers(state, frame, from, Number(range.smax) + bytes, 'this load');
    return scalar(unknownOfSize(bytes, signed));
  }
  const read = state.stacks[frame].read(from, bytes);
  if (read.found === 'value') {
    const { value } = read;
    if (value.kind === 'uninitialised') return { kind: 'uninitialised', loadedAt: state.pc };
    if (value.kind !== 'scalar') return bytes === 8 ? value : refuseUnreadable('part-of-pointer', from, from, bytes);
    return signed ? signed64(value, bytes) : value;
  }
  if (read.found === 'number') return scalar(signed ? signExtend(read.range, 8 * bytes) : read.range);
  if (read.found === 'uninitialised') return { kind: 'uninitialised', loadedAt: state.pc };
  return refuseUnreadable(read.found, read.at, from, bytes);
}

function refuseUnreadable(
  found: 'uninitialised' | 'remains' | 'part-of-pointer',
  at: number,
  from: number,
  bytes: number,
): never {
  throw unreadable(found, at, 'this load', from, from + bytes);
}

function signed64(value: ScalarValue, bytes: number): ScalarValue {
  const range = signExtend(value.range, 8 * bytes);
  return range === value.range ? value : scalar(range);
}

/** *(dst + offset) = imm or src */
export function executeStore(
  state: State,
  maps: readonly MapDefinition[],
  form: Form<'store'>,
  { dst, src, offset, imm }: Instruction,
  freshId: FreshId,
): Place {
  const { bytes } = form;
  const value = form.source === 'imm' ? scalar(constant(BigInt(imm))) : copyRegister(state, src);
  const address = readRegister(state, dst);
  const place = checkAccess(state, maps, address, { verb: 'write', bytes, offset, register: dst });
  if (place.kind === 'map-value') {
    if (value.kind === 'uninitialised') readRegister(state, src);
    if (value.kind !== 'scalar') throw leak(src, value, `map ${maps[place.map].name}, which others can read`);
    return place;
  }
  if (place.kind !== 'stack') return place;
  if (isPointer(value)) checkSpill(value, src, place, bytes);
  if (value.kind === 'uninitialised') {
    if (!place.range.isConstant) readRegister(state, src);
    write(state, place.frame, (stack) => stack.erase(Number(place.range.smin), bytes));
  } else if (place.range.isConstant) {
    const kept = form.source === 'reg' ? spilled(state, src, value, bytes, freshId) : stored(value, bytes);
    write(state, place.frame, (stack) => stack.write(Number(place.range.smin), bytes, kept));
  } else {
    write(state, place.frame, (stack) => stack.blur(Number(place.range.smin), Number(place.range.smax) + bytes));
  }
  return place;
}

function write(state: State, frame: number, change: (stack: State['stacks'][number]) => State['stacks'][number]): void {
  state.stacks[frame] = change(state.stacks[frame]);
}

/** What the stored bytes hold, read back unsigned. */
function stored(value: Value, bytes: number): Value {
  if (value.kind !== 'scalar') return value;
  const range = zeroExtend(value.range, 8 * bytes);
  if (range !== value.range) return scalar(range);
  return plain(value);
}

/** A register's number kept whole on the stack stays linked with it. */
function spilled(state: State, register: number, value: Value, bytes: number, freshId: FreshId): Value {
  return stored(linked(state, register, value, freshId), bytes);
}

function checkSpill(value: Value, register: number, place: Extract<Place, { kind: 'stack' }>, bytes: number): void {
  if (bytes !== 8) {
    throw new Refusal(
      'BPF_VERIFIER_POINTER_LEAK',
      `r${register} is ${describeValue(value)}, and only ${bytes} of its 8 bytes are stored`,
      'keep pointers in variables of pointer type',
    );
  }
  if (!place.range.isConstant) {
    throw new Refusal(
      'BPF_VERIFIER_POINTER_LEAK',
      `r${register} is ${describeValue(value)}, stored at an address that is not known exactly: r10${describeOffset(place.range)}`,
      'do not keep pointers in arrays that are indexed by a variable',
    );
  }
  if (value.kind === 'stack' && value.frame > place.frame) {
    throw new Refusal(
      'BPF_VERIFIER_DANGLING_POINTER',
      `r${register} points into the frame of this function, which ends before its caller's, where it is stored`,
      'do not hand a pointer to a local variable out of its function',
    );
  }
}

/** lock *(dst + offset) op= src, exchanges, fetches */
export function executeAtomic(
  state: State,
  maps: readonly MapDefinition[],
  form: Form<'atomic'>,
  { dst, src, offset }: Instruction,
): Place {
  const { bytes } = form;
  readNumber(state, src, 'shared memory');
  if (form.op === 'cmpxchg') readNumber(state, 0, 'shared memory');
  const address = readRegister(state, dst);
  const place = checkAccess(state, maps, address, { verb: 'atomic operation', bytes, offset, register: dst });
  if (!isAligned(place.range, bytes)) {
    throw new Refusal(
      'BPF_VERIFIER_ATOMIC_ALIGNMENT',
      `atomic operation on ${bytes} bytes at offset ${describeOffset(place.range)}, which is not a multiple of ${bytes}`,
      'align the field to its size: no packed struct around it',
    );
  }
  if (place.kind === 'stack') {
    const from = Number(place.range.smin);
    const to = Number(place.range.smax) + bytes;
    checkStackNumbers(state, place.frame, from, to, 'this atomic operation');
    write(state, place.frame, (stack) =>
      place.range.isConstant ? stack.write(from, bytes, scalar(unknownOfSize(bytes))) : stack.blur(from, to),
    );
  }
  if (form.fetch) writeRegister(state, form.op === 'cmpxchg' ? 0 : src, scalar(unknownOfSize(bytes)));
  return place;
}

/** r0 = big-endian field of the packet, at imm or src + imm. */
export function executePacketLoad(
  state: State,
  maps: readonly MapDefinition[],
  form: Form<'packet'>,
  { src, imm }: Instruction,
): Place {
  const at = form.indirect ? readNumber(state, src, 'an offset') : scalar(constant(0n));
  const place = checkAccess(
    state,
    maps,
    { kind: 'packet', range: at.range, id: at.id, delta: at.delta },
    { verb: 'read', bytes: form.bytes, offset: imm, register: form.indirect ? src : 1 },
  );
  state.registers[0] = scalar(unknownOfSize(form.bytes));
  state.forgetArguments(state.pc);
  return place;
}
