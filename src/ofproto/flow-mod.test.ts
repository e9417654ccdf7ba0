import { describe, expect, it } from 'vitest';
import { CallbackPort, ManualClock } from '../datapath/index.ts';
import { FLOW_FLAGS, type FlowTextMode, OFPP, parseFlow } from '../openflow/index.ts';
import { ethernet, ipv4, udp } from '../packet/build.ts';
import { Match, OPENFLOW_VERSIONS } from '../packet/index.ts';
import { Bridge } from './bridge.ts';
import { FilterPrograms } from './filter-programs.ts';
import type { FlowModOptions } from './flow-changes.ts';
import { allFlows } from './flow-query.ts';
import type { FlowRemoved, PacketIn } from './listeners.ts';

const SECOND = 1_000_000_000n;
const OF13: FlowModOptions = { version: OPENFLOW_VERSIONS.of13 };
const programs = new FilterPrograms({ windowBits: 20 });
const packet = ethernet(
  { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' },
  ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ src: 1, dst: 53 })),
);

function testBridge() {
  const clock = new ManualClock(SECOND);
  const bridge = new Bridge({ name: 'br0', clock, programs });
  const sent: number[] = [];
  for (const port of [1, 2, 3]) bridge.addPort(port, new CallbackPort(`p${port}`, () => sent.push(port)));
  const removed: FlowRemoved[] = [];
  const packetIns: PacketIn[] = [];
  bridge.listen({
    flowRemoved: (event) => removed.push(event),
    packetIn: (event) => packetIns.push(event),
  });
  const mod = (mode: FlowTextMode, text: string, options?: FlowModOptions): void =>
    bridge.flowMod(parseFlow(text, mode), options);
  const receive = (times = 1): number[] => {
    sent.length = 0;
    for (let i = 0; i < times; i++) bridge.receive(1, packet);
    return [...sent];
  };
  /** Priority, cookie and packets of every flow. */
  const flows = (): string[] =>
    [...bridge.flowStats(allFlows(Match.ALL))].map(
      ({ table, priority, cookie, packetCount }) => `${table}/${priority} ${cookie} ${packetCount}`,
    );
  return { bridge, clock, mod, receive, flows, removed, packetIns };
}

describe('modify', () => {
  it('changes what flows do, not their counters, places or timeouts', () => {
    const { mod, receive, flows, bridge } = testBridge();
    mod('add', 'cookie=5,priority=7,udp,idle_timeout=9,actions=output:2');
    receive(3);
    mod('modify', 'ip,actions=output:3', OF13);
    expect(receive()).toEqual([3]);
    expect(flows()).toEqual(['0/7 5 4']);
    expect([...bridge.flowStats(allFlows(Match.ALL))][0]).toMatchObject({ idleTimeout: 9, priority: 7 });
  });

  it('takes just the flow named when strict', () => {
    const { mod, receive } = testBridge();
    mod('add', 'priority=7,udp,actions=output:2');
    mod('modify_strict', 'priority=7,ip,actions=output:3', OF13);
    mod('modify_strict', 'priority=8,udp,actions=output:3', OF13);
    expect(receive()).toEqual([2]);
    mod('modify_strict', 'priority=7,udp,actions=output:3', OF13);
    expect(receive()).toEqual([3]);
  });

  it('adds a flow where there is none in 1.0, and does nothing in 1.3', () => {
    const { mod, flows } = testBridge();
    mod('modify', 'priority=1,udp,actions=output:3', OF13);
    expect(flows()).toEqual([]);
    mod('modify', 'priority=1,udp,actions=output:3');
    expect(flows()).toEqual(['0/1 0 0']);
  });

  it('is restricted by cookies', () => {
    const { mod, receive } = testBridge();
    mod('add', 'cookie=0x12,udp,actions=output:2');
    mod('modify', 'cookie=0x10/0xff,udp,actions=output:3');
    expect(receive()).toEqual([2]);
    mod('modify', 'cookie=0x10/0xf0,udp,actions=output:3');
    expect(receive()).toEqual([3]);
  });
});

describe('delete', () => {
  const DELETIONS: readonly (readonly [FlowTextMode, string, readonly string[]])[] = [
    ['delete', '', []],
    ['delete', 'ip', ['0/3', '1/4']],
    ['delete', 'table=1', ['0/1', '0/2', '0/3']],
    ['delete', 'udp,nw_dst=10.0.0.2', ['0/1', '0/2', '0/3', '1/4']],
    ['delete', 'cookie=2/-1', ['0/1', '0/3', '1/4']],
    ['delete', 'out_port=3', ['0/1', '1/4']],
    ['delete', 'out_port=CONTROLLER', ['0/1', '0/2', '0/3']],
    ['delete_strict', 'priority=2,udp', ['0/1', '0/3', '1/4']],
    ['delete_strict', 'priority=2,ip', ['0/1', '0/2', '0/3', '1/4']],
  ];
  it.each(DELETIONS)('%s %s', (mode, text, left) => {
    const { mod, flows, removed } = testBridge();
    mod('add', 'cookie=1,priority=1,ip,actions=output:2');
    mod('add', 'cookie=2,priority=2,udp,actions=write_actions(output:3)');
    mod('add', 'cookie=3,priority=3,arp,actions=output:3');
    mod('add', 'cookie=4,priority=4,table=1,actions=CONTROLLER:65535');
    mod(mode, text);
    expect(flows().map((flow) => flow.split(' ')[0])).toEqual(left);
    expect(removed).toHaveLength(4 - left.length);
  });

  it('tells the final counters, those of cached flows included', () => {
    const { mod, receive, removed, clock } = testBridge();
    mod('add', 'udp,actions=output:2');
    receive(5);
    clock.advanceTo(2n * SECOND);
    mod('delete', '');
    expect(removed.map(({ rule, reason, timeNs }) => [rule.packets, rule.bytes, reason, timeNs])).toEqual([
      [5, 5 * packet.length, 2, 2n * SECOND],
    ]);
    expect(receive()).toEqual([]);
  });
});

describe('add', () => {
  it('keeps the counters of the flow that it replaces from 1.2 on, unless told otherwise', () => {
    const { mod, receive, flows } = testBridge();
    mod('add', 'priority=1,udp,actions=output:2');
    receive(2);
    mod('add', 'priority=1,udp,actions=output:3', OF13);
    expect(flows()).toEqual(['0/1 0 2']);
    mod('add', 'priority=1,udp,reset_counts,actions=output:3', OF13);
    expect(flows()).toEqual(['0/1 0 0']);
    receive(2);
    mod('add', 'priority=1,udp,actions=output:2');
    expect(flows()).toEqual(['0/1 0 0']);
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ['priority=5,check_overlap,ip,actions=drop', 'OFPROTO_OVERLAP', 'OFPFMFC_OVERLAP'],
    ['table=254,actions=drop', 'OFPROTO_BAD_TABLE', 'OFPBRC_BAD_TABLE_ID'],
    ['actions=group:3', 'OFPROTO_NO_SUCH_GROUP', 'OFPBAC_BAD_OUT_GROUP'],
    ['actions=meter:3', 'OFPROTO_NO_SUCH_METER', 'OFPMMFC_INVALID_METER'],
    ['actions=clone(group:3)', 'OFPROTO_NO_SUCH_GROUP', 'OFPBAC_BAD_OUT_GROUP'],
    ['actions=fin_timeout(idle_timeout=3)', 'OFPROTO_ACTION_NOT_SUPPORTED', 'OFPBAC_BAD_TYPE'],
    ['actions=set_field:1->tun_metadata0', 'OFPROTO_ACTION_NOT_SUPPORTED', 'OFPBAC_BAD_TYPE'],
    ['table=253,actions=goto_table:254', 'OFPROTO_BAD_GOTO', 'OFPBIC_BAD_TABLE_ID'],
  ];
  it.each(refused)('%s is refused with %s, %s', (text, code, openflowError) => {
    const { mod, flows } = testBridge();
    mod('add', 'priority=5,udp,actions=output:2');
    expect(() => mod('add', text)).toThrowError(expect.objectContaining({ code, openflowError }));
    expect(flows()).toEqual(['0/5 0 0']);
  });

  it.each([65290, OFPP.none, OFPP.unset])('refuses output to %d', (port) => {
    const { bridge, flows } = testBridge();
    const mod = { ...parseFlow('actions=drop'), actions: [{ type: 'output', port }] as const };
    expect(() => bridge.flowMod(mod)).toThrowError(expect.objectContaining({ openflowError: 'OFPBAC_BAD_OUT_PORT' }));
    expect(flows()).toEqual([]);
  });

  it('allows an overlap of other priorities, other programs and itself', () => {
    const { mod, flows } = testBridge();
    mod('add', 'priority=5,udp,actions=output:2');
    mod('add', 'priority=6,check_overlap,ip,actions=drop');
    mod('add', 'priority=5,check_overlap,udp,actions=drop');
    mod('add', 'priority=5,check_overlap,tcp,actions=drop');
    expect(flows()).toHaveLength(3);
  });

  it('keeps the flags that say nobody needs counters, and counts all the same, as Open vSwitch does', () => {
    const { bridge, mod, receive, flows } = testBridge();
    mod('add', 'priority=1,no_packet_counts,no_byte_counts,actions=output:2', OF13);
    receive(2);
    expect(flows()).toEqual(['0/1 0 2']);
    expect(bridge.flows()[0].flags).toBe(FLOW_FLAGS.noPacketCounts | FLOW_FLAGS.noByteCounts);
  });

  it('ends at the limit of its table', () => {
    const { bridge, mod } = testBridge();
    bridge.configureTable(1, { maxFlows: 1, name: 'small' });
    mod('add', 'table=1,udp,actions=drop');
    mod('add', 'table=1,udp,actions=output:1');
    expect(() => mod('add', 'table=1,tcp,actions=drop')).toThrowError(
      expect.objectContaining({ openflowError: 'OFPFMFC_TABLE_FULL' }),
    );
    expect(bridge.tableStats()[1]).toMatchObject({ name: 'small', maxEntries: 1, activeCount: 1 });
  });
});

describe('timeouts', () => {
  it('tell which of them has run out, by the packets that the cache handled', () => {
    const { mod, receive, removed, clock, bridge } = testBridge();
    mod('add', 'priority=1,udp,idle_timeout=10,actions=output:2');
    mod('add', 'priority=2,table=1,hard_timeout=15,actions=output:2');
    for (const second of [5n, 10n, 14n]) {
      clock.advanceTo(second * SECOND);
      receive();
    }
    clock.advanceTo(23n * SECOND);
    bridge.run();
    expect(removed.map(({ rule, reason }) => [rule.priority, reason, rule.packets])).toEqual([[2, 1, 0]]);
    clock.advanceTo(24n * SECOND);
    bridge.run();
    expect(removed.map(({ rule, reason }) => [rule.priority, reason, rule.packets])).toEqual([
      [2, 1, 0],
      [1, 0, 3],
    ]);
  });

  it('do not expire a flow that was put in the place of one that had them', () => {
    const { mod, removed, clock, bridge, flows } = testBridge();
    mod('add', 'priority=1,udp,hard_timeout=5,actions=output:2');
    mod('add', 'priority=1,udp,actions=output:2');
    clock.advanceTo(30n * SECOND);
    bridge.run();
    expect(removed).toEqual([]);
    expect(flows()).toHaveLength(1);
  });
});

describe('packets that no flow matches', () => {
  it('are dropped, or go to controllers that want them, by table', () => {
    const { bridge, receive, packetIns, mod } = testBridge();
    receive();
    expect(packetIns).toEqual([]);
    bridge.setSendsMisses(true);
    receive(2);
    expect(packetIns.map(({ reason, miss, table, cookie }) => [reason, miss, table, cookie])).toEqual([
      [0, 'implicit', 0, 0xffff_ffff_ffff_ffffn],
      [0, 'implicit', 0, 0xffff_ffff_ffff_ffffn],
    ]);
    expect(packetIns[0].packet).toEqual(packet);
    bridge.configureTable(0, { miss: 'continue' });
    mod('add', 'table=1,udp,actions=output:2');
    expect(receive()).toEqual([2]);
    bridge.configureTable(0, { miss: 'drop' });
    expect(receive()).toEqual([]);
    expect(packetIns).toHaveLength(2);
  });

  it('are told apart from those of a table-miss flow', () => {
    const { receive, packetIns, mod } = testBridge();
    mod('add', 'cookie=9,priority=0,actions=load:7->NXM_NX_REG3[],CONTROLLER:77');
    receive();
    const [event] = packetIns;
    expect(event).toMatchObject({ reason: 1, miss: 'flow', cookie: 9n, maxLen: 77 });
    expect([...event.metadata.fields()].map(({ field, value }) => [field.name, value.at(-1)])).toEqual([
      ['in_port_oxm', 1],
      ['reg3', 7],
    ]);
  });
});

describe('statistics', () => {
  it('of tables and of flows together are exact', () => {
    const { bridge, mod, receive } = testBridge();
    mod('add', 'priority=1,udp,actions=resubmit(,1),resubmit(,2)');
    mod('add', 'table=1,udp,actions=output:2');
    receive(4);
    expect(bridge.tableStats().slice(0, 3)).toMatchObject([
      { lookupCount: 4n, matchedCount: 4n, activeCount: 1 },
      { lookupCount: 4n, matchedCount: 4n, activeCount: 1 },
      { lookupCount: 4n, matchedCount: 0n, activeCount: 0 },
    ]);
    expect(bridge.aggregateStats(allFlows(Match.ALL))).toEqual({
      packetCount: 8n,
      byteCount: BigInt(8 * packet.length),
      flowCount: 2,
    });
    expect(bridge.aggregateStats({ ...allFlows(Match.ALL), outPort: 2 }).flowCount).toBe(1);
  });

  it('leave out the flows of the switch itself, which cannot be deleted', () => {
    const { bridge, mod, receive, flows } = testBridge();
    bridge.addFlow({ ...parseFlow('actions=output:3'), priority: 0x1_0000 });
    mod('add', 'actions=output:2');
    expect(receive()).toEqual([3]);
    expect(flows()).toHaveLength(1);
    mod('delete', '');
    expect(receive()).toEqual([3]);
  });
});
