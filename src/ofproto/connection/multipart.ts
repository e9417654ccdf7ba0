import {
  type FlowSelection,
  type MultipartReply,
  type MultipartReplyBody,
  type MultipartRequest,
  MultipartWriter,
  OFPP,
  type PortStats,
  ProtocolError,
  replyElements,
} from '../../openflow/index.ts';
import { NICIRA_EXPERIMENTER, OKO_EXPERIMENTER, ONF_EXPERIMENTER } from '../../packet/index.ts';
import type { BridgePort } from '../port-table.ts';
import { describePort, portStats } from './port-message.ts';
import { bodyToPeer } from './program-field.ts';
import type { Session } from './session.ts';
import type { SwitchControl } from './switch-control.ts';
import { tableFeatures } from './table-features.ts';

type RequestBody = MultipartRequest['body'];
type FlowsAsked = Extract<RequestBody, FlowSelection>;
type Ask<K extends RequestBody['kind']> = Extract<RequestBody, { readonly kind: K }>;

/** Whose extensions this switch knows some of. */
const EXPERIMENTERS: readonly number[] = [NICIRA_EXPERIMENTER, ONF_EXPERIMENTER, OKO_EXPERIMENTER];
const NS_PER_MS = 1_000_000;
const MORE = 1;
/** Of the table statistics of OpenFlow 1.0: every field can be wildcarded. */
const ALL_WILDCARDS = (1 << 22) - 1;
const ALL_METERS = 0xffffffff;
const ALL_QUEUES = 0xffffffff;
/** What could be evicted first: other reasons, importance, lifetime. */
const EVICTION_FLAGS = 0b111;
/** How many elements are written between two looks at the clock. */
const ELEMENTS_AT_ONCE = 16;

/**
 * Answers a multipart request with messages, one after the other; `undefined` between them is a point where something else
 * may be done. The answer is that of the moment of the request, however long it takes.
 */
export function* answerMultipart(
  control: SwitchControl,
  session: Session,
  request: MultipartRequest & { readonly xid: number },
): Generator<Uint8Array | undefined> {
  const { body, xid } = request;
  if ((request.flags & MORE) !== 0)
    throw new ProtocolError('OFPBRC_MULTIPART_BUFFER_OVERFLOW', `a request for ${body.kind} in several parts`);
  if (isAboutFlows(body) && body.kind === 'flow') {
    yield* answerFlowStats(control, session, body, xid);
    return;
  }
  const answer = isAboutFlows(body)
    ? { kind: 'aggregate' as const, nxm: body.nxm, ...(yield* control.bridge.aggregateStatsInSteps(selection(body))) }
    : bodyToPeer(replyTo(control, session, body), session.programField);
  const { dialect } = session;
  const writer = new MultipartWriter(replyWith(answer, xid), dialect);
  let elements = 0;
  for (const element of replyElements(answer, dialect)) {
    const full = writer.add(element);
    if (full !== undefined || ++elements % ELEMENTS_AT_ONCE === 0) yield full;
  }
  yield writer.finish();
}

/** There may be many, so they are written one by one as the tables are walked. */
function* answerFlowStats(
  { bridge }: SwitchControl,
  { dialect, programField }: Session,
  body: FlowsAsked,
  xid: number,
): Generator<Uint8Array | undefined> {
  const kind = 'flow';
  const { nxm } = body;
  const writer = new MultipartWriter(replyWith({ kind, nxm, flows: [] }, xid), dialect);
  let elements = 0;
  for (const flow of bridge.flowStatsInSteps(selection(body))) {
    let full: Uint8Array | undefined;
    if (flow !== undefined)
      for (const element of replyElements(
        bodyToPeer({ kind, nxm, flows: [inMilliseconds(flow)] }, programField),
        dialect,
      ))
        full = writer.add(element);
    if (full !== undefined || ++elements % ELEMENTS_AT_ONCE === 0) yield full;
  }
  yield writer.finish();
}

function isAboutFlows(body: RequestBody): body is FlowsAsked {
  return body.kind === 'flow' || body.kind === 'aggregate';
}

function replyWith(body: MultipartReplyBody, xid: number): MultipartReply & { readonly xid: number } {
  return { type: 'multipart_reply', xid, flags: 0, body };
}

function replyTo(control: SwitchControl, session: Session, body: Exclude<RequestBody, FlowsAsked>): MultipartReplyBody {
  const { bridge } = control;
  const { kind } = body;
  switch (kind) {
    case 'desc':
      return { kind, ...control.description };
    case 'table':
      return {
        kind,
        tables: bridge.tableStats().map((table) => ({
          table: table.table,
          name: table.name,
          wildcards: ALL_WILDCARDS,
          maxEntries: table.maxEntries,
          active: table.activeCount,
          lookups: table.lookupCount,
          matched: table.matchedCount,
        })),
      };
    case 'port':
      return { kind, ports: statsOfPorts(control, body.port) };
    case 'port_desc':
      return { kind, ports: portsOf(control, body.port).map(describePort) };
    case 'queue':
      checkQueue(control, body);
      return { kind, queues: [] };
    case 'queue_desc':
      checkQueue(control, body);
      return { kind, queues: [] };
    case 'table_features':
      if (body.tables.length > 0) throw new ProtocolError('OFPTFFC_EPERM', 'table features cannot be changed');
      return { kind, tables: [...tableFeatures(session.version, bridge.tableStats())] };
    case 'table_desc':
      return {
        kind,
        tables: bridge.tableStats().map(({ table }) => ({ table, config: 0, evictionFlags: EVICTION_FLAGS })),
      };
    case 'flow_monitor':
      return { kind, updates: session.monitors.request(bridge, body.monitors) };
    case 'group':
    case 'group_desc':
      return { kind };
    case 'meter':
    case 'meter_config':
      if (body.meter !== ALL_METERS)
        throw new ProtocolError('OFPMMFC_UNKNOWN_METER', `there is no meter ${body.meter}`);
      return { kind };
    case 'group_features':
      return { kind, types: 0, capabilities: 0, maxGroups: [0, 0, 0, 0], actions: [0, 0, 0, 0] };
    case 'meter_features':
      return { kind, maxMeter: 0, bandTypes: 0, capabilities: 0, maxBands: 0, maxColor: 0 };
    case 'unknown':
      throw unknownMultipart(body);
  }
}

function selection({ table, outPort, outGroup, cookie, cookieMask, match }: FlowSelection): FlowSelection {
  return { table, outPort, outGroup, cookie, cookieMask, match, nxm: false };
}

/** Durations are told to the millisecond, as Open vSwitch tells them. */
function inMilliseconds<T extends { readonly durationNsec?: number }>(stats: T): T {
  return { ...stats, durationNsec: Math.floor((stats.durationNsec ?? 0) / NS_PER_MS) * NS_PER_MS };
}

/** The port of a number, or all; a number that no port has means none, as in Open vSwitch. */
function portsOf({ bridge }: SwitchControl, number: number): readonly BridgePort[] {
  if (number === OFPP.none) return bridge.ports.list();
  const port = bridge.ports.peek(number);
  return port === undefined ? [] : [port];
}

function statsOfPorts(control: SwitchControl, port: number): PortStats[] {
  const nowNs = control.clock.nowNs();
  return portsOf(control, port).flatMap((each) => {
    const counters = control.bridge.datapath.portCounters(each.number);
    return counters === undefined ? [] : [inMilliseconds(portStats(each, counters, nowNs))];
  });
}

/** No port has queues of its own. */
function checkQueue(
  { bridge }: SwitchControl,
  { port, queue }: { readonly port: number; readonly queue: number },
): void {
  if (port !== OFPP.none && port !== OFPP.all && bridge.ports.peek(port) === undefined)
    throw new ProtocolError('OFPQOFC_BAD_PORT', `there is no port ${port}`);
  if (queue !== ALL_QUEUES) throw new ProtocolError('OFPQOFC_BAD_QUEUE', `there is no queue ${queue}`);
}

/** The error about a request that nobody reads. */
export function unknownMultipart({ multipartType, experimenter, subtype }: Ask<'unknown'>): ProtocolError {
  if (experimenter === undefined) return new ProtocolError('OFPBRC_BAD_STAT', `statistics of type ${multipartType}`);
  return new ProtocolError(
    EXPERIMENTERS.includes(experimenter) ? 'OFPBRC_BAD_SUBTYPE' : 'OFPBRC_BAD_VENDOR',
    `statistics ${subtype} of experimenter 0x${experimenter.toString(16)}`,
  );
}
