import type { Scalar } from './domain/scalar.ts';
import { S64_MAX, S64_MIN } from './domain/scalar.ts';
import { U64_MAX } from './domain/tnum.ts';
import type { State } from './state.ts';
import { LENGTH_ID, type Linked, MAX_PACKET_BYTES, type Value } from './value.ts';

/** A set of numbers, for people: `42`, `0..60 step 4`, `-8..-1`, `any number`. */
export function describeRange(range: Scalar): string {
  if (range.isConstant) return numberText(range.smin < 0n && range.smin > -0x1_0000_0000n ? range.smin : range.umin);
  if (range.smin >= 0n || range.smin === S64_MIN) {
    if (range.umin === 0n && range.umax === U64_MAX)
      return range.smax === S64_MAX ? knownBits(range) : `s<= ${range.smax}`;
    if (range.umin === 0n && range.umax === U64_MAX >> 1n) return 'any number that is not negative';
    return `${numberText(range.umin)}..${numberText(range.umax)}${step(range)}`;
  }
  return `${numberText(range.smin)}..${numberText(range.smax)}${step(range)}`;
}

const numberText = (x: bigint): string => (x > 0xffff_ffffn ? `0x${x.toString(16)}` : String(x));

/** When the low bits are known to be zero. */
function step(range: Scalar): string {
  const { value, mask } = range.bits;
  if (mask === 0n || (mask & 1n) !== 0n) return '';
  const size = mask & -mask;
  return (value & (size - 1n)) === 0n ? ` step ${size}` : '';
}

function knownBits(range: Scalar): string {
  const known = step(range);
  return known === '' ? 'any number' : `any number${known}`;
}

/** `+14`, `+14..74`: an offset. */
export function describeOffset(range: Scalar): string {
  if (range.isConstant) return range.smin < 0n ? String(range.smin) : `+${range.smin}`;
  return `${range.smin < 0n ? '' : '+'}${range.smin}..${range.smax}${step(range)}`;
}

/** A value, for people. */
export function describeValue(value: Value): string {
  switch (value.kind) {
    case 'uninitialised':
      return value.lostAt === undefined ? 'uninitialised' : `lost in the call at pc ${value.lostAt}`;
    case 'scalar':
      return `${lengthName(value)}${describeRange(value.range)}`;
    case 'packet':
      return value.id === LENGTH_ID && value.delta === 0
        ? 'a pointer to the end of the packet'
        : `a pointer into the packet at ${describeOffset(value.range)}`;
    case 'stack':
      return `a pointer into the stack at r10${describeOffset(value.range)}`;
    case 'map-value':
      return `a pointer into a value of map ${value.map} at ${describeOffset(value.range)}${value.nullable ? ', or NULL' : ''}`;
    case 'map':
      return `map ${value.map} itself`;
  }
}

function lengthName(link: Linked): string {
  if (link.id !== LENGTH_ID) return '';
  if (link.delta === 0) return 'pkt_len, ';
  return `pkt_len ${link.delta < 0 ? '-' : '+'} ${Math.abs(link.delta)}, `;
}

/** A value, short, for the listing of states: `packet+14(+0..60)#5`. */
export function shortValue(value: Value): string {
  switch (value.kind) {
    case 'uninitialised':
      return value.lostAt === undefined ? 'uninit' : 'lost';
    case 'scalar':
      return link(
        value,
        value.id === LENGTH_ID ? 'len' : '',
        describeRange(value.range).replaceAll('any number', 'any'),
      );
    case 'packet':
      return link(value, 'packet', describeOffset(value.range));
    case 'stack':
      return link(value, value.frame === 0 ? 'fp' : `fp${value.frame}`, describeOffset(value.range));
    case 'map-value':
      return link(value, value.nullable ? `value${value.map}?` : `value${value.map}`, describeOffset(value.range));
    case 'map':
      return `map${value.map}`;
  }
}

function link(value: Linked, name: string, range: string): string {
  if (value.id === LENGTH_ID) {
    const delta = value.delta === 0 ? '' : value.delta < 0 ? String(value.delta) : `+${value.delta}`;
    return `${name === 'packet' ? 'packet+len' : name}${delta}(${range})`;
  }
  const id =
    value.id === 0 ? '' : `#${value.id}${value.delta === 0 ? '' : value.delta < 0 ? value.delta : `+${value.delta}`}`;
  return `${name}${range}${id}`;
}

/** The packet's length as known: `34..` */
export const describeLength = (state: State): string =>
  state.length.umax === BigInt(MAX_PACKET_BYTES)
    ? `${state.length.umin}..`
    : `${state.length.umin}..${state.length.umax}`;

/** One line: the registers that hold something, stack slots, the packet's length. */
export function describeState(state: State): string {
  const parts: string[] = [];
  for (let r = 0; r < 10; r++) {
    if (state.registers[r].kind !== 'uninitialised') parts.push(`r${r}=${shortValue(state.registers[r])}`);
  }
  const { slots } = state.stacks[state.frame];
  for (const [index, slot] of slots.entries()) {
    for (const [at, piece] of (slot ?? []).entries()) {
      if (piece === undefined) continue;
      const offset = index * 8 + at - slots.length * 8;
      if (piece === 'remains') parts.push(`fp${offset}=remains`);
      else if (piece.at === at) parts.push(`fp${offset}/${piece.size}=${shortValue(piece.value)}`);
    }
  }
  parts.push(`len=${describeLength(state)}`);
  return parts.join(' ');
}
