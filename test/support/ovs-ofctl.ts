import { spawnSync } from 'node:child_process';
import { encodeMessage } from '../../src/openflow/index.ts';
import type { OpenflowVersion } from '../../src/packet/index.ts';

/** Is Debian's ovs-ofctl here, to compare with? */
export const hasOvsOfctl = spawnSync('ovs-ofctl', ['--version']).status === 0;

/** Runs ovs-ofctl with lines on its standard input; its output's lines, messages for people left out. */
export function ovsOfctl(
  args: readonly string[],
  input: string | Uint8Array,
): { lines: string[]; stderr: string; status: number } {
  const run = spawnSync('ovs-ofctl', args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = run.stdout.split('\n').filter((line) => line !== '');
  return { lines, stderr: run.stderr, status: run.status ?? -1 };
}

/** What ovs-ofctl makes of flows: each parsed, encoded in a protocol, decoded and printed again, without the header. */
export function ovsParseFlows(flows: readonly string[], protocol: readonly string[]): string[] {
  const { lines, stderr } = ovsOfctl([...protocol, 'parse-flows', '-'], `${flows.join('\n')}\n`);
  const printed = lines.filter((line) => /^(OFPT_FLOW_MOD|NXT_FLOW_MOD)/.test(line));
  if (printed.length !== flows.length)
    throw new Error(`ovs-ofctl printed ${printed.length} of ${flows.length} flows: ${stderr.slice(0, 2000)}`);
  return printed.map((line) => line.replace(/^.*?\(xid=0x[0-9a-f]+\): (ADD )?/, ''));
}

/** What ovs-ofctl prints of messages, each without its name and transaction id. */
export function ovsPrint(messages: readonly Uint8Array[]): string[] {
  const { lines, stderr } = ovsOfctl(['ofp-parse', '-'], Buffer.concat(messages));
  const printed = lines.filter((line) => /^[A-Z][A-Z0-9_]+ .*\(xid=/.test(line));
  if (printed.length !== messages.length)
    throw new Error(`ovs-ofctl printed ${printed.length} of ${messages.length} messages: ${stderr.slice(0, 2000)}`);
  return printed.map((line) => line.replace(/^.*?\(xid=0x[0-9a-f]+\): ?/, ''));
}

/** What ovs-ofctl says of each message: `!` and the error, or what it prints of it. */
export function ovsJudge(messages: readonly Uint8Array[]): string[] {
  const { lines, stderr } = ovsOfctl(['ofp-parse', '-'], Buffer.concat(messages));
  const said = lines.filter(
    (line) => /^(OFPT|NXT|ONFT)_[A-Z0-9_]+ .*\(xid=/.test(line) || line.includes('***decode error'),
  );
  if (said.length !== messages.length)
    throw new Error(`ovs-ofctl spoke of ${said.length} of ${messages.length} messages: ${stderr.slice(0, 2000)}`);
  return said.map((line) => {
    const error = /decode error: (\S+?)\*\*\*/.exec(line)?.[1];
    return error === undefined ? line.replace(/^.*?\(xid=0x[0-9a-f]+\): ?/, '') : `!${error}`;
  });
}

/** The error that ovs-ofctl finds in each message of a version, the message within a message included, or `ok`. */
export function ovsErrors(messages: readonly Uint8Array[], version: OpenflowVersion): string[] {
  const markers = messages.map((_, i) => encodeMessage({ type: 'barrier_reply', xid: MARKER + i }, { version })[0]);
  const { lines, stderr } = ovsOfctl(['ofp-parse', '-'], Buffer.concat(messages.flatMap((m, i) => [m, markers[i]])));
  const errors: string[] = [];
  let error = 'ok';
  for (const line of lines) {
    if (new RegExp(`^OFPT_BARRIER_REPLY.*xid=0x${(MARKER + errors.length).toString(16)}\\)`).test(line)) {
      errors.push(error);
      error = 'ok';
    } else if (error === 'ok') error = /decode error: (\w+)/.exec(line)?.[1] ?? 'ok';
  }
  if (errors.length !== messages.length)
    throw new Error(`ovs-ofctl spoke of ${errors.length} of ${messages.length} messages: ${stderr.slice(0, 2000)}`);
  return errors;
}

const MARKER = 0x5a000000;
