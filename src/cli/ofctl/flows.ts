import { readFileSync } from 'node:fs';
import {
  type FlowCommand,
  type FlowMod,
  type FlowStats,
  formatFlow,
  type MessageBody,
  messageTitle,
  parseFlow,
  type TextNames,
} from '../../openflow/index.ts';
import { field, fieldNamed, OPENFLOW_VERSIONS, valueToBigInt } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import { parseFlowFile } from '../flow-file.ts';
import { performInBundle } from './bundle.ts';
import { namesFor, type OfctlSession, useNxm } from './session.ts';

/** The verb `add-flow`, `mod-flows` or `del-flows` with one flow on the command line. */
export async function changeFlows(
  session: OfctlSession,
  verb: 'add' | 'modify' | 'delete',
  text: string,
): Promise<void> {
  const flow = parseFlow(text, commandOf(verb, session), await namesFor(session));
  await perform(session, [flow]);
}

/** `add-flows` and its like: a file of flows, `-` for standard input; a line may begin with a command of its own. */
export async function changeFlowsFromFile(session: OfctlSession, file: string): Promise<void> {
  const text = readFileSync(file === '-' ? 0 : file, 'utf8');
  await perform(session, parseFlowFile(file, text, await namesFor(session)));
}

function commandOf(verb: 'add' | 'modify' | 'delete', { options }: OfctlSession): FlowCommand {
  return options.strict === true && verb !== 'add' ? `${verb}_strict` : verb;
}

async function perform(session: OfctlSession, flows: readonly FlowMod[]): Promise<void> {
  await useNxm(session);
  const messages = flows.map((flow): MessageBody => ({ type: 'flow_mod', ...flow }));
  if (session.options.bundle === true) await performInBundle(session, messages);
  else await session.client.perform(messages);
}

/** The flows of the switch that a text selects, all without one; part by part. */
export async function* fetchFlows(
  session: OfctlSession,
  text: string | undefined,
  names: TextNames,
): AsyncGenerator<{ readonly xid: number; readonly flows: readonly FlowStats[] }> {
  const { table, match, cookieMask, matchCookie, outPort, outGroup } = parseFlow(text ?? '', 'delete', names);
  const nxm = session.version === OPENFLOW_VERSIONS.of10;
  const selection = { table, match, cookie: matchCookie, cookieMask, outPort, outGroup, nxm };
  for await (const { xid, body } of session.client.multipart({ kind: 'flow', ...selection })) {
    if (body.kind === 'flow') yield { xid, flows: body.flows };
  }
}

export async function dumpFlows(session: OfctlSession, text: string | undefined): Promise<void> {
  const { options, version, out } = session;
  const names = text !== undefined || options.names === true ? await namesFor(session) : {};
  await useNxm(session);
  const format = { ...(options.names === true ? names : {}), withoutStats: options.stats === false };
  const line = (flow: FlowStats): string => ` ${formatFlow(flow, format)}`;
  const isPlain =
    options.stats !== false && options.names !== true && options.sort === undefined && options.rsort === undefined;
  const collected: FlowStats[] = [];
  let isFirst = true;
  for await (const { xid, flows } of fetchFlows(session, text, names)) {
    if (!isPlain) {
      collected.push(...flows);
      continue;
    }
    if (isFirst)
      out(messageTitle(version === OPENFLOW_VERSIONS.of10 ? 'NXST_FLOW reply' : 'OFPST_FLOW reply', version, xid));
    isFirst = false;
    for (const flow of flows) out(line(flow));
  }
  for (const flow of sorted(collected, session)) out(line(flow));
}

/** By the field that --sort or --rsort names, by priority when it names none. */
function sorted(flows: readonly FlowStats[], { options }: OfctlSession): readonly FlowStats[] {
  const criterion = options.rsort ?? options.sort;
  if (criterion === undefined) return flows;
  const rank = rankBy(criterion === true ? 'priority' : criterion);
  const direction = options.rsort === undefined ? 1 : -1;
  return [...flows].sort((a, b) => direction * compare(rank(a), rank(b)));
}

function rankBy(criterion: string): (flow: FlowStats) => bigint {
  if (criterion === 'priority') return (flow) => BigInt(flow.priority);
  const known = fieldNamed(criterion);
  if (known === undefined) throw new CliError('CLI_BAD_ARGUMENT', `--sort ${criterion}: there is no such field`);
  // Flows that do not match the field come first.
  return (flow) => {
    const found = flow.match.get(field(known.name));
    return found === undefined ? -1n : valueToBigInt(found.value);
  };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export async function dumpAggregate(session: OfctlSession, text: string | undefined): Promise<void> {
  const names = text === undefined ? {} : await namesFor(session);
  await useNxm(session);
  const { table, match, cookieMask, matchCookie, outPort, outGroup } = parseFlow(text ?? '', 'delete', names);
  const nxm = session.version === OPENFLOW_VERSIONS.of10;
  const selection = { table, match, cookie: matchCookie, cookieMask, outPort, outGroup, nxm };
  for await (const { xid, body } of session.client.multipart({ kind: 'aggregate', ...selection })) {
    if (body.kind !== 'aggregate') continue;
    const title = messageTitle(nxm ? 'NXST_AGGREGATE reply' : 'OFPST_AGGREGATE reply', session.version, xid);
    session.out(`${title} packet_count=${body.packetCount} byte_count=${body.byteCount} flow_count=${body.flowCount}`);
  }
}
