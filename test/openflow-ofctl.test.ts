import { describe, expect, it } from 'vitest';
import { DummyVswitch, vswitchMissing } from './support/dummy-vswitch.ts';
import { OpenflowSwitch, runOfctl } from './support/openflow-switch.ts';
import { hasOvsOfctl } from './support/ovs-ofctl.ts';

const missing = vswitchMissing() ?? (hasOvsOfctl ? undefined : 'needs openvswitch-common');

const ARP_REQUEST = 'ffffffffffff0242ac1100020806000108000604000100000000000000000000000000000000000000';
const FLOWS = [
  'table=0,priority=1,in_port=1,actions=load:0x7->NXM_NX_REG1[],resubmit(,1)',
  'table=0,priority=10,cookie=0x1234,tcp,tp_dst=80,idle_timeout=60,hard_timeout=300,actions=mod_dl_dst:00:11:22:33:44:55,output:2',
  'table=1,priority=100,reg1=7,arp,actions=NORMAL',
].join('\n');

interface Step {
  /** SWITCH stands for the switch's address. */
  readonly args: string;
  readonly input?: string;
  /** Versions of which it can be asked; left out: all. */
  readonly only?: RegExp;
}

/** Carried out one after the other on both switches. What each prints, and how it ends, must be the same. */
const STEPS: readonly Step[] = [
  { args: 'show SWITCH' },
  { args: 'dump-ports-desc SWITCH' },
  { args: 'dump-tables SWITCH' },
  { args: 'dump-flows SWITCH' },
  { args: 'get-frags SWITCH' },
  { args: 'probe SWITCH' },
  { args: 'add-flow SWITCH table=0,priority=1,ip,actions=output:1' },
  { args: 'add-flow SWITCH table=2,priority=1,reg0=1,ip,actions=output:1' },
  { args: 'add-flow SWITCH cookie=0xabc,priority=5,ip,nw_dst=10.0.0.0/8,send_flow_rem,actions=dec_ttl,output:2' },
  { args: 'add-flow SWITCH priority=5,check_overlap,ip,nw_dst=10.1.0.0/16,actions=output:1' },
  { args: 'add-flows SWITCH -', input: FLOWS },
  { args: 'dump-flows SWITCH' },
  { args: 'dump-flows --no-stats SWITCH' },
  { args: 'dump-flows --names SWITCH' },
  { args: 'dump-flows --rsort SWITCH' },
  { args: 'dump-flows SWITCH table=0' },
  { args: 'dump-flows SWITCH table=0,out_port=2' },
  { args: 'dump-flows SWITCH cookie=0x1234/-1' },
  { args: 'dump-flows SWITCH ip,nw_dst=10.0.0.0/8' },
  { args: 'dump-aggregate SWITCH' },
  { args: 'dump-aggregate SWITCH table=1' },
  { args: 'dump-aggregate SWITCH cookie=0xabc/-1' },
  { args: 'mod-flows SWITCH ip,actions=output:2,output:1' },
  { args: 'mod-flows SWITCH udp,actions=output:1' },
  { args: '--strict mod-flows SWITCH table=1,priority=100,reg1=7,arp,actions=drop' },
  { args: '--strict mod-flows SWITCH table=1,priority=101,reg1=7,arp,actions=output:1' },
  { args: 'mod-flows SWITCH cookie=0x1234/-1,actions=in_port' },
  { args: 'dump-flows SWITCH' },
  { args: 'del-flows SWITCH cookie=0xabc/-1' },
  { args: '--strict del-flows SWITCH table=0,priority=10,tcp,tp_dst=80' },
  { args: 'del-flows SWITCH table=2,reg0=1' },
  { args: 'dump-flows SWITCH' },
  { args: 'replace-flows SWITCH -', input: 'priority=3,in_port=2,actions=output:1\ntable=1,actions=drop' },
  { args: 'dump-flows SWITCH' },
  { args: 'diff-flows SWITCH -', input: 'priority=3,in_port=2,actions=output:1' },
  { args: 'del-flows SWITCH out_port=1' },
  { args: 'dump-flows SWITCH' },
  { args: 'del-flows SWITCH' },
  { args: 'dump-flows SWITCH' },
  { args: '--bundle add-flows SWITCH -', input: FLOWS, only: /13|14|15/ },
  { args: '--bundle add-flow SWITCH priority=9,actions=output:9999999', only: /13|14|15/ },
  {
    args: '--bundle add-flows SWITCH -',
    input: 'priority=7,ip,actions=output:1\npriority=10,check_overlap,tcp,actions=output:1',
    only: /13|14|15/,
  },
  { args: 'bundle SWITCH -', input: 'flow add priority=44,actions=drop\nflow delete table=1', only: /14|15/ },
  { args: '--bundle del-flows SWITCH table=1', only: /13|14|15/ },
  { args: 'dump-flows SWITCH' },
  { args: 'mod-port SWITCH p1 down' },
  { args: 'show SWITCH' },
  { args: 'mod-port SWITCH 1 up' },
  { args: 'mod-port SWITCH p2 no-flood', only: /^$|10/ },
  { args: 'mod-port SWITCH p2 no-forward' },
  { args: 'mod-port SWITCH p9 down' },
  { args: 'dump-ports-desc SWITCH' },
  { args: 'mod-port SWITCH p2 forward' },
  { args: `packet-out SWITCH in_port=1,packet=${ARP_REQUEST},actions=output:2` },
  { args: `packet-out SWITCH LOCAL output:1 ${ARP_REQUEST}` },
  { args: `packet-out SWITCH in_port=CONTROLLER,packet=${ARP_REQUEST},actions=TABLE` },
  { args: 'dump-ports SWITCH 77' },
  { args: 'ping SWITCH 10' },
  { args: 'add-flow SWITCH actions=goto_table:5', only: /13|14|15/ },
  { args: 'add-flow SWITCH table=1,priority=4,actions=write_metadata:5,goto_table:2', only: /13|14|15/ },
  { args: 'add-flow SWITCH table=6,actions=goto_table:5', only: /13|14|15/ },
  { args: 'dump-flows SWITCH' },
  { args: 'del-flows SWITCH' },
  { args: 'dump-table-desc SWITCH', only: /14|15/ },
  { args: 'dump-group-stats SWITCH' },
  { args: 'dump-meters SWITCH', only: /13|14|15/ },
  { args: 'meter-stats SWITCH', only: /13|14|15/ },
  { args: 'dump-meter SWITCH meter=1', only: /13|14|15/ },
  { args: 'set-frags SWITCH drop' },
  { args: 'get-frags SWITCH' },
  { args: 'set-frags SWITCH reassemble' },
  { args: 'show SWITCH' },
  { args: 'set-frags SWITCH nx-match' },
  { args: 'get-frags SWITCH' },
  { args: 'set-frags SWITCH normal' },
  { args: 'mod-table SWITCH 0 noevict', only: /14|15/ },
  { args: 'mod-table SWITCH 1 novacancy', only: /14|15/ },
  { args: 'mod-table SWITCH 0 controller', only: /13/ },
  { args: 'dump-table-desc SWITCH', only: /14|15/ },
  { args: 'dump-table-features SWITCH', only: /13|14|15/ },
  { args: `packet-out SWITCH in_port=LOCAL,metadata=5,packet=${ARP_REQUEST},actions=output:1`, only: /15/ },
  { args: 'benchmark SWITCH 100 10' },
  { args: '-F nxm dump-flows SWITCH', only: /^$/ },
  { args: '-F openflow10 dump-flows SWITCH', only: /^$/ },
  { args: '-F OXM-OpenFlow13 dump-flows SWITCH', only: /13/ },
  { args: '-O OpenFlow10,OpenFlow13,OpenFlow14 dump-flows SWITCH', only: /^$/ },
  { args: 'bundle SWITCH -', input: 'flow add priority=44,actions=drop', only: /^$/ },
  { args: 'dump-ports SWITCH' },
  { args: 'dump-groups SWITCH' },
];

/** Differ by when a flow was looked at, and so would the order of lines that have them. */
const AGES = /(idle|hard)_age=\d+, /g;
/** Counters that a device of Open vSwitch's tests has beside the usual ones. */
const OWN_COUNTERS = /^ +CUSTOM Statistics\n( +[rt]x_.*\n)+/gm;

/** What differs from run to run or from switch to switch: times, addresses, and what the devices under the ports say. */
function normal(text: string): string {
  return (
    inOrder(text.replaceAll(OWN_COUNTERS, '').replaceAll(AGES, ''))
      .replaceAll(/duration=[\d.]+s/g, 'duration=D')
      .replaceAll(/addr:[0-9a-f:]{17}/g, 'addr:MAC')
      .replaceAll(/state: +(LINK_DOWN|LIVE|0)/g, 'state: S')
      .replaceAll(/dpid:[0-9a-f]{16}/g, 'dpid:ID')
      .replaceAll(/time=[\d.]+ ms/g, 'time=T')
      // Groups and meters are yet to come.
      .replaceAll(/(?<=(actions|instructions):.*) (group|meter)\b/g, '')
      .replaceAll(/Finished in .*/g, 'Finished')
      .replaceAll(/drop=[0?], errs=/g, 'drop=D, errs=')
      .replaceAll(/(from|to|on) \/?\S*br0.mgmt/g, '$1 SOCKET')
      .replaceAll(/unix:\S*br0.mgmt/g, 'SOCKET')
      .replaceAll(/^\d{4}-\d\d-\S+\|/gm, '')
  );
}

/** Flows come in an order of the switch's own; neighbouring lines that show flows are sorted. */
function inOrder(text: string): string {
  const isFlow = (line: string): boolean =>
    line.startsWith(' ') && (line.includes('actions=') || /^ +(port +\w+: rx|tx pkts=|duration=)/.test(line));
  const lines: string[] = [];
  let flows: string[] = [];
  for (const line of text.split('\n')) {
    if (isFlow(line)) {
      flows.push(line.replaceAll(/duration=[\d.]+s/g, ''));
      continue;
    }
    lines.push(...flows.sort(), line);
    flows = [];
  }
  return [...lines, ...flows.sort()].join('\n');
}

describe.skipIf(missing !== undefined)(`ovs-ofctl drives both switches (${missing ?? 'Open vSwitch is here'})`, () => {
  it.each(['', '-O OpenFlow10', '-O OpenFlow13', '-O OpenFlow14', '-O OpenFlow15'])(
    'with "%s"',
    { timeout: 300_000 },
    async (version) => {
      const theirs = new DummyVswitch();
      const ours = new OpenflowSwitch();
      try {
        await ours.listen();
        for (const { args, input, only } of STEPS) {
          if (only && !only.test(version)) continue;
          const run = async (socket: string) => {
            const words = `${version} ${args}`.trim().split(' ');
            const { stdout, stderr, status } = await runOfctl(
              words.map((word) => (word === 'SWITCH' ? `unix:${socket}` : word)),
              input,
            );
            return { args, status, stdout: normal(stdout), stderr: normal(stderr) };
          };
          const [mine, other] = await Promise.all([run(ours.socket), run(theirs.socket)]);
          expect.soft(mine).toEqual(other);
        }
      } finally {
        theirs.stop();
        await ours.close();
      }
    },
  );
});
