import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AfPacketDriver } from '../src/datapath/ports/af-packet-driver.ts';
import { AfXdpDriver } from '../src/datapath/ports/af-xdp-driver.ts';
import { BATCH_PACKETS, PACKET_START, type PacketBatch, type PortDriver } from '../src/datapath/ports/driver.ts';
import { HostShield } from '../src/datapath/ports/host-shield.ts';
import { addressOf, ifNameToIndex } from '../src/datapath/ports/linux.ts';
import { finishPacketsOf, namespacesMissing } from './support/namespaces.ts';
import { SwitchedHosts } from './support/switched-hosts.ts';

const missing = namespacesMissing();
const SMALL = 2048;
const LARGE = PACKET_START + 65_536 + 64;

const RECEIVE = `
import hashlib, socket, sys
listener = socket.create_server(('10.8.0.2', 7000))
listener.settimeout(60)
print('ready', flush=True)
peer, _ = listener.accept()
peer.settimeout(60)
digest = hashlib.sha256()
while chunk := peer.recv(1 << 20):
    digest.update(chunk)
print(digest.hexdigest(), flush=True)
`;
const SEND = `
import hashlib, socket, sys
data = open(sys.argv[1], 'rb').read()
with socket.create_connection(('10.8.0.2', 7000), timeout=60) as peer:
    peer.sendall(data)
print(hashlib.sha256(data).hexdigest())
`;

/** A wire between two drivers, through a pool of 32 small buffers and as many large. */
class Wire {
  readonly #batch: PacketBatch;
  readonly #ends: readonly [PortDriver, PortDriver];
  #running = true;
  largest = 0;

  constructor(one: PortDriver, other: PortDriver) {
    this.#ends = [one, other];
    const bytes = new Uint8Array(BATCH_PACKETS * (SMALL + LARGE));
    const batch = () => new Uint32Array(BATCH_PACKETS);
    const address = addressOf(bytes);
    this.#batch = { bytes, address, buffers: batch(), capacities: batch(), starts: batch(), lengths: batch() };
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    if (!this.#running) return;
    for (const [i, from] of this.#ends.entries()) {
      const batch = this.#batch;
      for (let k = 0; k < BATCH_PACKETS; k++) batch.buffers[k] = k * SMALL;
      batch.capacities.fill(SMALL);
      let used = 0;
      const count = from.receive(batch, BATCH_PACKETS, () => ({
        buffer: BATCH_PACKETS * SMALL + used++ * LARGE,
        capacity: LARGE,
      }));
      for (let k = 0; k < count; k++) this.largest = Math.max(this.largest, batch.lengths[k]);
      if (count > 0) this.#ends[1 - i].transmit(batch, count);
    }
    setImmediate(() => this.#turn());
  }

  close(): void {
    this.#running = false;
    for (const end of this.#ends) end.close();
  }
}

function run(namespace: string, ...command: string[]): { ready: Promise<void>; output: Promise<string> } {
  const child = spawn('ip', ['netns', 'exec', namespace, ...command]);
  let text = '';
  let tell = () => {};
  const ready = new Promise<void>((resolve) => {
    tell = resolve;
  });
  child.stdout.on('data', (chunk) => {
    text += chunk;
    tell();
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  return { ready, output: new Promise((resolve) => child.once('close', () => resolve(text))) };
}

describe.skipIf(missing !== undefined)(`drivers between two hosts (${missing ?? 'namespaces are here'})`, () => {
  let hosts: SwitchedHosts;
  let wire: Wire | undefined;

  beforeEach(() => {
    hosts = new SwitchedHosts('dr');
  });
  afterEach(() => {
    wire?.close();
    wire = undefined;
    hosts.close();
  });

  const pings = async (): Promise<number> => {
    const { output } = run(hosts.left, 'ping', '-c', '5', '-i', '0.1', '-W', '5', '10.8.0.2');
    return Number(/(\d+) received/.exec(await output)?.[1] ?? 0);
  };
  const transfer = async (): Promise<readonly string[]> => {
    const file = join(hosts.folder, 'data');
    writeFileSync(file, randomBytes(4 << 20));
    const receiver = run(hosts.right, '/usr/bin/python3', '-c', RECEIVE);
    await receiver.ready;
    const sent = await run(hosts.left, '/usr/bin/python3', '-c', SEND, file).output;
    return [sent.trim(), (await receiver.output).replace('ready\n', '').trim()];
  };
  it('AF_PACKET passes pings, and TCP in large segments', async () => {
    wire = new Wire(new AfPacketDriver(hosts.devices[0]), new AfPacketDriver(hosts.devices[1]));
    expect(await pings()).toBe(5);
    const [sent, received] = await transfer();
    expect(received).toBe(sent);
    expect(wire.largest).toBeGreaterThan(SMALL);
  });

  it('AF_PACKET keeps the host from answering by itself', async (context) => {
    const [device] = hosts.devices;
    const probe = new HostShield(ifNameToIndex(device) as number);
    probe.close();
    if (!probe.isUp) context.skip('needs TCX hooks: Linux 6.6');
    spawnSync('ip', ['address', 'add', '10.8.0.9/32', 'dev', device]);
    const asked = async () => {
      const { output } = run(hosts.left, 'ping', '-c', '2', '-i', '0.1', '-W', '1', '10.8.0.9');
      return Number(/(\d+) received/.exec(await output)?.[1]);
    };
    spawnSync('ip', ['route', 'add', '10.8.0.1/32', 'dev', device]);
    expect(await asked()).toBe(2);
    wire = new Wire(new AfPacketDriver(device), new AfPacketDriver(hosts.devices[1]));
    expect(await asked()).toBe(0);
    expect(await pings()).toBe(5);
  });

  it('AF_XDP passes pings and TCP', async (context) => {
    for (const host of [hosts.left, hosts.right]) finishPacketsOf(host, 'wire');
    const ends: PortDriver[] = [];
    try {
      for (const device of hosts.devices) ends.push(new AfXdpDriver(device));
    } catch (error) {
      for (const end of ends) end.close();
      context.skip(`no AF_XDP here: ${(error as Error).message}`);
    }
    wire = new Wire(ends[0], ends[1]);
    expect(await pings()).toBe(5);
    const [sent, received] = await transfer();
    expect(received).toBe(sent);
    // The queue is free again at once.
    wire.close();
    wire = new Wire(new AfXdpDriver(hosts.devices[0]), new AfXdpDriver(hosts.devices[1]));
    expect(await pings()).toBe(5);
  });

  it('AF_PACKET hands over to AF_XDP what is to be finished', async (context) => {
    finishPacketsOf(hosts.right, 'wire');
    let xdp: AfXdpDriver | undefined;
    try {
      xdp = new AfXdpDriver(hosts.devices[1], { mode: 'skb' });
    } catch (error) {
      context.skip(`no AF_XDP here: ${(error as Error).message}`);
    }
    if (xdp === undefined) return;
    wire = new Wire(new AfPacketDriver(hosts.devices[0]), xdp);
    expect(await pings()).toBe(5);
    const [sent, received] = await transfer();
    expect(received).toBe(sent);
  });
});
