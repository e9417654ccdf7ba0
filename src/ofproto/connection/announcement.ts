import { FLOW_FLAGS, type Message, NO_BUFFER, PACKET_IN_REASONS, PORT_STATUS_REASONS } from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS } from '../../packet/index.ts';
import type { FlowRemoved, PacketIn, PortStatus } from '../listeners.ts';
import { isWanted } from './async-config.ts';
import { describePort } from './port-message.ts';
import type { Session } from './session.ts';

const NS_PER_SECOND = 1_000_000_000n;
const REASON = {
  noMatch: PACKET_IN_REASONS.indexOf('no_match'),
  action: PACKET_IN_REASONS.indexOf('action'),
  invalidTtl: PACKET_IN_REASONS.indexOf('invalid_ttl'),
};
const NO_COOKIE = 0xffff_ffff_ffff_ffffn;

// What a peer is told on its own accord of the switch; each function returns `undefined` where it does not want to know.

/** A packet for controllers. It is sent whole, whatever length was asked for, since the switch keeps no copy that could be asked for. */
export function packetInMessage(session: Session, packetIn: PacketIn): Message | undefined {
  if (!session.isListening || packetIn.controllerId !== session.controllerId) return undefined;
  // Since 1.3 a packet that no flow matches is dropped (5.4), and what a table-miss flow sends is "no match".
  const isNew = session.version >= OPENFLOW_VERSIONS.of13;
  if (packetIn.miss === 'implicit' && isNew) return undefined;
  const reason = reasonFor(session, packetIn);
  if (!wantsPacket(session, reason)) return undefined;
  return {
    type: 'packet_in',
    xid: 0,
    format: session.packetInFormat,
    bufferId: NO_BUFFER,
    totalLength: packetIn.packet.length,
    reason,
    table: packetIn.table,
    ...(packetIn.cookie === NO_COOKIE ? {} : { cookie: packetIn.cookie }),
    metadata: packetIn.metadata,
    data: packetIn.packet,
    ...(packetIn.userdata === undefined ? {} : { userdata: packetIn.userdata }),
  };
}

/** The reason as Open vSwitch tells it to such a peer: before 1.4 there were three; NXT_PACKET_IN2 knows a table-miss flow in every version. */
function reasonFor(session: Session, { reason, miss }: PacketIn): number {
  const knowsMisses = session.packetInFormat === 'nxt_packet_in2';
  if (miss === 'flow') return knowsMisses || session.version >= OPENFLOW_VERSIONS.of13 ? REASON.noMatch : REASON.action;
  if (reason > REASON.invalidTtl && session.version < OPENFLOW_VERSIONS.of14) return REASON.action;
  return reason;
}

function wantsPacket(session: Session, reason: number): boolean {
  if (reason === REASON.invalidTtl && session.sendsInvalidTtl) return session.role !== 'secondary';
  const asked = session.version < OPENFLOW_VERSIONS.of14 && reason > REASON.invalidTtl ? REASON.action : reason;
  return isWanted(session.async, 'packetIn', asked, session.role === 'secondary');
}

export function flowRemovedMessage(session: Session, { rule, reason, timeNs }: FlowRemoved): Message | undefined {
  if ((rule.flags & FLOW_FLAGS.sendFlowRem) === 0 || !session.isListening) return undefined;
  if (!isWanted(session.async, 'flowRemoved', reason, session.role === 'secondary')) return undefined;
  const ageNs = timeNs - rule.createdNs;
  return {
    type: 'flow_removed',
    xid: 0,
    match: rule.match,
    cookie: rule.cookie,
    priority: rule.priority,
    reason,
    table: rule.table,
    durationSec: Number(ageNs / NS_PER_SECOND),
    durationNsec: Number(ageNs % NS_PER_SECOND),
    idleTimeout: rule.idleTimeoutSec,
    hardTimeout: rule.hardTimeoutSec,
    packetCount: BigInt(rule.packets),
    byteCount: BigInt(rule.bytes),
  };
}

export function portStatusMessage(session: Session, { reason, port }: PortStatus): Message | undefined {
  if (!session.isListening) return undefined;
  if (!isWanted(session.async, 'portStatus', reason, session.role === 'secondary')) return undefined;
  return { type: 'port_status', xid: 0, reason: PORT_STATUS_REASONS[reason], port: describePort(port) };
}
