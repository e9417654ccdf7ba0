import { type Message, ProtocolError } from '../../openflow/index.ts';
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

/** The match of a message that has one for flows. */
function matchOf(message: Message): Match | undefined {
  if (message.type === 'flow_mod') return message.match;
  if (message.type !== 'multipart_request') return undefined;
  return message.body.kind === 'flow' || message.body.kind === 'aggregate' ? message.body.match : undefined;
}

/** Does it match filter_prog itself, which only a peer does that knows the field? */
export function namesProgram(message: Message): boolean {
  return matchOf(message)?.get(FILTER_PROG) !== undefined;
}

/** The message with its match as the bridge means it. */
export function messageFromPeer(message: Message, meaning: Field | undefined): Message {
  if (meaning === undefined) return message;
  if (message.type === 'flow_mod') return { ...message, match: matchFromPeer(message.match, meaning) };
  if (message.type !== 'multipart_request') return message;
  const { body } = message;
  if (body.kind !== 'flow' && body.kind !== 'aggregate') return message;
  return { ...message, body: { ...body, match: matchFromPeer(body.match, meaning) } };
}

/** The match as a peer that does not know filter_prog wrote it. */
export function matchToPeer(match: Match, meaning: Field | undefined): Match {
  if (meaning === undefined) return match;
  const program = match.number(FILTER_PROG);
  if (program === undefined || match.get(meaning) !== undefined) return match;
  return match.toBuilder().clear(FILTER_PROG).setNumber(meaning, program).build();
}
