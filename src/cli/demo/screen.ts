import type { Clock } from '../../datapath/index.ts';
import type { Bridge } from '../../ofproto/index.ts';
import { flowLines, mapLines, portLines, programLines } from '../replay/report.ts';

const MAP_ENTRIES_SHOWN = 6;

/** All that the demonstration shows at once. */
export function demoScreen(bridge: Bridge, clock: Clock, startNs: bigint): string {
  const lines = [`Oko bridge ${bridge.name}, ${elapsed(clock, startNs)} s of traffic. Ctrl-C stops.`];
  lines.push('', 'Ports', ...portLines(bridge));
  lines.push('', 'Flows', ...flowLines(bridge, clock));
  lines.push('', 'Filter programs', ...programLines(bridge));
  for (const { id, maps } of bridge.programs.list()) {
    for (const map of maps) {
      if (map.definition.kind !== 'array' && map.count > 0) lines.push('', ...mapLines(id, map, MAP_ENTRIES_SHOWN));
    }
  }
  return lines.join('\n');
}

/** The same in a line, for outputs that are no terminal. */
export function progressLine(bridge: Bridge, clock: Clock, startNs: bigint): string {
  const counters = [...bridge.datapath.ports()].map(([number, port]) => {
    const { rxPackets, txPackets } = bridge.datapath.portCounters(number) ?? { rxPackets: 0, txPackets: 0 };
    return `${port.name} rx ${rxPackets} tx ${txPackets}`;
  });
  const programs = bridge.programs
    .list()
    .map(({ id, runs, matches }) => `program ${id} ran ${runs} matched ${matches}`);
  return `${elapsed(clock, startNs)} s: ${[...counters, ...programs].join(', ')}`;
}

function elapsed(clock: Clock, startNs: bigint): string {
  return (Number((clock.nowNs() - startNs) / 1_000_000n) / 1000).toFixed(1);
}
