import { lookedUpValue } from '../helpers.ts';
import type { MapDefinition } from '../maps/definition.ts';
import { describeOffset, describeValue } from './describe.ts';
import { add } from './domain/arithmetic.ts';
import { constant, type Scalar } from './domain/scalar.ts';
import { Refusal } from './refusal.ts';
import { STACK_BYTES } from './stack.ts';
import type { State } from './state.ts';
import {
  isPointer,
  MAX_PACKET_BYTES,
  type MapValuePointer,
  type PacketPointer,
  type StackPointer,
  type Value,
} from './value.ts';

export interface Access {
  /** What the access is, for messages: `read`, `write`, `atomic operation`. */
  readonly verb: 'read' | 'write' | 'atomic operation';
  readonly bytes: number;
  /** Displacement in the instruction. */
  readonly offset: number;
  /** The register with the address. */
  readonly register: number;
}

/** Where an allowed access goes. */
export type Place =
  | { readonly kind: 'packet'; readonly range: Scalar; readonly end: number }
  | { readonly kind: 'stack'; readonly frame: number; readonly range: Scalar }
  | { readonly kind: 'map-value'; readonly map: number; readonly range: Scalar };

/** Checks that the access stays inside its object and that the object allows it. Throws Refusal. */
export function checkAccess(state: State, maps: readonly MapDefinition[], value: Value, access: Access): Place {
  switch (value.kind) {
    case 'packet':
      return checkPacket(state, value, access);
    case 'stack':
      return checkStack(value, access);
    case 'map-value':
      return checkMapValue(maps, value, access);
    case 'map':
      throw new Refusal(
        'BPF_VERIFIER_NOT_MEMORY',
        `${access.verb} through r${access.register}, which is ${describeValue(value)}`,
        'a map has no bytes of its own: call ubpf_map_lookup and use the pointer that it returns',
      );
    default:
      throw new Refusal(
        'BPF_VERIFIER_NOT_MEMORY',
        `${access.verb} through r${access.register}, which is not a pointer but ${describeValue(value)}`,
        'only pointers made from pkt, from local variables, from lookups and from global variables can be followed',
      );
  }
}

const bytesText = (bytes: number): string => (bytes === 1 ? '1 byte' : `${bytes} bytes`);

/** "4 bytes at offset 30..33" */
function extent(range: Scalar, bytes: number): string {
  const size = bytesText(bytes);
  if (!range.isConstant) return `${size} at offset ${range.smin}..${range.smax}`;
  return bytes === 1
    ? `${size} at offset ${range.smin}`
    : `${size} at offset ${range.smin}..${range.smin + BigInt(bytes) - 1n}`;
}

function checkPacket(state: State, value: PacketPointer, access: Access): Place {
  const { bytes } = access;
  if (access.verb !== 'read') {
    throw new Refusal(
      'BPF_VERIFIER_PACKET_WRITE',
      `${access.verb === 'write' ? 'write' : 'atomic operation'} into the packet`,
      'a filter may read the packet only: copy what you want to change to a local variable',
    );
  }
  const range = add(value.range, constant(BigInt(access.offset)));
  if (range.smin < 0n) {
    throw new Refusal(
      'BPF_VERIFIER_PACKET_BOUNDS',
      `packet read of ${extent(range, bytes)} may begin before the packet`,
      'use an unsigned offset, or check that it is not negative',
    );
  }
  const end = range.umax + BigInt(bytes);
  const place: Place = { kind: 'packet', range, end: Number(end) };
  if (end <= state.length.umin) return place;
  const slack = value.id === 0 ? undefined : state.slacks.get(value.id);
  if (slack !== undefined && slack + value.delta + access.offset + bytes <= 0) return place;
  const variable = !range.isConstant;
  throw new Refusal(
    'BPF_VERIFIER_PACKET_BOUNDS',
    `packet read of ${extent(range, bytes)} may pass the end of the packet`,
    packetSuggestion(variable, end, bytes),
    { known: describeKnownLength(state, value, slack) },
  );
}

function packetSuggestion(variable: boolean, end: bigint, bytes: number): string {
  if (!variable) return `return early unless pkt_len >= ${end}`;
  if (end > BigInt(MAX_PACKET_BYTES)) {
    return `bound the offset (say, offset &= 0xffff or a comparison), then return early unless offset + ${bytes} <= pkt_len`;
  }
  return `return early unless offset + ${bytes} <= pkt_len, with the very offset that is read at (or unless pkt_len >= ${end})`;
}

function describeKnownLength(state: State, value: PacketPointer, slack: number | undefined): string {
  const least = state.length.umin;
  const known = least === 0n ? 'nothing about the length of the packet' : `packet has at least ${least} bytes`;
  if (slack === undefined) return known;
  const behind = -(slack + value.delta);
  const bounded = behind >= 0 ? `${behind} bytes after this pointer are` : 'less than this pointer is';
  return `${known}; ${bounded} inside it`;
}

function checkStack(value: StackPointer, access: Access): Place {
  const { bytes } = access;
  const range = add(value.range, constant(BigInt(access.offset)));
  if (range.smin < -BigInt(STACK_BYTES) || range.smax + BigInt(bytes) > 0n) {
    throw new Refusal(
      'BPF_VERIFIER_STACK_BOUNDS',
      `${access.verb} of ${bytesText(bytes)} at r10${describeOffset(range)} is outside the ${STACK_BYTES} bytes of local variables below r10`,
      range.isConstant
        ? `local variables of one function have ${STACK_BYTES} bytes: make them smaller, or keep them in a map`
        : 'bound the index before it is used, with a comparison or a mask that fits the array',
    );
  }
  if (bytes > 1 && !isAligned(range, bytes)) {
    throw new Refusal(
      'BPF_VERIFIER_STACK_ALIGNMENT',
      `${access.verb} of ${bytesText(bytes)} of local variables at r10${describeOffset(range)} is not aligned to ${bytes}`,
      'keep local variables at their natural alignment: no packed structs of wide fields, no casts to wider types',
    );
  }
  return { kind: 'stack', frame: value.frame, range };
}

/** Whether every number of the range is a multiple of `bytes`, a power of two. */
export function isAligned(range: Scalar, bytes: number): boolean {
  const low = BigInt(bytes - 1);
  return ((range.bits.value | range.bits.mask) & low) === 0n;
}

function checkMapValue(maps: readonly MapDefinition[], value: MapValuePointer, access: Access): Place {
  const map = maps[value.map];
  if (value.nullable) {
    throw new Refusal(
      'BPF_VERIFIER_NULL_VALUE',
      `${access.verb} of a value of map ${map.name} that may be NULL (r${access.register})`,
      'check the result of the lookup first: if (!value) return 0;',
    );
  }
  const { size, writable } = reachOf(map, value);
  const range = add(value.range, constant(BigInt(access.offset)));
  if (range.smin < 0n || range.smax + BigInt(access.bytes) > BigInt(size)) {
    throw new Refusal(
      'BPF_VERIFIER_MAP_VALUE_BOUNDS',
      `${access.verb} of ${extent(range, access.bytes)} is outside the value of map ${map.name}, which has ${size} bytes`,
      range.isConstant
        ? `declare a value of at least ${range.smin + BigInt(access.bytes)} bytes, or use the type that the map declares`
        : `bound the index before it is used, so that the access ends within ${size} bytes`,
    );
  }
  if (access.verb !== 'read' && !writable) {
    throw new Refusal(
      'BPF_VERIFIER_READ_ONLY',
      `write into ${map.name}, which programs may only read`,
      map.kind === 'bloom' || map.kind === 'count-min'
        ? 'call ubpf_map_add to count or to insert'
        : 'drop the const, or keep what changes in a variable of its own',
    );
  }
  return { kind: 'map-value', map: value.map, range };
}

/** A lookup's value, or a global variable's section. */
function reachOf(map: MapDefinition, value: MapValuePointer): { size: number; writable: boolean } {
  return value.lookup < 0 ? { size: map.valueSize, writable: map.readOnly !== true } : lookedUpValue(map);
}

/** Checks that `bytes` bytes from the pointer can be read as numbers: a helper's argument. */
export function checkReadable(
  state: State,
  maps: readonly MapDefinition[],
  register: number,
  bytes: number,
  what: string,
): Place | undefined {
  const value = state.registers[register];
  // Of nothing, NULL may be the address.
  if (bytes === 0 && (isPointer(value) || (value.kind === 'scalar' && value.range.umax === 0n))) return undefined;
  if (value.kind === 'scalar' || value.kind === 'map' || value.kind === 'uninitialised') {
    throw new Refusal(
      'BPF_VERIFIER_ARGUMENT',
      `r${register} should point to ${what}, but is ${describeValue(value)}`,
      'pass the address of a variable of the right size: &key, not key',
    );
  }
  if (value.kind !== 'stack') return checkAccess(state, maps, value, { verb: 'read', bytes, offset: 0, register });
  const { range } = value;
  if (range.smin < -BigInt(STACK_BYTES) || range.smax + BigInt(bytes) > 0n) {
    throw new Refusal(
      'BPF_VERIFIER_STACK_BOUNDS',
      `${what}, ${bytesText(bytes)} from r10${describeOffset(range)}, is outside the ${STACK_BYTES} bytes of local variables below r10`,
      'pass a variable that is as large as the map declares',
    );
  }
  checkStackNumbers(state, value.frame, Number(range.smin), Number(range.smax) + bytes, what);
  return { kind: 'stack', frame: value.frame, range };
}

/** Every byte of from..to must hold a number. */
export function checkStackNumbers(state: State, frame: number, from: number, to: number, what: string): void {
  for (let at = from; at < to; at++) {
    const read = state.stacks[frame].read(at, 1);
    if (read.found === 'number' || (read.found === 'value' && read.value.kind === 'scalar')) continue;
    throw unreadable(read.found === 'value' ? 'part-of-pointer' : read.found, at, what, from, to);
  }
}

export function unreadable(
  found: 'uninitialised' | 'remains' | 'part-of-pointer',
  at: number,
  what: string,
  from: number,
  to: number,
): Refusal {
  const byte = `${what}: ${bytesText(to - from)} of local variables (r10${from}..${to - 1}), of which byte ${at - from} (r10${at})`;
  if (found === 'uninitialised') {
    return new Refusal(
      'BPF_VERIFIER_UNINITIALISED_STACK',
      `${byte} was never written`,
      'initialise the whole variable, padding too: struct key k = {}; or memset(&k, 0, sizeof(k))',
    );
  }
  if (found === 'remains') {
    return new Refusal(
      'BPF_VERIFIER_BROKEN_POINTER',
      `${byte} is what a partial overwrite left of a pointer`,
      'do not write into a variable that holds a pointer; write the variable as a whole',
    );
  }
  return new Refusal(
    'BPF_VERIFIER_POINTER_LEAK',
    `${byte} is part of a pointer`,
    'keep pointers out of keys, values and other data',
  );
}
