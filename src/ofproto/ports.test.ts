import { describe, expect, it } from 'vitest';
import { CallbackPort, ManualClock } from '../datapath/index.ts';
import { OFPP, parseActions, parseFlow } from '../openflow/index.ts';
import { ethernet, ipv4, udp } from '../packet/build.ts';
import { field, MatchBuilder } from '../packet/index.ts';
import { Bridge } from './bridge.ts';
import { FilterPrograms } from './filter-programs.ts';
import type { PacketIn, PortStatus } from './listeners.ts';
import { PORT_CONFIG, PORT_STATE } from './port-table.ts';
import type { Tracer } from './translate/walk.ts';

const programs = new FilterPrograms({ windowBits: 20 });
const packet = ethernet(
  { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' },
  ipv4({ src: '10.0.0.1', dst: '10.0.0.2', ttl: 1 }, udp({ src: 1, dst: 53 })),
);

function testBridge(...flows: readonly string[]) {
  const bridge = new Bridge({ name: 'br0', clock: new ManualClock(1n), programs });
  const sent: number[] = [];
  for (const port of [1, 2, 3]) bridge.addPort(port, new CallbackPort(`p${port}`, () => sent.push(port)));
  for (const flow of flows) bridge.flowMod(parseFlow(flow));
  const packetIns: PacketIn[] = [];
  const statuses: PortStatus[] = [];
  bridge.listen({ packetIn: (event) => packetIns.push(event), portStatus: (event) => statuses.push(event) });
  const take = (): number[] => sent.splice(0);
  const receive = (bytes = packet): number[] => {
    bridge.receive(1, bytes);
    return take();
  };
  return { bridge, receive, take, packetIns, statuses };
}

describe('a port’s configuration', () => {
  it.each<[string, number, number, number[]]>([
    ['no_flood', 2, PORT_CONFIG.noFlood, [3]],
    ['no_fwd', 2, PORT_CONFIG.noFwd, [3]],
    ['port_down of an output', 2, PORT_CONFIG.portDown, [3]],
    ['no_recv', 1, PORT_CONFIG.noRecv, []],
    ['no_recv_stp', 1, PORT_CONFIG.noRecvStp, [2, 3]],
    ['port_down of the input', 1, PORT_CONFIG.portDown, []],
  ])('%s', (_name, port, config, ports) => {
    const { bridge, receive } = testBridge('actions=FLOOD');
    expect(receive()).toEqual([2, 3]);
    bridge.portMod({ port, config, mask: config });
    for (let i = 0; i < 2; i++) expect(receive()).toEqual(ports);
    bridge.portMod({ port, config: 0, mask: config });
    expect(receive()).toEqual([2, 3]);
  });

  it('knows spanning tree’s packets from others', () => {
    const { bridge, receive } = testBridge('actions=output:2');
    const bpdu = packet.slice();
    bpdu.set([0x01, 0x80, 0xc2, 0, 0, 0]);
    bridge.portMod({ port: 1, config: PORT_CONFIG.noRecv, mask: PORT_CONFIG.noRecv });
    expect([receive(), receive(bpdu), receive()]).toEqual([[], [2], []]);
    bridge.portMod({ port: 1, config: PORT_CONFIG.noRecvStp, mask: 0xff });
    expect([receive(), receive(bpdu), receive()]).toEqual([[2], [], [2]]);
  });

  it('keeps what nobody matches from the controllers', () => {
    const { bridge, receive, packetIns } = testBridge();
    bridge.setSendsMisses(true);
    bridge.portMod({ port: 1, config: PORT_CONFIG.noPacketIn, mask: PORT_CONFIG.noPacketIn });
    receive();
    expect(packetIns).toEqual([]);
  });

  it('is refused for a port that is not there or has another address', () => {
    const { bridge } = testBridge();
    const mod = { config: 0, mask: 0 };
    expect(() => bridge.portMod({ port: 9, ...mod })).toThrowError(
      expect.objectContaining({ openflowError: 'OFPPMFC_BAD_PORT' }),
    );
    const mac = new Uint8Array([2, 0, 0, 0, 0, 9]);
    expect(() => bridge.portMod({ port: 1, mac, ...mod })).toThrowError(
      expect.objectContaining({ openflowError: 'OFPPMFC_BAD_HW_ADDR' }),
    );
  });
});

it('tells of ports that come, change and go, the bridge’s own among them', () => {
  const { bridge, statuses } = testBridge('actions=ALL');
  bridge.addPort(OFPP.local, new CallbackPort('br0', () => {}), { state: PORT_STATE.linkDown });
  bridge.setPort(OFPP.local, { state: PORT_STATE.live });
  bridge.removePort(2);
  expect(statuses.map(({ reason, port }) => [reason, port.number, port.state])).toEqual([
    [0, OFPP.local, PORT_STATE.linkDown],
    [2, OFPP.local, PORT_STATE.live],
    [1, 2, PORT_STATE.live],
  ]);
  expect(bridge.ports.list().map(({ number }) => number)).toEqual([1, 3, OFPP.local]);
});

describe('a packet that a controller sends', () => {
  it.each<[number, string, number[]]>([
    [OFPP.none, 'output:2', [2]],
    [OFPP.controller, 'FLOOD', [1, 2, 3]],
    [1, 'FLOOD', [2, 3]],
    [1, 'TABLE', [3]],
    [1, 'resubmit(,0)', [3]],
    [1, 'resubmit(2,0)', []],
    [3, 'resubmit(2,0)', [1]],
    [2, 'IN_PORT', [2]],
    [OFPP.none, 'NORMAL', [1, 2, 3]],
    [1, 'mod_dl_dst:02:00:00:00:00:09,output:2,output:3', [2, 3]],
  ])('by port %d: %s', (inPort, actions, ports) => {
    const { bridge, take } = testBridge('in_port=1,actions=output:3', 'in_port=2,actions=output:1');
    bridge.packetOut(inPort, packet, parseActions(actions));
    expect(take()).toEqual(ports);
  });

  it('counts in the flows that it meets', () => {
    const { bridge } = testBridge('actions=output:3');
    bridge.packetOut(1, packet, parseActions('resubmit(,0)'));
    expect(bridge.flows().map(({ packets }) => packets)).toEqual([1]);
  });

  it('may bring metadata along, and come back with another reason', () => {
    const { bridge, packetIns } = testBridge();
    const metadata = new MatchBuilder().setNumber(field('reg1'), 5).build();
    bridge.packetOut(OFPP.none, packet, parseActions('CONTROLLER,controller(userdata=01.02,id=3),dec_ttl'), metadata);
    expect(packetIns.map(({ reason, controllerId, userdata }) => [reason, controllerId, userdata])).toEqual([
      [5, 0, undefined],
      [1, 3, new Uint8Array([1, 2])],
      [2, 0, undefined],
    ]);
    expect(packetIns[0].metadata.number(field('reg1'))).toBe(5);
  });

  it('is refused when its port or its actions cannot be', () => {
    const { bridge } = testBridge();
    expect(() => bridge.packetOut(0xff05, packet, [])).toThrowError(
      expect.objectContaining({ openflowError: 'OFPBRC_BAD_PORT' }),
    );
    expect(() => bridge.packetOut(1, packet, [{ type: 'group', group: 1 }])).toThrowError(
      expect.objectContaining({ openflowError: 'OFPBAC_BAD_OUT_GROUP' }),
    );
  });
});

describe('a trace', () => {
  it('says what would happen and leaves everything as it was', () => {
    const { bridge, take } = testBridge(
      'actions=resubmit(,1),CONTROLLER',
      'table=1,udp,filter_prog=7,actions=NORMAL,2',
    );
    const heard: string[] = [];
    const tracer: Tracer = {
      table: (number, rule, asked) =>
        heard.push(`table ${number} ${rule?.priority} ${asked.map(({ matched }) => matched)}`),
      actionSet: () => heard.push('action set'),
      leave: () => heard.push('leave'),
      action: ({ type }) => heard.push(type),
      output: (port) => heard.push(`> ${port}`),
      detail: (text) => heard.push(`- ${text}`),
      warning: (text) => heard.push(`! ${text}`),
      error: (text) => heard.push(`!! ${text}`),
    };
    const { actions } = bridge.trace(1, packet, tracer, { programs: new Map([[7, true]]) });
    expect(heard).toEqual([
      'table 0 32768 ',
      'resubmit',
      'table 1 32768 true',
      'output',
      '- no learned MAC for destination, flooding',
      '> 2',
      '> 3',
      'output',
      '> 2',
      'leave',
      'output',
    ]);
    expect(actions.map(({ kind }) => kind)).toEqual(['output', 'output', 'output', 'toMain']);
    expect(take()).toEqual([]);
    expect(bridge.flows().map(({ packets }) => packets)).toEqual([0, 0]);
    expect(bridge.macs.size).toBe(0);
  });
});

describe('what is given up is counted', () => {
  it.each<[string, string]>([
    ['actions=output:2,resubmit(,0)', 'too_deep'],
    ['actions=push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,output:2', 'too_many_labels'],
  ])('%s: %s', (flow, error) => {
    const { bridge, receive } = testBridge(flow);
    expect(receive()).toEqual([]);
    expect(bridge.translationErrors).toMatchObject({ [error]: 1 });
  });
});
