import { OkoError } from '../../bytes/index.ts';
import { OFPP, parseFlow } from '../../openflow/index.ts';
import type { Match } from '../../packet/index.ts';
import { cachedFlowLines } from './cached-flow-text.ts';
import { ANY_NUMBER, type Command, command } from './command.ts';
import { refusal } from './errors.ts';
import { bridgeNamed, datapathName, datapathPort, portNames } from './names.ts';
import type { BridgeView, PortView, SwitchView } from './switch-view.ts';

/** dpif/* and dpctl/*: what lies below the flow tables. */
export function datapathCommands(view: SwitchView): readonly Command[] {
  return [
    command('dpif/show', '', [0, 0], () => showBridges(view)),
    command('dpif/dump-dps', '', [0, 0], () =>
      view
        .bridges()
        .map(({ bridge, datapathType }) => `${datapathType}@${bridge.name}`)
        .join('\n'),
    ),
    command('dpif/dump-flows', '[-m] [--names | --no-names] bridge', [1, 3], (args) => {
      const bridge = bridgeNamed(view, args[args.length - 1]);
      return dump(view, [bridge], args.slice(0, -1)).join('\n');
    }),
    command('dpctl/dump-dps', '', [0, 0], () => [...datapaths(view).keys()].join('\n')),
    command('dpctl/show', '[-s] [dp...]', [0, ANY_NUMBER], (args) => showDatapaths(view, args)),
    command('dpctl/dump-flows', '[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]', [0, ANY_NUMBER], (args) =>
      dumpDatapath(view, args),
    ),
    // No connection is tracked.
    command('dpctl/dump-conntrack', '[-m] [-s] [dp] [zone=N]', [0, 4], () => ''),
    command('dpctl/flush-conntrack', '[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]', [0, 4], () => ''),
    command('dpctl/ct-stats-show', '[dp] [zone=N]', [0, 2], () => 'Connections Stats:\n    Total: 0'),
    command('dpctl/del-flows', '[dp]', [0, 1], ([name]) => {
      for (const { bridge } of bridgesOf(view, name)) bridge.purgeCache();
      return '';
    }),
  ];
}

/** The bridges of each datapath, by its name. */
function datapaths(view: SwitchView): ReadonlyMap<string, readonly BridgeView[]> {
  const found = new Map<string, BridgeView[]>();
  for (const bridge of view.bridges()) {
    const name = datapathName(bridge);
    found.set(name, [...(found.get(name) ?? []), bridge]);
  }
  return found;
}

function bridgesOf(view: SwitchView, name: string | undefined): readonly BridgeView[] {
  if (name === undefined) return view.bridges();
  const found = datapaths(view).get(name) ?? datapaths(view).get(`system@${name}`);
  if (found === undefined) throw refusal('ovs-vswitchd: datapath not found (Invalid argument)');
  return found;
}

const hits = (bridges: readonly BridgeView[]): number =>
  bridges.reduce((sum, { bridge }) => sum + bridge.datapath.counters.hits, 0);
const misses = (bridges: readonly BridgeView[]): number =>
  bridges.reduce((sum, { bridge }) => sum + bridge.datapath.counters.misses, 0);

function showBridges(view: SwitchView): string {
  const lines: string[] = [];
  for (const [name, bridges] of datapaths(view)) {
    lines.push(`${name}: hit:${hits(bridges)} missed:${misses(bridges)}`);
    for (const bridge of bridges) {
      lines.push(`  ${bridge.bridge.name}:`);
      for (const port of [...bridge.ports()].sort((a, b) => (a.name < b.name ? -1 : 1)))
        lines.push(`    ${port.name} ${openflowNumber(port)}/${portText(bridge, port)}: (${typeText(bridge, port)})`);
    }
  }
  return lines.join('\n');
}

/** The bridge's own port has the number of OpenFlow 1.0 here. */
function openflowNumber({ number }: PortView): number {
  return number > 0xffff ? number & 0xffff : number;
}

function portText(bridge: BridgeView, { type, number }: PortView): string {
  return type === 'patch' ? 'none' : String(datapathPort(bridge, number));
}

/** A port's type by the name that it has in a datapath, and what goes with it. */
function typeText({ datapathType }: BridgeView, { type, number, detail }: PortView): string {
  const isInternal = type === 'internal' || number === OFPP.local;
  const names: Readonly<Record<string, string>> = { netdev: 'tap', dummy: 'dummy-internal' };
  const name = isInternal ? (names[datapathType] ?? type) : type;
  return detail === undefined ? name : `${name}: ${detail}`;
}

function showDatapaths(view: SwitchView, args: readonly string[]): string {
  const withStatistics = args.includes('-s');
  const names = args.filter((arg) => arg !== '-s');
  const all = datapaths(view);
  const lines: string[] = [];
  for (const name of names.length === 0 ? all.keys() : names) {
    const bridges = all.get(name) ?? all.get(`system@${name}`);
    if (bridges === undefined) throw refusal(`ovs-vswitchd: opening datapath ${name} failed (No such device)`);
    const lost = bridges.reduce((sum, { bridge }) => sum + bridge.datapath.counters.dropUpcallFull, 0);
    const flows = bridges.reduce((sum, { bridge }) => sum + [...bridge.datapath.flows()].length, 0);
    lines.push(`${name}:`, `  lookups: hit:${hits(bridges)} missed:${misses(bridges)} lost:${lost}`);
    lines.push(`  flows: ${flows}`);
    for (const bridge of bridges)
      for (const port of bridge.ports()) {
        if (port.type === 'patch') continue;
        const type = port.type === 'system' ? '' : ` (${typeText(bridge, port)})`;
        lines.push(`  port ${portText(bridge, port)}: ${port.name}${type}`);
        if (withStatistics) lines.push(...statistics(bridge, port));
      }
  }
  return lines.join('\n');
}

function statistics({ bridge }: BridgeView, { number }: PortView): readonly string[] {
  const {
    rxPackets = 0,
    rxBytes = 0,
    txPackets = 0,
    txBytes = 0,
    txDropped = 0,
  } = bridge.datapath.portCounters(number) ?? {};
  return [
    `    RX packets:${rxPackets} errors:? dropped:? overruns:? frame:?`,
    `    TX packets:${txPackets} errors:? dropped:${txDropped} aborted:? carrier:?`,
    '    collisions:?',
    `    RX bytes:${rxBytes}  TX bytes:${txBytes}`,
  ];
}

function dumpDatapath(view: SwitchView, args: readonly string[]): string {
  const options = args.filter((arg) => arg.startsWith('-') || arg.includes('='));
  const [name, more] = args.filter((arg) => !options.includes(arg));
  if (more !== undefined) throw refusal('ovs-vswitchd: invalid arguments to dpctl/dump-flows (Invalid argument)');
  const lines = dump(view, bridgesOf(view, name), options);
  return (lines.length === 0 ? [] : ['flow-dump from the main thread:', ...lines]).join('\n');
}

/** Types of flows that dpctl/dump-flows selects by; ours all lie in the datapath itself. */
const OWN_TYPES: readonly string[] = ['all', 'ovs', 'non-offloaded'];

function dump(view: SwitchView, bridges: readonly BridgeView[], options: readonly string[]): readonly string[] {
  let withNames = options.includes('-m');
  let filter: string | undefined;
  for (const option of options) {
    if (option === '--names') withNames = true;
    else if (option === '--no-names') withNames = false;
    else if (option.startsWith('filter=')) filter = option.slice('filter='.length);
    else if (
      option.startsWith('type=') &&
      !option
        .slice(5)
        .split(',')
        .some((type) => OWN_TYPES.includes(type))
    )
      return [];
  }
  return bridges.flatMap((bridge) => {
    const wanted = filter === undefined ? undefined : readFilter(filter, bridge);
    return cachedFlowLines(bridge, view.clock.nowNs(), {
      withNames,
      ...(wanted === undefined ? {} : { filter: wanted }),
    });
  });
}

function readFilter(text: string, bridge: BridgeView): Match {
  try {
    return parseFlow(text, 'delete', portNames(bridge)).match;
  } catch (error) {
    if (!(error instanceof OkoError)) throw error;
    throw refusal(`Failed to parse filter (${error.message})`);
  }
}
