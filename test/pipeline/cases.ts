import type { PortVlan } from '../../src/ofproto/index.ts';

/** Flows, then packets that come in one after the other with what comes out: "PORT: PACKET" as in `packet-text.ts`. */
export interface Case {
  readonly flows: readonly string[];
  readonly steps: readonly (readonly [string, readonly string[]])[];
  /** Why Open vSwitch does something else. */
  readonly differs?: string;
}

/** How ports 1 to 4 take part in VLANs in a group of cases; a trunk of all VLANs where nothing is said. */
export const PORT_VLANS: Readonly<Record<string, Readonly<Record<number, PortVlan>>>> = {
  'p1 access 10, p2 trunk, p3 access 20, p4 native-untagged 10': {
    1: { mode: 'access', tag: 10, priorityTags: 'never' },
    3: { mode: 'access', tag: 20, priorityTags: 'never' },
    4: { mode: 'native-untagged', tag: 10, priorityTags: 'never' },
  },
  'p1 trunk 10 20, p2 native-tagged 10 in 10 20, p3 access 10, p4 trunk 20 with priority tags': {
    1: { mode: 'trunk', tag: 0, trunks: new Set([10, 20]), priorityTags: 'never' },
    2: { mode: 'native-tagged', tag: 10, trunks: new Set([10, 20]), priorityTags: 'never' },
    3: { mode: 'access', tag: 10, priorityTags: 'never' },
    4: { mode: 'trunk', tag: 0, trunks: new Set([0, 20]), priorityTags: 'if-nonzero' },
  },
};

/** By what they are about. Every case has been compared with Open vSwitch, see `pipeline-oracle.test.ts`. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  'where it goes': [
    { flows: ['actions=output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=2,3'], steps: [['1: udp', ['2: udp', '3: udp']]] },
    { flows: ['actions=drop'], steps: [['1: udp', []]] },
    { flows: ['actions=output:1'], steps: [['1: udp', []]] },
    { flows: ['actions=IN_PORT'], steps: [['1: udp', ['1: udp']]] },
    { flows: ['actions=ALL'], steps: [['1: udp', ['2: udp', '3: udp', '4: udp']]] },
    { flows: ['actions=FLOOD'], steps: [['2: udp', ['1: udp', '3: udp', '4: udp']]] },
    { flows: ['actions=output:2,output:2'], steps: [['1: udp', ['2: udp', '2: udp']]] },
    { flows: ['actions=output:77,output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=load:1->NXM_OF_IN_PORT[],output:1,output:2'], steps: [['2: udp', ['2: udp']]] },
    { flows: ['actions=load:0->NXM_OF_IN_PORT[],output:1'], steps: [['1: udp', ['1: udp']]] },
    { flows: ['actions=load:3->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]'], steps: [['1: udp', ['3: udp']]] },
    { flows: ['actions=load:0xfff8->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]'], steps: [['1: udp', ['1: udp']]] },
    {
      flows: ['actions=load:0xfffb->NXM_NX_REG0[0..15],output:reg0[0..15]'],
      steps: [['1: udp', ['2: udp', '3: udp', '4: udp']]],
    },
    { flows: ['actions=load:0x10003->NXM_NX_REG0[],output:reg0'], steps: [['1: udp', []]] },
    { flows: ['actions=load:1->NXM_NX_REG0[0..15],output:reg0[0..15]'], steps: [['1: udp', []]] },
    {
      flows: ['actions=output(port=2,max_len=20),output:3'],
      steps: [['1: udp', ['2: hex:02000000000202000000000108004500002e0000', '3: udp']]],
    },
    {
      flows: ['actions=output(port=IN_PORT,max_len=30)'],
      steps: [['1: udp', ['1: hex:02000000000202000000000108004500002e00000000401166bd0a000001']]],
      differs: 'Open vSwitch sends nothing, although ovs-actions(7) allows it',
    },
    { flows: ['actions=output(port=2,max_len=2000)'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=enqueue:2:1'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=set_queue:5,output:2,pop_queue,output:3'], steps: [['1: udp', ['2: udp', '3: udp']]] },
    { flows: ['actions=note:01.02.03,output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=set_field:7->tun_id,output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['priority=5,udp,actions=2', 'priority=6,ip,actions=3'], steps: [['1: udp', ['3: udp']]] },
    { flows: ['in_port=2,actions=3', 'in_port=1,actions=2'], steps: [['1: udp', ['2: udp']]] },
  ],
  'what fields become': [
    {
      flows: ['actions=mod_dl_src:02:00:00:00:00:09,mod_dl_dst:02:00:00:00:00:08,output:2'],
      steps: [['1: udp', ['2: udp dst=8 src=9']]],
    },
    {
      flows: ['actions=output:3,mod_dl_dst:02:00:00:00:00:08,output:2'],
      steps: [['1: udp', ['2: udp dst=8', '3: udp']]],
    },
    {
      flows: ['actions=mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,output:2'],
      steps: [['1: udp', ['2: udp nw_src=1.2.3.4 nw_dst=5.6.7.8']]],
    },
    { flows: ['actions=mod_nw_src:1.2.3.4,output:2'], steps: [['1: udp6', ['2: udp6']]] },
    { flows: ['actions=mod_nw_dst:1.2.3.4,output:2'], steps: [['1: arp', ['2: arp']]] },
    { flows: ['actions=mod_nw_dst:1.2.3.4,output:2'], steps: [['1: tcp', ['2: tcp nw_dst=1.2.3.4']]] },
    { flows: ['actions=mod_nw_dst:1.2.3.4,output:2'], steps: [['1: icmp', ['2: icmp nw_dst=1.2.3.4']]] },
    { flows: ['actions=mod_nw_dst:1.2.3.4,output:2'], steps: [['1: sctp', ['2: sctp nw_dst=1.2.3.4']]] },
    { flows: ['actions=mod_nw_tos:184,output:2'], steps: [['1: udp tos=3', ['2: udp tos=187']]] },
    { flows: ['actions=mod_nw_tos:184,output:2'], steps: [['1: tcp6 tos=1', ['2: tcp6 tos=185']]] },
    { flows: ['ip,actions=mod_nw_ecn:2,output:2'], steps: [['1: udp tos=184', ['2: udp tos=186']]] },
    { flows: ['ip,actions=mod_nw_ttl:9,output:2'], steps: [['1: udp', ['2: udp ttl=9']]] },
    { flows: ['ip,actions=mod_nw_ttl:9,output:2'], steps: [['1: tcp6', []]] },
    { flows: ['actions=mod_tp_src:7,mod_tp_dst:8,output:2'], steps: [['1: udp', ['2: udp sport=7 dport=8']]] },
    { flows: ['actions=mod_tp_src:7,mod_tp_dst:8,output:2'], steps: [['1: tcp6', ['2: tcp6 sport=7 dport=8']]] },
    { flows: ['actions=mod_tp_dst:8,output:2'], steps: [['1: sctp', ['2: sctp dport=8']]] },
    { flows: ['actions=mod_tp_src:5,output:2'], steps: [['1: icmp', ['2: icmp type=5']]] },
    { flows: ['actions=mod_tp_dst:8,output:2'], steps: [['1: arp', ['2: arp']]] },
    { flows: ['actions=mod_tp_dst:8,output:2'], steps: [['1: udp frag=100', ['2: udp frag=100']]] },
    { flows: ['ip,actions=set_field:1.1.1.1->ip_src,output:2'], steps: [['1: udp', ['2: udp nw_src=1.1.1.1']]] },
    {
      flows: ['ip,actions=set_field:0.0.0.9/0.0.0.255->ip_dst,output:2'],
      steps: [['1: udp', ['2: udp nw_dst=10.0.0.9']]],
    },
    {
      flows: ['ip,actions=set_field:0.5.0.0/0.255.0.0->ip_src,output:2'],
      steps: [['1: tcp', ['2: tcp nw_src=10.5.0.1']]],
    },
    {
      flows: ['ipv6,actions=set_field:fd00::9->ipv6_src,set_field:fd00::8->ipv6_dst,output:2'],
      steps: [['1: udp6', ['2: udp6 nw_src=fd00::9 nw_dst=fd00::8']]],
    },
    { flows: ['ipv6,actions=set_field:0x12345->ipv6_label,output:2'], steps: [['1: udp6', ['2: udp6 label=74565']]] },
    {
      flows: ['ipv6,actions=set_field:::5/::ff->ipv6_dst,output:2'],
      steps: [['1: icmp6', ['2: icmp6 nw_dst=fd00::5']]],
    },
    { flows: ['udp,actions=set_field:53->udp_dst,output:2'], steps: [['1: udp', ['2: udp dport=53']]] },
    { flows: ['tcp,actions=set_field:0x0100/0xff00->tcp_src,output:2'], steps: [['1: tcp', ['2: tcp sport=488']]] },
    { flows: ['icmp,actions=set_field:0->icmp_type,output:2'], steps: [['1: icmp', ['2: icmp type=0']]] },
    { flows: ['icmp6,actions=set_field:129->icmpv6_type,output:2'], steps: [['1: icmp6', ['2: icmp6 type=129']]] },
    {
      flows: ['arp,actions=set_field:2->arp_op,set_field:1.2.3.4->arp_spa,output:2'],
      steps: [['1: arp', ['2: arp op=2 nw_src=1.2.3.4']]],
    },
    { flows: ['arp,actions=load:2->NXM_OF_ARP_OP[],output:2'], steps: [['1: arp', ['2: arp op=2']]] },
    {
      flows: [
        'arp,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],mod_dl_src:02:00:00:00:00:05,load:2->NXM_OF_ARP_OP[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_TPA[]->NXM_NX_REG0[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],move:NXM_NX_REG0[]->NXM_OF_ARP_SPA[],IN_PORT',
      ],
      steps: [
        ['1: arp', ['1: hex:020000000001020000000005080600010800060400020200000000010a0000020200000000010a000001']],
      ],
    },
    {
      flows: ['actions=set_field:00:00:00:00:00:ff/00:00:00:00:00:ff->eth_dst,output:2'],
      steps: [['1: udp', ['2: udp dst=255']]],
    },
    { flows: ['ip,actions=set_field:5->ip_dscp,output:2'], steps: [['1: udp tos=1', ['2: udp tos=21']]] },
    { flows: ['ip,actions=load:5->NXM_OF_IP_TOS[2..7],output:2'], steps: [['1: udp tos=1', ['2: udp tos=21']]] },
    {
      flows: ['ip,actions=move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],output:2'],
      steps: [['1: udp', ['2: udp nw_dst=10.0.0.1']]],
    },
    {
      flows: ['ip,actions=move:NXM_OF_IP_SRC[0..7]->NXM_OF_IP_DST[8..15],output:2'],
      steps: [['1: udp', ['2: udp nw_dst=10.0.1.2']]],
    },
    {
      flows: ['udp,actions=move:NXM_OF_UDP_SRC[]->NXM_OF_UDP_DST[],output:2'],
      steps: [['1: udp', ['2: udp dport=1000']]],
    },
    {
      flows: ['ip,actions=push:NXM_OF_IP_SRC[],push:NXM_OF_IP_DST[],pop:NXM_OF_IP_SRC[],pop:NXM_OF_IP_DST[],output:2'],
      steps: [['1: udp', ['2: udp nw_src=10.0.0.2 nw_dst=10.0.0.1']]],
    },
    {
      flows: ['actions=push:NXM_OF_ETH_SRC[],push:NXM_OF_ETH_DST[],pop:NXM_OF_ETH_SRC[],pop:NXM_OF_ETH_DST[],output:2'],
      steps: [['1: udp', ['2: udp dst=1 src=2']]],
    },
    { flows: ['actions=pop:NXM_NX_REG0[],output:2'], steps: [['1: udp', ['2: udp']]] },
    {
      flows: ['actions=load:0x1234->NXM_NX_REG1[16..31],move:NXM_NX_REG1[16..31]->NXM_OF_ETH_SRC[0..15],output:2'],
      steps: [['1: udp', ['2: udp src=02:00:00:00:12:34']]],
    },
    {
      flows: [
        'actions=set_field:0x0102030405060708->xreg0,move:NXM_NX_REG0[]->NXM_OF_ETH_SRC[0..31],move:NXM_NX_REG1[]->NXM_OF_ETH_DST[0..31],output:2',
      ],
      steps: [['1: udp', ['2: udp dst=02:00:05:06:07:08 src=02:00:01:02:03:04']]],
    },
    {
      flows: [
        'actions=set_field:0x0102030405060708090a0b0c0d0e0f10->xxreg0,move:NXM_NX_XXREG0[0..47]->NXM_OF_ETH_SRC[],move:NXM_NX_REG3[]->NXM_OF_ETH_DST[0..31],output:2',
      ],
      steps: [['1: udp', ['2: udp dst=02:00:0d:0e:0f:10 src=0b:0c:0d:0e:0f:10']]],
    },
    { flows: ['actions=mod_nw_src:1.2.3.4,mod_nw_src:10.0.0.1,output:2'], steps: [['1: udp', ['2: udp']]] },
    {
      flows: ['ip,actions=mod_tp_dst:80,mod_nw_ttl:3,mod_dl_src:02:00:00:00:00:44,output:2,mod_tp_dst:81,output:3'],
      steps: [['1: tcp', ['2: tcp src=68 ttl=3 dport=80', '3: tcp src=68 ttl=3 dport=81']]],
    },
  ],
  TTL: [
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: udp', ['2: udp ttl=63']]] },
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: udp ttl=2', ['2: udp ttl=1']]] },
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: udp ttl=1', []]] },
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: udp ttl=0', []]] },
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: udp6', ['2: udp6 ttl=63']]] },
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: tcp6 ttl=1', []]] },
    { flows: ['actions=dec_ttl,output:2'], steps: [['1: arp', ['2: arp']]] },
    { flows: ['actions=dec_ttl,dec_ttl,output:2'], steps: [['1: udp', ['2: udp ttl=62']]] },
    { flows: ['actions=dec_ttl(1,2),output:2'], steps: [['1: udp ttl=1', []]] },
    { flows: ['actions=output:3,dec_ttl,output:2'], steps: [['1: udp ttl=1', ['3: udp ttl=1']]] },
    {
      flows: ['actions=resubmit(,1),output:2', 'table=1,actions=dec_ttl,output:3'],
      steps: [['1: udp ttl=1', ['2: udp ttl=1']]],
    },
    { flows: ['actions=dec_ttl,output:2,dec_ttl,output:3'], steps: [['1: udp ttl=2', ['2: udp ttl=1']]] },
    { flows: ['mpls,actions=dec_mpls_ttl,output:2'], steps: [['1: mpls=5:0:9 udp', ['2: mpls=5:0:8 udp']]] },
    { flows: ['mpls,actions=dec_mpls_ttl,output:2'], steps: [['1: mpls=5:0:1 udp', []]] },
    { flows: ['actions=dec_mpls_ttl,output:2'], steps: [['1: udp', []]] },
    { flows: ['mpls,actions=set_mpls_ttl(9),output:2'], steps: [['1: mpls=5:0:64 udp', ['2: mpls=5:0:9 udp']]] },
    { flows: ['ip,actions=mod_nw_ttl:1,dec_ttl,output:2'], steps: [['1: udp', []]] },
  ],
  'VLAN tags': [
    { flows: ['actions=mod_vlan_vid:10,output:2'], steps: [['1: udp', ['2: vlan=10 udp']]] },
    { flows: ['actions=mod_vlan_vid:10,output:2'], steps: [['1: vlan=20:5 udp', ['2: vlan=10:5 udp']]] },
    { flows: ['actions=mod_vlan_pcp:3,output:2'], steps: [['1: udp', ['2: vlan=0:3 udp']]] },
    { flows: ['actions=mod_vlan_pcp:3,output:2'], steps: [['1: vlan=20:5 udp', ['2: vlan=20:3 udp']]] },
    { flows: ['actions=mod_vlan_vid:10,mod_vlan_pcp:7,output:2'], steps: [['1: udp', ['2: vlan=10:7 udp']]] },
    { flows: ['actions=strip_vlan,output:2'], steps: [['1: vlan=20:5 udp', ['2: udp']]] },
    { flows: ['actions=strip_vlan,output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=strip_vlan,output:2'], steps: [['1: vlan=20 vlan=30 udp', ['2: vlan=30 udp']]] },
    { flows: ['actions=strip_vlan,strip_vlan,output:2'], steps: [['1: vlan=20 vlan=30 udp', ['2: udp']]] },
    { flows: ['actions=push_vlan:0x8100,output:2'], steps: [['1: udp', ['2: vlan=0 udp']]] },
    { flows: ['actions=push_vlan:0x8100,set_field:4106->vlan_vid,output:2'], steps: [['1: udp', ['2: vlan=10 udp']]] },
    { flows: ['actions=push_vlan:0x88a8,set_field:4106->vlan_vid,output:2'], steps: [['1: udp', ['2: qinq=10 udp']]] },
    { flows: ['actions=push_vlan:0x8100,output:2'], steps: [['1: vlan=20:5 udp', ['2: vlan=0 vlan=20:5 udp']]] },
    {
      flows: ['actions=push_vlan:0x88a8,set_field:4106->vlan_vid,output:2'],
      steps: [['1: vlan=20:5 udp', ['2: qinq=10 vlan=20:5 udp']]],
    },
    {
      flows: ['actions=push_vlan:0x8100,mod_vlan_vid:7,push_vlan:0x8100,mod_vlan_vid:8,output:2'],
      steps: [['1: udp', ['2: vlan=8 vlan=7 udp']]],
    },
    { flows: ['actions=push_vlan:0x8100,mod_vlan_vid:7,strip_vlan,output:2'], steps: [['1: udp', ['2: udp']]] },
    {
      flows: ['actions=push_vlan:0x8100,mod_vlan_vid:7,output:2,strip_vlan,output:3'],
      steps: [['1: udp', ['2: vlan=7 udp', '3: udp']]],
    },
    {
      flows: [
        'dl_vlan=20,actions=strip_vlan,resubmit(,1)',
        'table=1,dl_vlan=30,actions=output:2',
        'table=1,priority=1,actions=output:3',
      ],
      steps: [['1: vlan=20 vlan=30 udp', ['2: vlan=30 udp']]],
    },
    { flows: ['actions=set_field:0->vlan_tci,output:2'], steps: [['1: vlan=20:5 udp', ['2: udp']]] },
    { flows: ['actions=load:0x3014->NXM_OF_VLAN_TCI[],output:2'], steps: [['1: udp', ['2: vlan=20:1 udp']]] },
    {
      flows: ['dl_vlan=20,actions=set_field:4->vlan_pcp,output:2'],
      steps: [['1: vlan=20:5 udp', ['2: vlan=20:4 udp']]],
    },
    {
      flows: ['vlan_tci=0x0000/0x1fff,actions=output:2', 'priority=1,actions=output:3'],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: ['vlan_tci=0x1000/0x1000,actions=output:2', 'priority=1,actions=output:3'],
      steps: [['1: vlan=5 udp', ['2: vlan=5 udp']]],
    },
    {
      flows: ['dl_vlan=0xffff,actions=output:2', 'priority=1,actions=output:3'],
      steps: [['1: vlan=5 udp', ['3: vlan=5 udp']]],
    },
    {
      flows: ['ip,actions=mod_nw_ttl:5,push_vlan:0x8100,mod_vlan_vid:3,set_field:9.9.9.9->ip_dst,output:2'],
      steps: [['1: udp', ['2: vlan=3 udp nw_dst=9.9.9.9 ttl=5']]],
    },
    {
      flows: [
        'dl_vlan=20,actions=move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11],strip_vlan,push_vlan:0x88a8,move:NXM_NX_REG0[0..11]->OXM_OF_VLAN_VID[0..11],output:2',
      ],
      steps: [['1: vlan=20 udp', ['2: qinq=20 udp']]],
    },
    { flows: ['actions=mod_vlan_vid:10,output:2'], steps: [['1: vlan=20 vlan=30 udp', ['2: vlan=10 vlan=30 udp']]] },
    {
      flows: ['actions=push_vlan:0x8100,mod_vlan_vid:9,output:2'],
      steps: [['1: vlan=20 vlan=30 udp', ['2: vlan=9 vlan=20 vlan=30 udp']]],
      differs: 'Open vSwitch loses the third tag',
    },
    {
      flows: ['actions=strip_vlan,mod_dl_dst:02:00:00:00:00:07,output:2'],
      steps: [['1: qinq=20 vlan=30 udp', ['2: vlan=30 udp dst=7']]],
    },
  ],
  'MPLS labels': [
    {
      flows: ['actions=push_mpls:0x8847,output:2'],
      steps: [['1: udp ttl=9 tos=184', ['2: mpls=0:6:9 udp ttl=9 tos=184']]],
    },
    {
      flows: ['actions=push_mpls:0x8847,output:2'],
      steps: [['1: udp6 ttl=9 tos=40', ['2: mpls=2:2:9 udp6 ttl=9 tos=40']]],
    },
    {
      flows: ['actions=push_mpls:0x8848,output:2'],
      steps: [
        [
          '1: arp',
          ['2: hex:02000000000202000000000188480000014000010800060400010200000000010a0000010000000000000a000002'],
        ],
      ],
    },
    { flows: ['actions=push_mpls:0x8847,output:2'], steps: [['1: mpls=5:3:9 udp', ['2: mpls=5:3:9 mpls=5:3:9 udp']]] },
    {
      flows: ['actions=push_mpls:0x8847,set_field:77->mpls_label,output:2'],
      steps: [['1: udp', ['2: mpls=77:0:64 udp']]],
    },
    {
      flows: ['actions=push_mpls:0x8847,set_field:77->mpls_label,set_field:3->mpls_tc,output:2'],
      steps: [['1: vlan=4 udp', ['2: vlan=4 mpls=77:3:64 udp']]],
    },
    {
      flows: ['actions=push_mpls:0x8847,set_field:77->mpls_label,push_mpls:0x8847,set_field:78->mpls_label,output:2'],
      steps: [['1: udp', ['2: mpls=78:0:64 mpls=77:0:64 udp']]],
    },
    {
      flows: ['actions=push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,output:2'],
      steps: [['1: udp', []]],
    },
    {
      flows: ['mpls,actions=set_mpls_label(9),set_mpls_tc(5),output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: mpls=9:5:9 udp']]],
    },
    { flows: ['actions=set_mpls_label(9),output:2'], steps: [['1: udp', ['2: udp']]] },
    {
      flows: ['mpls,actions=set_field:9->mpls_label,output:2'],
      steps: [['1: mpls=5:3:9 mpls=6:1:3 udp', ['2: mpls=9:3:9 mpls=6:1:3 udp']]],
    },
    { flows: ['mpls,actions=pop_mpls:0x0800,output:2'], steps: [['1: mpls=5:3:9 udp', ['2: udp']]] },
    {
      flows: ['mpls,actions=pop_mpls:0x8847,output:2'],
      steps: [['1: mpls=5:3:9 mpls=6:0:64 udp', ['2: mpls=6:0:64 udp']]],
    },
    { flows: ['mpls,actions=pop_mpls:0x86dd,output:2'], steps: [['1: mpls=5:3:9 udp6', ['2: udp6']]] },
    { flows: ['actions=pop_mpls:0x0800,output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['mpls,actions=pop_mpls:0x0800,dec_ttl,output:2'], steps: [['1: mpls=5:3:9 udp', ['2: udp ttl=63']]] },
    {
      flows: ['mpls,actions=pop_mpls:0x0800,mod_nw_dst:9.9.9.9,output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: udp nw_dst=9.9.9.9']]],
    },
    {
      flows: ['mpls,actions=pop_mpls:0x0800,resubmit(,1),output:3', 'table=1,udp,tp_dst=2000,actions=output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: udp', '3: udp']]],
    },
    {
      flows: [
        'mpls,actions=pop_mpls:0x0800,goto_table:1',
        'table=1,tcp,actions=output:3',
        'table=1,udp,nw_dst=10.0.0.2,actions=mod_tp_dst:5,output:2',
      ],
      steps: [['1: mpls=5:3:9 udp', ['2: udp dport=5']]],
    },
    {
      flows: [
        'mpls,actions=load:7->NXM_NX_REG0[],resubmit(,1),output:4',
        'table=1,actions=pop_mpls:0x0800,resubmit(,2),output:3',
        'table=2,ip,reg0=7,actions=dec_ttl,output:2',
      ],
      steps: [['1: mpls=5:3:9 udp', ['2: udp ttl=63', '3: udp ttl=63', '4: udp ttl=63']]],
    },
    {
      flows: [
        'mpls,actions=pop_mpls:0x8847,resubmit(,1)',
        'table=1,mpls,mpls_label=6,mpls_bos=1,actions=pop_mpls:0x0800,resubmit(,2)',
        'table=2,udp,actions=output:2',
      ],
      steps: [['1: mpls=5:3:9 mpls=6:0:64 udp', ['2: udp']]],
    },
    {
      flows: ['mpls,actions=clone(pop_mpls:0x0800,dec_ttl,output:2),output:3'],
      steps: [['1: mpls=5:3:9 udp', ['2: udp ttl=63', '3: mpls=5:3:9 udp']]],
      differs: 'Open vSwitch forgets what follows the clone',
    },
    {
      flows: ['mpls,actions=push:NXM_OF_ETH_SRC[],pop_mpls:0x0800,dec_ttl,pop:NXM_OF_ETH_DST[],output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: udp dst=1 ttl=63']]],
    },
    {
      flows: ['mpls,mpls_bos=0,actions=output:2', 'mpls,mpls_bos=1,actions=output:3'],
      steps: [['1: mpls=5:0:64 mpls=6:0:64 udp', ['2: mpls=5:0:64 mpls=6:0:64 udp']]],
    },
    {
      flows: ['mpls,mpls_label=5,mpls_tc=3,mpls_ttl=9,actions=output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: mpls=5:3:9 udp']]],
    },
    {
      flows: ['mpls,actions=push_vlan:0x8100,mod_vlan_vid:3,output:2'],
      steps: [['1: mpls=5:0:64 udp', ['2: vlan=3 mpls=5:0:64 udp']]],
    },
    {
      flows: ['mpls,actions=pop_mpls:0x0800,push_mpls:0x8847,set_field:9->mpls_label,output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: mpls=9:0:64 udp']]],
    },
    {
      flows: ['mpls,actions=dec_mpls_ttl,push_mpls:0x8847,output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: mpls=5:3:8 mpls=5:3:8 udp']]],
    },
    {
      flows: ['mpls,actions=write_actions(pop_mpls:0x0800,dec_ttl,output:2)'],
      steps: [['1: mpls=5:3:9 udp', ['2: udp ttl=63']]],
    },
    {
      flows: ['mpls,actions=pop_mpls:0x0800,write_actions(output:3),goto_table:1', 'table=1,udp,actions=output:2'],
      steps: [['1: mpls=5:3:9 udp', ['2: udp', '3: udp']]],
    },
  ],
  tables: [
    { flows: ['actions=goto_table:1', 'table=1,actions=output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=goto_table:1,'], steps: [['1: udp', []]] },
    {
      flows: ['actions=goto_table:1', 'table=1,actions=goto_table:253', 'table=253,actions=output:2'],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: ['actions=output:3,goto_table:1', 'table=1,udp,actions=output:2'],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
    { flows: ['actions=goto_table:1', 'table=1,tcp,actions=output:2'], steps: [['1: udp', []]] },
    {
      flows: [
        'ip,actions=set_field:1.2.3.4->ip_dst,goto_table:1',
        'table=1,ip,nw_dst=1.2.3.4,actions=output:2',
        'table=1,priority=1,actions=output:3',
      ],
      steps: [['1: udp', ['2: udp nw_dst=1.2.3.4']]],
    },
    {
      flows: ['actions=write_metadata:0xff00/0xff00,goto_table:1', 'table=1,metadata=0xff00,actions=output:2'],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: [
        'actions=write_metadata:0x1,goto_table:1',
        'table=1,actions=write_metadata:0x20/0xf0,goto_table:2',
        'table=2,metadata=0x21,actions=output:2',
      ],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: ['actions=load:5->NXM_NX_REG0[],resubmit(,1)', 'table=1,reg0=5,actions=output:2'],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: [
        'actions=load:5->NXM_NX_REG0[],resubmit(,1),output:3',
        'table=1,reg0=5,actions=load:6->NXM_NX_REG0[],output:2',
      ],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
    {
      flows: ['actions=resubmit(,1),output:NXM_NX_REG0[]', 'table=1,actions=load:2->NXM_NX_REG0[]'],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: ['actions=resubmit(,1),output:3', 'table=1,actions=mod_dl_dst:02:00:00:00:00:09,output:2'],
      steps: [['1: udp', ['2: udp dst=9', '3: udp dst=9']]],
    },
    {
      flows: ['in_port=1,actions=resubmit:7,output:3', 'in_port=7,actions=output:2'],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
    {
      flows: ['in_port=1,actions=resubmit(7,1)', 'table=1,in_port=7,actions=output:2,output:1,IN_PORT'],
      steps: [['1: udp', ['1: udp', '2: udp']]],
    },
    {
      flows: [
        'in_port=1,actions=resubmit(7,1)',
        'table=1,in_port=7,actions=resubmit(,2)',
        'table=2,in_port=1,actions=output:2',
        'table=2,in_port=7,actions=output:3',
      ],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: ['actions=resubmit(,1),resubmit(,2)', 'table=1,actions=2', 'table=2,actions=3'],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
    { flows: ['actions=resubmit(,5),output:2'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=resubmit(,0)'], steps: [['1: udp', []]] },
    { flows: ['actions=output:2,resubmit(,0)'], steps: [['1: udp', []]] },
    { flows: ['actions=output:2,resubmit(,1)', 'table=1,actions=resubmit(,0)'], steps: [['1: udp', []]] },
    {
      flows: ['actions=load:1->NXM_NX_REG0[],resubmit(,1),output:2', 'table=1,actions=resubmit(,1),output:3'],
      steps: [['1: udp', []]],
    },
    {
      flows: [
        'actions=output:2,resubmit(,1),resubmit(,1),resubmit(,1),resubmit(,1),resubmit(,1),resubmit(,1),resubmit(,1),resubmit(,1)',
        'table=1,actions=resubmit(,2),resubmit(,2),resubmit(,2),resubmit(,2),resubmit(,2),resubmit(,2),resubmit(,2),resubmit(,2)',
        'table=2,actions=resubmit(,3),resubmit(,3),resubmit(,3),resubmit(,3),resubmit(,3),resubmit(,3),resubmit(,3),resubmit(,3)',
        'table=3,actions=resubmit(,4),resubmit(,4),resubmit(,4),resubmit(,4),resubmit(,4),resubmit(,4),resubmit(,4),resubmit(,4)',
        'table=4,actions=drop',
      ],
      steps: [['1: udp', []]],
    },
    { flows: ['actions=exit,output:2'], steps: [['1: udp', []]] },
    {
      flows: ['actions=resubmit(,1),output:3', 'table=1,actions=output:2,exit,output:4'],
      steps: [['1: udp', ['2: udp']]],
    },
    {
      flows: ['actions=resubmit(,1),output:2', 'table=1,actions=exit,write_actions(output:3)'],
      steps: [['1: udp', []]],
    },
    {
      flows: ['actions=write_actions(output:3),goto_table:1', 'table=1,actions=output:2,clear_actions'],
      steps: [['1: udp', ['2: udp']]],
    },
    { flows: ['actions=clone(output:2),output:3'], steps: [['1: udp', ['2: udp', '3: udp']]] },
    {
      flows: ['actions=clone(mod_dl_dst:02:00:00:00:00:09,output:2),output:3'],
      steps: [['1: udp', ['2: udp dst=9', '3: udp']]],
    },
    {
      flows: ['actions=mod_dl_dst:02:00:00:00:00:09,clone(mod_dl_dst:02:00:00:00:00:08,output:2),output:3'],
      steps: [['1: udp', ['2: udp dst=8', '3: udp dst=9']]],
    },
    {
      flows: ['actions=clone(push_vlan:0x8100,mod_vlan_vid:5,output:2),output:3'],
      steps: [['1: udp', ['2: vlan=5 udp', '3: udp']]],
    },
    { flows: ['actions=clone(exit),output:2'], steps: [['1: udp', []]] },
    {
      flows: [
        'actions=clone(load:5->NXM_NX_REG0[],resubmit(,1)),resubmit(,1)',
        'table=1,reg0=5,actions=2',
        'table=1,reg0=0,actions=3',
      ],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
    { flows: ['actions=clone(output:2,exit,output:3),output:4'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=clone(dec_ttl,output:2),output:3'], steps: [['1: udp ttl=1', ['3: udp ttl=1']]] },
    {
      flows: ['actions=clone(resubmit(,1)),output:3', 'table=1,ip,actions=mod_nw_ttl:5,output:2'],
      steps: [['1: udp', ['2: udp ttl=5', '3: udp']]],
    },
    { flows: ['actions=clone(output:2),write_actions(output:3)'], steps: [['1: udp', ['2: udp', '3: udp']]] },
    {
      flows: ['actions=push:NXM_NX_REG0[],clone(pop:NXM_NX_REG1[],output:2),output:3'],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
  ],
  'action sets': [
    { flows: ['actions=write_actions(output:2)'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=write_actions(output:2,output:3)'], steps: [['1: udp', ['3: udp']]] },
    {
      flows: ['actions=write_actions(output:2),goto_table:1', 'table=1,actions=write_actions(output:3)'],
      steps: [['1: udp', ['3: udp']]],
    },
    { flows: ['actions=write_actions(mod_dl_dst:02:00:00:00:00:09)'], steps: [['1: udp', []]] },
    { flows: ['actions=write_actions(output:2,mod_dl_dst:02:00:00:00:00:09)'], steps: [['1: udp', ['2: udp dst=9']]] },
    {
      flows: ['actions=write_actions(mod_vlan_vid:5,push_vlan:0x8100,output:2)'],
      steps: [['1: udp', ['2: vlan=5 udp']]],
    },
    { flows: ['actions=output:3,write_actions(output:2)'], steps: [['1: udp', ['2: udp', '3: udp']]] },
    {
      flows: ['ip,actions=write_actions(dec_ttl,set_field:9->nw_ttl,output:2)'],
      steps: [['1: udp', ['2: udp ttl=9']]],
    },
    {
      flows: ['actions=write_actions(strip_vlan,push_vlan:0x8100,mod_vlan_vid:3,output:2)'],
      steps: [['1: vlan=20 udp', ['2: vlan=3 udp']]],
    },
    {
      flows: ['actions=write_actions(mod_dl_dst:02:00:00:00:00:09,mod_dl_dst:02:00:00:00:00:08,output:2)'],
      steps: [['1: udp', ['2: udp dst=8']]],
    },
    { flows: ['actions=clear_actions,write_actions(output:2)'], steps: [['1: udp', ['2: udp']]] },
    {
      flows: ['actions=write_actions(output:2),goto_table:1', 'table=1,actions=clear_actions,write_actions(output:3)'],
      steps: [['1: udp', ['3: udp']]],
    },
    {
      flows: ['actions=write_actions(output:2),goto_table:1', 'table=1,actset_output=2,actions=output:4'],
      steps: [['1: udp', ['2: udp', '4: udp']]],
    },
    {
      flows: [
        'actions=goto_table:1',
        'table=1,actset_output=2,actions=output:4',
        'table=1,priority=1,actions=output:3',
      ],
      steps: [['1: udp', ['3: udp']]],
    },
    { flows: ['actions=write_actions(output:1)'], steps: [['1: udp', []]] },
    { flows: ['actions=write_actions(output:IN_PORT)'], steps: [['1: udp', ['1: udp']]] },
    { flows: ['actions=write_actions(set_queue:3,output:2)'], steps: [['1: udp', ['2: udp']]] },
    { flows: ['actions=write_actions(resubmit(,1))', 'table=1,actions=output:2'], steps: [['1: udp', ['2: udp']]] },
    {
      flows: ['actions=write_actions(resubmit(,1),output:3)', 'table=1,actions=output:2'],
      steps: [['1: udp', ['3: udp']]],
    },
    {
      flows: ['actions=resubmit(,1),output:2', 'table=1,actions=write_actions(output:3)'],
      steps: [['1: udp', ['2: udp', '3: udp']]],
    },
    { flows: ['actions=write_actions(dec_ttl,output:2)'], steps: [['1: udp ttl=1', []]] },
    {
      flows: ['actions=write_actions(push_mpls:0x8847,set_field:5->mpls_label,output:2)'],
      steps: [['1: udp', ['2: mpls=5:0:64 udp']]],
    },
    { flows: ['actions=write_actions(ALL)'], steps: [['1: udp', ['2: udp', '3: udp', '4: udp']]] },
  ],
  'packet length': [
    {
      flows: [
        'actions=check_pkt_larger(60)->NXM_NX_REG0[0],resubmit(,1)',
        'table=1,reg0=1,actions=2',
        'table=1,reg0=0,actions=3',
      ],
      steps: [['1: udp len=17', ['3: udp len=17']]],
    },
    {
      flows: [
        'actions=check_pkt_larger(60)->NXM_NX_REG0[0],resubmit(,1)',
        'table=1,reg0=1,actions=2',
        'table=1,reg0=0,actions=3',
      ],
      steps: [['1: udp', ['3: udp']]],
    },
    {
      flows: [
        'actions=check_pkt_larger(60)->NXM_NX_REG0[0],resubmit(,1)',
        'table=1,reg0=1,actions=2',
        'table=1,reg0=0,actions=3',
      ],
      steps: [['1: udp len=19', ['2: udp len=19']]],
    },
    {
      flows: [
        'actions=check_pkt_larger(60)->NXM_NX_REG0[3],output:4,resubmit(,1)',
        'table=1,reg0=8,actions=mod_dl_dst:02:00:00:00:00:09,output:2',
        'table=1,reg0=0,actions=3',
      ],
      steps: [['1: udp len=300', ['2: udp dst=9 len=300', '4: udp len=300']]],
    },
  ],
  NORMAL: [
    {
      flows: ['actions=NORMAL'],
      steps: [
        ['1: udp', ['2: udp', '3: udp', '4: udp']],
        ['2: udp dst=1 src=2', ['1: udp dst=1 src=2']],
        ['1: udp', ['2: udp']],
        ['3: udp src=3', ['2: udp src=3']],
      ],
    },
    {
      flows: ['actions=NORMAL'],
      steps: [
        ['1: udp', ['2: udp', '3: udp', '4: udp']],
        ['3: udp', ['1: udp', '2: udp', '4: udp']],
        ['2: udp dst=1 src=2', ['3: udp dst=1 src=2']],
      ],
    },
    { flows: ['actions=NORMAL'], steps: [['1: udp dst=01:80:c2:00:00:00', []]] },
    { flows: ['actions=NORMAL'], steps: [['1: udp dst=01:80:c2:00:00:0f', []]] },
    {
      flows: ['actions=NORMAL'],
      steps: [
        [
          '1: udp dst=01:80:c2:00:00:10',
          ['2: udp dst=01:80:c2:00:00:10', '3: udp dst=01:80:c2:00:00:10', '4: udp dst=01:80:c2:00:00:10'],
        ],
      ],
    },
    { flows: ['actions=NORMAL'], steps: [['1: udp dst=01:00:0c:cc:cc:cc', []]] },
    { flows: ['actions=NORMAL'], steps: [['1: udp dst=01:00:0c:cd:cd:cd', []]] },
    {
      flows: ['actions=NORMAL'],
      steps: [
        [
          '1: udp dst=ff:ff:ff:ff:ff:ff',
          ['2: udp dst=ff:ff:ff:ff:ff:ff', '3: udp dst=ff:ff:ff:ff:ff:ff', '4: udp dst=ff:ff:ff:ff:ff:ff'],
        ],
        ['2: udp dst=1 src=2', ['1: udp dst=1 src=2']],
      ],
    },
    {
      flows: ['actions=NORMAL'],
      steps: [
        ['1: vlan=10 udp', ['2: vlan=10 udp', '3: vlan=10 udp', '4: vlan=10 udp']],
        ['2: vlan=10 udp dst=1 src=2', ['1: vlan=10 udp dst=1 src=2']],
        [
          '3: vlan=20 udp dst=1 src=3',
          ['1: vlan=20 udp dst=1 src=3', '2: vlan=20 udp dst=1 src=3', '4: vlan=20 udp dst=1 src=3'],
        ],
      ],
    },
    {
      flows: ['ip,actions=mod_nw_ttl:5,NORMAL'],
      steps: [['1: udp', ['2: udp ttl=5', '3: udp ttl=5', '4: udp ttl=5']]],
    },
    {
      flows: ['actions=mod_vlan_vid:10,NORMAL'],
      steps: [
        ['1: udp', ['2: vlan=10 udp', '3: vlan=10 udp', '4: vlan=10 udp']],
        ['2: vlan=10 udp dst=1 src=2', ['1: vlan=10 udp dst=1 src=2']],
      ],
    },
    { flows: ['actions=NORMAL,output:2'], steps: [['1: udp', ['2: udp', '2: udp', '3: udp', '4: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['1: udp src=2', []]] },
    {
      flows: ['actions=NORMAL'],
      steps: [['1: vlan=0:5 udp', ['2: vlan=0:5 udp', '3: vlan=0:5 udp', '4: vlan=0:5 udp']]],
    },
    {
      flows: ['actions=load:0xfffa->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]'],
      steps: [['1: udp', ['2: udp', '3: udp', '4: udp']]],
    },
    {
      flows: ['actions=NORMAL'],
      steps: [
        [
          '1: udp src=01:00:5e:00:00:01',
          ['2: udp src=01:00:5e:00:00:01', '3: udp src=01:00:5e:00:00:01', '4: udp src=01:00:5e:00:00:01'],
        ],
        [
          '2: udp dst=01:00:5e:00:00:01',
          ['1: udp dst=01:00:5e:00:00:01', '3: udp dst=01:00:5e:00:00:01', '4: udp dst=01:00:5e:00:00:01'],
        ],
      ],
    },
  ],
  'p1 access 10, p2 trunk, p3 access 20, p4 native-untagged 10': [
    { flows: ['actions=NORMAL'], steps: [['1: udp', ['2: vlan=10 udp', '4: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['1: vlan=10 udp', []]] },
    { flows: ['actions=NORMAL'], steps: [['1: vlan=0:3 udp', ['2: vlan=10:3 udp', '4: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: udp', []]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=10 udp', ['1: udp', '4: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=10:6 udp', ['1: udp', '4: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=20 udp', ['3: udp', '4: vlan=20 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=30 udp', ['4: vlan=30 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['3: udp', ['2: vlan=20 udp', '4: vlan=20 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['4: udp', ['1: udp', '2: vlan=10 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['4: vlan=10 udp', ['1: udp', '2: vlan=10 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['4: vlan=20:2 udp', ['2: vlan=20:2 udp', '3: udp']]] },
    {
      flows: ['actions=NORMAL'],
      steps: [
        ['1: udp', ['2: vlan=10 udp', '4: udp']],
        ['2: vlan=10 udp dst=1 src=2', ['1: udp dst=1 src=2']],
        ['4: udp dst=1 src=4', ['1: udp dst=1 src=4']],
        ['2: vlan=20 udp dst=1 src=2', ['3: udp dst=1 src=2', '4: vlan=20 udp dst=1 src=2']],
      ],
    },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=10 vlan=7 udp', ['4: vlan=7 udp']]] },
    {
      flows: ['actions=NORMAL'],
      steps: [['1: mpls=7:0:64 udp', ['2: vlan=10 mpls=7:0:64 udp', '4: mpls=7:0:64 udp']]],
    },
    { flows: ['actions=mod_vlan_vid:20,NORMAL'], steps: [['2: udp', ['3: udp', '4: vlan=20 udp']]] },
  ],
  'p1 trunk 10 20, p2 native-tagged 10 in 10 20, p3 access 10, p4 trunk 20 with priority tags': [
    { flows: ['actions=NORMAL'], steps: [['1: udp', []]] },
    { flows: ['actions=NORMAL'], steps: [['1: vlan=10 udp', ['2: vlan=10 udp', '3: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['1: vlan=20:3 udp', ['2: vlan=20:3 udp', '4: vlan=20:3 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['1: vlan=30 udp', []]] },
    { flows: ['actions=NORMAL'], steps: [['2: udp', ['1: vlan=10 udp', '3: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=10:1 udp', ['1: vlan=10:1 udp', '3: udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=20 udp', ['1: vlan=20 udp', '4: vlan=20 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['3: udp', ['1: vlan=10 udp', '2: vlan=10 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['3: vlan=0:4 udp', ['1: vlan=10:4 udp', '2: vlan=10:4 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['4: udp', []]] },
    { flows: ['actions=NORMAL'], steps: [['4: vlan=20 udp', ['1: vlan=20 udp', '2: vlan=20 udp']]] },
    { flows: ['actions=NORMAL'], steps: [['2: vlan=0:4 udp', ['1: vlan=10:4 udp', '3: udp']]] },
  ],
};
