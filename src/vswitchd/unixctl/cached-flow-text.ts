import { type CachedFlow, type FlowNode, LENGTH_QUESTION, type Outcome, Question } from '../../datapath/index.ts';
import type { Match } from '../../packet/index.ts';
import { type DatapathTextContext, formatDatapathActions, formatDatapathFlow } from './datapath-text.ts';
import { datapathPort } from './names.ts';
import type { BridgeView } from './switch-view.ts';

const NS_PER_MS = 1_000_000n;

export interface FlowDumpOptions {
  /** Ports by name instead of number. */
  readonly withNames: boolean;
  /** Only flows whose packets may be these. */
  readonly filter?: Match;
}

/** One way through a cached flow: what its filter programs answer, and what is done then. */
interface Way {
  readonly flow: CachedFlow;
  readonly answers: readonly string[];
  readonly outcome: Outcome;
}

/**
 * The cached flows of a bridge as dpctl/dump-flows writes them. What no Open vSwitch has: `filter_prog(1=1,2=0)`, the answers of
 * filter programs that lead there, and `shared:N` where the counters are those of N lines together.
 */
export function cachedFlowLines(view: BridgeView, nowNs: bigint, options: FlowDumpOptions): string[] {
  const { bridge } = view;
  bridge.datapath.readCounters();
  const mask = bridge.union;
  const names = new Map(view.ports().map(({ number, name }) => [number, name]));
  const context: DatapathTextContext = {
    portText: (number) => {
      if (bridge.ports.peek(number) === undefined) return undefined;
      return (options.withNames ? names.get(number) : undefined) ?? String(datapathPort(view, number));
    },
    note: (note) => bridge.packetInOf(note),
  };
  const ways = [...bridge.datapath.flows()].flatMap((flow) => [...waysOf(flow, flow.node, [])]);
  const sharers = new Map<Outcome, number>();
  for (const { outcome } of ways) sharers.set(outcome, (sharers.get(outcome) ?? 0) + 1);
  return ways
    .filter(({ flow: { key } }) => options.filter === undefined || mayBe(key, mask, options.filter))
    .map(({ flow: { key }, answers, outcome }) => {
      const shared = sharers.get(outcome) ?? 1;
      return [
        [formatDatapathFlow(key, mask, context), ...(answers.length === 0 ? [] : [answers.join(',')])].join(','),
        `packets:${outcome.packets}`,
        `bytes:${outcome.bytes}`,
        `used:${outcome.lastUsedNs === 0n ? 'never' : formatAge(nowNs - outcome.lastUsedNs)}`,
        ...(shared > 1 ? [`shared:${shared}`] : []),
        `actions:${formatDatapathActions(outcome.actions, key, context)}`,
      ].join(', ');
    });
}

function* waysOf(flow: CachedFlow, node: FlowNode | undefined, answers: readonly string[]): Iterable<Way> {
  if (node === undefined) return;
  if (!(node instanceof Question)) {
    yield { flow, answers, outcome: node };
    return;
  }
  const { program, matched, refused } = node;
  const question =
    program >= LENGTH_QUESTION ? `check_pkt_len(gt=${program - LENGTH_QUESTION}` : `filter_prog(${program}`;
  yield* waysOf(flow, matched, [...answers, `${question}=1)`]);
  yield* waysOf(flow, refused, [...answers, `${question}=0)`]);
}

function formatAge(ns: bigint): string {
  const ms = ns < 0n ? 0n : ns / NS_PER_MS;
  return `${ms / 1000n}.${String(ms % 1000n).padStart(3, '0')}s`;
}

/** May packets of a cached flow be what the filter says, as far as the flow tells? */
function mayBe(key: Uint8Array, mask: Uint8Array, filter: Match): boolean {
  const wanted = filter.toKey();
  const bits = new Uint8Array(wanted.length);
  filter.mask.addTo(bits);
  return bits.every((bit, i) => (((key[i] ?? 0) ^ wanted[i]) & bit & (mask[i] ?? 0)) === 0);
}
