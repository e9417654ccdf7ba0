import { type FlowMonitor, type Message, type MultipartReplyBody, ProtocolError } from '../../openflow/index.ts';
import { type Field, field, fieldNamed, type Match, REG_COUNT, valueToNumber } from '../../packet/index.ts';
import { MAX_PROGRAM_ID } from '../programs/index.ts';

const FILTER_PROG = field('filter_prog');
const NAMES = ['pkt_mark', ...Array.from({ length: REG_COUNT }, (_, i) => `reg${i}`)];

/** The field of a bridge's setting `filter-prog-field`: any register, or pkt_mark; undefined for another name. */
export function filterProgFieldNamed(name: string): Field | undefined {
  return NAMES.includes(name) ? fieldNamed(name) : undefined;
}

/**
 * What a peer's match means in a bridge where an exact match on `meaning` stands for filter_prog.
 *
 * @throws ProtocolError OFPBMC_BAD_VALUE when the value is no program's number
 */
function matchFromPeer(match: Match, meaning: Field): Match {
  const found = match.get(meaning);
  if (found === undefined || match.get(FILTER_PROG) !== undefined) return match;
  if (found.mask.some((byte) => byte !== 0xff)) return match;
  const program = valueToNumber(found.value);
  if (program < 1 || program > MAX_PROGRAM_ID)
    throw new ProtocolError(
      'OFPBMC_BAD_VALUE',
      `${meaning.name}=${program} stands for a filter program here, whose number is 1 to ${MAX_PROGRAM_ID}`,
    );
  return match.toBuilder().clear(meaning).setNumber(FILTER_PROG, program).build();
}

/** The matches of a message that are about flows. */
function matchesOf(message: Message): readonly Match[] {
  if (message.type === 'flow_mod') return [message.match];
  if (message.type !== 'multipart_request') return [];
  const { body } = message;
  if (body.kind === 'flow_monitor') return body.monitors.map(({ match }) => match);
  return body.kind === 'flow' || body.kind === 'aggregate' ? [body.match] : [];
}

/** Does it match filter_prog itself, which only a peer does that knows the field? */
export function namesProgram(message: Message): boolean {
  return matchesOf(message).some((match) => match.get(FILTER_PROG) !== undefined);
}

/** The message with its match as the bridge means it. */
export function messageFromPeer(message: Message, meaning: Field | undefined): Message {
  if (meaning === undefined) return message;
  if (message.type === 'flow_mod') return { ...message, match: matchFromPeer(message.match, meaning) };
  if (message.type !== 'multipart_request') return message;
  const { body } = message;
  if (body.kind === 'flow_monitor') {
    const meant = (monitor: FlowMonitor): FlowMonitor => ({ ...monitor, match: matchFromPeer(monitor.match, meaning) });
    return { ...message, body: { ...body, monitors: body.monitors.map(meant) } };
  }
  if (body.kind !== 'flow' && body.kind !== 'aggregate') return message;
  return { ...message, body: { ...body, match: matchFromPeer(body.match, meaning) } };
}

/** The statistics or updates with the matches of their flows as a peer that does not know filter_prog wrote them. */
export function bodyToPeer(body: MultipartReplyBody, meaning: Field | undefined): MultipartReplyBody {
  if (meaning === undefined) return body;
  const shown = <T extends { readonly match: Match }>(flow: T): T => ({
    ...flow,
    match: matchToPeer(flow.match, meaning),
  });
  switch (body.kind) {
    case 'flow':
      return { ...body, flows: body.flows.map(shown) };
    case 'flow_monitor':
      return { ...body, updates: body.updates.map((update) => ('match' in update ? shown(update) : update)) };
    default:
      return body;
  }
}

/** The message with its matches as such a peer wrote them. */
export function messageToPeer(message: Message, meaning: Field | undefined): Message {
  if (meaning === undefined) return message;
  if (message.type === 'flow_removed') return { ...message, match: matchToPeer(message.match, meaning) };
  if (message.type === 'multipart_reply') return { ...message, body: bodyToPeer(message.body, meaning) };
  return message;
}

function matchToPeer(match: Match, meaning: Field): Match {
  const program = match.number(FILTER_PROG);
  if (program === undefined || match.get(meaning) !== undefined) return match;
  return match.toBuilder().clear(FILTER_PROG).setNumber(meaning, program).build();
}
