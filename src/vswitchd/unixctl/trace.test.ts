import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { FakeSwitchView } from '../../../test/support/fake-switch-view.ts';
import { loadObject } from '../../bpf/index.ts';
import { PORT_CONFIG } from '../../ofproto/index.ts';
import { unixctlCommands } from './commands.ts';

const view = new FakeSwitchView();
const registry = unixctlCommands(view);
afterAll(() => registry.close());
view.bridge.programs.load(
  1,
  'rate-limiter',
  loadObject(readFileSync(new URL('../../../examples/rate-limiter.o', import.meta.url))).select(),
  view.clock.nowNs(),
);
view.setFlows([
  'priority=20,in_port=1,filter_prog=7,actions=output:3',
  'priority=10,in_port=1,filter_prog=1,actions=output:2',
  'priority=1,in_port=1,actions=drop',
]);

/** What stands under the name of the bridge, and the datapath's actions. */
async function trace(...args: readonly string[]): Promise<readonly string[]> {
  const lines = (await registry.run('ofproto/trace', ['br0', 'in_port=1,udp,nw_src=10.0.0.1', ...args])).split('\n');
  const end = lines.indexOf('', 4);
  return [...lines.slice(4, end), lines[lines.length - 1]];
}

describe('a trace through filter programs', () => {
  it('says that they were not run when there is no packet', async () => {
    const hint = '-generate runs it, --filter-prog 1=1 takes it as 1';
    expect(await trace()).toEqual([
      ' 0. in_port=1, priority 1',
      '     -> filter_prog=7 is not loaded, passing over priority 20',
      `     -> filter_prog=1 (rate-limiter) not run, taken as 0, passing over priority 10 (${hint})`,
      '    drop',
      'Datapath actions: drop',
    ]);
    expect(view.bridge.programs.get(1).runs).toBe(0);
  });

  it('takes the answer that it is told', async () => {
    expect(await trace('--filter-prog', '1=1')).toEqual([
      ' 0. filter_prog=1,in_port=1, priority 10',
      '     -> filter_prog=7 is not loaded, passing over priority 20',
      '     -> filter_prog=1 (rate-limiter) not run, taken as 1 (as told)',
      '    output:2',
      'Datapath actions: 2',
    ]);
    await expect(trace('--filter-prog', '1=2')).rejects.toThrow('--filter-prog 1=2: expected NUMBER=0 or NUMBER=1');
  });

  it('runs them on a packet, as a packet that came would', async () => {
    await registry.run('time/stop', []);
    const passed = ' 0. filter_prog=1,in_port=1, priority 10';
    for (let i = 0; i < 100; i++) expect((await trace('-generate'))[0]).toBe(passed);
    expect(await trace('-generate')).toEqual([
      ' 0. in_port=1, priority 1',
      '     -> filter_prog=7 is not loaded, passing over priority 20',
      '     -> filter_prog=1 (rate-limiter) returned 0, passing over priority 10',
      '    drop',
      'Datapath actions: drop',
    ]);
    expect(view.bridge.programs.get(1).runs).toBe(101);
  });

  it('has their answers in cached flows', async () => {
    const flow =
      'in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),' +
      'ipv4(src=10.0.0.9,dst=10.0.0.1,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
    await registry.run('netdev-dummy/receive', ['p1', ...Array.from({ length: 101 }, () => flow)]);
    const text = (outcome: string): string =>
      `recirc_id(0),in_port(1),packet_type(ns=0,id=0),filter_prog(7=0),filter_prog(1=${outcome}`;
    expect((await registry.run('dpif/dump-flows', ['br0'])).split('\n')).toEqual([
      text('1), packets:100, bytes:10600, used:0.000s, actions:2'),
      text('0), packets:1, bytes:106, used:0.000s, actions:drop'),
    ]);
  });
});

it('an action that controllers give is traced as they would have it', async () => {
  const answer = await registry.run('ofproto/trace-packet-out', [
    '-consistent',
    'br0',
    'in_port=3,ip',
    'set_field:1.2.3.4->ip_dst,output:2',
  ]);
  expect(answer.split('\n').slice(1)).toEqual([
    '',
    'bridge("br0")',
    '-------------',
    '    set_field:1.2.3.4->ip_dst',
    '    output:2',
    '',
    expect.stringContaining('nw_dst=1.2.3.4'),
    expect.stringContaining('Megaflow: recirc_id=0,eth'),
    'Datapath actions: set(ipv4(dst=1.2.3.4)),2',
  ]);
  await expect(registry.run('ofproto/trace-packet-out', ['br0', 'in_port=3,ip', 'what'])).rejects.toThrow(/what/);
});

it('says why action NORMAL does not let a packet in, or send it out', async () => {
  const other = new FakeSwitchView();
  const commands = unixctlCommands(other);
  const lines = async (flow: string): Promise<readonly string[]> =>
    (await commands.run('ofproto/trace', ['br0', flow])).split('\n').slice(4, -4);
  other.setFlows(['actions=NORMAL', 'in_port=LOCAL,actions=3']);
  const access = { mode: 'access', tag: 5, priorityTags: 'never' } as const;
  other.bridge.setPort(2, { vlan: access });
  other.bridge.portMod({ port: 3, config: PORT_CONFIG.noFwd, mask: PORT_CONFIG.noFwd });
  // As Open vSwitch 3.1 says it.
  expect(await lines('in_port=2,dl_vlan=9')).toEqual([
    ' 0. priority 32768',
    '    NORMAL',
    '     >>>> dropping VLAN 9 tagged packet received on port p2 configured as VLAN 5 access port <<<<',
    '     >> disallowed VLAN VID for this input port, dropping',
  ]);
  expect((await lines('in_port=LOCAL')).at(-1)).toBe('     -> OFPPC_NO_FWD set, skipping output');
  other.bridge.setPort(2, { vlan: { mode: 'trunk', tag: 0, trunks: new Set([1]), priorityTags: 'never' } });
  expect(await lines('in_port=2,dl_vlan=9')).toContain(
    '     >>>> dropping VLAN 9 tagged packet received on port p2 not configured for trunking VLAN 9 <<<<',
  );
  commands.close();
});
