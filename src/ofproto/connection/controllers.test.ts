import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallbackPort, ManualClock } from '../../datapath/index.ts';
import { decodeMessage, encodeMessage, type Message, MessageStream, parseFlow } from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import { Bridge } from '../bridge.ts';
import { Controllers, type ControllersOptions } from './controllers.ts';
import type { TargetStatus } from './target-options.ts';

const { of10, of13, of14, of15 } = OPENFLOW_VERSIONS;
const MS = 1_000_000n;
const PACKET = Uint8Array.from([...new Array(6).fill(0xff), 2, 0, 0, 0, 0, 1, 0x88, 0xb5, ...new Array(46).fill(0)]);

/** A controller on a Unix domain socket; the switch's connections to it in order. */
class FakeController {
  readonly sockets: Socket[] = [];
  /** What came on each connection. */
  readonly received: Message[][] = [];
  version: OpenflowVersion = of13;
  answersProbes = true;
  #server: Server | undefined;
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get target(): string {
    return `unix:${this.path}`;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  #serve(socket: Socket): void {
    const received: Message[] = [];
    this.sockets.push(socket);
    this.received.push(received);
    const messages = new MessageStream();
    const send = (message: Message): void => {
      for (const bytes of encodeMessage(message, { version: this.version })) socket.write(bytes);
    };
    send({ type: 'hello', xid: 1, versions: [this.version] });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const bytes of messages.push(chunk)) {
        const message = decodeMessage(bytes, { version: bytes[0] as OpenflowVersion });
        received.push(message);
        if (message.type === 'echo_request' && this.answersProbes)
          send({ type: 'echo_reply', xid: message.xid, data: message.data });
      }
    });
  }

  get types(): string[] {
    return (this.received.at(-1) ?? []).map(({ type }) => type);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

let folder: string;
let controller: FakeController;
const started: Controllers[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oko-controllers-'));
  controller = new FakeController(join(folder, 'controller'));
});
afterEach(async () => {
  for (const controllers of started.splice(0)) await controllers.close();
  await controller.stop();
  rmSync(folder, { recursive: true });
});

function setUp(options: Partial<ControllersOptions> = {}) {
  const clock = new ManualClock(1_000_000n * MS);
  const bridge = new Bridge({ name: 'br0', clock });
  const sent: number[] = [];
  for (const port of [1, 2]) bridge.addPort(port, new CallbackPort(`p${port}`, () => sent.push(port)));
  const description = { manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'd' };
  const controllers = new Controllers({ bridge, clock, datapathId: 1n, failMode: 'secure', description, ...options });
  started.push(controllers);
  const pass = (ms: number): void => {
    clock.advanceTo(clock.nowNs() + BigInt(ms) * MS);
    controllers.run();
  };
  const status = (): TargetStatus => controllers.status()[0];
  const state = (): string => status().state;
  return { bridge, controllers, pass, status, state, sent };
}

/** Waits for something that happens on sockets, which takes real time, however little. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 10_000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(holds()).toBe(true);
}

describe('a controller that is not there', () => {
  it('is tried again after one second, two, four and so on up to the longest wait', async () => {
    const { controllers, pass, status, state } = setUp();
    await controllers.add(controller.target, { maxBackoffMs: 5000 });
    for (const wait of [1000, 2000, 4000, 5000, 5000]) {
      await until(() => state() === 'BACKOFF');
      pass(wait - 1);
      expect(state(), `${wait} ms are not over`).toBe('BACKOFF');
      pass(1);
      expect(state()).toBe('CONNECTING');
    }
    await until(() => state() === 'BACKOFF');
    expect(status()).toMatchObject({
      ...{ isConnected: false, role: undefined, lastError: 'No such file or directory', connections: 0 },
      ...{ secSinceConnect: undefined, secSinceDisconnect: undefined },
    });
    await controller.start();
    pass(5000);
    await until(() => state() === 'ACTIVE');
    pass(3000);
    expect(status()).toMatchObject({ isConnected: true, role: 'equal', secSinceConnect: 3 });
  });

  it('is tried with a longer or shorter wait as soon as that is configured', async () => {
    const { controllers, pass, state } = setUp();
    await controllers.add(controller.target, { maxBackoffMs: 64_000 });
    for (const wait of [1000, 2000, 4000]) {
      await until(() => state() === 'BACKOFF');
      pass(wait);
    }
    await until(() => state() === 'BACKOFF');
    await controllers.configure(controller.target, { maxBackoffMs: 1000 });
    pass(8000);
    await until(() => state() === 'BACKOFF');
    pass(1000);
    expect(state()).toBe('CONNECTING');
  });
});

describe('a controller that says nothing', () => {
  it('is asked after the probe interval, and given up after another one', async () => {
    const { controllers, pass, status, state } = setUp();
    await controller.start();
    await controllers.add(controller.target, { probeIntervalMs: 7000 });
    await until(() => state() === 'ACTIVE');
    pass(6999);
    expect(state()).toBe('ACTIVE');
    pass(1);
    expect(state()).toBe('IDLE');
    await until(() => state() === 'ACTIVE');
    controller.answersProbes = false;
    pass(7000);
    pass(6999);
    expect(state()).toBe('IDLE');
    pass(1);
    expect(status()).toMatchObject({ isConnected: false, state: 'BACKOFF', lastError: 'Connection timed out' });
    pass(1000);
    await until(() => state() === 'ACTIVE');
    pass(1500);
    expect(status()).toMatchObject({ secSinceConnect: 1, secSinceDisconnect: 2 });
  });

  it('is left alone where probes are switched off, also later', async () => {
    const { controllers, pass, state } = setUp();
    await controller.start();
    controller.answersProbes = false;
    await controllers.add(controller.target);
    await until(() => state() === 'ACTIVE');
    await controllers.configure(controller.target, { probeIntervalMs: 0 });
    pass(1_000_000);
    expect(state()).toBe('ACTIVE');
  });

  it('not even a hello is given up', async () => {
    const { controllers, pass, state } = setUp();
    const peers: Socket[] = [];
    const silent = createServer((peer) => peers.push(peer));
    await new Promise<void>((resolve) => silent.listen(controller.path, resolve));
    await controllers.add(controller.target);
    await until(() => [...controllers.connections].length === 1);
    pass(14_999);
    expect(state()).toBe('CONNECTING');
    pass(1);
    expect(state()).toBe('BACKOFF');
    for (const peer of peers) peer.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('fail mode', () => {
  const forwards = ({ bridge, sent }: ReturnType<typeof setUp>): boolean => {
    sent.length = 0;
    bridge.receive(1, PACKET);
    return sent.length > 0;
  };

  it('standalone takes over three probe intervals after the controller has gone, and gives back when it returns', async () => {
    const all = setUp({ failMode: 'standalone' });
    const { controllers, pass, state, bridge } = all;
    expect(forwards(all)).toBe(true);
    await controller.start();
    await controllers.add(controller.target, { probeIntervalMs: 2000 });
    await until(() => state() === 'ACTIVE');
    expect(forwards(all)).toBe(false);
    await controller.stop();
    await until(() => state() === 'BACKOFF');
    controllers.run();
    pass(5999);
    expect(forwards(all)).toBe(false);
    pass(1);
    expect(forwards(all)).toBe(true);
    expect(bridge.flows()).toHaveLength(0);
    await controller.start();
    for (let i = 0; i < 10 && state() !== 'ACTIVE'; i++) {
      pass(8000);
      await until(() => state() !== 'CONNECTING');
    }
    expect(forwards(all)).toBe(false);
  });

  it('can be changed: flows stay where there are controllers, and start afresh where there are none', async () => {
    const all = setUp();
    const { controllers, bridge } = all;
    bridge.flowMod(parseFlow('priority=5,in_port=9,actions=drop'));
    controllers.setFailMode('standalone');
    expect(controllers.failMode).toBe('standalone');
    expect(forwards(all)).toBe(true);
    expect(bridge.flows()).toHaveLength(1);
    await controllers.add(controller.target);
    bridge.flowMod(parseFlow('priority=5,in_port=9,actions=drop'));
    expect(forwards(all)).toBe(false);
    controllers.setFailMode('secure');
    expect(bridge.flows()).toHaveLength(1);
    await controllers.remove(controller.target);
    expect(bridge.flows()).toHaveLength(0);
  });

  it('secure keeps to its flows however long nobody is there', async () => {
    const all = setUp();
    await all.controllers.add(controller.target);
    all.pass(1_000_000);
    expect(forwards(all)).toBe(false);
  });
});

describe('changes while it runs', () => {
  it('of the targets: others stay as they are, what cannot be is reported and left out', async () => {
    const { controllers, state } = setUp();
    await controller.start();
    await controllers.add(controller.target);
    await until(() => state() === 'ACTIVE');
    const errors = await controllers.setTargets(
      new Map([
        [controller.target, { probeIntervalMs: 0 }],
        ['ptcp:0:127.0.0.1', {}],
        ['tcp:', {}],
        [`punix:${folder}/no/such/folder`, {}],
      ]),
    );
    expect([...errors].map(([target, { code }]) => [target, code])).toEqual([
      ['tcp:', 'OFPROTO_BAD_TARGET'],
      [`punix:${folder}/no/such/folder`, 'OFPROTO_CANNOT_LISTEN'],
    ]);
    expect(controllers.status()).toMatchObject([
      { target: controller.target, kind: 'controller', isConnected: true },
      { target: 'ptcp:0:127.0.0.1', kind: 'service', state: 'VOID', port: expect.any(Number) },
    ]);
    expect(controller.sockets).toHaveLength(1);
    await controllers.setTargets(new Map());
    expect(controllers.status()).toEqual([]);
    await until(() => controller.sockets[0].closed || controller.sockets[0].destroyed);
  });

  it('of the datapath id and the versions make the switch connect anew', async () => {
    const { controllers, state } = setUp();
    await controller.start();
    await controllers.add(controller.target);
    await until(() => state() === 'ACTIVE');
    expect(controller.received[0][0]).toMatchObject({ type: 'hello' });
    controllers.setDatapathId(2n);
    controllers.setDatapathId(2n);
    await until(() => controller.sockets.length === 2 && state() === 'ACTIVE');
    controllers.setVersions([of10, of13]);
    await until(() => controller.sockets.length === 3 && state() === 'ACTIVE');
    await until(() => controller.types.length > 0);
    expect(controller.received[2][0]).toMatchObject({ type: 'hello', versions: [of10, of13] });
    controllers.setVersions([of13, of10]);
    await controllers.configure(controller.target, { versions: [of10] });
    controller.version = of10;
    await until(() => controller.sockets.length === 4 && state() === 'ACTIVE');
    await until(() => controller.types.length > 0);
    const [hello] = controller.received[3];
    expect(hello, 'the first version needs no list').not.toHaveProperty('versions');
  });

  it('of the kind make a peer another one', async () => {
    const { controllers, bridge } = setUp({ failMode: 'standalone' });
    await controllers.add(controller.target, { kind: 'service' });
    expect(bridge.flows()).toHaveLength(1);
    await controllers.configure(controller.target, { kind: 'controller' });
    expect(bridge.flows()).toHaveLength(0);
    await expect(controllers.configure('tcp:127.0.0.1:1', {})).rejects.toThrow('is not configured');
  });
});

describe('packets for a controller', () => {
  it('beyond its rate wait, ports in turn, and are dropped beyond the burst', async () => {
    const { controllers, bridge, pass, status, state } = setUp();
    await controller.start();
    await controllers.add(controller.target, { rateLimit: 100, burstLimit: 30, probeIntervalMs: 0 });
    await until(() => state() === 'ACTIVE');
    bridge.flowMod(parseFlow('actions=controller'));
    for (let i = 0; i < 100; i++) bridge.receive(i < 90 ? 1 : 2, PACKET);
    expect(status().limiter?.action).toEqual({ bypassed: 30, queued: 70, dropped: 40, backlog: 30 });
    expect(status().limiter?.miss.bypassed).toBe(0);
    pass(100);
    expect(status().limiter?.action.backlog).toBe(20);
    pass(1000);
    expect(status().limiter?.action.backlog).toBe(0);
    await until(() => controller.types.filter((type) => type === 'packet_in').length === 60);
    const ports = (controller.received[0] ?? []).flatMap((message) =>
      message.type === 'packet_in' ? [message.metadata.identity] : [],
    );
    expect(new Set(ports.slice(30, 32)).size, 'one of each port').toBe(2);
    await controllers.configure(controller.target, { probeIntervalMs: 0 });
    expect(status().limiter).toBeUndefined();
  });

  it('and other announcements do not come where they are switched off, until they are asked for', async () => {
    const { controllers, bridge, state } = setUp();
    await controller.start();
    await controllers.add(controller.target, { enableAsyncMessages: false });
    await until(() => state() === 'ACTIVE');
    bridge.flowMod(parseFlow('actions=controller'));
    bridge.receive(1, PACKET);
    bridge.portMod({ port: 1, config: 1, mask: 1 });
    for (const body of [
      {
        type: 'set_async',
        packetIn: { primary: 3, secondary: 0 },
        portStatus: { primary: 7, secondary: 7 },
        flowRemoved: { primary: 0, secondary: 0 },
      } as const,
      { type: 'barrier_request' } as const,
    ])
      for (const bytes of encodeMessage({ ...body, xid: 5 }, { version: of13 })) controller.sockets[0].write(bytes);
    await until(() => controller.types.includes('barrier_reply'));
    expect(controller.types).toEqual(['hello', 'barrier_reply']);
    bridge.portMod({ port: 1, config: 0, mask: 1 });
    bridge.receive(1, PACKET);
    await until(() => controller.types.includes('packet_in'));
    expect(controller.types.slice(2)).toEqual(['port_status', 'packet_in']);
  });
});

describe('a version list', () => {
  it.each([
    [
      [of10, of13, of14, of15],
      [of10, of13, of14, of15],
    ],
    [[of13], [of13]],
    [[of10], undefined],
  ] as const)('of %j is told as %j', async (versions, told) => {
    const { controllers, state } = setUp({ versions });
    controller.version = versions[0];
    await controller.start();
    await controllers.add(controller.target);
    await until(() => state() === 'ACTIVE');
    await until(() => controller.types.length > 0);
    const [hello] = controller.received[0];
    expect(hello.type === 'hello' && hello.versions).toEqual(told);
  });
});
