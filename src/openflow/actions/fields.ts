import { formatIpv4, formatMac, parseIpv4, parseMac } from '../../bytes/index.ts';
import { type Field, type FieldValue, field, type Prerequisite, valueToBigInt } from '../../packet/index.ts';
import type {
  Action,
  AddressAction,
  AddressType,
  FieldUse,
  NumberAction,
  NumberType,
  SetFieldAction,
} from '../action.ts';
import { OpenflowError } from '../errors.ts';
import { fieldOfAnyName, formatSubfield, parseSubfield, type Subfield } from '../subfield.ts';
import { formatFieldValue, hex, parseFieldValue } from '../text/field-value.ts';
import { parseBigInteger, parseInteger } from '../text/number.ts';
import type { KeyValue } from '../text/tokens.ts';
import { type ActionKind, type ActionKinds, type ActionParser, argumentList, badAction } from './kind.ts';

interface NumberForm {
  readonly bits: number;
  readonly text: (value: number) => string;
  /** Fields that it writes; none where the datapath decides by the packet. */
  readonly writes: readonly string[];
  readonly reads?: readonly string[];
  /** Further values refused. */
  readonly check?: (value: number) => string | undefined;
}

const etherType = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
const mplsType = (value: number): string | undefined =>
  value === 0x8847 || value === 0x8848 ? undefined : 'an MPLS Ethertype (0x8847 or 0x8848)';

/** The actions with one number: how wide it is, how it is written, what it changes. */
export const NUMBER_ACTIONS: Readonly<Record<NumberType, NumberForm>> = {
  push_vlan: {
    bits: 16,
    text: (v) => `push_vlan:${etherType(v)}`,
    writes: ['vlan_tci'],
    reads: ['vlan_tci'],
    check: (v) => (v === 0x8100 || v === 0x88a8 ? undefined : 'a VLAN Ethertype (0x8100 or 0x88a8)'),
  },
  push_mpls: {
    bits: 16,
    text: (v) => `push_mpls:${etherType(v)}`,
    writes: ['eth_type', 'mpls_label', 'mpls_tc', 'mpls_bos', 'mpls_ttl'],
    reads: ['eth_type', 'ip_dscp', 'nw_ecn', 'nw_ttl', 'mpls_label', 'mpls_tc', 'mpls_bos', 'mpls_ttl'],
    check: mplsType,
  },
  pop_mpls: {
    bits: 16,
    text: (v) => `pop_mpls:${etherType(v)}`,
    writes: ['eth_type', 'mpls_label', 'mpls_tc', 'mpls_bos', 'mpls_ttl'],
    reads: ['eth_type', 'mpls_bos'],
  },
  mod_vlan_vid: { bits: 12, text: (v) => `mod_vlan_vid:${v}`, writes: ['vlan_vid'], reads: ['vlan_vid'] },
  mod_vlan_pcp: { bits: 3, text: (v) => `mod_vlan_pcp:${v}`, writes: ['vlan_pcp'], reads: ['vlan_vid'] },
  mod_nw_tos: {
    bits: 8,
    text: (v) => `mod_nw_tos:${v}`,
    writes: ['ip_dscp'],
    reads: ['eth_type'],
    check: (v) => ((v & 3) === 0 ? undefined : 'a multiple of 4'),
  },
  mod_nw_ecn: { bits: 2, text: (v) => `mod_nw_ecn:${v}`, writes: ['nw_ecn'], reads: ['eth_type'] },
  mod_nw_ttl: { bits: 8, text: (v) => `mod_nw_ttl:${v}`, writes: ['nw_ttl'], reads: ['eth_type'] },
  mod_tp_src: {
    bits: 16,
    text: (v) => `mod_tp_src:${v}`,
    writes: ['tcp_src'],
    reads: ['eth_type', 'nw_proto', 'ip_frag'],
  },
  mod_tp_dst: {
    bits: 16,
    text: (v) => `mod_tp_dst:${v}`,
    writes: ['tcp_dst'],
    reads: ['eth_type', 'nw_proto', 'ip_frag'],
  },
  set_mpls_label: { bits: 20, text: (v) => `set_mpls_label(${v})`, writes: ['mpls_label'], reads: ['eth_type'] },
  set_mpls_tc: { bits: 3, text: (v) => `set_mpls_tc(${v})`, writes: ['mpls_tc'], reads: ['eth_type'] },
  set_mpls_ttl: { bits: 8, text: (v) => `set_mpls_ttl(${v})`, writes: ['mpls_ttl'], reads: ['eth_type'] },
  set_queue: { bits: 32, text: (v) => `set_queue:${v}`, writes: ['skb_priority'] },
};

function numberKind(form: NumberForm): ActionKind<NumberAction> {
  return {
    format: (action) => form.text(action.value),
    reads(_action, use) {
      for (const name of form.reads ?? []) use.field(field(name));
    },
    writes(_action, use) {
      for (const name of form.writes) use.field(field(name));
    },
  };
}

const ADDRESS_FIELDS: Readonly<Record<AddressType, string>> = {
  mod_dl_src: 'eth_src',
  mod_dl_dst: 'eth_dst',
  mod_nw_src: 'ip_src',
  mod_nw_dst: 'ip_dst',
};

function addressKind(type: AddressType): ActionKind<AddressAction> {
  const target = field(ADDRESS_FIELDS[type]);
  const format = target.bytes === 6 ? formatMac : formatIpv4;
  return {
    format: (action) => `${type}:${format(action.address)}`,
    reads(_action, use) {
      if (target.bytes === 4) use.field(field('eth_type'));
    },
    writes: (_action, use) => use.field(target),
  };
}

const L4_READS = ['eth_type', 'nw_proto', 'ip_frag'];
const ND_READS = ['eth_type', 'nw_proto', 'icmp_type', 'icmp_code'];

/** The fields that decide whether a field with a prerequisite exists. */
const PREREQUISITE_READS: Readonly<Record<Prerequisite, readonly string[]>> = {
  none: [],
  ethernet: [],
  vlan: ['vlan_vid'],
  mpls: ['eth_type'],
  arp: ['eth_type'],
  ipv4: ['eth_type'],
  ipv6: ['eth_type'],
  ip: ['eth_type'],
  nsh: ['eth_type'],
  ct: ['ct_state'],
  ctIpv4: ['ct_state', 'eth_type'],
  ctIpv6: ['ct_state', 'eth_type'],
  ctL4: ['ct_state'],
  tcp: L4_READS,
  udp: L4_READS,
  sctp: L4_READS,
  icmpv4: ['eth_type', 'nw_proto'],
  icmpv6: ['eth_type', 'nw_proto'],
  nd: ND_READS,
  ndSolicit: ND_READS,
  ndAdvert: ND_READS,
};

/** Reports the fields that decide whether a packet has a field. */
export function readPrerequisites(target: Field, use: FieldUse): void {
  for (const name of PREREQUISITE_READS[target.prerequisite]) use.field(field(name));
}

/** Runs of set bits in a set_field's mask, at most 64 wide: what `load` can say of it, lowest bits first. */
export function loadSegments(action: SetFieldAction): { destination: Subfield; value: bigint }[] {
  const mask = valueToBigInt(action.mask);
  const value = valueToBigInt(action.value);
  const segments: { destination: Subfield; value: bigint }[] = [];
  let start = 0;
  while (start < action.field.width) {
    if (((mask >> BigInt(start)) & 1n) === 0n) {
      start++;
      continue;
    }
    let bits = 1;
    while (bits < 64 && start + bits < action.field.width && ((mask >> BigInt(start + bits)) & 1n) === 1n) bits++;
    segments.push({
      destination: { field: action.field, start, bits },
      value: (value >> BigInt(start)) & ((1n << BigInt(bits)) - 1n),
    });
    start += bits;
  }
  return segments;
}

/** The bytes of a field that has `number` in the bits of a subfield, and those that mask it. */
export function subfieldValue(subfield: Subfield, number: bigint): { value: FieldValue; mask: FieldValue } {
  const { field: target, start, bits } = subfield;
  const toBytes = (n: bigint): FieldValue => {
    const bytes = new Uint8Array(target.bytes);
    for (let i = target.bytes - 1, rest = n; i >= 0 && rest !== 0n; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
    return bytes;
  };
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(start);
  return { value: toBytes((number << BigInt(start)) & mask), mask: toBytes(mask) };
}

/** A load of `number` into a subfield, as the set_field that it is. */
export function loadAction(destination: Subfield, number: bigint): SetFieldAction {
  return { type: 'set_field', field: destination.field, ...subfieldValue(destination, number), load: true };
}

export const fieldKinds = {
  push_vlan: numberKind(NUMBER_ACTIONS.push_vlan),
  push_mpls: numberKind(NUMBER_ACTIONS.push_mpls),
  pop_mpls: numberKind(NUMBER_ACTIONS.pop_mpls),
  mod_vlan_vid: numberKind(NUMBER_ACTIONS.mod_vlan_vid),
  mod_vlan_pcp: numberKind(NUMBER_ACTIONS.mod_vlan_pcp),
  mod_nw_tos: numberKind(NUMBER_ACTIONS.mod_nw_tos),
  mod_nw_ecn: numberKind(NUMBER_ACTIONS.mod_nw_ecn),
  mod_nw_ttl: numberKind(NUMBER_ACTIONS.mod_nw_ttl),
  mod_tp_src: numberKind(NUMBER_ACTIONS.mod_tp_src),
  mod_tp_dst: numberKind(NUMBER_ACTIONS.mod_tp_dst),
  set_mpls_label: numberKind(NUMBER_ACTIONS.set_mpls_label),
  set_mpls_tc: numberKind(NUMBER_ACTIONS.set_mpls_tc),
  set_mpls_ttl: numberKind(NUMBER_ACTIONS.set_mpls_ttl),
  set_queue: numberKind(NUMBER_ACTIONS.set_queue),
  mod_dl_src: addressKind('mod_dl_src'),
  mod_dl_dst: addressKind('mod_dl_dst'),
  mod_nw_src: addressKind('mod_nw_src'),
  mod_nw_dst: addressKind('mod_nw_dst'),
  set_tunnel: {
    format: (action) => `set_tunnel${action.wide || action.id > 0xffffffffn ? '64' : ''}:${hex(action.id)}`,
    writes: (_action, use) => use.field(field('tun_id')),
  },
  set_field: {
    format(action, { names }) {
      if (!action.load) {
        const value = formatFieldValue(action.field, action.value, action.mask, names);
        return `set_field:${value}->${action.field.name}`;
      }
      return loadSegments(action)
        .map(({ destination, value }) => `load:${hex(value)}->${formatSubfield(destination)}`)
        .join(',');
    },
    reads: (action, use) => readPrerequisites(action.field, use),
    writes: (action, use) => use.field(action.field, action.mask),
  },
  move: {
    format: (action) => `move:${formatSubfield(action.source)}->${formatSubfield(action.destination)}`,
    reads(action, use) {
      readPrerequisites(action.source.field, use);
      readPrerequisites(action.destination.field, use);
      use.subfield(action.source);
    },
    writes: (action, use) => use.subfield(action.destination),
  },
  push: {
    format: (action) => `push:${formatSubfield(action.subfield)}`,
    reads(action, use) {
      readPrerequisites(action.subfield.field, use);
      use.subfield(action.subfield);
    },
  },
  pop: {
    format: (action) => `pop:${formatSubfield(action.subfield)}`,
    reads: (action, use) => readPrerequisites(action.subfield.field, use),
    writes: (action, use) => use.subfield(action.subfield),
  },
  check_pkt_larger: {
    format: (action) => `check_pkt_larger(${action.length})->${formatSubfield(action.destination)}`,
    writes: (action, use) => use.subfield(action.destination),
  },
  delete_field: {
    format: (action) => `delete_field:${action.field.name}`,
    writes: (action, use) => use.field(action.field),
  },
  dec_ttl: {
    format: (action) => (action.controllers ? `dec_ttl(${action.controllers.join(',')})` : 'dec_ttl'),
    reads(_action, use) {
      use.field(field('eth_type'));
      use.field(field('nw_ttl'));
    },
    writes: (_action, use) => use.field(field('nw_ttl')),
  },
} satisfies Partial<ActionKinds>;

const numberParser =
  (type: NumberType): ActionParser =>
  ({ value }) => {
    const form = NUMBER_ACTIONS[type];
    const number = parseInteger(value, form.bits, type);
    const needed = form.check?.(number);
    if (needed !== undefined) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${type}: "${value}" is not ${needed}`);
    return { type, value: number };
  };

const addressParser =
  (type: AddressType): ActionParser =>
  ({ value }) => {
    const ethernet = field(ADDRESS_FIELDS[type]).bytes === 6;
    const address = ethernet ? parseMac(value) : parseIpv4(value);
    if (!address)
      throw new OpenflowError(
        'OPENFLOW_BAD_VALUE',
        `${type}: "${value}" is not an ${ethernet ? 'Ethernet' : 'IPv4'} address`,
      );
    return { type, address };
  };

/** The parts of `a->b`. */
function splitArrow(piece: KeyValue): [string, string] {
  const at = piece.value.lastIndexOf('->');
  if (at < 0) throw badAction(`${piece.key}: "${piece.text}" has no "->"`);
  return [piece.value.slice(0, at).trim(), piece.value.slice(at + 2).trim()];
}

function requireWritable(target: Field, what: string): void {
  if (!target.writable) throw new OpenflowError('OPENFLOW_READ_ONLY_FIELD', `${what}: ${target.name} is read-only`);
}

const parseSetField: ActionParser = (piece, { names }) => {
  const [text, name] = splitArrow(piece);
  const target = fieldOfAnyName(name);
  if (!target) throw new OpenflowError('OPENFLOW_UNKNOWN_FIELD', `set_field: no field is named "${name}"`);
  requireWritable(target, 'set_field');
  return {
    type: 'set_field',
    field: target,
    ...parseFieldValue(target, text, names, `set_field ${name}`),
    load: false,
  };
};

const parseLoad: ActionParser = (piece) => {
  const [text, destinationText] = splitArrow(piece);
  const destination = parseSubfield(destinationText, 'load');
  requireWritable(destination.field, 'load');
  const action = loadAction(destination, parseBigInteger(text, destination.bits, `load ${destinationText}`));
  // Tunnel options are too wide for what load can say.
  return destination.field.special === 'tunMetadata' ? { ...action, load: false } : action;
};

const parseMove: ActionParser = (piece) => {
  const [from, to] = splitArrow(piece);
  const source = parseSubfield(from, 'move');
  const destination = parseSubfield(to, 'move');
  if (source.bits !== destination.bits)
    throw badAction(`move: ${from} is ${source.bits} bits wide but ${to} is ${destination.bits} bits wide`);
  requireWritable(destination.field, 'move');
  return { type: 'move', source, destination };
};

const tunnelParser =
  (wide: boolean): ActionParser =>
  ({ value }) => ({ type: 'set_tunnel', id: parseBigInteger(value, 64, 'set_tunnel'), wide });

const parseDecTtl: ActionParser = ({ value }) => {
  const ids = argumentList(value).map((id) => parseInteger(id, 16, 'dec_ttl controller'));
  return ids.length === 0 ? { type: 'dec_ttl' } : { type: 'dec_ttl', controllers: ids };
};

const parseCheckPacketLarger: ActionParser = ({ value, arrow, text }) => {
  if (arrow === undefined) throw badAction(`check_pkt_larger: "${text}" has no "->"`);
  const destination = parseSubfield(arrow, 'check_pkt_larger');
  if (destination.bits !== 1) throw badAction(`check_pkt_larger: "${arrow}" is not one bit wide`);
  requireWritable(destination.field, 'check_pkt_larger');
  return { type: 'check_pkt_larger', length: parseInteger(value, 16, 'check_pkt_larger'), destination };
};

const parseDeleteField: ActionParser = ({ value }): Action => {
  const target = fieldOfAnyName(value);
  if (!target) throw new OpenflowError('OPENFLOW_UNKNOWN_FIELD', `delete_field: no field is named "${value}"`);
  if (target.special !== 'tunMetadata')
    throw badAction(`delete_field: only tun_metadata fields can be deleted, not ${value}`);
  return { type: 'delete_field', field: target };
};

export const fieldParsers: Readonly<Record<string, ActionParser>> = {
  ...Object.fromEntries(Object.keys(NUMBER_ACTIONS).map((type) => [type, numberParser(type as NumberType)])),
  set_vlan_vid: numberParser('mod_vlan_vid'),
  set_vlan_pcp: numberParser('mod_vlan_pcp'),
  ...Object.fromEntries(Object.keys(ADDRESS_FIELDS).map((type) => [type, addressParser(type as AddressType)])),
  set_tunnel: tunnelParser(false),
  set_tunnel64: tunnelParser(true),
  set_field: parseSetField,
  load: parseLoad,
  move: parseMove,
  push: ({ value }) => ({ type: 'push', subfield: parseSubfield(value, 'push') }),
  pop: ({ value }) => {
    const subfield = parseSubfield(value, 'pop');
    requireWritable(subfield.field, 'pop');
    return { type: 'pop', subfield };
  },
  dec_ttl: parseDecTtl,
  check_pkt_larger: parseCheckPacketLarger,
  delete_field: parseDeleteField,
};
