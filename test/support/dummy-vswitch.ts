import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '../../src/bytes/index.ts';
import { bytesSource, readCapture } from '../../src/packet/index.ts';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Why Open vSwitch cannot be used as a peer here, `undefined` when it can. */
export function vswitchMissing(): string | undefined {
  const isThere = existsSync('/usr/sbin/ovs-vswitchd') && existsSync('/usr/sbin/ovsdb-server') && existsSync(SCHEMA);
  return isThere ? undefined : 'needs openvswitch-switch';
}

/** At most; the receive queue holds a hundred packets. */
export const PACKETS_PER_BATCH = 50;

/**
 * Open vSwitch's own switch in a folder of its own: bridge `br0` of its userspace datapath, whose dummy port 1 takes
 * packets from us and whose port 2 writes what it sends to a capture. Needs no privilege and no kernel.
 */
export class DummyVswitch {
  readonly #folder = mkdtempSync(join(tmpdir(), 'oko-vswitch-'));
  readonly #env: NodeJS.ProcessEnv;
  #received = 0;

  constructor() {
    const folder = this.#folder;
    this.#env = { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder, OVS_SYSCONFDIR: folder };
    const socket = join(folder, 'db.sock');
    const daemon = ['--detach', '--no-chdir', '--pidfile', '--log-file', '-vconsole:off'];
    this.#run('ovsdb-tool', ['create', join(folder, 'conf.db'), SCHEMA]);
    this.#run('ovsdb-server', [...daemon, `--remote=punix:${socket}`, join(folder, 'conf.db')]);
    const db = `--db=unix:${socket}`;
    this.#run('ovs-vsctl', [db, '--no-wait', 'init', '--', 'set', 'Open_vSwitch', '.', 'other_config:vlan-limit=2']);
    this.#run('ovs-vswitchd', [...daemon, '--enable-dummy=override', '--disable-system', `unix:${socket}`]);
    const bridge = 'add-br br0 -- set Bridge br0 datapath_type=dummy fail-mode=secure';
    const ports = [1, 2].map((n) => `-- add-port br0 p${n} -- set Interface p${n} type=dummy ofport_request=${n}`);
    // A cached flow answers for the packet that it was made for only: with wider ones, dec_mpls_ttl gives one packet the
    // label of another.
    this.#run('ovs-appctl', ['-t', 'ovs-vswitchd', 'upcall/disable-megaflows']);
    this.#run('ovs-vsctl', [db, ...`${bridge} ${ports.join(' ')} options:tx_pcap=${this.#capture}`.split(' ')]);
  }

  /** Where its OpenFlow management socket is. */
  get socket(): string {
    return join(this.#folder, 'br0.mgmt');
  }

  /** Where its sockets are: OVS_RUNDIR for clients. */
  get runDirectory(): string {
    return this.#folder;
  }

  get #capture(): string {
    return join(this.#folder, 'p2.pcap');
  }

  /** Replaces the flow table, in a version of OpenFlow such as `OpenFlow13`. */
  setFlows(version: string, flows: readonly string[]): void {
    this.#run('ovs-ofctl', ['-O', version, 'replace-flows', 'br0', '-'], flows.join('\n'));
    // Its cached flows would answer for the old table for a moment.
    this.#run('ovs-appctl', ['-t', 'ovs-vswitchd', 'revalidator/purge']);
  }

  /** What ovs-appctl answers; its error text when it refuses. */
  appctl(...args: readonly string[]): string {
    const all = ['-t', 'ovs-vswitchd', ...args];
    const { stdout, stderr } = spawnSync('ovs-appctl', all, { env: this.#env, encoding: 'utf8', timeout: 30_000 });
    return stdout || stderr.replace('ovs-appctl: ovs-vswitchd: server returned an error\n', '');
  }

  /** Adds a further dummy port `pN` with that number. */
  addPort(number: number): void {
    this.vsctl(`add-port br0 p${number} -- set Interface p${number} type=dummy ofport_request=${number}`);
  }

  vsctl(line: string): void {
    this.#run('ovs-vsctl', [`--db=unix:${join(this.#folder, 'db.sock')}`, ...line.split(' ')]);
  }

  addFlow(bridge: string, flow: string): void {
    this.#run('ovs-ofctl', ['add-flow', bridge, flow]);
  }

  /** Gives one batch, packets or datapath flows, to port 1 and returns what comes out of port 2, waiting a while for as many as are expected. */
  async forward(batch: readonly (Uint8Array | string)[], expected: number): Promise<Uint8Array[]> {
    const hex = batch.map((packet) => (typeof packet === 'string' ? packet : toHex(packet)));
    this.#run('ovs-appctl', ['-t', 'ovs-vswitchd', 'netdev-dummy/receive', 'p1', ...hex]);
    for (let tries = 0; tries < 300 && this.#sent().length < this.#received + expected; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const sent = this.#sent().slice(this.#received);
    this.#received += sent.length;
    return sent;
  }

  #sent(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    try {
      for (const { bytes } of readCapture(bytesSource(new Uint8Array(readFileSync(this.#capture)))))
        packets.push(bytes);
    } catch {
      // The last packet is still being written.
    }
    return packets;
  }

  stop(): void {
    for (const daemon of ['ovs-vswitchd', 'ovsdb-server'])
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
