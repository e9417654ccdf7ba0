import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../datapath/index.ts';
import { ANY_GROUP, type FlowMonitor, type FlowUpdate, MONITOR_FLAGS, OFPP, parseFlow } from '../../openflow/index.ts';
import { Match, OPENFLOW_VERSIONS } from '../../packet/index.ts';
import { Bridge } from '../bridge.ts';
import { FlowMonitors } from './flow-monitors.ts';

const ALL_FLAGS = Object.values(MONITOR_FLAGS).reduce((all, bit) => all | bit, 0);

function monitorOf(changes: Partial<FlowMonitor> = {}): FlowMonitor {
  const everything = { outPort: OFPP.none, outGroup: ANY_GROUP, table: 255, match: Match.ALL };
  return { id: 1, command: 'add', flags: ALL_FLAGS, ...everything, ...changes };
}

/** A bridge, the monitors of one peer, and the texts of what that peer is told. */
function setUp() {
  const bridge = new Bridge({ name: 'br0', clock: new ManualClock(1n) });
  const monitors = new FlowMonitors();
  const told: string[] = [];
  const me = {};
  bridge.listen({
    flowsChanged: (changes, reason) => told.push(...monitors.changed(changes, me, reason).map(describeUpdate)),
  });
  const flow = (text: string, command: 'add' | 'modify' | 'delete' = 'add', session: unknown = undefined, xid = 0) =>
    bridge.flowMod(parseFlow(text, command), { origin: { session, xid } });
  return { bridge, monitors, me, flow, told, news: () => told.splice(0) };
}

function describeUpdate(update: FlowUpdate): string {
  if (update.event === 'abbrev') return `abbrev ${update.xid}`;
  return 'table' in update ? `${update.event} ${update.table}:${update.priority}` : update.event;
}

describe('flow monitors', () => {
  it('are all made or none', () => {
    const { bridge, monitors } = setUp();
    monitors.request(bridge, [monitorOf()]);
    expect(() => monitors.request(bridge, [monitorOf({ id: 2 }), monitorOf()])).toThrow('OFPMOFC_MONITOR_EXISTS');
    expect(() => monitors.cancel(2)).toThrow('OFPMOFC_UNKNOWN_MONITOR');
    expect(() => monitors.request(bridge, [monitorOf({ id: 3, command: 'modify' })])).toThrow(
      'OFPMOFC_UNKNOWN_MONITOR',
    );
    expect(() => monitors.request(bridge, [monitorOf({ id: 3, table: 254 })])).toThrow(/table 254/);
    monitors.request(bridge, [monitorOf({ command: 'modify' }), monitorOf({ command: 'delete' })]);
    expect(monitors.isEmpty).toBe(true);
  });

  it('are bounded', () => {
    const { bridge, monitors } = setUp();
    const many = Array.from({ length: 1024 }, (_, id) => monitorOf({ id }));
    monitors.request(bridge, many);
    expect(() => monitors.request(bridge, [monitorOf({ id: 5000 })])).toThrow('OFPBRC_EPERM');
  });

  it('list each flow once that several of them select', () => {
    const { bridge, monitors, flow } = setUp();
    flow('table=1,priority=5,actions=output:1');
    flow('table=2,priority=6,actions=output:2');
    const updates = monitors.request(bridge, [
      monitorOf({ id: 1, flags: MONITOR_FLAGS.initial | MONITOR_FLAGS.add }),
      monitorOf({ id: 2, table: 2 }),
      monitorOf({ id: 3, flags: MONITOR_FLAGS.modify }),
    ]);
    expect(updates.map(describeUpdate)).toEqual(['initial 1:5', 'initial 2:6']);
    expect(updates.map((update) => 'actions' in update && update.actions.length)).toEqual([0, 1]);
  });

  it('abbreviate what the peer does, once for each time', () => {
    const { bridge, monitors, flow, me, news } = setUp();
    monitors.request(bridge, [monitorOf({ flags: ALL_FLAGS & ~MONITOR_FLAGS.own })]);
    flow('table=1,priority=5,actions=output:1', 'add', me, 77);
    flow('table=1,priority=6,actions=output:1', 'add', {}, 78);
    flow('table=1', 'delete', me, 79);
    expect(news()).toEqual(['abbrev 77', 'added 1:6', 'abbrev 79']);
  });

  it('pass over what changes nothing, and see flows leave a port', () => {
    const { bridge, monitors, flow, news } = setUp();
    flow('table=1,priority=5,actions=output:1');
    monitors.request(bridge, [monitorOf({ outPort: 1 })]);
    flow('table=1,actions=output:1', 'modify');
    flow('table=1,actions=output:2', 'modify');
    flow('table=1,actions=output:3', 'modify');
    expect(news()).toEqual(['modified 1:5']);
  });

  it('tell a peer that has fallen behind what it missed, as it is by then', () => {
    const { bridge, monitors, flow, news } = setUp();
    for (const table of [1, 2, 3, 4]) flow(`table=${table},priority=1,actions=output:1`);
    monitors.request(bridge, [monitorOf()]);
    expect(monitors.pause(OPENFLOW_VERSIONS.of10)).toMatchObject({ type: 'flow_monitor_paused' });
    flow('table=1,actions=output:2', 'modify');
    flow('table=1,actions=output:3', 'modify');
    flow('table=2', 'delete');
    flow('table=2,priority=1,actions=output:7');
    flow('table=3,priority=1,actions=output:8');
    flow('table=3', 'delete');
    flow('table=5,priority=1,actions=output:1');
    flow('table=5,actions=output:2', 'modify');
    flow('table=6,priority=1,actions=output:1');
    flow('table=6', 'delete');
    // Only flows that it knows are removed meanwhile.
    expect(news()).toEqual(['removed 2:1', 'removed 3:1']);
    const [missed, resumed] = monitors.resume(OPENFLOW_VERSIONS.of10);
    const updates = missed.type === 'multipart_reply' && missed.body.kind === 'flow_monitor' ? missed.body.updates : [];
    expect(updates.map(describeUpdate).sort()).toEqual(['added 2:1', 'added 5:1', 'modified 1:1']);
    expect(resumed).toMatchObject({ type: 'flow_monitor_resumed' });
    flow('table=5', 'delete');
    expect(news()).toEqual(['removed 5:1']);
  });

  it('say so in an update of OpenFlow 1.4', () => {
    const { monitors } = setUp();
    expect(monitors.pause(OPENFLOW_VERSIONS.of14)).toMatchObject({ body: { updates: [{ event: 'paused' }] } });
    expect(monitors.resume(OPENFLOW_VERSIONS.of14)).toMatchObject([{ body: { updates: [{ event: 'resumed' }] } }]);
  });
});
