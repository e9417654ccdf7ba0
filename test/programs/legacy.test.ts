import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseHex, toHex } from '../../src/bytes/index.ts';
import { MessageStream } from '../../src/openflow/index.ts';
import { countingObject } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

/** Reads and writes plain bytes, as a client would that we know nothing of. */
class RawPeer {
  readonly #socket: Socket;
  readonly #stream = new MessageStream();
  readonly #messages: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('data', (bytes: Uint8Array) => {
      for (const message of this.#stream.push(bytes)) this.#messages.push(message.slice());
      this.#wake?.();
    });
  }

  send(...parts: readonly string[]): void {
    const bytes = parseHex(parts.join('').replaceAll(/[^0-9a-f]/g, ''));
    if (bytes === undefined) throw new Error('not whole bytes');
    new DataView(bytes.buffer).setUint16(2, bytes.length);
    this.#socket.write(bytes);
  }

  async receive(): Promise<string> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return toHex(message);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

const COUNT = countingObject(1);
const NICIRA = '00002320';
const ETHERNET_ONLY = `003fffff${'00'.repeat(36)}`;
const OUTPUT_2 = '0000 0008 0002 0000';

describe('the dialect of the original Oko', () => {
  let sw: ProgramSwitch;
  let peer: RawPeer;
  beforeEach(async () => {
    sw = await ProgramSwitch.start({ okoLegacy: true });
    peer = new RawPeer(sw.socket.replace(/^unix:/, ''));
  });
  afterEach(async () => {
    peer.close();
    await sw.close();
  });

  const hello = async (version: string): Promise<void> => {
    peer.send(version, '00 0000 00000001');
    expect((await peer.receive()).slice(2, 4)).toBe('00');
  };
  /** version, type 4, length, xid, vendor, subtype: the 16 bytes before each of the original's messages. */
  const vendor = (version: string, subtype: string): string => `${version} 04 0000 0000000a ${NICIRA} 000000${subtype}`;
  const load = (version: string, program: string): void =>
    peer.send(vendor(version, '1f'), program, '0000', COUNT.length.toString(16).padStart(8, '0'), toHex(COUNT));
  const barrier = async (version: string): Promise<void> => {
    peer.send(version, version === '01' ? '12' : '14', '0000 000000bb');
    expect((await peer.receive()).slice(8)).toBe('000000bb');
  };
  const flows = (): string[] =>
    sw.bridge.flows().map(({ program, priority, actions }) => `${program} ${priority} ${actions[0]?.type}`);

  it('loads, updates a map and dumps it, in the layouts of its headers', async () => {
    await hello('01');
    load('01', '0007');
    await barrier('01');
    expect(sw.bridge.programs.get(7).objectBytes).toBe(COUNT.length);
    // be16 prog, be16 map, be32 key_size, be32 value_size, be32 nb_elems, key, value
    peer.send(vendor('01', '20'), '0007 0000 00000004 00000008 00000001', '00000000', 'ff00002c00000001');
    // be16 prog, be16 nb_maps, host-endian map ids
    peer.send(vendor('01', '21'), '0007 0001 0000');
    const reply = `01 04 0030 0000000a ${NICIRA} 00000022 0700 0100 0000 0000 04000000 08000000 01000000 00000000 ff00002c00000001`;
    expect(await peer.receive()).toBe(reply.replaceAll(' ', ''));
  });

  it('refuses with OFPBRC_EPERM, whatever the reason', async () => {
    await hello('01');
    peer.send(vendor('01', '21'), '0009 0001 0000');
    expect(await peer.receive()).toMatch(/^0101....0000000a00010005/);
    peer.send(vendor('01', '1f'), '0001 0000 00000004 00000000');
    expect(await peer.receive()).toMatch(/^0101....0000000a00010005/);
    peer.send(vendor('01', '1f'), '0001 0000 00000404 00000000');
    // That one is cut: OFPBRC_BAD_LEN.
    expect(await peer.receive()).toMatch(/^0101....0000000a00010006/);
    await barrier('01');
  });

  it('OpenFlow 1.0: flow_mod and flow statistics have the program in their fixed part', async () => {
    await hello('01');
    load('01', '0007');
    const head = '01 0e 0000 00000002';
    // cookie, command, idle, hard, priority, buffer, out_port, filter_prog, flags, pad 6
    peer.send(
      head,
      ETHERNET_ONLY,
      '0000000000000005 0000 0000 0000 0064 ffffffff ffff 0007 0000 000000000000',
      OUTPUT_2,
    );
    peer.send(
      head,
      ETHERNET_ONLY,
      '0000000000000006 0000 0000 0000 0064 ffffffff ffff 0000 0000 000000000000',
      OUTPUT_2,
    );
    await barrier('01');
    expect(flows().sort()).toEqual(['7 100 output', 'undefined 100 output']);
    peer.send('01 10 0000 00000003 0001 0000', ETHERNET_ONLY, 'ff 00 ffff');
    const stats = (program: string, cookie: string): string =>
      `0060 00 00 (................){5} 00000000 00000000 0064 ${program} 0000 0000 00000000 ${cookie} 0000000000000000 0000000000000000 0000 0008 0002 ....`;
    expect(await peer.receive()).toMatch(
      new RegExp(
        `^01 11 .... 00000003 0001 0000 ${stats('0007', '0000000000000005')} ${stats('0000', '0000000000000006')}$`.replaceAll(
          ' ',
          '',
        ),
      ),
    );
    // A strict deletion means the flow of one program.
    peer.send(head, ETHERNET_ONLY, '0000000000000000 0004 0000 0000 0064 ffffffff ffff 0007 0000 000000000000');
    await barrier('01');
    expect(flows()).toEqual(['undefined 100 output']);
  });

  it('NXM: NXT_FLOW_MOD has it after out_port, NXST_FLOW at the end of the fixed part', async () => {
    await hello('01');
    load('01', '0007');
    // cookie, command, idle, hard, priority, buffer, out_port, filter_prog, flags, match_len, pad 4, in_port=1
    peer.send(
      vendor('01', '0d'),
      '0000000000000005 0000 0000 0000 0064 ffffffff ffff 0007 0000 0006 00000000',
      '00000002 0001 0000',
      OUTPUT_2,
    );
    await barrier('01');
    expect(flows()).toEqual(['7 100 output']);
    peer.send('01 10 0000 00000003 ffff 0000', NICIRA, '00000000 00000000 ffff 0000 ff 000000');
    const entry =
      '0048 00 00 00000000 00000000 0064 0000 0000 0006 .... .... 0000000000000005 0000000000000000 0000000000000000 ' +
      '0007 000000000000 00000002 0001 0000 0000 0008 0002 ....';
    expect(await peer.receive()).toMatch(
      new RegExp(`^01 11 .... 00000003 ffff 0000 ${NICIRA} 00000000 00000000 ${entry}$`.replaceAll(' ', '')),
    );
  });

  it('OpenFlow 1.3: flags, filter_prog, importance and padding of 6, then the match', async () => {
    await hello('04');
    load('04', '0007');
    const match = '0001 000c 80000004 00000001 00000000';
    const apply = '0004 0018 00000000 0000 0010 00000002 ffff 000000000000';
    peer.send(
      '04 0e 0000 00000002 0000000000000005 0000000000000000 00 00 0000 0000 0064 ffffffff ffffffff ffffffff 0000 0007 0000 000000000000',
      match,
      apply,
    );
    await barrier('04');
    expect(flows()).toEqual(['7 100 output']);
    peer.send(
      '04 12 0000 00000003 0001 0000 00000000 ff 000000 ffffffff ffffffff 00000000 0000000000000000 0000000000000000',
      '0001 0004 00000000',
    );
    const entry =
      '0058 00 00 00000000 00000000 0064 0007 0000 0000 0000 0000 0000000000000005 0000000000000000 0000000000000000 ' +
      `${match} ${apply.replace('ffff', '....')}`;
    expect(await peer.receive()).toMatch(
      new RegExp(`^04 13 .... 00000003 0001 0000 00000000 ${entry}$`.replaceAll(' ', '')),
    );
    // Cut where the original's fixed part is longer than the standard's.
    peer.send('04 0e 0000 00000009', '00'.repeat(44));
    expect(await peer.receive()).toMatch(/^0401....0000000900010006/);
  });

  it('whoever asks for the features of our extension is answered in standard layouts', async () => {
    expect((await sw.ofctl('add-flow', 'SW', 'in_port=1,actions=output:2')).err).toBe('');
    expect((await sw.ofctl('--no-stats', 'dump-flows', 'SW')).out).toBe(' in_port=1 actions=output:2\n');
  });
});
