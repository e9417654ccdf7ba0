import { type FlowMod, OpenflowError, parseFlow } from '../../openflow/index.ts';

/** A file larger than this holds no flows that anybody wrote. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The flows of a file as `ovs-ofctl add-flows` reads it: one a line, `#` begins a comment, empty lines are passed over.
 *
 * @throws OpenflowError with the file's name and the line's number before the message
 */
export function parseFlowFile(name: string, text: string): FlowMod[] {
  if (text.length > MAX_BYTES) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${name}: too large for a file of flows`);
  const flows: FlowMod[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const flow = line.replace(/#.*$/, '').trim();
    if (flow === '') continue;
    try {
      flows.push(parseFlow(flow));
    } catch (error) {
      if (error instanceof OpenflowError)
        throw new OpenflowError(error.code, `${name}:${index + 1}: ${error.message}`, { cause: error });
      throw error;
    }
  }
  return flows;
}
