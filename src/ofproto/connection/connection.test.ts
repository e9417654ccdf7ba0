import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import { Random } from '../../../test/support/random.ts';
import { ManualClock } from '../../datapath/index.ts';
import {
  ANY_GROUP,
  decodeMessage,
  encodeMessage,
  type FlowMod,
  type Message,
  type MessageBody,
  MessageStream,
  NO_BUFFER,
  nameOfError,
  OFPP,
  parseFlow,
} from '../../openflow/index.ts';
import { field, Match, MatchBuilder, OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import { Bridge } from '../bridge.ts';
import { Controllers, type ControllersOptions } from './controllers.ts';
import type { TargetOptions } from './target-options.ts';

const { of10, of13, of14, of15 } = OPENFLOW_VERSIONS;

/** A peer in memory: what the switch writes piles up in `received` as long as `isReading`. */
class Peer {
  readonly stream: Duplex;
  readonly received: Message[] = [];
  /** For tests to keep what they have read so far. */
  readonly kept: Message[] = [];
  isReading = true;
  isEnded = false;
  readonly #messages = new MessageStream();
  #version: OpenflowVersion;
  #blocked: (() => void) | undefined;
  #nextXid = 100;

  constructor(version: OpenflowVersion) {
    this.#version = version;
    this.stream = new Duplex({
      read: () => undefined,
      write: (chunk: Uint8Array, _encoding, done) => this.#take(chunk, done),
      final: (done) => {
        this.isEnded = true;
        done();
      },
    });
  }

  #take(chunk: Uint8Array, done: () => void): void {
    if (!this.isReading) {
      this.#blocked = () => this.#take(chunk, done);
      return;
    }
    for (const bytes of this.#messages.push(chunk))
      this.received.push(decodeMessage(new Uint8Array(bytes), { version: this.#version, nxm: true }));
    done();
  }

  readAgain(): void {
    this.isReading = true;
    this.#blocked?.();
  }

  raw(bytes: Uint8Array): void {
    this.stream.push(bytes);
  }

  send(body: MessageBody, xid = this.#nextXid++): number {
    for (const bytes of encodeMessage({ ...body, xid }, { version: this.#version })) this.raw(bytes);
    return xid;
  }

  hello(versions: readonly number[] = [this.#version]): void {
    this.send({ type: 'hello', versions }, 1);
  }

  /** Waits until everything sent has been carried out; what came since the last time. */
  async settle(): Promise<Message[]> {
    const xid = this.send({ type: 'barrier_request' });
    for (let i = 0; i < 1000 && !this.received.some((m) => m.type === 'barrier_reply' && m.xid === xid); i++)
      await turn();
    return this.received.splice(0).filter((m) => m.type !== 'hello' && m.type !== 'barrier_reply');
  }

  errors(messages: readonly Message[]): (string | undefined)[] {
    return messages.flatMap((m) => (m.type === 'error' ? [nameOfError(m, this.#version)] : []));
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const started: Controllers[] = [];
afterEach(async () => {
  for (const controllers of started.splice(0)) await controllers.close();
});

function setUp(options: Partial<ControllersOptions> = {}) {
  const clock = new ManualClock(1n);
  const bridge = new Bridge({ name: 'br0', clock });
  const sent: number[] = [];
  for (const number of [1, 2])
    bridge.addPort(
      number,
      { name: `p${number}`, send: () => sent.push(number) > 0 },
      { mac: Uint8Array.of(2, 0, 0, 0, 0, number) },
    );
  const controllers = new Controllers({
    bridge,
    clock,
    datapathId: 0x2an,
    failMode: 'secure',
    description: { manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'd' },
    ...options,
  });
  started.push(controllers);
  const connect = async (
    version: OpenflowVersion,
    target: Omit<TargetOptions, 'kind'> & { kind?: 'controller' | 'service' } = {},
  ): Promise<Peer> => {
    const peer = new Peer(version);
    controllers.accept(peer.stream, 'peer', { probeIntervalMs: 0, ...target });
    peer.hello();
    await peer.settle();
    return peer;
  };
  return { bridge, controllers, connect, sent, clock };
}

function flow(text: string): FlowMod & { type: 'flow_mod' } {
  return { ...parseFlow(text, 'add'), type: 'flow_mod' };
}

/** A flow that goes on to a table before its own. */
const GOES_BACK: MessageBody = { ...flow('table=1,actions=goto_table:2'), table: 3 };
const PACKET = new Uint8Array(60).fill(0xee);

describe('hello', () => {
  const versionAfter = async (ours: readonly OpenflowVersion[], header: number, bitmap?: readonly number[]) => {
    const { controllers } = setUp({ versions: ours });
    const peer = new Peer(of10);
    const connection = controllers.accept(peer.stream, 'peer');
    const [hello] = encodeMessage(
      { type: 'hello', xid: 1, ...(bitmap ? { versions: bitmap } : {}) },
      { version: of10 },
    );
    hello[0] = header;
    peer.raw(hello);
    await turn();
    await turn();
    return { version: connection.session?.version, peer, connection };
  };

  it.each([
    [[of10, of13, of14, of15], 6, [1, 4, 5, 6], of15],
    [[of10, of13, of14, of15], 6, [1, 4], of13],
    [[of10, of13], 6, undefined, of13],
    [[of10, of13, of15], 5, undefined, of13],
    [[of13], 9, undefined, of13],
  ] as const)('of %j and header %i with bitmap %j agree on %i', async (ours, header, bitmap, expected) => {
    expect((await versionAfter(ours, header, bitmap)).version).toBe(expected);
  });

  it('without a common version ends in HELLO_FAILED with a text', async () => {
    const { version, peer, connection } = await versionAfter([of10, of13], 6, [6]);
    expect(version).toBeUndefined();
    const error = peer.received.find((message) => message.type === 'error');
    expect(error && peer.errors([error])).toEqual(['OFPHFC_INCOMPATIBLE']);
    expect(error?.type === 'error' && new TextDecoder().decode(error.data)).toContain('no common OpenFlow version');
    expect(connection.isReady).toBe(false);
    expect(peer.isEnded).toBe(true);
  });
});

describe('requests', () => {
  it('are answered in order, errors before the barrier after them', async () => {
    const { connect, bridge } = setUp();
    const peer = await connect(of13);
    const xid = peer.send(GOES_BACK);
    peer.send(flow('table=3,actions=output:2'));
    peer.send({ type: 'echo_request', data: Uint8Array.of(1, 2) });
    const [error, echo] = await peer.settle();
    expect(error).toMatchObject({ type: 'error', xid });
    expect(peer.errors([error])).toEqual(['OFPBIC_BAD_TABLE_ID']);
    expect(echo).toMatchObject({ type: 'echo_reply', data: Uint8Array.of(1, 2) });
    expect(bridge.flows()).toHaveLength(1);
  });

  it('of unknown kinds, statistics and vendors are refused by name', async () => {
    const { connect } = setUp();
    const peer = await connect(of13);
    const raw = (type: number, ...words: number[]): void => {
      const bytes = new Uint8Array(8 + 4 * words.length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, (4 << 24) | (type << 16) | bytes.length);
      for (const [i, word] of words.entries()) view.setUint32(8 + 4 * i, word);
      peer.raw(bytes);
    };
    raw(99);
    raw(18, 0x00630000, 0);
    raw(4, 0x12345678, 1);
    raw(4, 0x2320, 999);
    raw(6);
    expect(peer.errors(await peer.settle())).toEqual([
      'OFPBRC_BAD_TYPE',
      'OFPBRC_BAD_STAT',
      'OFPBRC_BAD_VENDOR',
      'OFPBRC_BAD_SUBTYPE',
      expect.stringMatching(/^OFPBRC_/),
    ]);
  });
});

describe('roles', () => {
  it('let a secondary read and not change, and one primary at a time', async () => {
    const { connect } = setUp();
    const [one, two] = [await connect(of13), await connect(of13)];
    one.send({ type: 'role_request', role: 'primary', generationId: 5n });
    expect(await one.settle()).toMatchObject([{ type: 'role_reply', role: 'primary', generationId: 5n }]);
    two.send({ type: 'role_request', role: 'primary', generationId: 4n });
    expect(two.errors(await two.settle())).toEqual(['OFPRRFC_STALE']);
    two.send({ type: 'role_request', role: 'primary', generationId: 6n });
    await two.settle();
    one.send(flow('actions=drop'));
    one.send({ type: 'multipart_request', flags: 0, body: { kind: 'port_desc', port: OFPP.none } });
    const answers = await one.settle();
    expect(one.errors(answers)).toEqual(['OFPBRC_IS_SECONDARY']);
    expect(answers.at(-1)).toMatchObject({ type: 'multipart_reply', body: { kind: 'port_desc' } });
    one.send({ type: 'role_request', role: 'nochange', generationId: 0n });
    expect(await one.settle()).toMatchObject([{ role: 'secondary' }]);
  });
});

describe('a primary controller that another one takes over from', () => {
  it.each([of10, of13, of14, of15])('is told from 1.4 on (version %i)', async (version) => {
    const { connect } = setUp();
    const [one, two, other] = [await connect(version), await connect(of15), await connect(of15)];
    one.send({ type: 'role_request', role: 'primary', ...(version === of10 ? {} : { generationId: 5n }) });
    one.send({ type: 'role_request', role: 'primary', ...(version === of10 ? {} : { generationId: 5n }) });
    expect(await one.settle()).toHaveLength(2);
    two.send({ type: 'role_request', role: 'primary', generationId: 6n });
    await two.settle();
    const status = { type: 'role_status', role: 'secondary', reason: 'primary_request', generationId: 6n };
    expect(await one.settle()).toMatchObject(version >= of14 ? [status] : []);
    expect(await other.settle()).toEqual([]);
  });
});

describe('announcements', () => {
  it('go to controllers, and to services that have set a length', async () => {
    const { connect, bridge } = setUp();
    const controller = await connect(of13);
    const service = await connect(of13, { kind: 'service' });
    bridge.flowMod(flow('priority=0,actions=controller:65535'));
    bridge.flowMod(flow('priority=9,send_flow_rem,in_port=2,actions=drop'));
    bridge.receive(1, PACKET);
    bridge.flowMod({ ...flow('priority=9,in_port=2,actions=drop'), command: 'delete' });
    bridge.portMod({ port: 1, config: 1, mask: 1 });
    expect((await controller.settle()).map(({ type }) => type)).toEqual(['packet_in', 'flow_removed', 'port_status']);
    expect(await service.settle()).toEqual([]);
    service.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    await service.settle();
    bridge.portMod({ port: 1, config: 0, mask: 1 });
    bridge.receive(1, PACKET);
    const [status, packet] = await service.settle();
    expect(status.type).toBe('port_status');
    expect(packet).toMatchObject({ type: 'packet_in', reason: 0, totalLength: 60, data: PACKET });
  });

  it('of packets reach only the controller that an action names', async () => {
    const { connect, bridge } = setUp();
    const [first, second] = [await connect(of10), await connect(of10)];
    second.send({ type: 'nx_set_controller_id', controllerId: 7 });
    second.send({ type: 'nx_set_packet_in_format', format: 'nxt_packet_in2' });
    await second.settle();
    bridge.flowMod(flow('actions=controller(id=7,userdata=01.02)'));
    bridge.receive(1, PACKET);
    expect(await first.settle()).toEqual([]);
    expect(await second.settle()).toMatchObject([
      { type: 'packet_in', format: 'nxt_packet_in2', userdata: Uint8Array.of(1, 2), reason: 1 },
    ]);
  });

  it('of packets that no flow matches come in 1.0 and not in 1.3', async () => {
    const { connect, bridge } = setUp();
    const [old, recent] = [await connect(of10), await connect(of13)];
    bridge.receive(1, PACKET);
    expect(await old.settle()).toMatchObject([{ type: 'packet_in', reason: 0 }]);
    expect(await recent.settle()).toEqual([]);
  });

  it('are dropped and counted where a peer does not read; its replies are not', async () => {
    const { connect, bridge, controllers } = setUp();
    const peer = await connect(of13);
    bridge.flowMod(flow('actions=controller:65535'));
    peer.isReading = false;
    for (let i = 0; i < 500; i++) bridge.receive(1, PACKET);
    for (let i = 0; i < 500; i++) peer.send({ type: 'echo_request', data: new Uint8Array(1000) }, 1000 + i);
    for (let i = 0; i < 20; i++) await turn();
    expect(controllers.droppedPackets).toBe(400);
    expect(peer.stream.writableLength).toBeLessThan(100_000);
    peer.readAgain();
    const received = await peer.settle();
    expect(received.filter(({ type }) => type === 'packet_in')).toHaveLength(100);
    const replies = received.filter(({ type }) => type === 'echo_reply');
    expect(replies.map(({ xid }) => xid)).toEqual(Array.from({ length: 500 }, (_, i) => 1000 + i));
  });
});

describe.each([of13, of14, of15])('bundles in version %i', (version) => {
  const control = (
    peer: Peer,
    control: 'open_request' | 'close_request' | 'commit_request' | 'discard_request',
    flags = 3,
  ) => peer.send({ type: 'bundle_control', bundleId: 1, control, flags });
  const add = (peer: Peer, mod: MessageBody, flags = 3): void => {
    const [message] = encodeMessage({ ...mod, xid: 77 }, { version });
    peer.send({ type: 'bundle_add', bundleId: 1, flags, message }, 77);
  };

  it('are carried out as a whole', async () => {
    const { connect, bridge } = setUp();
    const peer = await connect(version);
    control(peer, 'open_request');
    add(peer, flow('priority=1,actions=output:1'));
    add(peer, flow('priority=2,actions=output:2'));
    expect((await peer.settle()).map((m) => m.type === 'bundle_control' && m.control)).toEqual(['open_reply']);
    expect(bridge.flows()).toHaveLength(0);
    control(peer, 'close_request');
    control(peer, 'commit_request');
    const replies = await peer.settle();
    expect(replies.map((m) => m.type === 'bundle_control' && m.control)).toEqual(['close_reply', 'commit_reply']);
    expect(bridge.flows()).toHaveLength(2);
  });

  it('are met by other peers as a whole or not at all', async () => {
    const { connect } = setUp();
    const [peer, other] = [await connect(version), await connect(version)];
    const COUNT = 2000;
    for (let i = 0; i < COUNT; i++) add(peer, flow(`ip,nw_dst=10.0.${i >> 8}.${i & 255},actions=output:1`));
    control(peer, 'commit_request');
    const counts: number[] = [];
    const all = { table: 255, outPort: OFPP.none, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: Match.ALL };
    while (counts.at(-1) !== COUNT) {
      other.send({ type: 'multipart_request', flags: 0, body: { kind: 'aggregate', nxm: false, ...all } });
      for (const reply of await other.settle())
        if (reply.type === 'multipart_reply' && reply.body.kind === 'aggregate') counts.push(reply.body.flowCount);
    }
    expect([...new Set(counts)].filter((count) => count !== 0)).toEqual([COUNT]);
  });

  it('are not carried out at all when one message fails', async () => {
    const { connect, bridge } = setUp();
    const peer = await connect(version);
    bridge.flowMod(flow('priority=5,ip,actions=drop'));
    control(peer, 'open_request');
    add(peer, flow('priority=1,actions=output:1'));
    add(peer, flow('priority=5,check_overlap,tcp,actions=output:1'));
    const xid = control(peer, 'commit_request');
    const replies = (await peer.settle()).filter(({ type }) => type === 'error');
    expect(peer.errors(replies)).toEqual(['OFPFMFC_OVERLAP', 'OFPBFC_MSG_FAILED']);
    expect(replies.map((reply) => reply.xid)).toEqual([77, xid]);
    expect(bridge.flows()).toHaveLength(1);
  });

  it('send packets through the flows that they make, or not at all', async () => {
    const { connect, bridge, sent } = setUp();
    const peer = await connect(version);
    const packetOut = (actions: string): MessageBody => ({
      type: 'packet_out',
      bufferId: NO_BUFFER,
      metadata: new MatchBuilder().setNumber(field('in_port_oxm'), 1).build(),
      actions: flow(`actions=${actions}`).actions,
      data: PACKET,
    });
    control(peer, 'open_request');
    add(peer, flow('priority=1,actions=output:2'));
    add(peer, packetOut('table'));
    await peer.settle();
    expect(sent).toEqual([]);
    control(peer, 'commit_request');
    await peer.settle();
    expect(sent).toEqual([2]);
    control(peer, 'open_request');
    add(peer, flow('priority=2,actions=output:1'));
    add(peer, packetOut('group:7'));
    control(peer, 'commit_request');
    expect(peer.errors(await peer.settle())).toEqual(['OFPBAC_BAD_OUT_GROUP', 'OFPBFC_MSG_FAILED']);
    expect(bridge.flows()).toHaveLength(1);
    expect(sent).toEqual([2]);
  });

  it('that are used wrongly are refused', async () => {
    const { connect } = setUp();
    const peer = await connect(version);
    control(peer, 'commit_request');
    control(peer, 'open_request');
    add(peer, flow('actions=drop'), 1);
    control(peer, 'discard_request');
    control(peer, 'open_request');
    add(peer, { type: 'barrier_request' });
    control(peer, 'close_request');
    add(peer, flow('actions=drop'));
    expect(peer.errors(await peer.settle())).toEqual([
      'OFPBFC_BAD_ID',
      'OFPBFC_BAD_FLAGS',
      'OFPBFC_BAD_ID',
      'OFPBFC_MSG_UNSUP',
      'OFPBFC_BUNDLE_CLOSED',
    ]);
  });
});

describe('fail mode standalone', () => {
  it('has a flow NORMAL that everybody sees, until a controller is configured', async () => {
    const { bridge, controllers } = setUp({ failMode: 'standalone' });
    expect(bridge.flows()).toHaveLength(1);
    await controllers.add('ptcp:0:127.0.0.1');
    expect(bridge.flows(), 'a service is no controller').toHaveLength(1);
    await controllers.add('unix:/nowhere');
    expect(bridge.flows()).toHaveLength(0);
  });
});

const everything = { outPort: OFPP.none, outGroup: ANY_GROUP, table: 255, match: Match.ALL };
/** Asks for a monitor of everything. */
const watch: MessageBody = {
  type: 'multipart_request',
  flags: 0,
  body: { kind: 'flow_monitor', monitors: [{ id: 1, command: 'add', flags: 0x3f, ...everything }] },
};

describe('flow monitors', () => {
  const updatesOf = (messages: readonly Message[]) =>
    messages.flatMap((m) => (m.type === 'multipart_reply' && m.body.kind === 'flow_monitor' ? m.body.updates : []));

  it.each([of10, of13, of14, of15])(
    'pause for a peer that does not read, and tell it in the end (version %i)',
    async (version) => {
      const { bridge, connect } = setUp();
      const peer = await connect(version, { kind: 'service' });
      peer.send(watch);
      expect(updatesOf(await peer.settle())).toEqual([]);
      peer.isReading = false;
      const COUNT = 5000;
      for (let i = 0; i < COUNT; i++) bridge.flowMod(flow(`table=1,priority=${i},actions=output:1`));
      peer.readAgain();
      for (let i = 0; i < 20; i++) await peer.settle().then((messages) => peer.kept.push(...messages));
      const updates = updatesOf(peer.kept);
      const events = peer.kept.flatMap(({ type }) => (type.startsWith('flow_monitor') ? [type] : []));
      const pauses = updates.flatMap(({ event }) => (event === 'paused' || event === 'resumed' ? [event] : []));
      expect(version >= of14 ? pauses : events.map((event) => event.replace('flow_monitor_', ''))).toEqual([
        'paused',
        'resumed',
      ]);
      const added = updates.flatMap((update) => ('priority' in update ? [update.priority] : []));
      expect(new Set(added).size).toBe(COUNT);
      expect(added.length).toBe(COUNT);
    },
  );
});

const ECHO_REPLY = 3;
const LAST_XID = 77;

/** One of the messages with a few bytes changed; not in the header, without which nothing could be told apart. */
function mutated(messages: readonly Uint8Array[], seed: number): Uint8Array {
  const random = new Random(seed);
  const bytes = messages[random.below(messages.length)].slice();
  for (let i = 0; i <= random.below(6); i++) bytes[8 + random.below(Math.max(1, bytes.length - 8))] = random.below(256);
  return bytes;
}

describe('mutated messages', () => {
  const seeds: readonly (readonly [OpenflowVersion, Uint8Array])[] = [of10, of13, of14, of15].flatMap((version) =>
    (
      [
        flow('table=1,priority=3,in_port=1,tcp,tp_dst=80,actions=mod_dl_dst:00:01:02:03:04:05,output:2'),
        {
          type: 'packet_out',
          bufferId: NO_BUFFER,
          metadata: Match.ALL,
          actions: flow('actions=flood').actions,
          data: PACKET,
        },
        { type: 'multipart_request', flags: 0, body: { kind: 'port', port: OFPP.none } },
        watch,
        { type: 'multipart_request', flags: 0, body: { kind: 'table' } },
        {
          type: 'port_mod',
          port: 1,
          hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
          config: 0,
          mask: 1,
          advertise: 0,
        },
        { type: 'set_config', flags: 0, missSendLen: 128 },
        { type: 'echo_request', data: PACKET },
        { type: 'role_request', role: 'equal', generationId: 1n },
      ] as const
    ).flatMap((body) => encodeMessage({ ...body, xid: 9 }, { version }).map((bytes) => [version, bytes] as const)),
  );

  /** So many messages at once, since each turn of the event loop costs more than they do. */
  const AT_ONCE = 50;

  it.each([of10, of13, of14, of15])('leave the connection and the bridge alive (version %i)', async (version) => {
    const { connect, bridge } = setUp();
    const peers = [await connect(version)];
    const ofVersion = seeds.filter(([each]) => each === version).map(([, bytes]) => bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        for (let i = 0; i < AT_ONCE; i++) peers[0].raw(mutated(ofVersion, seed + i));
        await turn();
        peers[0].received.length = 0;
      }),
      { numRuns: runs(200) },
    );
    for (const peer of peers) {
      peer.send({ type: 'role_request', role: 'equal', generationId: 1n });
      peer.send({ type: 'echo_request', data: Uint8Array.of(5) });
      expect((await peer.settle()).at(-1)).toMatchObject({ type: 'echo_reply', data: Uint8Array.of(5) });
    }
    bridge.receive(1, PACKET);
  });

  it('come by a socket, too', async () => {
    const { controllers, bridge } = setUp();
    const folder = mkdtempSync(join(tmpdir(), 'oko-connection-'));
    const path = join(folder, 'socket');
    await controllers.add(`punix:${path}`);
    for (const version of [of10, of13, of14, of15]) {
      const ofVersion = seeds.filter(([each]) => each === version).map(([, bytes]) => bytes);
      const socket = createConnection({ path });
      const messages = new MessageStream();
      const done = new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('close', () => reject(new Error('the switch ended the connection')));
        socket.on('data', (chunk) => {
          for (const bytes of messages.push(chunk)) if (bytes[1] === ECHO_REPLY && bytes[7] === LAST_XID) resolve();
        });
      });
      const send = (body: MessageBody, xid: number): void => {
        for (const bytes of encodeMessage({ ...body, xid }, { version })) socket.write(bytes);
      };
      send({ type: 'hello', versions: [version] }, 1);
      for (let i = 0; i < 500; i++) socket.write(mutated(ofVersion, i));
      send({ type: 'echo_request', data: new Uint8Array(0) }, LAST_XID);
      await done;
      socket.removeAllListeners('close').destroy();
    }
    rmSync(folder, { recursive: true });
    bridge.receive(1, PACKET);
  });

  it('with a length that no message has end the connection only', async () => {
    const { connect } = setUp();
    const [broken, other] = [await connect(of13), await connect(of13)];
    broken.raw(Uint8Array.of(4, 2, 0, 3, 0, 0, 0, 0));
    for (let i = 0; i < 5; i++) await turn();
    expect(broken.isEnded).toBe(true);
    other.send({ type: 'echo_request', data: Uint8Array.of(5) });
    expect(await other.settle()).toHaveLength(1);
  });
});
