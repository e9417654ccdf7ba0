import { describeValue } from './describe.ts';
import { Refusal } from './refusal.ts';
import type { State } from './state.ts';
import type { ScalarValue, Uninitialised, Value } from './value.ts';

/** The value of a register; refuses one that nothing was written to. */
export function readRegister(state: State, register: number): Exclude<Value, Uninitialised> {
  const value = state.registers[register];
  if (value.kind !== 'uninitialised') return value;
  throw uninitialised(register, value);
}

/**
 * As readRegister, for a store: lets what came from unwritten stack bytes through. Compilers keep variables on the stack that
 * have no value yet, and copy them to and fro, on paths that never use them.
 */
export function copyRegister(state: State, register: number): Value {
  const value = state.registers[register];
  if (value.kind !== 'uninitialised' || value.loadedAt !== undefined) return value;
  throw uninitialised(register, value);
}

/** As copyRegister, for a move: a variable without value may be kept in a register too, and be copied with others. */
export function moveRegister(state: State, register: number): Value {
  const value = state.registers[register];
  if (value.kind !== 'uninitialised' || value.loadedAt !== undefined || value.copied !== undefined) return value;
  if (value.lostAt !== undefined) throw uninitialised(register, value);
  return { kind: 'uninitialised', copied: { register, at: state.pc } };
}

function uninitialised(register: number, { lostAt, loadedAt, copied }: Uninitialised): Refusal {
  if (copied !== undefined) {
    return new Refusal(
      'BPF_VERIFIER_UNINITIALISED_REGISTER',
      `r${register} is used, but is a copy, made at pc ${copied.at}, of r${copied.register}, to which nothing was written`,
      'initialise the variable on every path that leads here; a function must return a value',
    );
  }
  if (loadedAt !== undefined) {
    return new Refusal(
      'BPF_VERIFIER_UNINITIALISED_STACK',
      `r${register} is used, but was loaded at pc ${loadedAt} from stack bytes that nothing was written to`,
      'initialise the local variable on every path that leads here',
    );
  }
  if (lostAt !== undefined) {
    return new Refusal(
      'BPF_VERIFIER_UNINITIALISED_REGISTER',
      `r${register} is read, but the call at pc ${lostAt} took away what it held`,
      'a call keeps only r6 to r9 and the stack: keep the value there across the call',
    );
  }
  return new Refusal(
    'BPF_VERIFIER_UNINITIALISED_REGISTER',
    `r${register} is read before anything is written to it`,
    'initialise the variable on every path that leads here; a function must return a value',
  );
}

/** Never r10: `checkInstruction` refuses that. */
export function writeRegister(state: State, register: number, value: Value): void {
  state.registers[register] = value;
}

/** A number, where a pointer would leak an address to `where`. */
export function readNumber(state: State, register: number, where: string): ScalarValue {
  const value = readRegister(state, register);
  if (value.kind === 'scalar') return value;
  throw leak(register, value, where);
}

export function leak(register: number, value: Value, where: string): Refusal {
  return new Refusal(
    'BPF_VERIFIER_POINTER_LEAK',
    `r${register} is ${describeValue(value)}, an address, and would leak into ${where}`,
    'use what the pointer points to, not the pointer itself',
  );
}
