import { expect, it } from 'vitest';
import { PipelineBridge } from './pipeline-bridge.ts';

/* Packets that differ only in what an action, and no match, looks at: the cache has to tell them apart. */

it.each<[string, readonly string[], readonly (readonly [string, readonly string[]])[]]>([
  [
    'the inner tag, which strip_vlan makes the outer one',
    ['dl_vlan=10,actions=strip_vlan,resubmit(,1)', 'table=1,dl_vlan=20,actions=2', 'table=1,priority=1,actions=3'],
    [
      ['1: vlan=10 vlan=20 udp', ['2: vlan=20 udp']],
      ['1: vlan=10 vlan=30 udp', ['3: vlan=30 udp']],
      ['1: vlan=10 udp', ['3: udp']],
    ],
  ],
  [
    'the pass, after labels were popped',
    ['mpls,actions=pop_mpls:0x0800,resubmit(,1)', 'ip,actions=3', 'table=1,ip,actions=2'],
    [
      ['1: mpls=5:0:64 udp', ['2: udp']],
      ['1: udp', ['3: udp']],
      ['1: mpls=5:0:64 udp', ['2: udp']],
    ],
  ],
  [
    'the TTL, which dec_ttl counts down',
    ['actions=dec_ttl,output:2'],
    [
      ['1: udp ttl=9', ['2: udp ttl=8']],
      ['1: udp', ['2: udp ttl=63']],
      ['1: udp ttl=1', []],
    ],
  ],
  [
    'a register’s source',
    ['actions=move:NXM_OF_ETH_SRC[0..1]->NXM_NX_REG0[0..1],output:NXM_NX_REG0[]'],
    [
      ['1: udp src=2', ['2: udp src=2']],
      ['1: udp src=3', ['3: udp src=3']],
    ],
  ],
])('%s', (_what, flows, steps) => {
  const bridge = new PipelineBridge(flows);
  for (const [arrival, departures] of steps) expect(bridge.receive(arrival)).toEqual(departures);
});

it('a packet that teaches an address which it has been switched by does not stand for the next one', () => {
  const bridge = new PipelineBridge([
    'actions=clone(mod_dl_src:02:00:00:00:00:04,NORMAL),mod_dl_src:02:00:00:00:00:02,NORMAL',
  ]);
  expect(bridge.receive('1: udp')).toEqual([2, 3, 4].map((port) => `${port}: udp src=4`));
  expect(bridge.receive('1: udp')).toEqual([]);
  expect(bridge.receive('1: udp')).toEqual([]);
});
