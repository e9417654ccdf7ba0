import { type Helper, helperById, keyArgumentSize, MAX_FORMAT_BYTES, MAX_HASHED_BYTES } from '../helpers.ts';
import type { MapDefinition } from '../maps/definition.ts';
import type { Program } from '../program.ts';
import type { FreshId } from './arithmetic-instructions.ts';
import { describeValue } from './describe.ts';
import { constant, signedRange, UNKNOWN, unknownOfSize, ZERO } from './domain/scalar.ts';
import { checkReadable, type Place } from './memory-access.ts';
import { Refusal } from './refusal.ts';
import { leak, readNumber, readRegister } from './registers.ts';
import { MAX_FRAMES, type State } from './state.ts';
import { scalar, UNKNOWN_SCALAR, type Value } from './value.ts';

/** What a call of a helper used, for the summary. */
export interface HelperUse {
  readonly helper: Helper;
  readonly map: number | undefined;
  readonly read: readonly Place[];
}

/** A call of a helper: its arguments are checked against its contract, r0 is what it returns, r1 to r5 are lost. */
export function executeHelperCall(state: State, program: Program, id: number, freshId: FreshId): HelperUse {
  const helper = helperById(id);
  if (helper === undefined) throw new Error(`no helper ${id}`);
  let map: number | undefined;
  const read: Place[] = [];
  for (const [i, argument] of helper.args.entries()) {
    const register = i + 1;
    switch (argument) {
      case 'map':
        map = mapArgument(state, program, helper, register);
        break;
      case 'map-key':
      case 'map-item':
      case 'map-value': {
        const definition = program.maps[map ?? 0];
        const bytes = argument === 'map-value' ? definition.valueSize : keyArgumentSize(definition);
        const what = `the ${argument.slice(4)} of map ${definition.name}`;
        keep(read, checkReadable(state, program.maps, register, bytes, what));
        break;
      }
      case 'memory':
        keep(
          read,
          checkReadable(state, program.maps, register, sizeArgument(state, helper, register + 1), 'the bytes to hash'),
        );
        break;
      case 'constant-size':
        break;
      case 'format':
        checkFormat(state, program.maps, register);
        break;
      case 'scalar-or-nothing':
        checkScalarOrNothing(state, register, helper);
        break;
    }
  }
  state.forgetArguments(state.pc);
  state.registers[0] = resultOf(helper, program.maps, map, freshId);
  return { helper, map, read };
}

function keep(places: Place[], place: Place | undefined): void {
  if (place !== undefined) places.push(place);
}

function mapArgument(state: State, program: Program, helper: Helper, register: number): number {
  const value = readRegister(state, register);
  if (value.kind !== 'map') {
    throw new Refusal(
      'BPF_VERIFIER_ARGUMENT',
      `${helper.name} wants a map in r${register}, which is ${describeValue(value)}`,
      'pass the address of a map that the program declares: &my_map',
    );
  }
  const map = program.maps[value.map];
  if (helper.mapKinds !== undefined && !helper.mapKinds.includes(map.kind)) {
    throw new Refusal(
      'BPF_VERIFIER_MAP_KIND',
      `${helper.name} does nothing on map ${map.name}, which is of kind ${map.kind}`,
      `${helper.name} works on maps of kind ${helper.mapKinds.join(', ')}`,
    );
  }
  if (map.readOnly && (helper.name === 'ubpf_map_update' || helper.name === 'ubpf_map_delete')) {
    throw new Refusal(
      'BPF_VERIFIER_READ_ONLY',
      `${helper.name} on ${map.name}, which programs may only read`,
      'use a map of your own',
    );
  }
  return value.map;
}

function sizeArgument(state: State, helper: Helper, register: number): number {
  const { range } = readNumber(state, register, 'a size');
  if (range.isConstant && range.umin <= BigInt(MAX_HASHED_BYTES)) return Number(range.umin);
  throw new Refusal(
    'BPF_VERIFIER_SIZE',
    `${helper.name} wants a size in r${register} that is a constant from 0 to ${MAX_HASHED_BYTES}; it is ${describeValue(scalar(range))}`,
    'pass sizeof of the variable',
  );
}

function checkScalarOrNothing(state: State, register: number, helper: Helper): void {
  const value = state.registers[register];
  // What was on the stack before is nobody's to print.
  if (value.kind === 'uninitialised' && value.loadedAt !== undefined) readRegister(state, register);
  if (value.kind !== 'uninitialised' && value.kind !== 'scalar')
    throw leak(register, value, `what ${helper.name} prints`);
}

/** Text that ends with NUL and that nobody can change: in a read-only map, or known bytes of the stack. */
function checkFormat(state: State, maps: readonly MapDefinition[], register: number): void {
  const value = readRegister(state, register);
  const byteAt = formatReader(state, maps, value);
  for (let i = 0; byteAt !== undefined && i < MAX_FORMAT_BYTES; i++) {
    const byte = byteAt(i);
    if (byte === undefined) break;
    if (byte === 0) return;
  }
  throw new Refusal(
    'BPF_VERIFIER_FORMAT',
    `the format in r${register} is not a constant text of at most ${MAX_FORMAT_BYTES - 1} characters: it is ${describeValue(value)}`,
    'pass a string literal as the format',
  );
}

function formatReader(
  state: State,
  maps: readonly MapDefinition[],
  value: Value,
): ((i: number) => number | undefined) | undefined {
  if (value.kind === 'map-value' && value.range.isConstant && !value.nullable && value.lookup < 0) {
    const { initial, readOnly } = maps[value.map];
    const from = Number(value.range.smin);
    return readOnly && from >= 0 ? (i) => initial?.[from + i] : undefined;
  }
  if (value.kind !== 'stack' || !value.range.isConstant) return undefined;
  const from = Number(value.range.smin);
  return (i) => {
    if (from + i < -512 || from + i >= 0) return undefined;
    const read = state.stacks[value.frame].read(from + i, 1);
    const range =
      read.found === 'number'
        ? read.range
        : read.found === 'value' && read.value.kind === 'scalar'
          ? read.value.range
          : UNKNOWN;
    return range.isConstant ? Number(range.umin) : undefined;
  };
}

const ERRNO_RANGE = signedRange(-4095n, 0n);

function resultOf(helper: Helper, maps: readonly MapDefinition[], map: number | undefined, freshId: FreshId): Value {
  switch (helper.returns) {
    case 'map-value-or-null': {
      const of = map ?? 0;
      // The sketch always has a counter to show.
      const nullable = maps[of].kind !== 'count-min';
      return { kind: 'map-value', map: of, nullable, lookup: freshId(), range: ZERO, id: 0, delta: 0 };
    }
    case 'errno':
      return scalar(ERRNO_RANGE);
    case 'u32':
      return scalar(unknownOfSize(4));
    case 'zero':
      return scalar(constant(0n));
    default:
      return UNKNOWN_SCALAR;
  }
}

/** A call of a function of the program: it sees r1 to r5, and gets a frame of its own. */
export function executeLocalCall(state: State, functionPc: number, key: readonly number[]): void {
  if (state.stacks.length >= MAX_FRAMES) {
    throw new Refusal(
      'BPF_VERIFIER_CALL_DEPTH',
      `calls are nested ${MAX_FRAMES + 1} deep${state.callers.some((c) => c.functionPc === functionPc) ? ', through recursion' : ''}; ${MAX_FRAMES} is the most`,
      'use no recursion; inline functions or flatten the chain of calls',
    );
  }
  state.enter(functionPc, state.pc + 1, key);
}

/** The end of a function. True when the program ends. */
export function executeExit(state: State): boolean {
  const result = state.registers[0];
  if (state.callers.length > 0) {
    if (result.kind === 'stack' && result.frame === state.frame) {
      throw new Refusal(
        'BPF_VERIFIER_DANGLING_POINTER',
        'the function returns a pointer to a local variable of its own',
        'let the caller hand in a pointer to where the result goes',
      );
    }
    state.leave();
    return false;
  }
  const value = readRegister(state, 0);
  if (value.kind !== 'scalar') throw leak(0, value, 'the result of the program');
  return true;
}
