import type { BpfMap, MapEntry } from '../../bpf/index.ts';
import { toHex } from '../../bytes/index.ts';
import type { Clock, PortCounters } from '../../datapath/index.ts';
import type { Bridge, Rule } from '../../ofproto/index.ts';
import { type FlowStats, formatActions, formatFlow, formatRuleMatch } from '../../openflow/index.ts';
import { CliError } from '../errors.ts';

const NS_PER_SECOND = 1_000_000_000n;
const CHUNK = 1024;

/** A map named on the command line as PROGRAM/MAP. */
export interface MapName {
  readonly program: number;
  readonly map: string;
}

export function parseMapNames(value: string, previous: readonly MapName[] = []): MapName[] {
  const match = /^(\d{1,5})\/(.+)$/.exec(value);
  if (match === null) throw new CliError('CLI_BAD_ARGUMENT', `--map ${value}: expected PROGRAM/MAP, as in --map 1/0`);
  return [...previous, { program: Number(match[1]), map: match[2] }];
}

/** Flows as `ovs-ofctl dump-flows` shows them, then the maps asked for, then what was dropped for want of a port. */
export function reportText(bridge: Bridge, clock: Clock, maps: readonly MapName[]): string {
  const lines = flowLines(bridge, clock);
  for (const { program, map } of maps) lines.push(...mapLines(program, bridge.programs.map(program, map)));
  const { dropNoPort, dropPortFull } = bridge.datapath.counters;
  if (dropNoPort > 0) lines.push(`dropped: ${dropNoPort} packets to or from a port that is not there`);
  if (dropPortFull > 0) lines.push(`dropped: ${dropPortFull} packets that a port had no room for`);
  return `${lines.join('\n')}\n`;
}

/** The same as data: counters are numbers, bytes hex, times seconds. */
export function reportJson(bridge: Bridge, clock: Clock, maps: readonly MapName[]): string {
  const report = {
    bridge: bridge.name,
    flows: sorted(bridge.flows()).map((rule) => ({
      table: rule.table,
      priority: rule.priority,
      match: formatRuleMatch(rule.priority, rule.match),
      actions: formatActions(rule.actions),
      cookie: `0x${rule.cookie.toString(16)}`,
      packets: rule.packets,
      bytes: rule.bytes,
      durationSec: Number(clock.nowNs() - rule.createdNs) / 1e9,
    })),
    ports: [...bridge.datapath.ports()].map(([number, { name }]) => ({ number, name, ...counters(bridge, number) })),
    programs: bridge.programs.list().map(({ id, name, runs, matches, failures }) => ({
      id,
      name,
      runs,
      matches,
      failures,
    })),
    maps: maps.map(({ program, map }) => {
      const found = bridge.programs.map(program, map);
      const { name, kind } = found.definition;
      return { program, map: name, kind, entries: [...entriesOf(found)].map(entryJson) };
    }),
    datapath: bridge.datapath.counters,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

export function flowLines(bridge: Bridge, clock: Clock): string[] {
  return sorted(bridge.flows()).map((rule) => ` ${formatFlow(statsOf(rule, clock.nowNs()))}`);
}

/** The order of a dump: by table, the highest priority first. */
function sorted(rules: readonly Rule[]): readonly Rule[] {
  return [...rules].sort((a, b) => a.table - b.table || (a.precedes(b) ? -1 : 1));
}

function statsOf(rule: Rule, nowNs: bigint): FlowStats {
  const ageNs = nowNs - rule.createdNs;
  return {
    table: rule.table,
    priority: rule.priority,
    match: rule.match,
    cookie: rule.cookie,
    durationSec: Number(ageNs / NS_PER_SECOND),
    // To the millisecond, as the text of OpenFlow 1.0 has it.
    durationNsec: Number((ageNs % NS_PER_SECOND) / 1_000_000n) * 1_000_000,
    idleTimeout: rule.idleTimeoutSec,
    hardTimeout: rule.hardTimeoutSec,
    idleAge: Number((nowNs - rule.usedNs) / NS_PER_SECOND),
    packetCount: BigInt(rule.packets),
    byteCount: BigInt(rule.bytes),
    flags: 0,
    importance: 0,
    actions: rule.actions,
  };
}

export function portLines(bridge: Bridge): string[] {
  return [...bridge.datapath.ports()].map(([number, { name }]) => {
    const { rxPackets, rxBytes, txPackets, txBytes } = counters(bridge, number);
    return ` ${number}(${name}): rx packets=${rxPackets} bytes=${rxBytes}, tx packets=${txPackets} bytes=${txBytes}`;
  });
}

function counters(bridge: Bridge, port: number): Readonly<PortCounters> {
  return bridge.datapath.portCounters(port) ?? { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0 };
}

export function programLines(bridge: Bridge): string[] {
  return bridge.programs.list().map(({ id, name, runs, matches, failures }) => {
    const failed = failures > 0 ? `, ${failures} failed` : '';
    return ` ${id} ${name}: asked about ${runs} packets, matched ${matches}${failed}`;
  });
}

/** A map's content as the original Oko's dump-map printed it. */
export function mapLines(program: number, map: BpfMap, limit = Number.POSITIVE_INFINITY): string[] {
  const lines = [
    `Map ${map.definition.name} (${map.definition.kind}) of filter program ${program} contains ${map.count} element(s)`,
  ];
  let shown = 0;
  for (const { key, value } of entriesOf(map)) {
    if (shown++ >= limit) {
      lines.push(' …');
      break;
    }
    lines.push(` Key: ${toHex(key, ' ')}`, ` Value: ${toHex(value, ' ')}`);
  }
  return lines;
}

function entryJson({ key, value }: MapEntry): { key: string; value: string } {
  return { key: toHex(key), value: toHex(value) };
}

function* entriesOf(map: BpfMap): Generator<MapEntry, void> {
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const { entries, next } = map.entries(cursor, CHUNK);
    yield* entries;
    cursor = next;
  }
}
