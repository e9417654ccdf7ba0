import { OpenflowError } from '../errors.ts';

const NUMBER = /^(0[xX][0-9a-fA-F]+|[0-9]+)$/;

/**
 * The number of a text as the C library reads it: hexadecimal after 0x, octal after another leading 0, else decimal.
 * `undefined` when the text is none. A minus is taken where `negative` says so, as in cookie=1/-1, modulo 2^64.
 */
export function readInteger(text: string, negative = false): bigint | undefined {
  if (negative && text.startsWith('-')) {
    const positive = readInteger(text.slice(1));
    return positive === undefined ? undefined : BigInt.asUintN(64, -positive);
  }
  if (!NUMBER.test(text) || text.length > 300) return undefined;
  if (/^0[0-9]/.test(text)) return /^[0-7]+$/.test(text) ? BigInt(`0o${text}`) : undefined;
  return BigInt(text);
}

/** A number of at most `bits` bits; `what` names it in the error. */
export function parseBigInteger(text: string, bits: number, what: string, negative = false): bigint {
  const number = readInteger(text, negative);
  if (number === undefined) throw new OpenflowError('OPENFLOW_BAD_NUMBER', `${what}: "${text}" is not a number`);
  if (number >> BigInt(bits) !== 0n)
    throw new OpenflowError(
      'OPENFLOW_OUT_OF_RANGE',
      `${what}: ${text} does not fit into ${bits} bits (at most ${(1n << BigInt(bits)) - 1n})`,
    );
  return number;
}

/** The same for at most 32 bits. */
export function parseInteger(text: string, bits: number, what: string): number {
  return Number(parseBigInteger(text, bits, what));
}
