import fc from 'fast-check';
import { packet } from './packet-text.ts';

/*
 * Random tables, packets and changes in between, so dense that what one flow overlooks meets a packet that shows it: each
 * case draws a few matches and a few actions from what translation knows, and packets that are alike but for one thing.
 * Few fields are matched in one case, since what is matched is known of every packet anyway.
 */

const MATCHES = [
  ...['in_port=1', 'in_port=2', 'ip', 'udp', 'tcp', 'ip,nw_dst=10.0.0.2', 'ip,nw_src=10.0.0.0/255.255.255.254'],
  ...['ip,nw_ttl=63', 'ip,nw_tos=4', 'udp,tp_dst=2000', 'tcp,tp_src=1000/0xfffe', 'udp,in_port=1', 'ipv6', 'arp'],
  ...['ip,nw_frag=no', 'ip,nw_ecn=1', 'ipv6,ipv6_label=7', 'icmp,icmp_type=8', 'arp,arp_tpa=10.0.0.2'],
  ...['dl_dst=02:00:00:00:00:02', 'dl_src=02:00:00:00:00:01/00:00:00:00:00:01', 'dl_type=0x9000'],
  ...['dl_vlan=10', 'dl_vlan=20', 'vlan_tci=0x0000/0x1fff', 'dl_vlan=10,dl_vlan_pcp=3'],
  ...['mpls', 'mpls,mpls_label=5', 'mpls,mpls_label=7', 'mpls,mpls_bos=1', 'mpls,mpls_tc=1', 'mpls,mpls_ttl=63'],
  ...['reg0=1', 'reg0=2', 'reg0=0/1', 'reg0=1,ip', 'metadata=1', 'actset_output=2'],
];

/** NN stands for a table further on. */
const ACTIONS = [
  ...['output:1', 'output:2', 'output:3', 'NORMAL', 'FLOOD', 'IN_PORT', 'ALL', 'output:9', 'CONTROLLER:20'],
  ...['mod_dl_dst:02:00:00:00:00:03', 'mod_dl_src:02:00:00:00:00:04', 'mod_nw_dst:10.0.0.3', 'mod_nw_src:10.0.0.2'],
  ...['mod_tp_dst:53', 'mod_tp_src:7', 'mod_nw_tos:4', 'mod_nw_ecn:1', 'mod_nw_ttl:63', 'mod_vlan_vid:10'],
  ...['mod_vlan_pcp:3', 'strip_vlan', 'push_vlan:0x8100', 'push_vlan:0x88a8', 'push_mpls:0x8847', 'push_mpls:0x8848'],
  ...['pop_mpls:0x0800', 'pop_mpls:0x8847', 'set_mpls_label(5)', 'set_mpls_tc(1)', 'set_mpls_ttl(63)'],
  ...['set_field:02:00:00:00:00:00/02:00:00:00:00:ff->eth_src', 'load:5->NXM_OF_ETH_DST[8..15]'],
  ...['dec_ttl', 'dec_mpls_ttl', 'dec_ttl(1,2)', 'exit', 'note:01', 'set_queue:3', 'pop_queue', 'enqueue:2:1'],
  ...['load:1->NXM_NX_REG0[]', 'load:2->NXM_NX_REG0[]', 'load:2->NXM_OF_IN_PORT[]', 'output:NXM_NX_REG0[0..15]'],
  ...['move:NXM_OF_ETH_SRC[0..1]->NXM_NX_REG0[0..1]', 'move:NXM_OF_ETH_DST[0..1]->NXM_NX_REG0[0..1]'],
  ...['move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11]', 'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]'],
  ...[
    'push:NXM_OF_ETH_SRC[]',
    'push:NXM_NX_REG0[]',
    'push:NXM_OF_VLAN_TCI[]',
    'pop:NXM_OF_ETH_DST[]',
    'pop:NXM_NX_REG0[]',
  ],
  ...['resubmit(,NN)', 'resubmit(2,NN)', 'output(port=2,max_len=40)', 'check_pkt_larger(60)->NXM_NX_REG0[0]'],
  ...['clone(mod_dl_dst:02:00:00:00:00:07,output:2)', 'clone(dec_ttl,resubmit(,NN))', 'clone(strip_vlan,output:3)'],
  ...['clone(pop_mpls:0x0800,resubmit(,NN))', 'clone(push_vlan:0x8100,NORMAL)'],
];
/** Actions of flows that match IP. */
const IP_ACTIONS = [
  ...['set_field:10.0.0.2->ip_src', 'set_field:63->nw_ttl', 'move:NXM_OF_IP_SRC[0..1]->NXM_NX_REG0[0..1]'],
  ...['move:NXM_OF_IP_DST[0..1]->NXM_NX_REG0[0..1]', 'move:NXM_NX_IP_TTL[0..1]->NXM_NX_REG0[0..1]'],
  ...['move:NXM_OF_IP_TOS[2..7]->NXM_NX_REG0[0..5]', 'push:NXM_OF_IP_SRC[]', 'pop:NXM_OF_IP_DST[]'],
];
const LAST = [
  ...['write_metadata:0x1', 'goto_table:NN', 'goto_table:NN', 'write_actions(output:2)'],
  ...['write_actions(dec_ttl,output:3)', 'write_actions(push_vlan:0x8100,mod_vlan_vid:10,NORMAL)'],
  ...['write_actions(strip_vlan,output:2)', 'clear_actions,write_actions(output:3)'],
];

const TAGS = [
  ...['', '', 'vlan=10', 'vlan=10:3', 'vlan=20', 'vlan=0:3', 'vlan=10 vlan=20', 'vlan=10 vlan=30', 'qinq=10'],
  ...[
    'mpls=5',
    'mpls=6',
    'mpls=5:1',
    'mpls=5:0:1',
    'mpls=5:0:63',
    'mpls=5 mpls=6',
    'mpls=5 mpls=7',
    'mpls=5 mpls=6:0:9',
    'vlan=10 mpls=5',
  ],
];
const PROTOCOLS = ['udp', 'udp', 'tcp', 'icmp', 'udp6', 'tcp6', 'arp', 'type:0x9000'];
const DETAILS = [
  ...['nw_src=10.0.0.3', 'nw_dst=10.0.0.3', 'dport=1111', 'dport=2222'],
  ...['', '', 'src=2', 'src=3', 'dst=1', 'dst=3', 'dst=ff:ff:ff:ff:ff:ff', 'dst=01:80:c2:00:00:00', 'ttl=63', 'ttl=1'],
  ...['ttl=2', 'tos=4', 'tos=1', 'tos=40', 'sport=1001', 'dport=53', 'len=19', 'len=41', 'frag=100'],
];
/** What a case draws from. */
interface Pool {
  readonly matches: readonly string[];
  /** So many of the matches are there even where none is drawn. */
  readonly leads: number;
  readonly actions: readonly string[];
  readonly ipActions: readonly string[];
  readonly tags: readonly string[];
  readonly protocols: readonly string[];
  readonly details: readonly string[];
}

const EVERYTHING: Pool = {
  ...{ matches: MATCHES, leads: 0, actions: ACTIONS, ipActions: IP_ACTIONS },
  ...{ tags: TAGS, protocols: PROTOCOLS, details: DETAILS },
};
const TO_REGISTER = 'output:NXM_NX_REG0[0..15]';
/** What an action reads is seen by what comes after it. */
const SEEN = [
  ...['strip_vlan,resubmit(,NN)', `strip_vlan,move:NXM_OF_VLAN_TCI[0..1]->NXM_NX_REG0[0..1],${TO_REGISTER}`],
  ...['push_vlan:0x8100,NORMAL', `move:NXM_OF_VLAN_TCI[0..1]->NXM_NX_REG0[0..1],${TO_REGISTER}`],
  ...['pop_mpls:0x8847,dec_mpls_ttl,output:2', 'pop_mpls:0x8847,resubmit(,NN)', 'pop_mpls:0x0800,resubmit(,NN)'],
  ...['push_mpls:0x8847,output:2', 'dec_mpls_ttl,output:2', 'set_mpls_label(5),output:3'],
  ...['mod_nw_dst:10.0.0.3,output:2', 'mod_nw_tos:4,output:2', 'dec_ttl,output:2', 'mod_tp_dst:53,output:2'],
  ...[`move:NXM_OF_ETH_SRC[0..1]->NXM_NX_REG0[0..1],${TO_REGISTER}`],
  ...['push:NXM_OF_ETH_DST[],pop:NXM_NX_REG0[],resubmit(,NN)'],
];
const IP_SEEN = [
  ...['IP_SRC[0..1]', 'IP_DST[0..1]', 'IP_TOS[2..3]'].map(
    (bits) => `move:NXM_OF_${bits}->NXM_NX_REG0[0..1],${TO_REGISTER}`,
  ),
  `move:NXM_NX_IP_TTL[0..1]->NXM_NX_REG0[0..1],${TO_REGISTER}`,
];
/** Where packets go depends on a register, or on what further tables match. */
const SHOWS = [TO_REGISTER, 'resubmit(,NN)', 'resubmit(,NN)', 'output:2', 'output:3'];

function about(words: RegExp, pool: Partial<Pool>): Pool {
  const actions = [...[...ACTIONS, ...SEEN, ...SEEN].filter((action) => words.test(action)), ...SHOWS];
  return { ...EVERYTHING, matches: [], ipActions: [], actions, tags: [''], protocols: ['udp'], ...pool };
}

/** The headers by layer, since what reads a field seldom meets packets that differ in it where everything may be drawn. */
const LAYERS: readonly Pool[] = [
  about(/dl_|ETH_|eth_|NORMAL|exit/, {
    matches: ['in_port=2', 'reg0=1', 'dl_dst=02:00:00:00:00:02'],
    details: DETAILS.filter((detail) => /src=|dst=/.test(detail)),
  }),
  about(/vlan|VLAN|NORMAL/, {
    matches: ['dl_vlan=10', 'dl_vlan=20', 'vlan_tci=0x0000/0x1fff'],
    tags: TAGS.filter((tag) => !tag.includes('mpls')),
    protocols: ['udp', 'type:0x9000'],
    details: ['', 'src=3'],
  }),
  about(/strip_vlan|NORMAL/, { matches: ['dl_vlan=20'], tags: ['vlan=10 vlan=20', 'vlan=10 vlan=30'], details: [''] }),
  about(/pop_mpls/, {
    matches: ['mpls,mpls_label=7'],
    tags: ['mpls=5 mpls=6', 'mpls=5 mpls=7', 'mpls=5 mpls=6:0:9'],
    details: [''],
  }),
  about(/nw_|REG0/, {
    ...{ matches: ['ip'], leads: 1 },
    ipActions: IP_SEEN,
    details: ['', 'nw_src=10.0.0.3', 'nw_dst=10.0.0.3', 'tos=4'],
  }),
  about(/mpls/, {
    matches: ['mpls', 'mpls,mpls_label=7', 'mpls,mpls_bos=1', 'ip', 'ip,nw_dst=10.0.0.2'],
    tags: TAGS.filter((tag) => !tag.includes('vlan')),
    protocols: ['udp', 'udp6'],
    details: ['', 'ttl=63', 'tos=40', 'nw_dst=10.0.0.3'],
  }),
  about(/nw_|ttl|REG0/, {
    matches: ['ip', 'reg0=1'],
    ipActions: [...IP_ACTIONS, ...IP_SEEN, ...IP_SEEN],
    protocols: ['udp', 'udp', 'arp', 'icmp'],
    details: ['', 'ttl=63', 'ttl=2', 'ttl=1', 'tos=4', 'tos=1', 'nw_src=10.0.0.3', 'nw_dst=10.0.0.3'],
  }),
  about(/_tp_|larger/, {
    tags: ['', '', 'mpls=5'],
    protocols: ['udp', 'tcp', 'icmp', 'udp6', 'arp'],
    details: ['', 'frag=100', 'sport=1001', 'dport=53', 'len=41'],
  }),
];

const packets = new Map<string, Uint8Array>();

/** The packet of a text; each is made once. */
export function packetOf(text: string): Uint8Array {
  const bytes = packets.get(text) ?? packet(text);
  packets.set(text, bytes);
  return bytes;
}

/** A flow as `ovs-ofctl` writes it, but for what is to be added at its head and its end. */
export interface RandomFlow {
  readonly table: number;
  readonly priority: number;
  readonly match: string;
  /** 0: none. */
  readonly program: number;
  readonly actions: readonly string[];
}

export type Step =
  | { readonly kind: 'packet'; readonly port: number; readonly packet: string }
  | { readonly kind: 'add' | 'modify' | 'delete'; readonly flow: RandomFlow }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'port'; readonly port: number; readonly config: number };

const LAST_TABLE = 2;

export function textOf(
  { table, priority, match, program, actions }: RandomFlow,
  kind: 'add' | 'modify' | 'delete',
): string {
  const fields = [`table=${table}`, match, program === 0 ? '' : `filter_prog=${program}`].filter((part) => part !== '');
  if (kind === 'delete') return fields.join(',');
  return `${fields.join(',')},priority=${priority},idle_timeout=90,actions=${actions.join(',')}`;
}

/** A table further on, where there is one: going back ends at a limit, which takes its time. */
function onwards(table: number, actions: readonly string[]): string[] {
  return actions.map((action) =>
    action.includes('NN') ? (table < LAST_TABLE ? action.replaceAll('NN', String(table + 1)) : 'output:1') : action,
  );
}

function some<T>(all: readonly T[], minLength: number, maxLength: number): fc.Arbitrary<T[]> {
  return fc.array(fc.constantFrom(...all), { minLength, maxLength });
}

function randomFlow(pool: Pool, programs: number): fc.Arbitrary<fc.Arbitrary<RandomFlow>> {
  const numbers = Array.from({ length: programs + 1 }, (_, i) => i + 1);
  return fc
    .record({
      matches: fc.oneof(
        fc.constant(pool.matches.slice(0, pool.leads)),
        pool.matches.length > 0 ? some(pool.matches, 1, 3) : fc.constant([]),
      ),
      chosen: some(pool.actions, 2, 5),
      ipActions: pool.ipActions.length > 0 ? some(pool.ipActions, 1, 2) : fc.constant([]),
      lasts: some(LAST, 1, 2),
      program: fc.constantFrom(0, 0, ...numbers),
    })
    .map(({ matches, chosen, ipActions, lasts, program }) =>
      fc
        .record({
          table: fc.constantFrom(0, 0, 1, LAST_TABLE),
          priority: fc.nat({ max: 2 }),
          match: fc.constantFrom('', ...matches),
          program: fc.constantFrom(0, program),
          actions: some(chosen, 1, 4),
          last: fc.option(fc.constantFrom(...lasts), { nil: undefined }),
          ip: fc.constantFrom('output:1', ...ipActions),
        })
        .map(({ last, ip, actions, ...flow }) => {
          const ipFirst = /^(ip|udp|tcp|icmp)(,|$)/.test(flow.match) ? [ip, ...actions] : actions;
          return { ...flow, actions: onwards(flow.table, last === undefined ? ipFirst : [...ipFirst, last]) };
        }),
    );
}

/** Packets that are alike but for one thing. */
function randomPackets({ tags, protocols, details }: Pool): fc.Arbitrary<string[]> {
  return fc
    .tuple(fc.constantFrom(...tags), fc.constantFrom(...protocols), fc.constantFrom(...details))
    .chain(([tag, protocol, detail]) => {
      const other = fc.oneof(
        fc.constantFrom(...tags).map((changed) => `${changed} ${protocol} ${detail}`),
        fc.constantFrom(...protocols).map((changed) => `${tag} ${changed} ${detail}`),
        fc.constantFrom(...details).map((changed) => `${tag} ${protocol} ${changed}`),
      );
      return fc
        .array(other, { minLength: 1, maxLength: 4 })
        .map((others) => [`${tag} ${protocol} ${detail}`, ...others]);
    })
    .map((texts) => texts.map(withinProtocol));
}

/** Addresses are written otherwise in IPv6. */
function withinProtocol(text: string): string {
  return /p6 /.test(text) ? text.replace('10.0.0.', 'fd00::') : text;
}

/** Flows first, then packets with changes in between. `programs`: how many filter programs there are; one more is named. */
export function randomSteps(programs: number): fc.Arbitrary<Step[]> {
  return fc.oneof(stepsOf(EVERYTHING, programs), ...LAYERS.map((pool) => stepsOf(pool, programs)));
}

function stepsOf(pool: Pool, programs: number): fc.Arbitrary<Step[]> {
  return fc.tuple(randomFlow(pool, programs), randomPackets(pool)).chain(([flow, texts]) => {
    const arrival: fc.Arbitrary<Step> = fc.record({
      kind: fc.constant('packet'),
      port: fc.constantFrom(1, 1, 2, 3),
      packet: fc.constantFrom(...texts),
    });
    const change: fc.Arbitrary<Step> = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('add', 'modify', 'delete'), flow }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), seconds: fc.integer({ min: 1, max: 200 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('port'),
          port: fc.integer({ min: 1, max: 3 }),
          config: fc.constantFrom(0, 1, 4, 8, 16, 32, 64),
        }),
      },
    );
    const flows = fc
      .array(flow, { minLength: 1, maxLength: 7 })
      .map((all) => all.map((each, i): Step => ({ kind: 'add', flow: i === 0 ? { ...each, table: 0 } : each })));
    const rest = fc.array(fc.oneof({ weight: 7, arbitrary: arrival }, { weight: 1, arbitrary: change }), {
      minLength: 8,
      maxLength: 30,
    });
    return fc.tuple(flows, rest).map(([first, then]) => [...first, ...then]);
  });
}
