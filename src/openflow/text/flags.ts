import { OpenflowError } from '../errors.ts';
import { readInteger } from './number.ts';

/** Names of the bits of a field that is written as flags. */
export type FlagNames = readonly (readonly [string, number])[];

export const CT_STATE_FLAGS: FlagNames = [
  ['new', 0x01],
  ['est', 0x02],
  ['rel', 0x04],
  ['rpl', 0x08],
  ['inv', 0x10],
  ['trk', 0x20],
  ['snat', 0x40],
  ['dnat', 0x80],
];

export const TCP_FLAGS: FlagNames = [
  ['fin', 0x001],
  ['syn', 0x002],
  ['rst', 0x004],
  ['psh', 0x008],
  ['ack', 0x010],
  ['urg', 0x020],
  ['ece', 0x040],
  ['cwr', 0x080],
  ['ns', 0x100],
  ['[200]', 0x200],
  ['[400]', 0x400],
  ['[800]', 0x800],
];

export const TUNNEL_FLAGS: FlagNames = [['oam', 0x01]];

const allOf = (names: FlagNames): number => names.reduce((all, [, bit]) => all | bit, 0);

/**
 * Value and mask of a text of flags: `+syn-ack` matches those named, `syn|ack` (or a lone name, or 0) all, a number or
 * `number/mask` what it says.
 */
export function parseFlags(text: string, names: FlagNames, what: string): { value: number; mask: number } {
  const unknown = (flag: string): OpenflowError =>
    new OpenflowError(
      'OPENFLOW_BAD_VALUE',
      `${what}: "${flag}" is no flag (${names.map(([name]) => name).join(', ')}, with + or - before each)`,
    );
  const bitOf = (flag: string): number => {
    const bit = names.find(([name]) => name === flag)?.[1];
    if (bit === undefined) throw unknown(flag);
    return bit;
  };
  if (/^[+-]/.test(text)) {
    let value = 0;
    let mask = 0;
    for (const [, sign, flag] of text.matchAll(/([+-])([^+-]*)/g)) {
      const bit = bitOf(flag);
      if (mask & bit) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${what}: flag "${flag}" is named twice`);
      mask |= bit;
      if (sign === '+') value |= bit;
    }
    return { value, mask };
  }
  const all = allOf(names);
  const parts = text.split('/');
  const numbers = parts.map((part) => readInteger(part));
  if (numbers.every((number) => number !== undefined) && parts.length <= 2) {
    const [value, mask = BigInt(all)] = numbers;
    if ((value & ~BigInt(all)) !== 0n || (mask & ~BigInt(all)) !== 0n) throw unknown(text);
    return { value: Number(value & mask), mask: Number(mask) };
  }
  return { value: text.split('|').reduce((value, flag) => value | bitOf(flag), 0), mask: all };
}

/** `+syn-ack` for masked flags, `syn|ack` when all of them are matched and `plain` allows. */
export function formatFlags(value: number, mask: number, names: FlagNames, plain: boolean): string {
  if (plain && mask === allOf(names)) {
    const set = names.filter(([, bit]) => value & bit).map(([name]) => name);
    return set.length === 0 ? '0' : set.join('|');
  }
  return names
    .filter(([, bit]) => mask & bit)
    .map(([name, bit]) => `${value & bit ? '+' : '-'}${name}`)
    .join('');
}
