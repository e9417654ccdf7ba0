import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../src/bytes/index.ts';
import { encodeMessage, type Message, parseFlow } from '../src/openflow/index.ts';
import { DummyVswitch, vswitchMissing } from './support/dummy-vswitch.ts';
import { OKO_MAIN } from './support/oko.ts';
import { OpenflowSwitch, runOfctl } from './support/openflow-switch.ts';
import { hasOvsOfctl } from './support/ovs-ofctl.ts';

/*
 * Flow monitors: `ovs-ofctl monitor … watch:` on Debian's switch and on ours, and `oko ofctl monitor` on Debian's, all of which
 * must print the same while the same happens to the flows.
 */

const missing = vswitchMissing() ?? (hasOvsOfctl ? undefined : 'needs openvswitch-common');

/** A slow machine starts the many processes of a test one by one. */
const TIMEOUT_MS = 300_000;

/** A monitor that runs, and what it has printed. */
class Watcher {
  readonly #child: ChildProcess;
  output = '';

  /** `folder` is where ovs-ofctl puts its control socket. */
  constructor(folder: string, command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { env: { ...process.env, OVS_RUNDIR: folder } });
    this.#child.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.output += chunk;
    });
  }

  async until(text: string): Promise<void> {
    for (let tries = 0; tries < 10_000 && !this.output.includes(text); tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(this.output).toContain(text);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill();
    await ended;
  }
}

const BEFORE = [
  'table=0,priority=7,reg0=5,in_port=1,idle_timeout=50,actions=load:0x7->NXM_NX_REG1[],resubmit(,1)',
  'cookie=0x1f,ip,nw_dst=10.0.0.1,actions=output:2',
];

/** Changes, each the words of an ovs-ofctl command before and after the switch's address. */
const CHANGES: readonly (readonly [before: string, after: string])[] = [
  ['add-flow', 'table=9,cookie=0x77,ip,hard_timeout=300,actions=output:1'],
  ['mod-flows', 'table=9,cookie=0x77/-1,actions=output:2'],
  ['mod-flows', 'table=9,cookie=0x77/-1,actions=output:2'],
  ['add-flow', 'table=9,cookie=0x78,ip,actions=output:2'],
  ['mod-flows', 'cookie=0x79,ip,nw_dst=10.0.0.1,actions=output:1,IN_PORT'],
  ['add-flow', 'table=3,priority=9,actions=drop'],
  ['-O OpenFlow13 add-flow', 'table=4,tcp,metadata=5,actions=set_field:80->tcp_dst,goto_table:5'],
  ['--strict del-flows', 'table=9,ip'],
  ['del-flows', ''],
  ['add-flow', 'table=253,cookie=0xdead,actions=output:1'],
];
/** What every monitor below sees at last. */
const LAST = 'cookie=0xdead';

const WATCHES: readonly string[] = [
  'watch:',
  'watch:!initial,!actions,!own',
  'watch:!modify,!add,table=9 watch:table=253',
  'watch:out_port=2,!delete watch:table=253',
  'watch:ip watch:table=253,!initial',
];

/** What a peer with monitors of everything sends itself. */
const MESSAGES: readonly Message[] = [
  { type: 'flow_mod', xid: 0xaa, ...parseFlow('in_port=1,actions=drop') },
  { type: 'barrier_request', xid: 0xab },
  { type: 'flow_mod', xid: 0xac, ...parseFlow('in_port=1', 'delete') },
  { type: 'flow_monitor_cancel', xid: 0xad, monitor: 1 },
  { type: 'flow_monitor_cancel', xid: 0xae, monitor: 1 },
  { type: 'barrier_request', xid: 0xaf },
];

/** What differs from run to run: transactions, and the order in which flows are listed. */
function normal(output: string): string[] {
  const lines = output.split('\n').filter((line) => !line.includes('fatal_signal'));
  return lines.map((line) => line.replace(/\(xid=0x[1-9a-f]\)/, '(xid=X)')).sort(byPlace(lines));
}

/** Lines that belong to one reply may come in any order. */
function byPlace(lines: readonly string[]): (a: string, b: string) => number {
  let reply = 0;
  const places = new Map(
    lines.map((line) => {
      if (!line.startsWith(' ')) reply++;
      return [line, reply];
    }),
  );
  return (a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0) || (a < b ? 1 : a > b ? -1 : 0);
}

describe.skipIf(missing !== undefined)(`flow monitors (${missing ?? 'Open vSwitch is here'})`, () => {
  let theirs: DummyVswitch;
  beforeAll(() => {
    theirs = new DummyVswitch();
  });
  afterAll(() => theirs.stop());

  it.each([
    ['OpenFlow10', '0'],
    ['OpenFlow13', '1'],
    ['OpenFlow14', '2'],
    ['OpenFlow15', '3'],
    ['OpenFlow14', '4'],
  ])('tell the same in %s (case %s)', { timeout: TIMEOUT_MS }, async (version, which) => {
    const words = WATCHES[Number(which)].split(' ');
    const ours = new OpenflowSwitch();
    const watchers: Watcher[] = [];
    try {
      await ours.listen();
      const sockets = [theirs.socket, ours.socket];
      const onAll = (before: string, after: string, input?: string) =>
        Promise.all(
          sockets.map((socket) =>
            runOfctl([...before.split(' '), `unix:${socket}`, ...(after === '' ? [] : [after])], input),
          ),
        );
      await onAll('del-flows', '');
      await onAll('add-flows', '-', BEFORE.join('\n'));
      const monitorOn = (command: string, first: readonly string[], socket: string): Watcher => {
        const watcher = new Watcher(ours.folder, command, [
          ...first,
          '-O',
          version,
          'monitor',
          `unix:${socket}`,
          ...words,
        ]);
        watchers.push(watcher);
        return watcher;
      };
      monitorOn('ovs-ofctl', [], theirs.socket);
      monitorOn('ovs-ofctl', [], ours.socket);
      monitorOn(process.execPath, [OKO_MAIN, 'ofctl'], theirs.socket);
      for (const watcher of watchers) await watcher.until('FLOW_MONITOR');
      for (const [before, after] of CHANGES)
        for (const { status, stderr } of await onAll(before, after)) expect([status, stderr]).toEqual([0, '']);
      for (const watcher of watchers) await watcher.until(LAST);
      const [expected, ...others] = watchers.map(({ output }) => normal(output));
      expect(expected.join('\n')).toContain('event=ADDED');
      for (const other of others) expect(other).toEqual(expected);
    } finally {
      for (const watcher of watchers) await watcher.stop();
      await ours.close();
    }
  });

  it('are ended, and abbreviate what the peer itself does', { timeout: TIMEOUT_MS }, async () => {
    const ours = new OpenflowSwitch();
    const watchers: Watcher[] = [];
    try {
      await ours.listen();
      const outputs: string[][] = [];
      for (const [i, socket] of [theirs.socket, ours.socket].entries()) {
        await runOfctl(['del-flows', `unix:${socket}`]);
        const control = join(ours.folder, `monitor${i}.ctl`);
        const watcher = new Watcher(ours.folder, 'ovs-ofctl', [
          `--unixctl=${control}`,
          'monitor',
          `unix:${socket}`,
          'watch:!own',
          'watch:table=5',
        ]);
        watchers.push(watcher);
        await watcher.until('NXST_FLOW_MONITOR');
        for (const message of MESSAGES) {
          const [bytes] = encodeMessage(message, { version: 1 });
          const child = spawn('ovs-appctl', ['-t', control, 'ofctl/send', toHex(bytes)]);
          await new Promise((resolve) => child.on('close', resolve));
        }
        await runOfctl(['add-flow', `unix:${socket}`, 'table=4,actions=output:1']);
        await runOfctl(['add-flow', `unix:${socket}`, 'table=5,cookie=0xdead,actions=output:1']);
        await watcher.until(LAST);
        outputs.push(normal(watcher.output));
      }
      const said = outputs[0].join('\n');
      expect(said).toContain('event=ABBREV');
      expect(said).toContain('OFPMOFC_UNKNOWN_MONITOR');
      // What is sent and what comes in may cross.
      expect(outputs[1].sort()).toEqual(outputs[0].sort());
    } finally {
      for (const watcher of watchers) await watcher.stop();
      await ours.close();
    }
  });
});
