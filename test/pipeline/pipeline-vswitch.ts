import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '../../src/bytes/index.ts';
import { bytesSource, readCapture } from '../../src/packet/index.ts';
import { packet } from './packet-text.ts';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
/** Where a packet goes that says that those before it are through. */
const MARKER_PORT = 9;
const MARKER = packet('type:0x88b5');
const MARKER_FLOW = `priority=65535,dl_type=0x88b5,actions=output:${MARKER_PORT}`;

/**
 * Open vSwitch's own switch in a folder of its own, with dummy ports that take packets from us and write what they send
 * to captures. Needs no privilege and no kernel.
 */
export class PipelineVswitch {
  readonly #folder = mkdtempSync(join(tmpdir(), 'oko-pipeline-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #control = join(this.#folder, 'vswitchd.ctl');
  readonly #ports: readonly number[];
  readonly #read = new Map<number, number>();

  constructor(ports: readonly number[], portSettings: Readonly<Record<number, string>> = {}) {
    this.#ports = [...ports, MARKER_PORT];
    const folder = this.#folder;
    this.#env = { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder, OVS_SYSCONFDIR: folder };
    const socket = join(folder, 'db.sock');
    const daemon = ['--detach', '--no-chdir', '--pidfile', '--log-file', '-vconsole:off'];
    this.#run('ovsdb-tool', ['create', join(folder, 'conf.db'), SCHEMA]);
    this.#run('ovsdb-server', [...daemon, `--remote=punix:${socket}`, join(folder, 'conf.db')]);
    const db = `--db=unix:${socket}`;
    this.#run('ovs-vsctl', [db, '--no-wait', 'init', '--', 'set', 'Open_vSwitch', '.', 'other_config:vlan-limit=2']);
    const dummy = ['--enable-dummy=override', '--disable-system', `--unixctl=${this.#control}`];
    this.#run('ovs-vswitchd', [...daemon, ...dummy, `unix:${socket}`]);
    const versions = 'protocols=OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15';
    const bridge = `add-br br0 -- set Bridge br0 datapath_type=dummy fail-mode=secure ${versions}`;
    const commands = this.#ports.map((n) => {
      const add = `-- add-port br0 p${n} ${portSettings[n] ?? ''}`;
      const options = `type=dummy ofport_request=${n} options:tx_pcap=${this.#capture(n)}`;
      return `${add} -- set Interface p${n} ${options}`;
    });
    this.#run('ovs-vsctl', [db, ...`${bridge} ${commands.join(' ')}`.split(/\s+/)]);
  }

  /** Where its OpenFlow management socket is. */
  get socket(): string {
    return join(this.#folder, 'br0.mgmt');
  }

  /** Replaces the flows of all tables. */
  async setFlows(flows: readonly string[]): Promise<void> {
    const lines = ['delete', `add ${MARKER_FLOW}`, ...flows.map((flow) => `add ${flow}`)];
    // Actions such as mod_nw_src exist in the one, instructions such as write_actions in the other.
    const version = /goto_table|write_|clear_actions|push_vlan|actset|set_field:[^,]*\//.test(lines.join())
      ? 'OpenFlow15'
      : 'OpenFlow10';
    this.#run('ovs-ofctl', ['-O', version, 'add-flows', 'br0', '-'], lines.join('\n'));
    await this.#ask('revalidator/purge');
    await this.#ask('fdb/flush', 'br0');
  }

  /** Waits until what packets have taught takes effect on the next one. */
  async settle(): Promise<void> {
    await this.#ask('revalidator/wait');
  }

  /** What comes out of which port when a packet goes in. */
  async forward(port: number, bytes: Uint8Array): Promise<{ port: number; bytes: Uint8Array }[]> {
    await this.#ask('netdev-dummy/receive', `p${port}`, toHex(bytes));
    await this.#ask('netdev-dummy/receive', `p${port}`, toHex(MARKER));
    const deadline = Date.now() + 5000;
    while (this.#unread(MARKER_PORT).length === 0) {
      if (Date.now() > deadline) throw new Error('the marker packet did not come out');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const sent: { port: number; bytes: Uint8Array }[] = [];
    for (const number of this.#ports) {
      const packets = this.#unread(number);
      this.#read.set(number, (this.#read.get(number) ?? 0) + packets.length);
      if (number !== MARKER_PORT) for (const out of packets) sent.push({ port: number, bytes: out });
    }
    return sent;
  }

  #capture(port: number): string {
    return join(this.#folder, `p${port}.pcap`);
  }

  #unread(port: number): Uint8Array[] {
    const packets: Uint8Array[] = [];
    const file = new Uint8Array(readFileSync(this.#capture(port)));
    try {
      for (const { bytes } of readCapture(bytesSource(file))) packets.push(bytes);
    } catch {
      // The last packet is still being written.
    }
    return packets.slice(this.#read.get(port) ?? 0);
  }

  /** One request on the daemon's control socket (bare JSON-RPC 1.0). */
  #ask(method: string, ...params: string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#control);
      let reply = '';
      socket.on('error', reject);
      socket.on('data', (data) => {
        reply += data;
        if (!reply.trimEnd().endsWith('}')) return;
        socket.destroy();
        if (/"error":null/.test(reply)) resolve();
        else reject(new Error(`${method}: ${reply}`));
      });
      socket.write(JSON.stringify({ id: 0, method, params }));
    });
  }

  stop(): void {
    for (const daemon of [this.#control, 'ovsdb-server'])
      spawnSync('ovs-appctl', ['-t', daemon, 'exit'], { env: this.#env, timeout: 10_000 });
    rmSync(this.#folder, { recursive: true });
  }

  #run(command: string, args: readonly string[], input = ''): string {
    const options = { env: this.#env, encoding: 'utf8', input, timeout: 30_000 } as const;
    const { status, stdout, stderr, error } = spawnSync(command, args, options);
    if (status !== 0) throw new Error(`${command} ${args.slice(0, 4).join(' ')}: ${error?.message ?? stderr}`);
    return stdout;
  }
}
