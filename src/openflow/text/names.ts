import { portFrom16 } from '../../packet/index.ts';
import { OpenflowError } from '../errors.ts';
import { type Names, OFPP, reservedPort, reservedPortName } from '../port.ts';
import { readInteger } from './number.ts';
import { unquote } from './tokens.ts';

/** Names that a text may use for a switch's ports and tables, when they are known. */
export interface TextNames {
  readonly ports?: Names;
  readonly tables?: Names;
}

/** The number of a port's text: a number, a reserved name, or a name of `names`. */
export function parsePort(text: string, names: TextNames = {}, what = 'port'): number {
  const found = readPort(text, names);
  if (found === undefined)
    throw new OpenflowError('OPENFLOW_UNKNOWN_PORT', `${what}: "${text}" is neither a port number nor a port’s name`);
  return found;
}

/** The same, `undefined` when the text names no port. */
export function readPort(text: string, names: TextNames = {}): number | undefined {
  const number = readInteger(text);
  if (number !== undefined) {
    if (number >= 0xffffff00n && number <= 0xffffffffn) return Number(number);
    return number <= 0xffffn ? portFrom16(Number(number)) : undefined;
  }
  const name = unquote(text);
  if (name === undefined) return undefined;
  return reservedPort(name) ?? names.ports?.numberOf(name);
}

/** A port as it is printed: a reserved name, a name of `names`, or the number. */
export function formatPort(port: number, names: TextNames = {}): string {
  const reserved = reservedPortName(port);
  if (reserved !== undefined) return reserved;
  const name = port < OFPP.max ? names.ports?.nameOf(port) : undefined;
  // Reserved numbers without a name are shown as OpenFlow 1.0 has them.
  if (name === undefined) return String(port >= OFPP.max ? port & 0xffff : port);
  return isPlainName(name) && reservedPort(name) === undefined ? name : JSON.stringify(name);
}

/** Names with letters, digits, dashes, dots and underscores need no quotes, unless they look like numbers. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name);
}

/** The number of a table's text; 255 stands for all tables where `all` allows it. */
export function parseTable(text: string, names: TextNames = {}, all = false): number {
  const number = readInteger(text);
  const name = number === undefined ? unquote(text) : undefined;
  const table = number !== undefined ? Number(number) : name === undefined ? undefined : names.tables?.numberOf(name);
  if (table === undefined || table > (all ? 255 : 254))
    throw new OpenflowError(
      'OPENFLOW_UNKNOWN_TABLE',
      `table: "${text}" is neither a number from 0 to ${all ? 255 : 254} nor a table’s name`,
    );
  return table;
}

export function formatTable(table: number, names: TextNames = {}): string {
  const name = names.tables?.nameOf(table);
  if (name === undefined) return String(table);
  return isPlainName(name) ? name : JSON.stringify(name);
}
