import {
  encodeMessage,
  type FlowModMessage,
  type Message,
  type MessageBody,
  NO_BUFFER,
  OFPP,
  type PortMod,
  ProtocolError,
  type SwitchConfig,
  type TableMod,
} from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS } from '../../packet/index.ts';
import { TABLE_COUNT } from '../flow-tables.ts';
import type { FragmentHandling } from '../translate/fragments.ts';
import { mergeAsyncMasks } from './async-config.ts';
import { answerBundleControl } from './bundle-commit.ts';
import { answerLegacy } from './legacy-requests.ts';
import { answerMultipart } from './multipart.ts';
import { answerOko } from './oko-requests.ts';
import { packetOut, unknownBuffer } from './packet-out.ts';
import { describePort } from './port-message.ts';
import { checkProgramsNamed } from './program-check.ts';
import type { Session } from './session.ts';
import type { SwitchControl } from './switch-control.ts';

/** Messages that a secondary controller may not send (OpenFlow 1.3.5 section 6.3.6). */
const CHANGES: readonly Message['type'][] = [
  'flow_mod',
  'port_mod',
  'table_mod',
  'packet_out',
  'bundle_control',
  'bundle_add',
];

/** Messages that look at the flow tables or change them. */
const USE_TABLES: readonly Message['type'][] = ['flow_mod', 'multipart_request', 'bundle_control', 'oko'];

/** ofp_capabilities: flow, table and port statistics, queue statistics; in 1.0 addresses in ARP, later groups, bundles. */
const CAPABILITIES_10 = 0xc7;
const CAPABILITIES = 0x4f;
const BUNDLES = 1 << 9;
/** The twelve actions of OpenFlow 1.0. */
const ACTIONS_10 = 0xfff;
const FRAGMENT_MASK = 3;
/** By their numbers in the configuration's flags; the third would put fragments together. */
const FRAGMENTS: readonly (FragmentHandling | undefined)[] = ['normal', 'drop', undefined, 'nx-match'];
const INVALID_TTL = 4;

/**
 * Replies in order; `undefined` is a point where something else may be done, a promise one where something else has to be
 * waited for.
 */
export type Answer = Generator<Uint8Array | undefined | Promise<void>>;

/**
 * Carries out a request and yields the replies to it.
 *
 * @throws ProtocolError, OfprotoError: the error to answer with
 */
export function* answer(control: SwitchControl, session: Session, message: Message): Answer {
  if (session.role === 'secondary' && CHANGES.includes(message.type))
    throw new ProtocolError('OFPBRC_IS_SECONDARY', `a secondary controller cannot send ${message.type}`);
  // What has begun is waited for, rather than hurried; a transaction of somebody else may have begun when it is our turn.
  if (USE_TABLES.includes(message.type))
    for (let { changing } = control.bridge; changing !== undefined; { changing } = control.bridge) yield changing;
  const reply = (body: MessageBody): Uint8Array[] => encodeMessage({ ...body, xid: message.xid }, session.dialect);
  switch (message.type) {
    case 'hello':
    case 'error':
    case 'echo_reply':
      return;
    case 'echo_request':
      yield* reply({ type: 'echo_reply', data: message.data });
      return;
    case 'features_request':
      yield* reply(features(control, session));
      return;
    case 'get_config_request':
      yield* reply(switchConfig(control, session));
      return;
    case 'set_config':
      setConfig(control, session, message);
      control.sessionChanged();
      return;
    case 'barrier_request':
      // Requests are carried out one after the other, so everything before this one has been.
      control.bridge.takeEffect();
      yield* reply({ type: 'barrier_reply' });
      return;
    case 'flow_mod':
      yield* flowMod(control, session, message);
      return;
    case 'packet_out':
      packetOut(control.bridge, message);
      return;
    case 'port_mod':
      portMod(control, message);
      return;
    case 'table_mod':
      tableMod(message);
      return;
    case 'bundle_control':
      yield* answerBundleControl(control, session, message);
      return;
    case 'bundle_add':
      session.bundles.add(message, message.xid, (bytes) => session.decode(bytes));
      return;
    case 'role_request': {
      const ousted = control.election.request(session, message, control.roleHolders());
      for (const other of ousted) control.roleTaken(other);
      const { role } = session;
      yield* reply({ type: 'role_reply', role, generationId: control.election.generation });
      return;
    }
    case 'get_async_request':
      yield* reply({ type: 'get_async_reply', ...session.async });
      return;
    case 'set_async':
      session.async = mergeAsyncMasks(session.async, message);
      return;
    case 'multipart_request':
      yield* answerMultipart(control, session, message);
      return;
    case 'flow_monitor_cancel':
      session.monitors.cancel(message.monitor);
      return;
    case 'queue_get_config_request':
      if (control.bridge.ports.peek(message.port) === undefined && message.port !== OFPP.none)
        throw new ProtocolError('OFPQOFC_BAD_PORT', `there is no port ${message.port}`);
      yield* reply({ type: 'queue_get_config_reply', port: message.port, queues: [] });
      return;
    case 'nx_set_flow_format':
      session.nxm = message.nxm;
      return;
    case 'nx_flow_mod_table_id':
      session.tableId = message.enable;
      return;
    case 'nx_set_packet_in_format':
      session.packetInFormat = message.format;
      return;
    case 'nx_set_controller_id':
      session.controllerId = message.controllerId;
      return;
    case 'oko_legacy':
      yield* answerLegacy(control, session, message);
      return;
    case 'oko':
      yield* answerOko(control, session, message);
      return;
    default:
      throw new ProtocolError('OFPBRC_BAD_TYPE', `a switch does not take ${message.type}`);
  }
}

function features({ bridge, datapathId }: SwitchControl, session: Session): MessageBody {
  const { is10, version } = session;
  return {
    type: 'features_reply',
    datapathId,
    buffers: 0,
    tables: TABLE_COUNT,
    auxiliaryId: 0,
    capabilities: is10 ? CAPABILITIES_10 : version >= OPENFLOW_VERSIONS.of14 ? CAPABILITIES | BUNDLES : CAPABILITIES,
    actions: is10 ? ACTIONS_10 : 0,
    ports: is10 ? bridge.ports.list().map(describePort) : [],
  };
}

function switchConfig({ bridge }: SwitchControl, session: Session): MessageBody {
  const ttl = session.sendsInvalidTtl && session.version < OPENFLOW_VERSIONS.of13 ? INVALID_TTL : 0;
  return {
    type: 'get_config_reply',
    flags: FRAGMENTS.indexOf(bridge.fragments) | ttl,
    missSendLen: session.missSendLen,
  };
}

/** Fragments that are to be put together are handled as before, which a client sees when it asks; so does Open vSwitch. */
function setConfig({ bridge }: SwitchControl, session: Session, config: SwitchConfig): void {
  const fragments = FRAGMENTS[config.flags & FRAGMENT_MASK];
  if (fragments !== undefined && session.role !== 'secondary') bridge.fragments = fragments;
  session.missSendLen = config.missSendLen;
  session.sendsInvalidTtl = (config.flags & INVALID_TTL) !== 0;
}

/** What may be about many flows is carried out in slices. */
function* flowMod({ bridge }: SwitchControl, session: Session, mod: FlowModMessage & { readonly xid: number }): Answer {
  checkProgramsNamed(bridge, mod);
  const options = { version: session.version, origin: { session, xid: mod.xid } };
  if (mod.command === 'modify' || mod.command === 'delete') yield bridge.flowModInSlices(mod, options);
  else bridge.flowMod(mod, options);
  if (mod.bufferId !== NO_BUFFER) throw unknownBuffer(mod.bufferId);
}

function portMod({ bridge }: SwitchControl, { port, hardwareAddress, config, mask }: PortMod): void {
  bridge.portMod({ port, mac: hardwareAddress, config, mask });
}

function tableMod({ table, config }: TableMod): void {
  if (table >= TABLE_COUNT && table !== 0xff)
    throw new ProtocolError('OFPTMFC_BAD_TABLE', `there is no table ${table}`);
  if (config !== 0) throw new ProtocolError('OFPTMFC_BAD_CONFIG', 'tables neither evict flows nor tell of vacancy');
}
