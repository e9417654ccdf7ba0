import { accessList, connections, exactRules, frames } from './traffic.ts';

/** Flows of a bridge, and the packets that come in by port 1 again and again. */
export interface Scenario {
  readonly name: string;
  readonly rules: readonly string[];
  packets(): Uint8Array[];
  /** The address that packets go to is known to be behind port 2. */
  readonly knowsTarget?: boolean;
  /** How much faster than the peer it is to be. */
  readonly target: number;
}

const REWRITE =
  'mod_dl_dst:02:00:00:00:00:99,mod_nw_src:192.0.2.1,dec_ttl,push_vlan:0x8100,set_field:4196->vlan_vid,output:2';
const RULES = 1000;

export function scenarios(): Scenario[] {
  const one = (): Uint8Array[] => frames(connections(1, 1));
  const acl = accessList(RULES);
  return [
    { name: 'in_port to output', rules: ['in_port=1,actions=output:2'], packets: one, target: 2 },
    { name: 'drop', rules: ['actions=drop'], packets: one, target: 2 },
    {
      name: '5-tuple rule, 1 flow',
      rules: ['tcp,nw_src=172.16.0.0,nw_dst=10.1.0.0,tp_src=1024,tp_dst=80,actions=output:2'],
      packets: one,
      target: 2,
    },
    { name: 'NORMAL, 1 flow', rules: ['actions=NORMAL'], packets: one, knowsTarget: true, target: 2 },
    {
      name: 'NORMAL, 1,000 stations',
      rules: ['actions=NORMAL'],
      packets: () => frames(connections(1000, 1), 1000),
      knowsTarget: true,
      target: 2,
    },
    ...[1000, 10_000, 100_000].map((flows) => ({
      name: `1,000 exact nw_dst, ${flows.toLocaleString('en')} flows`,
      rules: exactRules(RULES, 'output:2'),
      packets: () => frames(connections(flows, RULES)),
      target: 2,
    })),
    ...[1000, 10_000, 100_000].map((flows, i) => ({
      name: `access list of 1,000, ${flows.toLocaleString('en')} flows`,
      rules: acl.rules,
      packets: () => frames(acl.flows(flows)),
      target: [2, 5, 1000][i],
    })),
    { name: 'rewrite, 1 flow', rules: [`ip,actions=${REWRITE}`], packets: one, target: 1.5 },
    {
      name: 'rewrite, 10,000 flows',
      rules: exactRules(RULES, REWRITE),
      packets: () => frames(connections(10_000, RULES)),
      target: 3,
    },
  ];
}
