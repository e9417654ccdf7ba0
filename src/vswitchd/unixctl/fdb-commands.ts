import { formatMac, parseMac } from '../../bytes/index.ts';
import { formatPort } from '../../openflow/index.ts';
import { type Command, command } from './command.ts';
import { refusal } from './errors.ts';
import { bridgeNamed, bridgesNamed } from './names.ts';
import type { BridgeView, SwitchView } from './switch-view.ts';

const NS_PER_SECOND = 1_000_000_000n;

/** fdb/*: the addresses that a bridge has learnt. */
export function fdbCommands(view: SwitchView): readonly Command[] {
  return [
    command('fdb/show', 'bridge', [1, 1], ([name]) => show(bridgeNamed(view, name), view.clock.nowNs())),
    command('fdb/flush', '[bridge]', [0, 1], ([name]) => {
      for (const { bridge } of bridgesNamed(view, name)) bridge.flushMacs();
      return 'table successfully flushed';
    }),
    command('fdb/add', 'bridge port vlan mac', [4, 4], ([name, port, vlan, mac]) =>
      add(bridgeNamed(view, name), port, readVlan(vlan), readMac(mac)),
    ),
    command('fdb/del', 'bridge vlan mac', [3, 3], ([name, vlan, mac]) => {
      const { bridge } = bridgeNamed(view, name);
      if (!bridge.removeStaticMac(readVlan(vlan), readMac(mac))) throw refusal('could not find static mac entry');
      return '';
    }),
    command('fdb/stats-show', 'bridge', [1, 1], ([name]) => showStats(bridgeNamed(view, name))),
    command('fdb/stats-clear', '[bridge]', [0, 1], ([name]) => {
      for (const { bridge } of bridgesNamed(view, name))
        Object.assign(bridge.macs.counters, { learned: 0, expired: 0, evicted: 0, moved: 0 });
      return 'statistics successfully cleared';
    }),
  ];
}

function show({ bridge }: BridgeView, nowNs: bigint): string {
  const lines = [' port  VLAN  MAC                Age'];
  for (const { port, vlan, mac, lastSeenNs, isStatic } of bridge.currentMacs()) {
    const age = isStatic ? 'static' : String((nowNs - lastSeenNs) / NS_PER_SECOND).padStart(3);
    lines.push(`${formatPort(port).padStart(5)}  ${String(vlan).padStart(4)}  ${mac}  ${age}`);
  }
  return lines.join('\n');
}

function add(view: BridgeView, portName: string, vlan: number, mac: string): string {
  const port = view.ports().find(({ name }) => name === portName);
  if (port === undefined) throw refusal(`bridge ${view.bridge.name} has no port ${portName}`);
  const known = view.bridge.setStaticMac(vlan, mac, port.number);
  if (known === undefined || (known.isStatic && known.port === port.number)) return '';
  const kind = known.isStatic ? 'static' : 'dynamic';
  return `Overriding already existing ${kind} entry on ${formatPort(known.port)}`;
}

function showStats({ bridge }: BridgeView): string {
  const { size, capacity, counters } = bridge.macs;
  const fixed = [...bridge.macs.entries()].filter(({ isStatic }) => isStatic).length;
  return [
    `Statistics for bridge "${bridge.name}":`,
    `  Current/maximum MAC entries in the table: ${size}/${capacity}`,
    `  Current static MAC entries in the table : ${fixed}`,
    `  Total number of learned MAC entries     : ${counters.learned}`,
    `  Total number of expired MAC entries     : ${counters.expired}`,
    `  Total number of evicted MAC entries     : ${counters.evicted}`,
    `  Total number of port moved MAC entries  : ${counters.moved}`,
  ].join('\n');
}

function readVlan(text: string): number {
  const vlan = Number(text);
  if (!/^\d{1,4}$/.test(text) || vlan > 4095) throw refusal(`invalid VLAN "${text}", expected 0 to 4095`);
  return vlan;
}

function readMac(text: string): string {
  const mac = parseMac(text);
  if (mac === undefined) throw refusal('bad MAC address');
  return formatMac(mac, 0);
}
