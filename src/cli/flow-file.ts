import {
  FLOW_COMMANDS,
  type FlowCommand,
  type FlowMod,
  OpenflowError,
  parseFlow,
  type TextNames,
} from '../openflow/index.ts';

/** A file larger than this holds no flows that anybody wrote. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The flows of a file as `ovs-ofctl add-flows` reads it: one a line, `#` begins a comment, empty lines are passed over, and a
 * line may begin with a command other than `add`.
 *
 * @throws OpenflowError with the file's name and the line's number before the message
 */
export function parseFlowFile(name: string, text: string, names: TextNames = {}): FlowMod[] {
  if (text.length > MAX_BYTES) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${name}: too large for a file of flows`);
  const flows: FlowMod[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const flow = line.replace(/#.*$/, '').trim();
    if (flow === '') continue;
    try {
      const { command, rest } = splitCommand(flow);
      flows.push(parseFlow(rest, command, names));
    } catch (error) {
      if (error instanceof OpenflowError) {
        throw new OpenflowError(error.code, `${name}:${index + 1}: ${error.message}`, { cause: error });
      }
      throw error;
    }
  }
  return flows;
}

function splitCommand(line: string): { command: FlowCommand; rest: string } {
  const [, word, rest] = /^([a-z_]+)(?:\s+(.*))?$/s.exec(line) ?? [];
  const command = FLOW_COMMANDS.find((name) => name === word);
  return command === undefined ? { command: 'add', rest: line } : { command, rest: rest ?? '' };
}
