import { toHex } from '../../bytes/index.ts';
import { field } from '../../packet/index.ts';
import type { BareAction, BareType, EncapProperty, SampleAction } from '../action.ts';
import { OpenflowError } from '../errors.ts';
import { OFPP } from '../port.ts';
import { hex } from '../text/field-value.ts';
import { formatPort, formatTable, parsePort, parseTable } from '../text/names.ts';
import { parseBigInteger, parseInteger } from '../text/number.ts';
import { keyValues } from '../text/tokens.ts';
import { type ActionKind, type ActionKinds, type ActionParser, argumentList, badAction } from './kind.ts';
import { parseHexBytes } from './output.ts';

/** The number that stands for the table an action runs in. */
export const CURRENT_TABLE = 255;

/** Packet types of encap and decap: OpenFlow 1.5's namespace and type. */
export const PACKET_TYPE = {
  ethernet: 0x00000000,
  /** "Whatever is next": the switch finds out. */
  useNext: 0x0000fffe,
  mpls: 0x00018847,
  mplsMulticast: 0x00018848,
  nsh: 0x0001894f,
} as const;

const ENCAP_NAMES: readonly (readonly [string, number])[] = [
  ['ethernet', PACKET_TYPE.ethernet],
  ['mpls', PACKET_TYPE.mpls],
  ['mpls_mc', PACKET_TYPE.mplsMulticast],
  ['nsh', PACKET_TYPE.nsh],
];

function bareKind(type: BareType, reads: readonly string[], writes: readonly string[]): ActionKind<BareAction> {
  return {
    format: () => type,
    reads(_action, use) {
      for (const name of reads) use.field(field(name));
    },
    writes(_action, use) {
      for (const name of writes) use.field(field(name));
    },
  };
}

/** Notes fill up their action, which is a multiple of 8 bytes with 10 before the data. */
export function padNote(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.max(6, data.length + ((14 - (data.length % 8)) % 8)));
  padded.set(data);
  return padded;
}

const CT_FIELDS = ['ct_state', 'ct_zone', 'ct_mark', 'ct_label'];

export const controlKinds = {
  strip_vlan: {
    format: (action) => (action.pop ? 'pop_vlan' : 'strip_vlan'),
    reads: (_action, use) => use.field(field('vlan_tci')),
    writes: (_action, use) => use.field(field('vlan_tci')),
  },
  dec_mpls_ttl: bareKind('dec_mpls_ttl', ['eth_type', 'mpls_ttl'], ['mpls_ttl']),
  dec_nsh_ttl: bareKind('dec_nsh_ttl', ['eth_type', 'nsh_ttl'], ['nsh_ttl']),
  pop_queue: bareKind('pop_queue', [], ['skb_priority']),
  ct_clear: bareKind('ct_clear', [], CT_FIELDS),
  exit: bareKind('exit', [], []),
  clear_actions: bareKind('clear_actions', [], []),
  resubmit: {
    format(action, { names }) {
      const port = action.port === OFPP.inPort ? '' : formatPort(action.port, names);
      if (action.table === CURRENT_TABLE && !action.ct && port !== '') return `resubmit:${port}`;
      const table = action.table === CURRENT_TABLE ? '' : formatTable(action.table, names);
      return `resubmit(${port},${table}${action.ct ? ',ct' : ''})`;
    },
  },
  clone: {
    format: (action, { nested }) => `clone(${nested(action.actions)})`,
    nested: (action) => action.actions,
  },
  conjunction: { format: (action) => `conjunction(${action.id},${action.clause}/${action.clauses})` },
  note: { format: (action) => `note:${toHex(action.data, '.')}` },
  sample: {
    format(action, { names }) {
      const { probability, collectorSetId, obsDomainId, obsPointId, samplingPort, direction } = action;
      const ids = `collector_set_id=${collectorSetId},obs_domain_id=${obsDomainId},obs_point_id=${obsPointId}`;
      const port = samplingPort === OFPP.none ? '' : `,sampling_port=${formatPort(samplingPort, names)}`;
      return `sample(probability=${probability},${ids}${port}${direction === 'default' ? '' : `,${direction}`})`;
    },
  },
  fin_timeout: {
    format(action) {
      const parts: string[] = [];
      if (action.idleTimeout !== 0) parts.push(`idle_timeout=${action.idleTimeout}`);
      if (action.hardTimeout !== 0) parts.push(`hard_timeout=${action.hardTimeout}`);
      return `fin_timeout(${parts.join(',')})`;
    },
    reads(_action, use) {
      for (const name of ['eth_type', 'nw_proto', 'tcp_flags']) use.field(field(name));
    },
  },
  encap: {
    format(action) {
      const name = ENCAP_NAMES.find(([, type]) => type === action.packetType)?.[0] ?? hex(action.packetType);
      if (action.properties.length === 0) return `encap(${name})`;
      return `encap(${name}(${action.properties.map(formatEncapProperty).join(',')}))`;
    },
    reads: (_action, use) => use.field(field('packet_type')),
    writes: (_action, use) => use.field(field('packet_type')),
  },
  decap: {
    format(action) {
      if (action.packetType === PACKET_TYPE.useNext) return 'decap()';
      return `decap(packet_type(ns=${action.packetType >>> 16},type=${hex(action.packetType & 0xffff)}))`;
    },
    reads(_action, use) {
      for (const name of ['packet_type', 'eth_type', 'vlan_tci', 'nsh_np']) use.field(field(name));
    },
    writes: (_action, use) => use.field(field('packet_type')),
  },
  send_maps: { format: (action) => `send_maps(${[action.program, ...action.maps].join(',')})` },
} satisfies Partial<ActionKinds>;

function formatEncapProperty(property: EncapProperty): string {
  return property.kind === 'nshMdType'
    ? `md_type=${property.mdType}`
    : `tlv(0x${property.tlvClass.toString(16).padStart(4, '0')},${property.tlvType},0x${toHex(property.data)})`;
}

const bareParser =
  (type: BareType | 'strip_vlan'): ActionParser =>
  ({ value, text }) => {
    if (value.trim() !== '') throw badAction(`${type}: "${text}": this action takes no argument`);
    return { type };
  };

const parseResubmit: ActionParser = ({ value, text }, { names }) => {
  const [portText, tableText, ctText, more] = argumentListWithGaps(value);
  if (more !== undefined || (ctText !== undefined && ctText !== 'ct'))
    throw badAction(`resubmit: "${text}" is not resubmit([port],[table][,ct])`);
  const port = portText === '' || portText === undefined ? OFPP.inPort : parsePort(portText, names, 'resubmit');
  const table = tableText === '' || tableText === undefined ? CURRENT_TABLE : parseTable(tableText, names, true);
  if (port === OFPP.inPort && table === CURRENT_TABLE)
    throw badAction(`resubmit: "${text}" names neither a port nor a table`);
  return { type: 'resubmit', port, table, ct: ctText === 'ct' };
};

function argumentListWithGaps(value: string): (string | undefined)[] {
  return value.split(',').map((part) => part.trim());
}

const parseConjunction: ActionParser = ({ value, text }) => {
  const match = /^\s*([^,]+),\s*([^/]+)\/\s*([^,]+)$/.exec(value);
  if (!match) throw badAction(`conjunction: "${text}" is not conjunction(id,k/n)`);
  const clause = parseInteger(match[2].trim(), 8, 'conjunction k');
  const clauses = parseInteger(match[3].trim(), 8, 'conjunction n');
  if (clauses < 2 || clauses > 64 || clause < 1 || clause > clauses)
    throw new OpenflowError(
      'OPENFLOW_OUT_OF_RANGE',
      `conjunction: ${clause}/${clauses} is not k/n with n from 2 to 64 and k from 1 to n`,
    );
  return { type: 'conjunction', id: parseInteger(match[1].trim(), 32, 'conjunction id'), clause, clauses };
};

const parseSample: ActionParser = ({ value, text }, { names }) => {
  let action: SampleAction = {
    type: 'sample',
    probability: 0,
    collectorSetId: 0,
    obsDomainId: 0,
    obsPointId: 0,
    samplingPort: OFPP.none,
    direction: 'default',
  };
  for (const piece of keyValues(value)) {
    const number = (bits: number): number => parseInteger(piece.value, bits, `sample ${piece.key}`);
    if (piece.key === 'probability') action = { ...action, probability: number(16) };
    else if (piece.key === 'collector_set_id') action = { ...action, collectorSetId: number(32) };
    else if (piece.key === 'obs_domain_id') action = { ...action, obsDomainId: number(32) };
    else if (piece.key === 'obs_point_id') action = { ...action, obsPointId: number(32) };
    else if (piece.key === 'sampling_port')
      action = { ...action, samplingPort: parsePort(piece.value, names, 'sample') };
    else if (piece.key === 'ingress' || piece.key === 'egress') action = { ...action, direction: piece.key };
    else throw badAction(`sample: "${piece.text}" in "${text}" is no argument of this action`);
  }
  if (action.probability === 0) throw badAction(`sample: "${text}" needs a probability from 1 to 65535`);
  return action;
};

const parseFinTimeout: ActionParser = ({ value, text }) => {
  let idleTimeout = 0;
  let hardTimeout = 0;
  for (const piece of keyValues(value)) {
    if (piece.key === 'idle_timeout') idleTimeout = parseInteger(piece.value, 16, 'fin_timeout idle_timeout');
    else if (piece.key === 'hard_timeout') hardTimeout = parseInteger(piece.value, 16, 'fin_timeout hard_timeout');
    else throw badAction(`fin_timeout: "${piece.text}" in "${text}" is neither idle_timeout nor hard_timeout`);
  }
  return { type: 'fin_timeout', idleTimeout, hardTimeout };
};

const parseEncap: ActionParser = ({ value, text }) => {
  const [piece, more] = [...keyValues(value)];
  const packetType = ENCAP_NAMES.find(([name]) => name === piece?.key)?.[1];
  if (packetType === undefined || more !== undefined)
    throw badAction(`encap: "${text}" does not name one header (${ENCAP_NAMES.map(([name]) => name).join(', ')})`);
  const properties = [...keyValues(piece.value)].map((property): EncapProperty => {
    if (packetType === PACKET_TYPE.nsh && property.key === 'md_type') {
      const mdType = parseInteger(property.value, 8, 'encap md_type');
      if (mdType !== 1 && mdType !== 2) throw badAction(`encap: md_type ${mdType} is neither 1 nor 2`);
      return { kind: 'nshMdType', mdType };
    }
    if (packetType === PACKET_TYPE.nsh && property.key === 'tlv') return parseNshTlv(property.value);
    throw badAction(`encap: "${property.text}" is no property of ${piece.key}`);
  });
  return { type: 'encap', packetType, properties };
};

function parseNshTlv(value: string): EncapProperty {
  const parts = argumentList(value);
  if (parts.length !== 3 || !/^0[xX]/.test(parts[2]))
    throw badAction(`encap: "tlv(${value})" is not tlv(class,type,0x…)`);
  const data = parseHexBytes(parts[2].slice(2), 'encap tlv');
  if (data.length < 1 || data.length > 124)
    throw new OpenflowError('OPENFLOW_OUT_OF_RANGE', `encap: a TLV of ${data.length} bytes is not between 1 and 124`);
  return {
    kind: 'nshTlv',
    tlvClass: parseInteger(parts[0], 16, 'encap tlv class'),
    tlvType: parseInteger(parts[1], 8, 'encap tlv type'),
    data,
  };
}

const parseDecap: ActionParser = ({ value, text }) => {
  if (value.trim() === '') return { type: 'decap', packetType: PACKET_TYPE.useNext };
  const match = /^packet_type\(\s*ns=([^,]+),\s*type=([^,]+)\)$/.exec(value.trim());
  if (!match) throw badAction(`decap: "${text}" is not decap(packet_type(ns=namespace,type=type))`);
  const namespace = parseInteger(match[1].trim(), 16, 'decap ns');
  const type = parseInteger(match[2].trim(), 16, 'decap type');
  return { type: 'decap', packetType: namespace * 0x10000 + type };
};

const parseSendMaps: ActionParser = ({ value, text }) => {
  const [program, ...maps] = argumentList(value).map((number) => parseInteger(number, 16, 'send_maps'));
  if (program === undefined) throw badAction(`send_maps: "${text}" names no program; write send_maps(prog[,map…])`);
  return { type: 'send_maps', program, maps };
};

const parseMeter: ActionParser = ({ value }) => ({ type: 'meter', meter: parseInteger(value, 32, 'meter') });

const parseWriteMetadata: ActionParser = ({ value }) => {
  const [number, mask, more] = value.split('/');
  if (more !== undefined) throw badAction(`write_metadata: "${value}" has more than one mask`);
  return {
    type: 'write_metadata',
    value: parseBigInteger(number, 64, 'write_metadata'),
    mask: mask === undefined ? 2n ** 64n - 1n : parseBigInteger(mask, 64, 'write_metadata mask'),
  };
};

export const instructionKinds = {
  meter: { format: (action) => `meter:${action.meter}` },
  write_actions: {
    format: (action, { nested }) => `write_actions(${nested(action.actions)})`,
    nested: (action) => action.actions,
  },
  write_metadata: {
    format: ({ value, mask }) => `write_metadata:${hex(value)}${mask === 2n ** 64n - 1n ? '' : `/${hex(mask)}`}`,
    writes: (_action, use) => use.field(field('metadata')),
  },
  goto_table: { format: (action, { names }) => `goto_table:${formatTable(action.table, names)}` },
} satisfies Partial<ActionKinds>;

export const controlParsers: Readonly<Record<string, ActionParser>> = {
  strip_vlan: bareParser('strip_vlan'),
  pop_vlan: bareParser('strip_vlan'),
  dec_mpls_ttl: bareParser('dec_mpls_ttl'),
  dec_nsh_ttl: bareParser('dec_nsh_ttl'),
  pop_queue: bareParser('pop_queue'),
  ct_clear: bareParser('ct_clear'),
  exit: bareParser('exit'),
  clear_actions: bareParser('clear_actions'),
  resubmit: parseResubmit,
  clone: ({ value }, { nested }) => ({ type: 'clone', actions: nested(value, 'clone') }),
  conjunction: parseConjunction,
  note: ({ value }) => ({ type: 'note', data: padNote(parseHexBytes(value, 'note')) }),
  sample: parseSample,
  fin_timeout: parseFinTimeout,
  encap: parseEncap,
  decap: parseDecap,
  send_maps: parseSendMaps,
  meter: parseMeter,
  write_actions: ({ value }, { nested }) => ({ type: 'write_actions', actions: nested(value, 'write_actions') }),
  write_metadata: parseWriteMetadata,
  goto_table: ({ value }, { names }) => ({ type: 'goto_table', table: parseTable(value, names) }),
};
