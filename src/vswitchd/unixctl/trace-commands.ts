import { OkoError } from '../../bytes/index.ts';
import type { TranslationError } from '../../ofproto/index.ts';
import { type Action, formatMatch, parseActions } from '../../openflow/index.ts';
import { composePacket } from '../../packet/index.ts';
import { ANY_NUMBER, type Command, command } from './command.ts';
import { refusal } from './errors.ts';
import { formatKey, matchOfCachedFlow, sameFlow } from './flow-text.ts';
import { portNames } from './names.ts';
import type { SwitchView } from './switch-view.ts';
import { readTraceArguments, type TraceSubject } from './trace-arguments.ts';
import { TracedPassage } from './traced-passage.ts';

/** As Open vSwitch calls them. */
const ERRORS: Readonly<Record<TranslationError, string>> = {
  too_deep: 'Recursion too deep',
  too_many_resubmits: 'Too many resubmits',
  stack_too_large: 'Stack too deep',
  too_many_labels: 'Too many MPLS labels',
};

const FLOW = '{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]';

/** ofproto/trace: what happens to a packet, step by step. */
export function traceCommands(view: SwitchView): readonly Command[] {
  return [
    command('ofproto/trace', FLOW, [1, ANY_NUMBER], (args) => trace(view, readTraceArguments(view, args))),
    command('ofproto/trace-packet-out', `[-consistent] ${FLOW} actions`, [2, ANY_NUMBER], (args) => {
      // Only one version of the tables is ever met, so that every trace is consistent.
      const words = args.filter((arg) => arg !== '-consistent' && arg !== '--consistent');
      const subject = readTraceArguments(view, words.slice(0, -1));
      return trace(view, subject, readActions(words[words.length - 1], subject));
    }),
  ];
}

function readActions(text: string, { bridge }: TraceSubject): readonly Action[] {
  try {
    return parseActions(text, portNames(bridge));
  } catch (error) {
    if (!(error instanceof OkoError)) throw error;
    throw refusal(error.message);
  }
}

/**
 * With a packet, given or made up, filter programs run and addresses are learnt, as if it had come; without one nothing
 * changes, and programs are taken to answer as `subject.programs` says, else no.
 */
function trace(view: SwitchView, subject: TraceSubject, actions?: readonly Action[]): string {
  const { bridge, key, generates } = subject;
  const isReal = subject.packet !== undefined || generates;
  const before = formatKey(key);
  const passage = new TracedPassage(view, subject, isReal, 0);
  const { result, tree } = passage.run(bridge, key, subject.packet ?? composePacket(key), actions);
  const megaflow = formatMatch(matchOfCachedFlow(key, result.union));
  const lines = [
    `Flow: ${before}`,
    ...tree.lines(),
    '',
    `Final flow: ${sameFlow(key, result.key) ? 'unchanged' : formatKey(result.key)}`,
    `Megaflow: recirc_id=0,eth${megaflow === '' ? '' : `,${megaflow}`}`,
    `Datapath actions: ${passage.datapathActions(bridge, key, result)}`,
  ];
  if (result.error !== undefined) lines.push(`Translation failed (${ERRORS[result.error]}), packet is dropped.`);
  return lines.join('\n');
}
