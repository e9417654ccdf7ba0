import { readFileSync, statSync } from 'node:fs';
import {
  ALL_TABLES,
  ANY_GROUP,
  type FlowMod,
  type FlowStats,
  formatActions,
  formatRuleMatch,
  type MessageBody,
  NO_BUFFER,
  OFPP,
} from '../../openflow/index.ts';
import { CliError } from '../errors.ts';
import { parseFlowFile } from '../flow-file.ts';
import { performInBundle } from './bundle.ts';
import { fetchFlows } from './flows.ts';
import { namesFor, type OfctlOptions, type OfctlSession, useNxm, withSwitch } from './session.ts';

type Flow = Pick<
  FlowStats,
  'table' | 'priority' | 'match' | 'cookie' | 'idleTimeout' | 'hardTimeout' | 'importance' | 'flags' | 'actions'
>;

/** Flows by what makes each of them itself: table, priority and match, the filter program included. */
type FlowSet = ReadonlyMap<string, Flow>;

/** The exit status when there are differences (ovs-ofctl(8)). */
const DIFFERENT = 2;

function setOf(flows: Iterable<Flow>): FlowSet {
  const set = new Map<string, Flow>();
  for (const flow of flows) set.set(`${tableText(flow)}${formatRuleMatch(flow.priority, flow.match)}`, flow);
  return set;
}

function tableText({ table }: Flow): string {
  return table === 0 ? '' : `table=${table} `;
}

function isSame(a: Flow, b: Flow): boolean {
  return (
    a.cookie === b.cookie &&
    a.idleTimeout === b.idleTimeout &&
    a.hardTimeout === b.hardTimeout &&
    a.importance === b.importance &&
    formatActions(a.actions) === formatActions(b.actions)
  );
}

/** A flow as `ovs-ofctl diff-flows` prints it. */
function line(sign: '-' | '+', identity: string, flow: Flow): string {
  const { cookie, idleTimeout, hardTimeout } = flow;
  const parts = [
    identity,
    ...(cookie === 0n ? [] : [`cookie=0x${cookie.toString(16)}`]),
    ...(idleTimeout === 0 ? [] : [`idle_timeout=${idleTimeout}`]),
    ...(hardTimeout === 0 ? [] : [`hard_timeout=${hardTimeout}`]),
    `actions=${formatActions(flow.actions)}`,
  ];
  return sign + parts.filter((part) => part !== '').join(' ');
}

function flowsOfFile(file: string, names: Parameters<typeof parseFlowFile>[2]): FlowSet {
  const text = readFileSync(file === '-' ? 0 : file, 'utf8');
  const mods = parseFlowFile(file, text, names);
  const other = mods.find(({ command }) => command !== 'add');
  if (other !== undefined)
    throw new CliError('CLI_BAD_ARGUMENT', `${file}: flows are expected, without a command such as ${other.command}`);
  return setOf(mods.map((mod) => ({ ...mod, table: mod.table === ALL_TABLES ? 0 : mod.table })));
}

async function flowsOfSwitch(session: OfctlSession): Promise<FlowSet> {
  await useNxm(session);
  const flows: Flow[] = [];
  for await (const part of fetchFlows(session, undefined, {})) flows.push(...part.flows);
  return setOf(flows);
}

function isFile(source: string): boolean {
  return source === '-' || (statSync(source, { throwIfNoEntry: false })?.isFile() ?? false);
}

async function flowsOf(source: string, options: OfctlOptions): Promise<FlowSet> {
  if (isFile(source)) return flowsOfFile(source, {});
  let flows: FlowSet = new Map();
  await withSwitch(source, options, async (session) => {
    flows = await flowsOfSwitch(session);
  });
  return flows;
}

/** `diff-flows`: what two files, switches, or one of each have differently. The exit status is 2 then. */
export async function diffFlows(sources: readonly [string, string], options: OfctlOptions): Promise<void> {
  const before = await flowsOf(sources[0], options);
  const after = await flowsOf(sources[1], options);
  const lines: string[] = [];
  for (const identity of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(identity), after.get(identity)];
    if (old !== undefined && now !== undefined && isSame(old, now)) continue;
    if (old !== undefined) lines.push(line('-', identity, old));
    if (now !== undefined) lines.push(line('+', identity, now));
  }
  if (lines.length === 0) return;
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = DIFFERENT;
}

/** `replace-flows`: makes the flows of the switch those of a file. Flows that are right already stay as they are. */
export async function replaceFlows(session: OfctlSession, file: string, readd: boolean): Promise<void> {
  const wanted = flowsOfFile(file, await namesFor(session));
  const there = await flowsOfSwitch(session);
  const messages: MessageBody[] = [];
  for (const [identity, flow] of there)
    if (!wanted.has(identity))
      messages.push({ type: 'flow_mod', ...modOf(flow), command: 'delete_strict', actions: [] });
  for (const [identity, flow] of wanted) {
    const old = there.get(identity);
    if (readd || old === undefined || !isSame(old, flow)) messages.push({ type: 'flow_mod', ...modOf(flow) });
  }
  if (messages.length === 0) return;
  if (session.options.bundle === true) await performInBundle(session, messages);
  else await session.client.perform(messages);
}

function modOf({
  table,
  priority,
  match,
  cookie,
  idleTimeout,
  hardTimeout,
  importance,
  flags,
  actions,
}: Flow): FlowMod {
  return {
    ...{ command: 'add', table, priority, match, cookie, idleTimeout, hardTimeout, importance, flags, actions },
    ...{ modifyCookie: false, matchCookie: 0n, cookieMask: 0n, bufferId: NO_BUFFER },
    ...{ outPort: OFPP.none, outGroup: ANY_GROUP },
  };
}
