import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unixctlCommands } from '../../src/vswitchd/unixctl/index.ts';
import { DummyVswitch, vswitchMissing } from '../support/dummy-vswitch.ts';
import { FakeSwitchView } from '../support/fake-switch-view.ts';

const missing = vswitchMissing();

const FLOWS = [
  'table=0,priority=100,in_port=1,ip,nw_dst=10.0.0.0/8,actions=load:5->NXM_NX_REG0[],resubmit(,1)',
  'table=0,priority=90,in_port=1,arp,actions=NORMAL',
  'table=0,priority=80,in_port=2,actions=resubmit(1,0)',
  'table=0,priority=70,in_port=3,tcp,cookie=0x77,actions=push_vlan:0x8100,set_field:4106->vlan_vid,output:1,pop_vlan,goto_table:5',
  'table=0,priority=60,in_port=3,udp,actions=clone(set_field:1.1.1.1->ip_src,output:1),output:2,IN_PORT',
  'table=0,priority=50,in_port=3,icmp,actions=write_actions(output:2),goto_table:6',
  'table=0,priority=45,in_port=3,ipv6,actions=dec_ttl,controller(reason=action,max_len=77,id=5),flood',
  'table=0,priority=41,in_port=3,dl_type=0x1234,actions=set_queue:3,output:2,pop_queue,output:LOCAL',
  'table=0,priority=40,in_port=3,dl_type=0x1235,actions=all,local',
  'table=0,priority=40,in_port=3,dl_type=0x1236,actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[],move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],output:99,note:01.02,exit,output:1',
  'table=0,priority=40,in_port=3,dl_type=0x1237,actions=resubmit(,200),output:NXM_NX_REG0[]',
  'table=0,priority=40,in_port=3,dl_type=0x1238,actions=output(port=1,max_len=100),push_mpls:0x8847,output:2',
  'table=0,priority=40,in_port=3,dl_type=0x1239,actions=resubmit(,0)',
  'table=0,priority=40,in_port=3,dl_type=0x123a,actions=move:NXM_OF_ETH_SRC[0..15]->NXM_NX_REG3[8..23],output:NXM_NX_REG3[8..23]',
  'table=0,priority=40,in_port=3,dl_type=0x123b,actions=clear_actions,write_actions(set_field:1->reg1)',
  'table=0,priority=40,in_port=3,dl_type=0x123c,actions=resubmit(,10),resubmit(,11),resubmit(,12)',
  'table=0,priority=40,in_port=3,dl_vlan=7,actions=strip_vlan,2',
  'table=0,priority=42,in_port=3,dl_vlan=8,actions=set_field:4105->vlan_vid,2',
  'table=0,priority=40,in_port=3,mpls,actions=set_field:9->mpls_label,dec_mpls_ttl,2',
  'table=0,priority=40,in_port=3,sctp,actions=set_field:9->sctp_src,2',
  'table=0,priority=39,in_port=3,ip,actions=dec_ttl,set_field:4->ip_dscp,1',
  'table=0,priority=1,in_port=LOCAL,actions=drop',
  'table=1,priority=5,reg0=5,tcp,actions=set_field:00:11:22:33:44:55->eth_dst,output:2',
  'table=1,priority=4,ip,actions=resubmit(,2),output:3',
  'table=5,priority=1,actions=write_metadata:0x12/0xff,goto_table:7',
  'table=6,ip,nw_proto=1,actions=clear_actions,write_actions(set_field:10.0.0.7->ip_dst,output:1)',
  'table=10,actions=resubmit(,13)',
  'table=11,actions=set_field:7->reg7',
  'table=13,actions=set_field:6->reg6',
];

const ARP_REQUEST = 'ffffffffffff0242ac11000208060001080006040001aaaaaaaaaaaa0a000001ffffffffffff0a000002';
const DATAPATH_FLOW =
  'in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),' +
  'ipv4(src=1.1.1.1,dst=10.0.0.1,proto=17,tos=4,ttl=64,frag=no),udp(src=1,dst=2)';

/** Arguments of ofproto/trace whose answers agree, but for the line of the megaflow. */
const ALIKE: readonly (readonly string[])[] = [
  ['br0', 'in_port=1,tcp,nw_dst=10.1.2.3,tp_dst=80'],
  ['br0', 'in_port=1,udp,nw_dst=10.1.2.3'],
  ['br0', 'in_port=1,ip,nw_dst=11.1.2.3'],
  ['br0', 'in_port=1,arp,dl_src=50:54:00:00:00:05,dl_dst=ff:ff:ff:ff:ff:ff'],
  ['br0', 'in_port=2,tcp,nw_dst=10.1.2.3'],
  ['br0', 'in_port=3,tcp,nw_ttl=64'],
  ['br0', 'in_port=3,icmp'],
  ['br0', 'in_port=3,ipv6,nw_ttl=1'],
  ['br0', 'in_port=3,dl_type=0x1234'],
  ['br0', 'in_port=3,dl_type=0x1236,dl_src=50:54:00:00:00:05'],
  ['br0', 'in_port=3,dl_type=0x1237'],
  ['br0', 'in_port=3,dl_type=0x1238'],
  ['br0', 'in_port=3,dl_type=0x1239'],
  ['br0', 'in_port=3,dl_type=0x123a,dl_src=50:54:00:00:00:02'],
  ['br0', 'in_port=3,dl_type=0x123b'],
  ['br0', 'in_port=3,dl_type=0x123c'],
  ['br0', 'in_port=3,dl_vlan=5,dl_vlan_pcp=3,dl_type=0x1240'],
  ['br0', 'in_port=3,dl_vlan=7,dl_vlan_pcp=3,ip'],
  ['br0', 'in_port=3,dl_vlan=8,dl_vlan_pcp=3,sctp,sctp_src=3'],
  ['br0', 'in_port=3,sctp,sctp_src=4'],
  ['br0', 'in_port=3,ip,nw_proto=99,nw_ttl=2,nw_tos=8'],
  ['br0', 'in_port=3,ip,nw_ttl=1'],
  ['br0', 'in_port=9'],
  ['br0', 'in_port=LOCAL,ip'],
  ['br0', 'in_port=p1,tcp,nw_dst=10.1.2.3,tp_dst=80,tcp_flags=2', '-generate'],
  ['br0', 'in_port=1', ARP_REQUEST],
  ['br0', 'in_port=1', ARP_REQUEST],
  ['br0', 'in_port=1,arp,dl_dst=01:80:c2:00:00:00'],
  ['br0', 'in_port=1,arp,dl_src=02:42:ac:11:00:03,dl_dst=02:42:ac:11:00:02'],
  ['br0', 'in_port=1,reg3=7,metadata=5,arp'],
  ['br0', 'in_port=1,icmp6,icmpv6_type=135,icmpv6_code=0,nd_target=fe80::1'],
  [DATAPATH_FLOW],
  ['ovs-dummy', DATAPATH_FLOW],
  ['br0', 'in_port=1,ip,nw_frag=later'],
];

/** Arguments that are refused in the same words. */
const REFUSED: readonly (readonly string[])[] = [
  [],
  ['br0'],
  ['brx', 'in_port=1'],
  ['in_port=1'],
  ['br0', 'in_port=1', 'zz'],
  ['br0', 'in_port=1', 'aabbcc'],
  ['br0', 'in_port=1', '--foo'],
  ['in_port(77),eth(src=50:54:00:00:00:05,dst=ff:ff:ff:ff:ff:ff),eth_type(0x1234)'],
  ['dummy@what', DATAPATH_FLOW],
];

/**
 * The lines of an answer, without what differs by design: the megaflow, since flows are cached under other bits; numbers of
 * passes; the order of ports in a flood; and that we call an action by one name in all versions of OpenFlow.
 */
function lines(answer: string): string[] {
  const text = answer
    .replace(/^Megaflow:.*\n/m, '')
    .replace(/recirc_id=\d+,rule_cookie/g, 'rule_cookie')
    .replace(/^( +)strip_vlan$/gm, '$1pop_vlan')
    .replace(/^(Datapath actions: )([\d,]+)$/m, (_, title: string, ports: string) => title + ports.split(',').sort());
  return text.trimEnd().split('\n');
}

describe.skipIf(missing !== undefined)(`ofproto/trace beside Open vSwitch${missing ? ` (${missing})` : ''}`, () => {
  let vswitch: DummyVswitch;
  const view = new FakeSwitchView();
  const registry = unixctlCommands(view);
  beforeAll(() => {
    vswitch = new DummyVswitch();
    vswitch.addPort(3);
    vswitch.setFlows('OpenFlow13', FLOWS);
    view.setFlows(FLOWS);
  });
  afterAll(() => vswitch?.stop());

  const trace = async (...args: readonly string[]): Promise<string> => {
    try {
      return await registry.run('ofproto/trace', args);
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each(ALIKE.map((args) => [args.join(' '), args] as const))('%s', async (_, args) => {
    expect(lines(await trace(...args))).toEqual(lines(vswitch.appctl('ofproto/trace', ...args)));
  });

  it.each(REFUSED.map((args) => [args.join(' '), args] as const))('refused: %s', async (_, args) => {
    expect(await trace(...args)).toBe(vswitch.appctl('ofproto/trace', ...args).trimEnd());
  });
});
