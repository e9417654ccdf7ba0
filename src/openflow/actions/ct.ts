import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../bytes/index.ts';
import { field } from '../../packet/index.ts';
import type { Action, CtAction, NatAction } from '../action.ts';
import type { OpenflowError } from '../errors.ts';
import { formatSubfield, readSubfield, type Subfield } from '../subfield.ts';
import { formatTable, parseTable } from '../text/names.ts';
import { parseInteger, readInteger } from '../text/number.ts';
import { keyValues } from '../text/tokens.ts';
import { type ActionKinds, type ActionParser, badAction } from './kind.ts';

const ALG_NAMES: readonly (readonly [string, number])[] = [
  ['ftp', 21],
  ['tftp', 69],
];

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
};

function formatNat(action: NatAction): string {
  if (!action.direction) return 'nat';
  let text = action.direction;
  const { addresses, ports } = action;
  if (addresses) {
    const ipv6 = addresses[0].length === 16;
    const one = (address: Uint8Array): string => {
      if (!ipv6) return formatIpv4(address);
      return ports ? `[${formatIpv6(address)}]` : formatIpv6(address);
    };
    text += `=${one(addresses[0])}${addresses[1] ? `-${one(addresses[1])}` : ''}`;
    if (ports) text += `:${ports[0]}${ports[1] === undefined ? '' : `-${ports[1]}`}`;
  }
  if (action.persistent) text += ',persistent';
  if (action.hash) text += ',hash';
  if (action.random) text += ',random';
  return `nat(${text})`;
}

export const ctKinds = {
  nat: { format: formatNat },
  ct: {
    format(action, { names, nested }) {
      const parts: string[] = [];
      if (action.commit) parts.push('commit');
      if (action.force) parts.push('force');
      if (action.table !== undefined) parts.push(`table=${formatTable(action.table, names)}`);
      if (typeof action.zone === 'object') parts.push(`zone=${formatSubfield(action.zone)}`);
      else if (action.zone !== 0) parts.push(`zone=${action.zone}`);
      // A nat in front stands by itself, not inside exec().
      const [first, ...others] = action.actions;
      const inside = first?.type === 'nat' ? others : action.actions;
      if (first?.type === 'nat') parts.push(formatNat(first));
      if (inside.length > 0) parts.push(`exec(${nested(inside)})`);
      if (action.alg !== 0) parts.push(`alg=${ALG_NAMES.find(([, port]) => port === action.alg)?.[0] ?? action.alg}`);
      return `ct(${parts.join(',')})`;
    },
    reads(action, use) {
      use.field(field('eth_type'));
      if (typeof action.zone === 'object') use.subfield(action.zone);
    },
    writes(_action, use) {
      for (const name of ['ct_state', 'ct_zone', 'ct_mark', 'ct_label']) use.field(field(name));
    },
    nested: (action) => action.actions,
  },
} satisfies Partial<ActionKinds>;

const parseCt: ActionParser = ({ value, text }, parsing) => {
  let ct: CtAction = { type: 'ct', commit: false, force: false, zone: 0, alg: 0, actions: [] };
  let nat: Action | undefined;
  for (const piece of keyValues(value)) {
    switch (piece.key) {
      case 'commit':
        ct = { ...ct, commit: true };
        break;
      case 'force':
        ct = { ...ct, force: true };
        break;
      case 'table':
        ct = { ...ct, table: parseTable(piece.value, parsing.names) };
        break;
      case 'zone':
        ct = { ...ct, zone: parseZone(piece.value) };
        break;
      case 'nat':
        nat = parseNat(piece, parsing);
        break;
      case 'exec':
        ct = { ...ct, actions: [...ct.actions, ...parsing.nested(piece.value, 'ct')] };
        break;
      case 'alg': {
        const known = ALG_NAMES.find(([name]) => name === piece.value)?.[1];
        ct = { ...ct, alg: known ?? parseInteger(piece.value, 16, 'ct alg') };
        break;
      }
      default:
        throw badAction(`ct: "${piece.text}" in "${text}" is no argument of this action`);
    }
  }
  if (ct.force && !ct.commit) throw badAction(`ct: "force" in "${text}" needs "commit"`);
  const actions = nat ? [nat, ...ct.actions] : ct.actions;
  if (actions.filter((action) => action.type === 'nat').length > 1)
    throw badAction(`ct: "${text}" has more than one "nat"`);
  return { ...ct, actions };
};

function parseZone(text: string): number | Subfield {
  const number = readInteger(text);
  if (number !== undefined) return parseInteger(text, 16, 'ct zone');
  const zone = readSubfield(text);
  if (zone?.bits !== 16) throw badAction(`ct: zone "${text}" is neither a number nor 16 bits of a field`);
  return zone;
}

const parseNat: ActionParser = ({ value, text }): NatAction => {
  let nat: NatAction = { type: 'nat', persistent: false, hash: false, random: false };
  for (const piece of keyValues(value)) {
    if (piece.key === 'src' || piece.key === 'dst') {
      if (nat.direction) throw badAction(`nat: "${text}" has both src and dst`);
      nat = { ...nat, direction: piece.key, ...(piece.value === '' ? {} : parseNatRange(piece.value)) };
    } else if (piece.key === 'persistent') nat = { ...nat, persistent: true };
    else if (piece.key === 'hash') nat = { ...nat, hash: true };
    else if (piece.key === 'random') nat = { ...nat, random: true };
    else throw badAction(`nat: "${piece.text}" in "${text}" is no argument of nat`);
  }
  if (nat.hash && nat.random) throw badAction(`nat: "${text}" has both "hash" and "random"`);
  if (!nat.direction && value.trim() !== '') throw badAction(`nat: "${text}" names neither src nor dst`);
  // The flags choose within a range: without one there is nothing to choose.
  if (!nat.addresses) nat = { ...nat, persistent: false, hash: false, random: false };
  return nat;
};

/** `addr[-addr][:port[-port]]`, IPv6 addresses in brackets when ports follow. */
function parseNatRange(text: string): Pick<NatAction, 'addresses' | 'ports'> {
  const bad = (): OpenflowError => badAction(`nat: "${text}" is no range of addresses and ports`);
  const match =
    /^(\d[\d.]*)(?:-(\d[\d.]*))?(?::(\w+)(?:-(\w+))?)?$/.exec(text) ??
    /^\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(\w+)(?:-(\w+))?)?$/.exec(text) ??
    /^([0-9a-fA-F:.]+)(?:-([0-9a-fA-F:.]+))?$/.exec(text);
  if (!match) throw bad();
  const address = (part: string | undefined): Uint8Array | undefined => {
    if (part === undefined) return undefined;
    const bytes = parseIpv4(part) ?? parseIpv6(part);
    if (!bytes) throw bad();
    return bytes;
  };
  const first = address(match[1]);
  const last = address(match[2]);
  if (!first || (last && (last.length !== first.length || compareBytes(last, first) < 0))) throw bad();
  const addresses: [Uint8Array, Uint8Array?] = last && compareBytes(last, first) !== 0 ? [first, last] : [first];
  if (match[3] === undefined) return { addresses };
  const port = parseInteger(match[3], 16, 'nat port');
  const lastPort = match[4] === undefined ? port : parseInteger(match[4], 16, 'nat port');
  if (lastPort < port) throw bad();
  // Port 0 is what "no port" looks like on the wire.
  if (port === 0) return { addresses };
  return { addresses, ports: lastPort === port ? [port] : [port, lastPort] };
}

export const ctParsers: Readonly<Record<string, ActionParser>> = { ct: parseCt, nat: parseNat };
