import { parseHex, toHex } from '../../bytes/index.ts';
import { field } from '../../packet/index.ts';
import type { Action, ControllerAction, FieldUse } from '../action.ts';
import { BUNDLE_ALGORITHMS, HASH_FIELDS, MULTIPATH_ALGORITHMS, PACKET_IN_REASONS } from '../action.ts';
import { OpenflowError } from '../errors.ts';
import { OFPP } from '../port.ts';
import { formatSubfield, parseSubfield, readSubfield } from '../subfield.ts';
import { formatPort, parsePort, readPort } from '../text/names.ts';
import { parseInteger } from '../text/number.ts';
import { keyValues } from '../text/tokens.ts';
import { type ActionKinds, type ActionParser, badAction } from './kind.ts';

export const MAX_LEN_ALL = 0xffff;
/** The shortest a packet may be cut to: an Ethernet header. */
const MIN_TRUNCATE = 14;

/** What the choice of a path by hashing looks at. */
function hashReads(fields: string, use: FieldUse): void {
  const add = (...names: string[]): void => {
    for (const name of names) use.field(field(name));
  };
  if (fields === 'eth_src') add('eth_src');
  if (fields === 'nw_src') add('eth_type', 'ip_src', 'ipv6_src');
  if (fields === 'nw_dst') add('eth_type', 'ip_dst', 'ipv6_dst');
  if (fields === 'symmetric_l4') add('eth_src', 'eth_dst', 'vlan_tci');
  if (fields.startsWith('symmetric')) add('eth_type', 'ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst');
  if (fields.startsWith('symmetric') && fields !== 'symmetric_l3') add('nw_proto', 'tcp_src', 'tcp_dst');
}

const inPort = (_action: unknown, use: FieldUse): void => use.field(field('in_port_oxm'));

export const outputKinds = {
  output: {
    format(action, { names }) {
      if (action.port === OFPP.controller) return `CONTROLLER:${action.maxLen ?? MAX_LEN_ALL}`;
      const port = formatPort(action.port, names);
      return action.port < OFPP.max ? `output:${port}` : port;
    },
    reads: inPort,
  },
  output_trunc: {
    format: (action, { names }) => `output(port=${formatPort(action.port, names)},max_len=${action.maxLen})`,
    reads: inPort,
  },
  output_reg: {
    format: (action) => `output:${formatSubfield(action.source)}`,
    reads(action, use) {
      inPort(action, use);
      use.subfield(action.source);
    },
  },
  controller: {
    format(action) {
      const { controllerId, maxLen, meterId, pause, reason, userdata } = action;
      const parts: string[] = [];
      if (reason !== 1) parts.push(`reason=${PACKET_IN_REASONS[reason] ?? reason}`);
      if (maxLen !== MAX_LEN_ALL) parts.push(`max_len=${maxLen}`);
      if (controllerId !== 0) parts.push(`id=${controllerId}`);
      if (userdata) parts.push(`userdata=${toHex(userdata, '.')}`);
      if (pause) parts.push('pause');
      if (meterId !== undefined) parts.push(`meter_id=${meterId}`);
      return parts.length === 0 || (parts.length === 1 && maxLen !== MAX_LEN_ALL)
        ? `CONTROLLER:${maxLen}`
        : `controller(${parts.join(',')})`;
    },
  },
  enqueue: {
    format: (action, { names }) => `enqueue:${formatPort(action.port, names)}:${action.queue}`,
    reads: inPort,
  },
  group: { format: (action) => `group:${action.group}` },
  bundle: {
    format(action, { names }) {
      const members = action.members.map((port) => formatPort(port, names)).join(',');
      const head = `${action.fields},${action.basis},${action.algorithm},ofport`;
      return action.destination
        ? `bundle_load(${head},${formatSubfield(action.destination)},members:${members})`
        : `bundle(${head},members:${members})`;
    },
    reads(action, use) {
      inPort(action, use);
      hashReads(action.fields, use);
    },
    writes(action, use) {
      if (action.destination) use.subfield(action.destination);
    },
  },
  multipath: {
    format: (a) =>
      `multipath(${a.fields},${a.basis},${a.algorithm},${a.links},${a.arg},${formatSubfield(a.destination)})`,
    reads: (action, use) => hashReads(action.fields, use),
    writes: (action, use) => use.subfield(action.destination),
  },
} satisfies Partial<ActionKinds>;

const parseOutput: ActionParser = ({ value, text }, { names }) => {
  if (/^\s*(port|max_len)\s*=/.test(value)) return parseTruncate(value, text, names);
  const port = readPort(value, names);
  if (port !== undefined) return outputTo(port);
  const source = readSubfield(value);
  if (source) return { type: 'output_reg', source, maxLen: MAX_LEN_ALL };
  throw new OpenflowError('OPENFLOW_UNKNOWN_PORT', `output: "${value}" is neither a port’s number or name nor a field`);
};

export function outputTo(port: number): Action {
  return port === OFPP.controller ? { type: 'output', port, maxLen: MAX_LEN_ALL } : { type: 'output', port };
}

function parseTruncate(value: string, text: string, names: Parameters<typeof parsePort>[1]): Action {
  let port: number | undefined;
  let maxLen: number | undefined;
  for (const piece of keyValues(value)) {
    if (piece.key === 'port') port = parsePort(piece.value, names, 'output');
    else if (piece.key === 'max_len') maxLen = parseInteger(piece.value, 32, 'output max_len');
    else throw badAction(`output: "${piece.text}" in "${text}" is neither port=… nor max_len=…`);
  }
  if (port === undefined || maxLen === undefined) throw badAction(`output: "${text}" needs both port and max_len`);
  if (maxLen < MIN_TRUNCATE)
    throw new OpenflowError(
      'OPENFLOW_OUT_OF_RANGE',
      `output: max_len ${maxLen} is less than ${MIN_TRUNCATE}, an Ethernet header`,
    );
  if (port >= OFPP.max && port !== OFPP.local && port !== OFPP.inPort)
    throw badAction(`output: port ${formatPort(port)} cannot be used with max_len`);
  return { type: 'output_trunc', port, maxLen };
}

const parseController: ActionParser = ({ value, text }) => {
  let action: ControllerAction = {
    type: 'controller',
    maxLen: MAX_LEN_ALL,
    controllerId: 0,
    reason: 1,
    pause: false,
  };
  let plain = true;
  if (/^(0[xX])?[0-9a-fA-F]+$/.test(value)) {
    action = { ...action, maxLen: parseInteger(value, 16, 'controller max_len') };
  } else {
    for (const piece of keyValues(value)) {
      if (piece.key === 'max_len') {
        action = { ...action, maxLen: parseInteger(piece.value, 16, 'controller max_len') };
        continue;
      }
      if (piece.key === 'id') action = { ...action, controllerId: parseInteger(piece.value, 16, 'controller id') };
      else if (piece.key === 'reason') action = { ...action, reason: parseReason(piece.value) };
      else if (piece.key === 'userdata') action = { ...action, userdata: parseHexBytes(piece.value, 'userdata') };
      else if (piece.key === 'pause') action = { ...action, pause: true };
      else if (piece.key === 'meter_id') action = { ...action, meterId: parseInteger(piece.value, 32, 'meter_id') };
      else throw badAction(`controller: "${piece.text}" in "${text}" is no option of this action`);
      plain =
        action.controllerId === 0 &&
        action.reason === 1 &&
        action.userdata === undefined &&
        !action.pause &&
        action.meterId === undefined;
    }
  }
  return plain ? { type: 'output', port: OFPP.controller, maxLen: action.maxLen } : action;
};

function parseReason(text: string): number {
  const found = (PACKET_IN_REASONS as readonly string[]).indexOf(text);
  if (found < 0) throw badAction(`controller: "${text}" is no reason (${PACKET_IN_REASONS.join(', ')})`);
  return found;
}

/** Pairs of hex digits, which periods may part. */
export function parseHexBytes(text: string, what: string): Uint8Array {
  const bytes = parseHex(text.replaceAll('.', ''));
  if (!bytes) throw badAction(`${what}: "${text}" is not pairs of hex digits`);
  return bytes;
}

const parseEnqueue: ActionParser = ({ value, text }, { names }) => {
  const parts = value.split(/[,:]/);
  if (parts.length !== 2) throw badAction(`enqueue: "${text}" is not enqueue:port:queue`);
  return { type: 'enqueue', port: parsePort(parts[0], names, 'enqueue'), queue: parseInteger(parts[1], 32, 'queue') };
};

function oneOf<T extends string>(text: string, choices: readonly T[], what: string): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw badAction(`${what}: "${text}" is none of ${choices.join(', ')}`);
  return found;
}

const parseBundle: ActionParser = ({ key, value, text }, { names }) => {
  const match = /^(.*?),?\s*(?:members|slaves):(.*)$/s.exec(value);
  const head = (match?.[1] ?? '').split(',').map((part) => part.trim());
  if (!match || head.length !== (key === 'bundle' ? 4 : 5) || head[3] !== 'ofport')
    throw badAction(
      `${key}: "${text}" is not ${key}(fields,basis,algorithm,ofport,${key === 'bundle' ? '' : 'dst,'}members:ports)`,
    );
  const members = match[2]
    .split(/[,\s]+/)
    .filter((port) => port !== '')
    .map((port) => parsePort(port, names, key));
  const destination = key === 'bundle' ? undefined : parseSubfield(head[4], key);
  if (destination && destination.bits < 16) throw badAction(`${key}: the destination needs at least 16 bits`);
  return {
    type: 'bundle',
    fields: oneOf(head[0], HASH_FIELDS, `${key} fields`),
    basis: parseInteger(head[1], 16, `${key} basis`),
    algorithm: oneOf(head[2], BUNDLE_ALGORITHMS, `${key} algorithm`),
    members,
    ...(destination ? { destination } : {}),
  };
};

const parseMultipath: ActionParser = ({ value, text }) => {
  const parts = value.split(',').map((part) => part.trim());
  if (parts.length !== 6)
    throw badAction(`multipath: "${text}" is not multipath(fields,basis,algorithm,n_links,arg,dst)`);
  const destination = parseSubfield(parts[5], 'multipath');
  const links = parseInteger(parts[3], 17, 'multipath n_links');
  if (links < 1 || links > 65536)
    throw new OpenflowError('OPENFLOW_OUT_OF_RANGE', `multipath: n_links ${links} is not between 1 and 65536`);
  if (destination.bits < 16 && links > 1 << destination.bits)
    throw new OpenflowError(
      'OPENFLOW_OUT_OF_RANGE',
      `multipath: ${links} links do not fit into the ${destination.bits} bits of ${parts[5]}`,
    );
  return {
    type: 'multipath',
    fields: oneOf(parts[0], HASH_FIELDS, 'multipath fields'),
    basis: parseInteger(parts[1], 16, 'multipath basis'),
    algorithm: oneOf(parts[2], MULTIPATH_ALGORITHMS, 'multipath algorithm'),
    links,
    arg: parseInteger(parts[4], 16, 'multipath arg'),
    destination,
  };
};

export const outputParsers: Readonly<Record<string, ActionParser>> = {
  output: parseOutput,
  controller: parseController,
  enqueue: parseEnqueue,
  group: ({ value }) => ({ type: 'group', group: parseInteger(value, 32, 'group') }),
  bundle: parseBundle,
  bundle_load: parseBundle,
  multipath: parseMultipath,
};
