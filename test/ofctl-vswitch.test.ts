import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DummyVswitch, vswitchMissing } from './support/dummy-vswitch.ts';
import { oko } from './support/oko.ts';

// `oko ofctl` beside Debian's `ovs-ofctl`, both on Debian's switch: the same verbs must print the same.

const missing = vswitchMissing();

const FLOWS = [
  'priority=11,reg0=5,in_port=1,actions=load:0x7->NXM_NX_REG1[],resubmit(,1)',
  'cookie=0x1f,priority=10,ip,nw_dst=10.0.0.1,actions=output:2',
  'table=1,priority=0,actions=NORMAL',
  'idle_timeout=100,tcp,tp_dst=80,actions=mod_dl_dst:02:00:00:00:00:02,2',
  'arp,actions=CONTROLLER:128',
];

/** Commands that only look, each with what follows the bridge's name. */
const LOOKS: readonly (readonly [options: readonly string[], verb: string, args: readonly string[]])[] = [
  [[], 'show', []],
  [['-O', 'OpenFlow13'], 'show', []],
  [['-O', 'OpenFlow15'], 'show', []],
  [[], 'dump-flows', []],
  [[], 'dump-flows', ['table=0']],
  [[], 'dump-flows', ['ip']],
  [[], 'dump-flows', ['cookie=0x1f/-1']],
  [[], 'dump-flows', ['out_port=2']],
  [['-O', 'OpenFlow13'], 'dump-flows', []],
  [['-O', 'OpenFlow14'], 'dump-flows', ['table=1']],
  [['-O', 'OpenFlow15'], 'dump-flows', []],
  [['--no-stats'], 'dump-flows', []],
  [['--names'], 'dump-flows', []],
  [['--rsort=priority'], 'dump-flows', []],
  [['--sort=nw_dst'], 'dump-flows', []],
  [[], 'dump-aggregate', []],
  [['-O', 'OpenFlow13'], 'dump-aggregate', ['table=0']],
  [[], 'dump-desc', []],
  [['-O', 'OpenFlow13'], 'dump-tables', []],
  [[], 'dump-ports', []],
  [[], 'dump-ports', ['p1']],
  [['-O', 'OpenFlow13'], 'dump-ports', []],
  [['-O', 'OpenFlow15'], 'dump-ports', ['2']],
  [[], 'dump-ports-desc', []],
  [['-O', 'OpenFlow15'], 'dump-ports-desc', ['p1']],
  [[], 'get-frags', []],
  [[], 'probe', []],
];

describe.skipIf(missing !== undefined)(
  `oko ofctl on Open vSwitch's switch (${missing ?? 'openvswitch-switch is there'})`,
  () => {
    let vswitch: DummyVswitch;
    let env: Record<string, string>;
    beforeAll(() => {
      vswitch = new DummyVswitch();
      env = { OVS_RUNDIR: vswitch.runDirectory };
      vswitch.setFlows('OpenFlow13', FLOWS);
    });
    afterAll(() => vswitch.stop());

    const theirs = (args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync('ovs-ofctl', args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 30_000 });
    const ours = (args: readonly string[]): ReturnType<typeof oko> => oko(['ofctl', ...args], { env });

    it.each(LOOKS.map(([options, verb, args]) => [[...options, verb, 'br0', ...args].join(' ')]))('%s', (line) => {
      const args = line.split(' ');
      const run = ours(args);
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
      expect(comparable(run.stdout)).toEqual(comparable(theirs(args).stdout));
    });

    it.each([['OpenFlow10'], ['OpenFlow13'], ['OpenFlow14'], ['OpenFlow15']])(
      'changes flows in %s as ovs-ofctl does',
      (version) => {
        const file = join(vswitch.runDirectory, 'flows.txt');
        writeFileSync(file, `# some\n${FLOWS.join('\n')}\n`);
        const steps = [
          ['del-flows', 'br0'],
          ['add-flows', 'br0', file],
          ['add-flow', 'br0', 'priority=7,udp,in_port=p1,actions=p2'],
          ['mod-flows', 'br0', 'ip,actions=output:1'],
          ['--strict', 'mod-flows', 'br0', 'priority=7,udp,in_port=1,actions=drop'],
          ['--strict', 'del-flows', 'br0', 'table=1,priority=0'],
          ['del-flows', 'br0', 'arp'],
          ['mod-port', 'br0', 'p1', 'no-forward'],
          ['packet-out', 'br0', 'in_port=LOCAL,packet=ffffffffffff02000000000108060001,actions=output:1'],
        ];
        const after = (run: (args: string[]) => { status: number | null; stderr: string }): string[] => {
          for (const step of steps) expect(run(['-O', version, ...step])).toMatchObject({ status: 0, stderr: '' });
          return [
            ...comparable(theirs(['--no-stats', 'dump-flows', 'br0']).stdout),
            ...comparable(theirs(['dump-ports-desc', 'br0']).stdout),
          ];
        };
        const expected = after(theirs);
        expect(theirs(['mod-port', 'br0', 'p1', 'forward']).status).toBe(0);
        expect(after(ours)).toEqual(expected);
        expect(expected.join('\n')).toContain('NO_FWD');
        vswitch.setFlows('OpenFlow13', FLOWS);
      },
    );

    it.each([['OpenFlow13'], ['OpenFlow14'], ['OpenFlow15']])(
      'changes flows in a bundle of %s, all or none',
      (version) => {
        const file = join(vswitch.runDirectory, 'bundle.txt');
        writeFileSync(file, 'table=9,ip,actions=output:1\ntable=9,arp,actions=output:2\n');
        expect(ours(['-O', version, '--bundle', 'add-flows', 'br0', file])).toMatchObject({ status: 0, stderr: '' });
        expect(comparable(theirs(['--no-stats', 'dump-flows', 'br0', 'table=9']).stdout)).toEqual([
          ' table=9, arp actions=output:2',
          ' table=9, ip actions=output:1',
        ]);
        // The second flow names a group that does not exist: the switch refuses it, and with it the first.
        writeFileSync(file, 'table=8,ip,actions=output:1\ntable=8,arp,actions=group:77\n');
        const refused = ours(['-O', version, '--bundle', 'add-flows', 'br0', file]);
        expect(refused.status).toBe(1);
        expect(refused.stderr).toMatch(/^oko: .*CLI_SWITCH_REFUSED\)\n$/s);
        expect(comparable(theirs(['--no-stats', 'dump-flows', 'br0', 'table=8']).stdout)).toEqual([]);
        vswitch.setFlows('OpenFlow13', FLOWS);
      },
    );

    it.each<[string, string[], RegExp]>([
      ['a bridge that is not there', ['show', 'nowhere'], /CLI_CANNOT_CONNECT/],
      ['a flow with an unknown field', ['add-flow', 'br0', 'colour=red,actions=drop'], /OPENFLOW_/],
      ['a port that is not there', ['mod-port', 'br0', 'p9', 'up'], /CLI_BAD_ARGUMENT/],
      ['an unknown change of a port', ['mod-port', 'br0', 'p1', 'sideways'], /CLI_BAD_ARGUMENT/],
      ['an unknown version', ['-O', 'OpenFlow99', 'show', 'br0'], /CLI_BAD_ARGUMENT/],
      ['a group that is not there', ['-O', 'OpenFlow13', 'add-flow', 'br0', 'actions=group:77'], /CLI_SWITCH_REFUSED/],
      ['half a packet', ['packet-out', 'br0', 'in_port=1,packet=00,actions=drop'], /CLI_BAD_ARGUMENT/],
      ['an address that nobody listens on', ['show', 'tcp:127.0.0.1:1'], /CLI_CANNOT_CONNECT/],
    ])('refuses %s in one line', (_, args, code) => {
      const run = ours(args);
      expect(run.stdout).toBe('');
      expect(run.stderr).toMatch(/^oko: [^\n]+ \([A-Z0-9_]+\)\n$/);
      expect(run.stderr).toMatch(code);
      expect(run.status).toBe(1);
    });
  },
);

/** Counters of OpenFlow 1.5 that each implementation names for itself; only Open vSwitch's client shows its own. */
const OWN_COUNTERS = /CUSTOM Statistics|^\s+(\w+=\d+,? ?)*[rt]x_\w+=\d+/;

/** Lines without what differs from run to run, and without the order that Open vSwitch leaves open. */
function comparable(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !OWN_COUNTERS.test(line))
    .map((line) => line.replace(/xid=0x[0-9a-f]+/, 'xid').replace(/(duration|idle_age|hard_age)=[\d.]+s?,? ?/g, ''))
    .sort();
}
